"""`lingsou train RECIPE`: fine-tune a language model by a recipe."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json, progress_bar
from lingsou.core.errors import InputError
from lingsou.core.gates import Gate
from lingsou.core.model_store import ModelStore
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.training.recipe import Recipe, find_recipe, read_recipe, shipped_recipes
from lingsou.training.search import set_by_path

_SHOP = ("log", "catalogue")


def recipes(as_json: AsJson = False) -> None:
    """The recipes that come with Lingsou."""
    found = {path.stem: read_recipe(path) for path in shipped_recipes()}
    if as_json:
        print_json({"recipes": {name: recipe.model_dump(mode="json") for name, recipe in found.items()}})
        return
    table = Table("recipe", "tasks", "method", "what for", box=None)
    for name, recipe in found.items():
        table.add_row(name, ", ".join(spec.kind for spec in recipe.tasks.values()), recipe.method.name, recipe.about)
    output.print(table)


def recipe(
    name: Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe that comes along, or the path of a file.")],
    data: Data = None,
    files: Annotated[
        Path | None, typer.Option(help="Where the recipe's relative paths begin; default: its own folder.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of this run; default: DATA/training/NAME. An unfinished run goes on.")
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="Change a key of the recipe, as train.epochs=2; repeatable.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Go on from a version of the shop's model, or from production.")
    ] = None,
    replay: Annotated[
        float, typer.Option(min=0, max=1, help="With --from: old rows, as a share of the new, to be learned again.")
    ] = 0.3,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what would run and how long it takes; train nothing.")
    ] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Forget an unfinished run.")] = False,
    promote: Annotated[
        bool, typer.Option("--promote", help="Put the model into production, if the recipe's gate lets it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a language model by a recipe. The model is stored as candidate; promote it when it convinces you."""
    path = find_recipe(name)
    told = _changed(read_recipe(path), change or [])
    folder = folder_of(data)
    needs_shop = start is not None or any(spec.data.format in _SHOP for spec in told.tasks.values())
    if needs_shop or folder.exists():
        shop: Shop | None = open_shop(folder.root)
    else:
        shop = None
    if shop is None and out is None:
        raise InputError("There is no shop to keep the model in.", cure="--out FOLDER, or --data with a shop's folder.")
    place = out or folder.root / "training" / told.name
    if restart and place.is_dir():
        shutil.rmtree(place)
    try:
        _run(told, path, place, files or path.parent, shop, start, replay, plan=plan, promote=promote, as_json=as_json)
    finally:
        if shop is not None:
            shop.close()


def _run(
    told: Recipe,
    path: Path,
    place: Path,
    files: Path,
    shop: Shop | None,
    start: str | None,
    replay: float,
    *,
    plan: bool,
    promote: bool,
    as_json: bool,
) -> None:
    from lingsou.training.neural.continual import Parent, open_parent
    from lingsou.training.neural.deliver import deliver, measure_again
    from lingsou.training.neural.run import prepare

    parent: Parent | None = None
    if start is not None:
        assert shop is not None
        parent = open_parent(told, start, shop.folder.root / "models")
    with errors.status("reading data and model"):
        run = prepare(told, files, place, shop, parent=parent, replay=replay)
    foreseen = run.plan()
    if plan:
        _print_plan(run, foreseen, as_json=as_json)
        return
    (place / "cards").mkdir(parents=True, exist_ok=True)
    for task, card in run.cards.items():
        card.write(place / "cards" / f"{task}.json")
        for warning in card.warnings:
            errors.print(f"{task}: {warning}", highlight=False)
    with errors.status("measuring the base"):
        before = run.evaluate("test")
        forgotten = run.evaluate_old() if parent else {}
    with progress_bar() as bar:
        line = bar.add_task(f"training {told.name}", total=run.trainer.steps)
        trained = run.train(lambda done, of, loss: bar.update(line, completed=done, total=of))
    with errors.status("measuring, exporting, writing the report"):
        delivered = deliver(run, trained, place, recipe_text=path.read_text("utf-8"), before=before)
    summary: dict[str, Any] = {
        "recipe": told.name,
        "steps": trained.steps,
        "seconds": round(trained.seconds, 1),
        "test": {task: dict(found.values) for task, found in delivered.tests.items()},
        "before": {task: dict(found.values) for task, found in before.items()},
        "served": delivered.manifest.method,
        "report": str(delivered.report),
        "artefact": str(delivered.folder),
    }
    if parent:
        after = run.evaluate_old()
        summary["old_test"] = {
            task: {"before": forgotten[task].values[metric], "after": found.values[metric]}
            for task, found in after.items()
            for metric in [run.metric(task)]
        }
    if shop is not None:
        store = ModelStore(shop.folder.root / "models" / delivered.task)
        version = store.add(delivered.folder, delivered.manifest, datetime.now(UTC))
        summary["version"] = version
        if promote:
            production = store.alias("production")
            if production:  # it may have been measured on another test set
                for test_set, measured in measure_again(run, store.path(production)).items():
                    store.record(production, test_set, measured)
            gate = Gate(metric=told.gate.metric or "", margin=told.gate.margin, slice_margin=told.gate.slice_margin)
            store.promote(version, gate)
    _print_summary(summary, delivered.task, promoted=promote and shop is not None, as_json=as_json)


def _changed(told: Recipe, changes: list[str]) -> Recipe:
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            raise InputError(f"--set {change} has no value.", cure="--set train.epochs=2")
        told = set_by_path(told, key.strip(), value.strip())
    return told


def _print_plan(run: Any, foreseen: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {"plan": vars(foreseen), "cards": {name: card.model_dump(mode="json") for name, card in run.cards.items()}}
        )
        return
    for card in run.cards.values():
        output.print(card.as_text(), highlight=False)
    share = foreseen.trainable / max(foreseen.total, 1)
    output.print(
        f"{foreseen.steps:,} steps on {foreseen.device} in {foreseen.precision}; "
        f"{foreseen.trainable:,} of {foreseen.total:,} weights move ({share:.2%})\n"
        f"about {_duration(foreseen.seconds)} of training, evaluations apart; "
        f"{foreseen.peak_mb:,.0f} MiB of memory, {foreseen.disk_mb:,.0f} MiB of disk for checkpoints",
        highlight=False,
    )


def _print_summary(summary: dict[str, Any], task: str, *, promoted: bool, as_json: bool) -> None:
    if as_json:
        print_json(summary)
        return
    table = Table("task", "metric", "before", "after", box=None)
    for name, values in summary["test"].items():
        for metric, value in values.items():
            before = summary["before"][name].get(metric)
            table.add_row(name, metric, "" if before is None else f"{before:.4f}", f"{value:.4f}")
    output.print(table)
    for name, values in summary.get("old_test", {}).items():
        output.print(f"{name} on its old test set: {values['before']:.4f} before, {values['after']:.4f} after")
    output.print(summary["served"], highlight=False)
    output.print(f"report: {summary['report']}", highlight=False)
    if "version" in summary:
        state = "in production" if promoted else f"a candidate: lingsou models promote {task}"
        output.print(f"{task} {summary['version']} is {state}", highlight=False)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{seconds:.0f} s" if seconds < 90 else f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
