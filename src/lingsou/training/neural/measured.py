"""The figures of an artefact on a run's test parts, as it will be served: of the run's own, or of another version."""

from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import nn

from lingsou.core.manifests import MANIFEST, Measurement
from lingsou.encoders.graph import SENTENCE, TOKEN_STATES
from lingsou.encoders.manifest import HeadManifest, read_manifest
from lingsou.models.character_classes import CharacterClasses
from lingsou.models.character_crf import CharacterCrf, Together
from lingsou.models.tagger import OUTSIDE
from lingsou.ranking.cross_encoder import RerankerManifest
from lingsou.training.evaluations import Evaluation
from lingsou.training.examples import ExampleSet, LabelSet, Span, Splits, TagSet
from lingsou.training.neural.checkpoint import load_weights
from lingsou.training.neural.continual import HEAD, WEIGHTS
from lingsou.training.neural.run import Prepared
from lingsou.training.neural.served import Served
from lingsou.training.neural.tasks.classification import ClassHead, ClassificationTask
from lingsou.training.neural.tasks.make import make_task
from lingsou.training.neural.tasks.tagging import TaggingTask, TagHead
from lingsou.training.neural.tasks.task import Task
from lingsou.training.recipe import TaskKind, TaskSpec
from lingsou.training.robustness import few

_OUTPUTS: dict[TaskKind, str] = {"relevance": "score", "matching": SENTENCE}
"""The graph's output that needs no head of the run; of other kinds, token states and the run's own head are read."""

_Asked = tuple[Task, Served, nn.Module]
"""A task over an artefact, and what is left to be done to its output."""


def measured(run: Prepared, folder: Path) -> dict[str, Measurement]:
    """Every task on its test part through the run's own artefact in `folder`; the metric that decides first."""
    found = {}
    for task in run.tasks:
        output = _OUTPUTS.get(run.recipe.tasks[task.name].kind, TOKEN_STATES)
        head = run.head(task.name) if output == TOKEN_STATES else nn.Identity()
        found[task.name] = _measurement(run, task, task.evaluate(Served(run.model, folder, output), head, "test"))
    return found


def measure_again(run: Prepared, folder: Path) -> dict[str, Measurement]:
    """Another version's artefact on the test parts of this run, so that a gate can compare the two.

    It is asked as it is served: texts are cut by its own tokenizer, behind its own prefixes, no longer than it takes,
    and its own heads answer. A task is left out where the artefact has no such head, and where it keeps none, as of
    `masking`.

    Raises:
        ConfigurationError, StorageError: the artefact is damaged.
    """
    found = {}
    for task in run.tasks:
        asked = _asked(run, task.name, folder)
        if asked is not None:
            again, served, head = asked
            found[task.name] = _measurement(run, task, again.evaluate(served, head, "test"))
    return found


def _measurement(run: Prepared, task: Task, evaluation: Evaluation) -> Measurement:
    return Measurement(
        data=run.cards[task.name].parts["test"].sha256,
        rows=evaluation.rows,
        values={task.metric: evaluation.values[task.metric]} | dict(evaluation.values),
        slices={name: dict(of) for name, of in evaluation.slices.items()},
    )


def _asked(run: Prepared, name: str, folder: Path) -> _Asked | None:
    spec = run.recipe.tasks[name].model_copy(update={"hard_negatives": 0})
    if spec.kind == "relevance":
        reranker = RerankerManifest.model_validate_json((folder / MANIFEST).read_bytes())
        served = Served(run.model, folder, reranker.output)
        own = spec.model_copy(update={"max_tokens": reranker.max_tokens})
        return make_task(name, own, _parts(run, name), served), served, nn.Identity()
    encoder = read_manifest(folder)
    spec = spec.model_copy(update={"max_tokens": min(spec.max_tokens, encoder.max_tokens)})
    if spec.kind == "matching":
        served = Served(run.model, folder, SENTENCE, encoder.dimension)
        return make_task(name, spec, _parts(run, name), served), served, nn.Identity()
    if spec.kind in ("click", "history"):
        return _beside(run, name, spec, folder, encoder.dimension)
    head = encoder.heads.get(name)
    if head is None or head.kind != spec.kind:
        return None
    served = Served(run.model, folder, head.output, len(head.labels))
    if spec.kind == "tags":
        return _tags(run, name, spec, folder, head, served)
    return _classes(run, name, spec, folder, head, served)


def _parts(run: Prepared, name: str, train: ExampleSet | None = None) -> Splits[Any]:
    """The run's data with next to no training rows: nothing is learned from them."""
    sets = run.splits[name]
    return Splits(sets.train.take(few(sets.train)) if train is None else train, sets.validation, sets.test)


def _beside(run: Prepared, name: str, spec: TaskSpec, folder: Path, dimension: int) -> _Asked | None:
    """A head that no graph has, of two texts or more; it lies among the weights to go on from, if there are any."""
    kept = load_weights(folder / WEIGHTS) if (folder / WEIGHTS).is_file() else {}
    prefix = f"{HEAD}{name}."
    weights = {key.removeprefix(prefix): value for key, value in kept.items() if key.startswith(prefix)}
    served = Served(run.model, folder, TOKEN_STATES, dimension)
    task = make_task(name, spec, _parts(run, name), served)
    head = task.head(dimension)
    shapes = {key: value.shape for key, value in head.state_dict().items()}
    if {key: value.shape for key, value in weights.items()} != shapes:
        return None
    head.load_state_dict(weights)
    return task, served, head


def _classes(run: Prepared, name: str, spec: TaskSpec, folder: Path, head: HeadManifest, served: Served) -> _Asked:
    """Labels are the artefact's own, so training rows stand in that have those."""
    named = LabelSet(head.labels, tuple((label,) for label in head.labels), spec.kind == "labels")
    answers = ClassHead(len(head.labels), len(head.labels))
    answers.get_buffer("temperature").fill_(head.temperature)
    task = make_task(name, spec, _parts(run, name, named), served)
    if head.characters and isinstance(task, ClassificationTask):
        task.characters = CharacterClasses.load(_arrays(folder / head.characters))
    return task, served, _through(answers)


def _tags(run: Prepared, name: str, spec: TaskSpec, folder: Path, head: HeadManifest, served: Served) -> _Asked:
    kinds = tuple(dict.fromkeys(label[2:] for label in head.labels if label != OUTSIDE))
    named = TagSet(kinds, tuple((Span(0, len(kind), kind),) for kind in kinds))
    spec = spec.model_copy(update={"crf": head.transitions is not None})
    task = _Tagging(name, spec, _parts(run, name, named), served)
    answers = task.head(len(head.labels))
    assert isinstance(answers, TagHead)
    if answers.crf is not None and head.transitions:
        answers.crf.load_state_dict(load_file(folder / head.transitions))
    if head.characters:
        task.known, task.share = CharacterCrf.load(_arrays(folder / head.characters)), head.share
    return task, served, _through(answers)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    return {key: value.numpy() for key, value in load_file(path).items()}


class _Tagging(TaggingTask):
    """With a CRF over characters that another run fitted."""

    known: CharacterCrf | None = None

    def together(self, head: nn.Module, share: float | None = None) -> Together | None:
        """Both CRFs in one lattice; the share was chosen when they were fitted."""
        del share
        return None if self.known is None else Together(self.known, self.share, self.tags, self.chain(head))


def _through(head: nn.Linear) -> nn.Linear:
    """A head that leaves alone what the graph's own head says."""
    with torch.no_grad():
        nn.init.eye_(head.weight)
        nn.init.zeros_(head.bias)
    return head
