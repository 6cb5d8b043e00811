"""`lingsou train search` and `lingsou train cross-validate`: which recipe is best, and how good one is."""

from typing import Annotated, Any

import typer
from rich.table import Table

from lingsou.cli.console import AsJson, Data, errors, output, print_json, progress_bar
from lingsou.cli.recipe_options import Change, Files, Name, Out, Restart, chosen
from lingsou.core.errors import InputError, StorageError
from lingsou.training.recipe import Recipe, recipe_toml
from lingsou.training.search import Choice, Space, Trials

_SPACE: Space = {"train.learning_rate": (1e-5, 1e-2)}
BEST = "best.toml"


def search_recipe(
    name: Name,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            help="A key and its range, as train.learning_rate=1e-5..1e-3, or its choices, as method.rank=8,16."
        ),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="So many in all, those of an earlier start included.")] = 20,
    data: Data = None,
    files: Files = None,
    out: Out = None,
    change: Change = None,
    restart: Restart = False,
    as_json: AsJson = False,
) -> None:
    """Search a recipe's keys (default: the learning rate) for the best on validation; a killed search goes on.

    Writes the best recipe as TOML; train it with `lingsou train`.
    """
    space = _space(vary or [])
    with chosen(name, data, files, out, change, restart=restart, folder="{}-search") as task:
        from lingsou.training.neural.trials import search_recipe as find

        with progress_bar() as bar:
            line = bar.add_task("search")

            def on_trial(tried: Recipe, steps: int) -> Any:
                bar.reset(line, total=steps, description=f"trial with {_told(tried, space)}")
                return lambda done, of, loss: bar.update(line, completed=done, total=of)

            found = find(task.recipe, space, trials, task.files, task.place, task.shop, on_trial=on_trial)
        best = task.place / BEST
        try:
            best.write_text(recipe_toml(found.best), encoding="utf-8")
        except OSError as error:
            raise StorageError(f"{best} cannot be written: {error.strerror}.", cure="Free some space.") from error
        if as_json:
            tried = [{"values": dict(each.values), "metric": each.metric} for each in found.tried]
            print_json({"metric": found.metric, "best": found.best.model_dump(mode="json"), "trials": tried,
                        "recipe": str(best)})  # fmt: skip
            return
        _print_trials(found, space)
        output.print(f"the best recipe: {best}", highlight=False)
        output.print(f"lingsou train {best} --files {task.files}", highlight=False)


def cross_validate(
    name: Name,
    folds: Annotated[int, typer.Option(min=3, max=50, help="Parts of the data, each measured once.")] = 5,
    data: Data = None,
    files: Files = None,
    out: Out = None,
    change: Change = None,
    restart: Restart = False,
    as_json: AsJson = False,
) -> None:
    """Measure a recipe on all of its data: train once for each fold, on the others. Nothing is exported.

    A killed run goes on with the fold that it was at.
    """
    with chosen(name, data, files, out, change, restart=restart, folder="{}-folds") as task:
        from lingsou.training.neural.cross_validation import cross_validate as measure
        from lingsou.training.neural.run import read_data

        with errors.status("reading data"):
            examples = read_data(task.recipe, task.files, task.shop)
        with progress_bar() as bar:
            line = bar.add_task("folds", total=folds)

            def on_fold(number: int, steps: int) -> Any:
                bar.reset(line, total=steps, description=f"fold {number + 1} of {folds}")
                return lambda done, of, loss: bar.update(line, completed=done, total=of)

            found = measure(task.recipe, folds, examples, task.files, task.place, task.shop, on_fold=on_fold)
    if as_json:
        values = {head: {metric: vars(each) for metric, each in own.items()} for head, own in found.values.items()}
        print_json({"recipe": task.recipe.name, "folds": folds, "rows": dict(found.rows),
                    "metrics": dict(found.metrics), "values": values})  # fmt: skip
        return
    table = Table("task", "metric", "mean", "sd", *(f"fold {number + 1}" for number in range(folds)), box=None)
    for head, own in found.values.items():
        for metric, each in own.items():
            shown = f"[bold]{metric}[/]" if metric == found.metrics[head] else metric
            table.add_row(head, shown, f"{each.mean:.4f}", f"{each.deviation:.4f}", *(f"{v:.4f}" for v in each.folds))
    output.print(table)
    measured = ", ".join(f"{rows:,} rows of {head}" for head, rows in found.rows.items())
    output.print(f"measured: {measured}, each by a model that had not seen it", highlight=False)


def _space(given: list[str]) -> Space:
    """`KEY=LOW..HIGH` and `KEY=A,B,C` as a search takes them.

    Raises:
        InputError: one is neither.
    """
    found: dict[str, tuple[float, float] | list[Choice]] = {}
    for each in given:
        key, _, values = each.partition("=")
        low, between, high = values.partition("..")
        if not key or not values:
            raise InputError(f"--vary {each} has no values.", cure=_VARY)
        if not between:
            found[key] = [_value(value.strip()) for value in values.split(",")]
            continue
        ends = _value(low), _value(high)
        if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
            raise InputError(f"--vary {each} is no range of numbers.", cure=_VARY)
        found[key] = ends  # type: ignore[assignment]
    return found or _SPACE


_VARY = "--vary train.learning_rate=1e-5..1e-3, or --vary method.rank=8,16,32"


def _value(text: str) -> Choice:
    """A whole number, a number, true or false, else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text, text)


def _told(tried: Recipe, space: Space) -> str:
    """What a trial's recipe says of the keys that vary."""
    values = []
    for path in space:
        place: Any = tried.model_dump()
        for key in path.split("."):
            place = place[key]
        values.append(f"{path.rpartition('.')[2]} {place:.3g}" if isinstance(place, float) else f"{path} {place}")
    return ", ".join(values)


def _print_trials(found: Trials, space: Space) -> None:
    table = Table("trial", *space, "on validation", box=None)
    for number, each in enumerate(found.tried, start=1):
        values = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in each.values.values()]
        metric = "given up" if each.metric is None else f"{each.metric:.4f}"
        table.add_row(str(number), *values, f"[bold]{metric}[/]" if each.metric == found.metric else metric)
    output.print(table)
