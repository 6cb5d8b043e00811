"""`lingsou train`: models made from the shop's own data."""

import csv
import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json, progress_bar
from lingsou.cli.labelling import pseudo_label_texts, to_label
from lingsou.cli.recipe_search import cross_validate as cross_validate_recipe
from lingsou.cli.recipe_search import search_recipe
from lingsou.cli.recipe_verb import recipe, recipes
from lingsou.cli.recommend_training import recommend
from lingsou.core.errors import ConflictError, InputError, StorageError
from lingsou.evaluation.judgements import Judgements, read_judgements
from lingsou.features import all_features
from lingsou.pipeline.candidates import CandidateFeatures
from lingsou.pipeline.comparing import sold
from lingsou.pipeline.planned import PlannedSearch
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.ranking.artefact import install
from lingsou.ranking.clicks import Objective
from lingsou.ranking.dataset import Group
from lingsou.ranking.lambdamart import LambdaMart
from lingsou.ranking.lambdamart import train as fit
from lingsou.ranking.validation import PARTS, Validation, choose, cross_validate, measured
from lingsou.text.normalise import normalise
from lingsou.training.clicks import click_groups, read_log, searches_of
from lingsou.training.ranking import groups, informative


class _Recipes(TyperGroup):
    """Whatever is no subverb is a recipe: `lingsou train search-matching` is `lingsou train recipe search-matching`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["recipe", *args]
        return super().resolve_command(ctx, args)


train = typer.Typer(
    cls=_Recipes,
    help="Models made from the shop's own data: lingsou train RECIPE, or lingsou train ranker.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
train.command("recipe")(recipe)
train.command("recipes")(recipes)
train.command("search")(search_recipe)
train.command("cross-validate")(cross_validate_recipe)
train.command("pseudo-label")(pseudo_label_texts)
train.command("to-label")(to_label)
train.command("recommend")(recommend)
LEAST_QUERIES = 30
"""Fewer say too little: the interval of a mean over 30 queries is already some tenths wide."""

_WORTH = ", ".join(f"{name}={value:g}" for name, value in Objective())


@train.callback()
def _train() -> None:
    pass


@train.command("ranker")
def ranker(
    judgements: Annotated[
        Path | None, typer.Option("--judgements", help="CSV with query,docid,rating; or TREC qrels, with --queries.")
    ] = None,
    data: Data = None,
    queries: Annotated[Path | None, typer.Option(help="The texts of TREC query ids: id, tab, text a line.")] = None,
    clicks: Annotated[bool, typer.Option("--clicks", help="Learn from the log of searches, clicks and sales.")] = False,
    days: Annotated[float, typer.Option(min=1, help="So far back, with --clicks.")] = 90,
    searches: Annotated[int, typer.Option(min=PARTS, help="At most so many, the latest, with --clicks.")] = 10_000,
    worth: Annotated[
        list[str] | None, typer.Option(help=f"What an action is worth, as cart=5. Else {_WORTH}. With --clicks.")
    ] = None,
    margins: Annotated[
        Path | None, typer.Option(help="CSV with id,margin: what one sold unit earns. With --clicks.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report, and install nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Install the model whatever the report says of it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train the order of results on judgements, on what shoppers did, or both; put it in force if it is no worse.

    With both, the judgements measure it. Shoppers mostly click what stands at the top: that bias is taken out.
    """
    if judgements is None and not clicks:
        raise InputError("There is nothing to learn from.", cure="--judgements FILE, --clicks, or both.")
    objective, earned = _objective(worth or []), _margins(margins)
    if margins and not objective.margin:
        raise InputError("--margins counts for nothing.", cure="Say what money is worth: --worth margin=0.5")
    judged = read_judgements(judgements, queries) if judgements else None
    shop = open_shop(folder_of(data).root)
    try:
        if not shop.engine.size:
            raise StorageError("The index is empty.", cure="lingsou index")
        shop.warm_up()
        known = sold(shop.store, judged) if judged else None
        taught = _judged(shop, known) if known else []
        logged = _logged(shop, days, searches, objective, earned) if clicks else []
        features, every = informative(all_features(), [*taught, *logged])
        found, beside = (every[: len(taught)], every[len(taught) :]) if known else (every, [])
        asked = len({normalise(each.query) for each in found})
        if asked < PARTS:
            raise InputError(
                f"{asked} queries cannot be cut into {PARTS} parts.",
                cure=f"{LEAST_QUERIES} queries or more, judged or with clicks.",
            )
        names, monotone = [each.name for each in features], [each.monotone for each in features]
        with errors.status("training"):
            validation = cross_validate(found, names, monotone, beside=beside)
            model = fit(every, names, monotone, choose(found, names, monotone, beside=beside))
        report = {**_report(validation, model), "searches_with_clicks": len(logged)}
        if judged and known:
            report["judgements"] = sum(map(len, judged.grades.values()))
            report["judgements_of_products_in_the_shop"] = sum(map(len, known.grades.values()))
        objection = _why_not(validation, asked)
        installing = not dry_run and (force or objection is None)
        if installing:
            files = {"judgements": judgements, "queries": queries, "margins": margins}
            version = install(
                shop.folder.ranker,
                model,
                created=datetime.now(UTC),
                measurements={"judgements" if judged else "clicks": measured(validation, found)},
                report=report,
                data={name: _sha256(path) for name, path in files.items() if path},
            )
    finally:
        shop.close()
    if as_json:
        print_json({**report, "objection": objection, "installed": version if installing else None})
    else:
        _print(report)
    if installing:
        errors.print(f"Installed: {version}. A running service follows within `index.poll_ms`.", highlight=False)
    elif dry_run:
        errors.print(f"Nothing was changed (--dry-run). {objection or 'It would be installed.'}", highlight=False)
    elif objection:
        raise ConflictError(
            f"The model is not installed. {objection}",
            cure="Judge more queries, or wait for more clicks. --force installs the model all the same.",
        )


def _judged(shop: Shop, judged: Judgements) -> list[Group]:
    """One group for each judged query. Shoppers' events up to now are known, as they are when it serves."""
    shop.live_events.refresh()
    shop.quality.refresh()
    candidates = CandidateFeatures(shop.engine.segmenter, shop.live_events.view, shop.quality.of)
    depth, now = shop.settings.ranking.depth, datetime.now(UTC)
    found = groups(judged, _search(shop), shop.store.get, candidates, all_features(), time=now, depth=depth)
    with progress_bar() as bar:
        return list(bar.track(found, len(judged.relevant_queries()), description="judged queries"))


def _logged(shop: Shop, days: float, most: int, objective: Objective, margins: Mapping[str, float]) -> list[Group]:
    """One group for each search that led to something."""
    with errors.status("reading the log"):
        columns, texts = read_log(shop.behaviour, days)
        searches = searches_of(columns, texts, objective, margins)[-most:]
    shop.quality.refresh()  # of now: scores of the time of each search are not kept
    candidates = CandidateFeatures(shop.engine.segmenter, quality=shop.quality.of)
    found = click_groups(columns, texts, searches, _search(shop), shop.store.get, candidates, all_features())
    with progress_bar() as bar:
        return list(bar.track(found, len(searches), description="logged searches"))


def _search(shop: Shop) -> PlannedSearch:
    return PlannedSearch(shop.engine, shop.understanding, shop.encoder.encoder)


def _objective(given: Sequence[str]) -> Objective:
    values = dict(each.partition("=")[::2] for each in given)
    try:
        return Objective.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"--worth {'='.join((str(first['loc'][0]), str(first['input'])))}: {first['msg']}.",
            cure=f"One of {', '.join(Objective.model_fields)}, and a number: --worth cart=5",
        ) from error


def _margins(path: Path | None) -> dict[str, float]:
    """Product id → money."""
    if path is None:
        return {}
    found: dict[str, float] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                try:
                    margin = float(row["margin"])
                    if not 0 <= margin < math.inf:
                        raise ValueError
                    found[row["id"]] = margin
                except (KeyError, TypeError, ValueError):
                    raise InputError(
                        f"{path}, line {number}: no id and margin of 0 or more.", cure="CSV with the columns id,margin."
                    ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.", cure="A file of UTF-8 text.") from error
    return found


def _why_not(validation: Validation, queries: int) -> str | None:
    """Why the model is not to be put in force."""
    gain = validation.gain.difference
    if queries < LEAST_QUERIES:
        return f"{queries} queries with a relevant product are fewer than {LEAST_QUERIES}."
    if gain.high < 0:
        return f"On queries that it had not seen, it lost: {gain.value:+.4f}, 95 % interval up to {gain.high:+.4f}."
    return None


def _report(validation: Validation, model: LambdaMart) -> dict[str, Any]:
    gain = validation.gain
    return {
        "queries": len(validation.before),
        "features": len(model.features),
        "metric": "ndcg@10",
        "before": float(validation.before.mean()),
        "out_of_fold": float(validation.after.mean()),
        "gain": gain.difference.value,
        "gain_ci": [gain.difference.low, gain.difference.high],
        "gain_p": gain.p,
        "importance": dict(model.importance()[:10]),
    }


def _print(report: dict[str, Any]) -> None:
    low, high = report["gain_ci"]
    lines = [
        "{queries:,} queries with a relevant product",
        "{metric}: {before:.4f} in the order by words, meaning and plan",
        "{metric}: {out_of_fold:.4f} by models trained without the query that is measured",
        "gain {gain:+.4f}, 95 % interval {low:+.4f} to {high:+.4f}, p {gain_p:.3f}",
    ]
    if report["searches_with_clicks"]:
        lines.insert(1, "{searches_with_clicks:,} searches that led to something")
    if "judgements" in report:
        lines.insert(
            1, "{judgements_of_products_in_the_shop:,} of {judgements:,} judgements are of products in the shop"
        )
    for line in lines:
        output.print(line.format(**report, low=low, high=high), highlight=False)
    heaviest = ", ".join(f"{name} {share:.0%}" for name, share in report["importance"].items())
    output.print(f"what the model looks at most: {heaviest or 'nothing'}", highlight=False)
    if low <= 0 < report["gain"]:
        output.print("The interval holds 0: the gain may be chance. More queries would tell.", highlight=False)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
