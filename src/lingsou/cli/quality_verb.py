"""`lingsou quality`: check the store, follow the trend, decide about repairs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from lingsou.catalog.store import Store
from lingsou.catalog.suggestions import STATES, Chosen, State, Suggestion, SuggestionStore
from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json
from lingsou.cli.quality_inputs import events, images, reviews
from lingsou.core.errors import ConflictError, NotFoundError, RequestError
from lingsou.core.settings import DataFolder, Settings, load_settings
from lingsou.pipeline.quality import quality_lock, run_quality
from lingsou.quality.profile import load_profile
from lingsou.quality.runs import QualityRun, RunStore
from lingsou.quality.scores import GroupScore

AUTHOR = "command line"
_SHOWN, _WORST = 60, 5

quality = typer.Typer(
    help="Quality of the store: run the checks, see the trend, apply repairs; events, images and reviews too.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
for _source in (events, images, reviews):
    quality.command()(_source)
Ids = Annotated[list[str] | None, typer.Argument(help="Ids of suggestions.")]
OfCheck = Annotated[str | None, typer.Option("--check", help="Only suggestions of this check.")]
OfField = Annotated[str | None, typer.Option("--field", help="Only suggestions for this field.")]
OfProduct = Annotated[str | None, typer.Option("--product", help="Only suggestions for this product.")]
Confidence = Annotated[float, typer.Option(min=0.0, max=1.0, help="Only suggestions at least so sure.")]
Every = Annotated[bool, typer.Option("--all", help="Every open suggestion that the options leave, instead of ids.")]


class _Opened(NamedTuple):
    store: Store
    suggestions: SuggestionStore
    folder: DataFolder
    settings: Settings


@quality.command("run")
def run(
    data: Data = None,
    deep: Annotated[bool, typer.Option("--deep", help="Let audits take part, which learn from the catalogue.")] = False,
    profile: Annotated[str | None, typer.Option(help="Instead of the setting quality.profile.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check every product of the store; keep findings, scores and suggestions."""
    with _opened(data) as (store, _, folder, settings):
        chosen = load_profile(profile) if profile else load_profile(settings.quality.profile, folder.root)
        with quality_lock(folder, store.database):
            done = run_quality(store, chosen, author=AUTHOR, deep=deep, seller=settings.quality.seller)
    if as_json:
        print_json(done.model_dump(mode="json"))
    else:
        _print_run(done)


@quality.command("list")
def list_(
    data: Data = None,
    state: Annotated[str, typer.Option(help="open, applied, refused, undone, stale or all.")] = "open",
    check: OfCheck = None,
    field: OfField = None,
    product: OfProduct = None,
    min_confidence: Confidence = 0.0,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    page_size: Annotated[int, typer.Option(min=1, max=500, help="Suggestions a page.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Suggestions, the surest first."""
    wanted = next((each for each in STATES if each == state), None)
    if wanted is None and state != "all":
        raise RequestError(f"There is no state '{state}'.", field="--state", cure=f"Use {', '.join(STATES)} or all.")
    chosen = _chosen(check, field, product, min_confidence, wanted)
    with _opened(data) as opened:
        total, found = opened.suggestions.listed(chosen, page=page, size=page_size)
    if as_json:
        print_json({"total": total, "suggestions": [each.model_dump(mode="json") for each in found]})
        return
    table = Table("id", "sure", "check", "product", "field", "old", "new", box=None)
    for each in found:
        values = (escape(_short(each.old)), escape(_short(each.new)))
        table.add_row(
            each.id, f"{each.confidence:.2f}", each.check, escape(each.product_id), escape(each.field), *values
        )
    output.print(table if found else "No such suggestions.")
    if total > len(found):
        more = f"; more with --page {page + 1}" if page * page_size < total else ""
        output.print(f"{len(found)} of {total:,}{more}", highlight=False)


@quality.command("show")
def show(
    suggestion: Annotated[str, typer.Argument(help="Id of a suggestion.")], data: Data = None, as_json: AsJson = False
) -> None:
    """One suggestion with its evidence and history."""
    with _opened(data) as opened:
        _print_suggestion(opened.suggestions.get(suggestion), as_json)


@quality.command("apply")
def apply(
    ids: Ids = None,
    data: Data = None,
    every: Every = False,
    check: OfCheck = None,
    field: OfField = None,
    product: OfProduct = None,
    min_confidence: Confidence = 0.0,
    as_json: AsJson = False,
) -> None:
    """Write new values, where the fields still have the old ones."""
    with _opened(data) as opened:
        if _many(ids, every):
            chosen = _chosen(check, field, product, min_confidence)
            _print_counts(opened.suggestions.apply_all(chosen, AUTHOR), as_json)
        else:
            _decide(opened.suggestions.apply, ids, as_json)


@quality.command("refuse")
def refuse(
    ids: Ids = None,
    data: Data = None,
    every: Every = False,
    check: OfCheck = None,
    field: OfField = None,
    product: OfProduct = None,
    min_confidence: Confidence = 0.0,
    as_json: AsJson = False,
) -> None:
    """Keep old values; no run will suggest the same again."""
    with _opened(data) as opened:
        if _many(ids, every):
            chosen = _chosen(check, field, product, min_confidence)
            _print_counts(opened.suggestions.refuse_all(chosen, AUTHOR), as_json)
        else:
            _decide(opened.suggestions.refuse, ids, as_json)


@quality.command("undo")
def undo(
    ids: Annotated[list[str], typer.Argument(help="Ids of suggestions.")], data: Data = None, as_json: AsJson = False
) -> None:
    """Bring old values back, unless somebody has changed them since; what was refused is open again."""
    with _opened(data) as opened:
        _decide(opened.suggestions.undo, ids, as_json)


@quality.command("trend")
def trend(
    data: Data = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many runs.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Scores and findings of the latest runs, newest first."""
    with _opened(data) as opened:
        points = RunStore(opened.store.database).trend(limit)
    if as_json:
        print_json({"runs": [each.model_dump(mode="json") for each in points]})
        return
    table = Table("run", "when", "products", "score", "errors", "warnings", "infos", "", box=None)
    for each in points:
        numbers = (f"{number:,}" for number in (each.errors, each.warnings, each.infos))
        when, depth = f"{each.began_at:%Y-%m-%d %H:%M} UTC", "deep" if each.deep else ""
        table.add_row(str(each.number), when, f"{each.products:,}", f"{each.score:.1f}", *numbers, depth)
    output.print(table if points else "No run yet: lingsou quality run")


@contextmanager
def _opened(data: Path | None) -> Iterator[_Opened]:
    folder = folder_of(data)
    settings = load_settings(folder)
    with Store.of(folder, settings) as store:
        yield _Opened(store, SuggestionStore(store), folder, settings)


def _chosen(
    check: str | None, field: str | None, product: str | None, min_confidence: float, state: State | None = None
) -> Chosen:
    return Chosen(state=state, check=check, field=field, product_id=product, min_confidence=min_confidence)


def _many(ids: list[str] | None, every: bool) -> bool:
    if bool(ids) == every:
        raise RequestError("It is not clear which suggestions are meant.", cure="Name ids, or give --all.")
    return every


def _decide(decide: Callable[[str, str], Suggestion], ids: list[str] | None, as_json: bool) -> None:
    """Decide about each, whatever becomes of the others; the exit code is 1 if something was not done."""
    decided: list[Suggestion] = []
    problems: list[dict[str, Any]] = []
    for id_ in ids or ():
        try:
            done = decide(id_, AUTHOR)
        except (ConflictError, NotFoundError) as error:
            problems.append({"id": id_, **error.as_dict()})
            errors.print(f"{id_}: {error.message} {error.cure}", markup=False, highlight=False)
            continue
        decided.append(done)
        if not as_json:
            output.print(f"{done.id}: {done.state}", highlight=False)
    if as_json:
        print_json({"suggestions": [each.model_dump(mode="json") for each in decided], "problems": problems})
    if problems:
        raise typer.Exit(1)


def _print_counts(counts: Any, as_json: bool) -> None:
    if as_json:
        print_json({state: counts.get(state, 0) for state in ("applied", "refused", "stale")})
        return
    told = ", ".join(f"{number:,} {state}" for state, number in counts.items())
    output.print(told or "No such suggestions are open.", highlight=False)


def _print_suggestion(each: Suggestion, as_json: bool) -> None:
    if as_json:
        print_json(each.model_dump(mode="json"))
        return
    lines = [
        f"product {each.product_id}, {each.field}: {each.state}",
        f"old: {_json(each.old)}",
        f"new: {_json(each.new)}",
        f"{each.check} ({each.severity}): {each.problem}, {each.confidence:.2f} sure",
        f"evidence: {each.evidence}",
        *(f"{step.at:%Y-%m-%d %H:%M} UTC: {step.state}, {step.author}" for step in each.history),
    ]
    output.print("\n".join(lines), markup=False, highlight=False)


def _print_run(run: QualityRun) -> None:
    before = "" if run.score_before is None else f", before {run.score_before:.1f}"
    output.print(f"run {run.number}: {run.products:,} products, score {run.scores.all:.1f}{before}", highlight=False)
    table = Table("check", "errors", "warnings", "infos", "before", "new", "gone", box=None)
    for each in run.checks:
        counted = (each.counts["error"], each.counts["warning"], each.counts["info"], each.before, each.new, each.gone)
        table.add_row(each.id, *("" if number is None else f"{number:,}" for number in counted))
    output.print(table)
    for skipped in run.skipped:
        output.print(f"skipped: {skipped.id}. {skipped.reason} {skipped.cure}", markup=False, highlight=False)
    for name in ("categories", "brands", "sellers"):
        _print_worst(name, getattr(run.scores, name))
    if run.applied:
        output.print(f"{run.applied:,} repairs were sure enough and are applied", highlight=False)


def _print_worst(name: str, groups: tuple[GroupScore, ...]) -> None:
    worst = [f"{each.name} {each.score:.1f}" for each in groups[:_WORST] if each.score < 100]
    if worst:
        output.print(f"worst {name}: {', '.join(worst)}", markup=False, highlight=False)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _short(value: Any) -> str:
    text = _json(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
