"""`lingsou train RECIPE`: fine-tune a language model by a recipe."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from lingsou.cli.console import AsJson, Data, errors, output, print_json, progress_bar
from lingsou.cli.recipe_options import Change, Chosen, Files, Name, Out, Restart, chosen
from lingsou.core.errors import InputError, LingsouError
from lingsou.core.model_store import ModelStore
from lingsou.training.recipe import read_recipe, shipped_recipes


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
    name: Name,
    data: Data = None,
    files: Files = None,
    out: Out = None,
    change: Change = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Go on from a version of the shop's model, or from production.")
    ] = None,
    replay: Annotated[
        float, typer.Option(min=0, max=1, help="With --from: old rows, as a share of the new, to be learned again.")
    ] = 0.3,
    seeds: Annotated[
        int, typer.Option(min=1, max=20, help="Train so many times, and deliver the mean of the weights.")
    ] = 1,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what would run and how long it takes; train nothing.")
    ] = False,
    restart: Restart = False,
    promote: Annotated[
        bool, typer.Option("--promote", help="Put the model into production, if the recipe's gate lets it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a language model by a recipe. The model is stored as candidate; promote it when it convinces you."""
    if start is not None and seeds > 1:
        raise InputError("--from goes on with one model, --seeds begins several.", cure="One of the two.")
    with chosen(name, data, files, out, change, restart=restart and not plan, with_shop=start is not None) as task:
        _run(task, start, replay, seeds, plan=plan, promote=promote, as_json=as_json)


def _run(
    task: Chosen, start: str | None, replay: float, seeds: int, *, plan: bool, promote: bool, as_json: bool
) -> None:
    from lingsou.training.neural.continual import Parent, open_parent
    from lingsou.training.neural.deliver import deliver, write_cards
    from lingsou.training.neural.run import prepare, read_data

    told, place, shop = task.recipe, task.place, task.shop
    parent: Parent | None = None
    if start is not None:
        assert shop is not None
        parent = open_parent(told, start, shop.folder.models)
    with errors.status("reading data and model"):
        examples = read_data(told, task.files, shop)
        run = prepare(told, task.files, place, shop, data=examples, parent=parent, replay=replay)
    if parent and (without := [head for head in told.tasks if head in parent.recipe.tasks and head not in run.old]):
        errors.print(
            f"{parent.version} keeps no data of {', '.join(without)}: none of it is replayed, and what is forgotten "
            "cannot be measured.",
            highlight=False,
        )
    if not run.device.processes.first:  # one of several that accelerate launched: the first one does the rest
        if not plan:
            run.train()
        return
    if plan:
        foreseen = run.plan()
        foreseen = replace(foreseen, steps=seeds * foreseen.steps, seconds=seeds * foreseen.seconds)
        _print_plan(run, foreseen, as_json=as_json)
        return
    write_cards(run, place)
    for head, card in run.cards.items():
        for warning in card.warnings:
            errors.print(f"{head}: {warning}", highlight=False)
    with errors.status("measuring the base"):
        before = run.evaluate("test")
        forgotten = run.evaluate_old() if parent else {}
    several: dict[str, Any] = {}
    made = ""
    if seeds == 1:
        with progress_bar() as bar:
            line = bar.add_task(f"training {told.name}", total=run.trainer.steps)
            trained = run.train(lambda done, of, loss: bar.update(line, completed=done, total=of))
    else:
        del run  # one model in memory at a time
        run, trained, several = _trained_together(task, seeds, examples)
        made = several["delivered"]
    with errors.status("measuring, exporting, writing the report"):
        delivered = deliver(run, trained, place, recipe_text=task.text, made=made, before=before)
    summary: dict[str, Any] = {
        "recipe": told.name,
        "steps": trained.steps,
        "seconds": round(trained.seconds, 1),
        "test": {head: dict(found.values) for head, found in delivered.tests.items()},
        "before": {head: dict(found.values) for head, found in before.items()},
        "served": delivered.manifest.method,
        "report": str(delivered.report),
        "artefact": str(delivered.folder),
    }
    if several:
        summary["seeds"] = several
    if parent:
        after = run.evaluate_old()
        summary["old_test"] = {
            head: {"before": forgotten[head].values[metric], "after": found.values[metric]}
            for head, found in after.items()
            for metric in [run.metric(head)]
        }
    if shop is not None:
        summary["version"] = _stored(run, delivered, ModelStore(shop.folder.models / delivered.task), promote=promote)
    run.trainer.forget()
    _print_summary(summary, delivered.task, promoted=promote and shop is not None, as_json=as_json)


def _trained_together(task: Chosen, seeds: int, examples: Any) -> tuple[Any, Any, dict[str, Any]]:
    """All seeds' mean, the training, and what there is to say of the members."""
    from lingsou.training.neural.members import train_members

    with progress_bar() as bar:
        bars = {}

        def on_member(seed: int, steps: int) -> Any:
            bars[seed] = bar.add_task(f"training {task.recipe.name}, seed {seed}", total=steps)
            return lambda done, of, loss: bar.update(bars[seed], completed=done, total=of)

        found = train_members(task.recipe, seeds, examples, task.files, task.place, task.shop, on_member=on_member)
    told = {
        "members": {str(each.seed): each.test for each in found.members},
        "ensemble": found.together,
        "kept": list(found.kept),
        "delivered": found.made,
    }
    return found.run, found.trained, told


def _stored(run: Any, delivered: Any, store: ModelStore, *, promote: bool) -> str:
    """The version that is the candidate now, or in production."""
    version = store.add(delivered.folder, delivered.manifest, datetime.now(UTC))
    production = store.alias("production")
    if production:
        with errors.status("measuring production on the same rows"):
            _measure_production(run, store, production)
    if promote:
        store.promote(version, run.recipe.gate.gate)
    return version


def _measure_production(run: Any, store: ModelStore, production: str) -> None:
    """Record production's figures on the run's test parts, so that the gate can compare; say where there are none."""
    from lingsou.training.neural.measured import measure_again

    known = store.about(production).measurements
    data = {task.name: run.cards[task.name].parts["test"].sha256 for task in run.tasks}
    if all(name in known and known[name].data == own for name, own in data.items()):
        return
    reason = "it keeps no such head"
    try:
        store.verify(production)
        found = measure_again(run, store.path(production))
    except LingsouError as error:  # the model that was trained is kept all the same
        found, reason = {}, str(error)
    for test_set, measured in found.items():
        store.record(production, test_set, measured)
    if unmeasured := [name for name, own in data.items() if name not in found and name in known]:
        errors.print(
            f"Production was not measured on the new test rows of {', '.join(unmeasured)}: {reason}. The gate cannot "
            f"compare; look at the reports of both, then: lingsou models promote {store.task} --force",
            highlight=False,
        )


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
    if "seeds" in summary:
        _print_seeds(summary["seeds"])
    for name, values in summary.get("old_test", {}).items():
        output.print(f"{name} on its old test set: {values['before']:.4f} before, {values['after']:.4f} after")
    output.print(summary["served"], highlight=False)
    output.print(f"report: {summary['report']}", highlight=False)
    if "version" in summary:
        state = "in production" if promoted else f"a candidate: lingsou models promote {task}"
        output.print(f"{task} {summary['version']} is {state}", highlight=False)


def _print_seeds(told: dict[str, Any]) -> None:
    """What each seed comes to on the test part, and the mean of all their predictions."""
    seeds = list(told["members"])
    table = Table("task", "metric", *(f"seed {seed}" for seed in seeds), "mean prediction", box=None)
    for head, values in told["members"][seeds[0]].items():
        for metric in values:
            together = told["ensemble"].get(head, {}).get(metric)
            row = [f"{told['members'][seed][head][metric]:.4f}" for seed in seeds]
            table.add_row(head, metric, *row, "" if together is None else f"{together:.4f}")
    output.print(table)
    output.print(f"delivered: {told['delivered']}", highlight=False)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{seconds:.0f} s" if seconds < 90 else f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
