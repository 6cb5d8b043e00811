"""What becomes of a trained model: its figures, the artefact in the precision that it can bear, and the report."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

from lingsou import __version__
from lingsou.core.manifests import ModelManifest
from lingsou.encoders.graph import Precision
from lingsou.encoders.manifest import EncoderManifest
from lingsou.evaluation.report import machine
from lingsou.ranking.cross_encoder import RerankerManifest
from lingsou.training.evaluations import Evaluation, Perturbed
from lingsou.training.neural.continual import DATA, data_file, write_weights
from lingsou.training.neural.export import choose_precision, export_encoder, export_reranker
from lingsou.training.neural.measured import measured
from lingsou.training.neural.robustness import robustness
from lingsou.training.neural.run import Prepared, peak_mb
from lingsou.training.neural.tasks.classification import ClassificationTask
from lingsou.training.neural.tasks.matching import MatchingTask
from lingsou.training.neural.tasks.tagging import TaggingTask
from lingsou.training.neural.tasks.task import ExportedHead
from lingsou.training.neural.trainer import Trained
from lingsou.training.report import Precision as PrecisionReport
from lingsou.training.report import TaskReport, TrainingReport
from lingsou.training.report_page import write_report
from lingsou.training.report_tables import slice_counts

_PACKAGES = ("torch", "transformers", "peft", "onnxruntime", "numpy")


@dataclass(frozen=True)
class Delivered:
    """The artefact and what is known of it."""

    folder: Path
    manifest: EncoderManifest | RerankerManifest
    report: Path
    tests: Mapping[str, Evaluation]
    """Task → its test part, by the trained weights."""

    @property
    def task(self) -> str:
        """Whose store it belongs to: `encoder` or `reranker`."""
        return self.manifest.task if isinstance(self.manifest, RerankerManifest) else "encoder"


def deliver(
    run: Prepared,
    trained: Trained,
    folder: Path,
    *,
    recipe_text: str = "",
    made: str = "",
    before: Mapping[str, Evaluation] | None = None,
    name: str | None = None,
) -> Delivered:
    """Measure, calibrate, export in both precisions, choose one, and write the report.

    Args:
        run: trained.
        trained: what the training came to.
        folder: gets `fp32/`, `int8/`, `report.html` and `report.json`.
        recipe_text: TOML, for report and manifest.
        made: how the weights came about, if not by one training.
        before: every task on its test part before training; none: not measured.
        name: of the artefact; none: the recipe's.

    Raises:
        ConfigurationError: the model cannot be exported.
        StorageError: something cannot be written.
    """
    calibrate(run)
    tests, validations = run.evaluate("test"), run.evaluate("validation")
    robust = {task.name: _robust(run, task.name) for task in run.tasks}
    run.attached.merge()
    method = f"{run.recipe.method.name}, {made}" if made else run.recipe.method.name
    about = ModelManifest(
        task="",
        method=method,
        data={name: card.parts["train"].sha256 for name, card in run.cards.items()},
        parent=run.parent.version if run.parent else None,
        recipe=recipe_text,
    )
    chosen = choose_precision(
        lambda precision: _export(run, about, folder / precision, precision, name or run.recipe.name),
        lambda path: measured(run, path),
        run.recipe.export.most_lost,
        wanted=run.recipe.export.precision,
    )
    served = {
        precision: {each: found.values for each, found in of.items()} for precision, of in chosen.measurements.items()
    }
    report = TrainingReport(
        name=run.recipe.name,
        about=run.recipe.about,
        recipe_text=recipe_text,
        base=run.base.published or run.base.name,
        method=method,
        trainable=run.attached.trainable + sum(value.numel() for value in run.trainer.heads.parameters()),
        total=sum(value.numel() for value in run.model.parameters()),
        seconds=trained.seconds,
        peak_mb=peak_mb(),
        machine=", ".join(str(value) for value in machine().values()),
        points=trained.points,
        tasks=[
            TaskReport(
                name=task.name,
                metric=task.metric,
                card=run.cards[task.name],
                before=(before or {}).get(task.name),
                validation=validations[task.name],
                test=tests[task.name],
                counts=slice_counts(run.splits[task.name].test, run.recipe.tasks[task.name].kind),
                robustness=robust[task.name],
            )
            for task in run.tasks
        ],
        kept=trained.kept,
        precision=PrecisionReport(
            chosen.precision,
            chosen.says,
            {
                task.name: (served["fp32"][task.name][task.metric], served["int8"][task.name][task.metric])
                for task in run.tasks
            },
        ),
        versions=versions(),
    )
    if run.attached.mergeable and run.recipe.export.vocabulary == "whole":
        reference = run.parent.reference if run.parent else run.recipe.base
        write_weights(chosen.folder, run.model, run.trainer.heads, reference)
        for task_name, rows in run.data.items():
            rows.write(data_file(chosen.folder / DATA, task_name), run.recipe.train.seed)
    write_cards(run, chosen.folder)
    manifest = _manifest(run, chosen.folder)
    return Delivered(chosen.folder, manifest, write_report(report, folder), tests)


def write_cards(run: Prepared, folder: Path) -> None:
    """Write the data card of every task to `cards/<task>.json` in `folder`.

    Raises:
        StorageError: one cannot be written.
    """
    (folder / "cards").mkdir(parents=True, exist_ok=True)
    for name, card in run.cards.items():
        card.write(folder / "cards" / f"{name}.json")


def calibrate(run: Prepared) -> None:
    """Fit to the validation part what is left to be fitted once the weights are final."""
    for task in run.tasks:
        if isinstance(task, ClassificationTask | TaggingTask):
            task.calibrate(run.model, run.head(task.name))


def versions() -> dict[str, str]:
    """Of everything that a figure may depend on."""
    found = {"lingsou": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _robust(run: Prepared, name: str) -> Mapping[str, Perturbed]:
    spec, splits = run.recipe.tasks[name], run.splits[name]
    fitted = next(task for task in run.tasks if task.name == name)
    return robustness(name, spec, splits, run.model, run.head(name), seed=run.recipe.train.seed, fitted=fitted)


def _heads(run: Prepared) -> Sequence[ExportedHead]:
    found = (task.export(run.head(task.name)) for task in run.tasks)
    return [head for head in found if head is not None]


def _is_reranker(run: Prepared) -> bool:
    return any(spec.kind == "relevance" for spec in run.recipe.tasks.values())


def _export(run: Prepared, about: ModelManifest, folder: Path, precision: Precision, name: str) -> Path:
    if _is_reranker(run):
        spec = next(iter(run.recipe.tasks.values()))
        export_reranker(run.model, _heads(run)[0], folder, about=about, max_tokens=spec.max_tokens, precision=precision)
        return folder
    turns = [task.turn(run.head(task.name)) for task in run.tasks if isinstance(task, MatchingTask)]
    turn = next((each for each in turns if each is not None), None)
    export_encoder(run.model, _heads(run), folder, name=name, about=about, precision=precision, turn=turn)
    return folder


def _manifest(run: Prepared, folder: Path) -> EncoderManifest | RerankerManifest:
    values: dict[str, Any] = orjson.loads((folder / "manifest.json").read_bytes())
    return RerankerManifest.model_validate(values) if _is_reranker(run) else EncoderManifest.model_validate(values)
