"""`lingsou features`: what the ranker can look at, and whether it says anything in this shop."""

from datetime import UTC, datetime
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from lingsou.cli.console import AsJson, Data, folder_of, output, print_json
from lingsou.core.errors import StorageError
from lingsou.features import Feature, all_features, feature_named, matrix
from lingsou.features.check import check
from lingsou.pipeline.candidates import CandidateFeatures
from lingsou.pipeline.planned import PlannedSearch
from lingsou.pipeline.shop import open_shop

features = typer.Typer(
    help="What the ranker can look at.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)
_DIRECTIONS = {1: "more never hurts", -1: "less never hurts", 0: "any"}
_LONGEST_QUERY = 100


@features.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every feature."""
    found = all_features()
    if as_json:
        print_json({"features": [_described(each) for each in found]})
        return
    table = Table("feature", "direction", "what", "说明", box=None)
    for each in found:
        table.add_row(each.name, _DIRECTIONS[each.monotone], each.en, each.zh)
    output.print(table)


@features.command("show")
def show(name: Annotated[str, typer.Argument(help="Name of a feature.")], as_json: AsJson = False) -> None:
    """One feature."""
    found = _described(feature_named(name))
    if as_json:
        print_json(found)
        return
    for key, value in found.items():
        output.print(f"{key}: {value}", highlight=False)


@features.command("check")
def check_(
    data: Data = None,
    searches: Annotated[int, typer.Option(min=1, max=10_000, help="Search for the titles of so many products.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Compute all features on this shop's data; exit code 1 if one is infinite anywhere."""
    shop = open_shop(folder_of(data).root)
    every = all_features()
    tables = [np.empty((0, len(every)))]
    try:
        if not shop.engine.size:
            raise StorageError("The index is empty.", cure="lingsou index")
        shop.warm_up()
        search = PlannedSearch(shop.engine, shop.understanding, shop.encoder.encoder)
        shop.quality.refresh()
        candidates, now = CandidateFeatures(shop.engine.segmenter, quality=shop.quality.of), datetime.now(UTC)
        for product in shop.store.get(shop.engine.spread(searches)).values():
            planned = search.matched(product.title[:_LONGEST_QUERY])
            result = planned.best(shop.settings.ranking.depth)
            known = shop.store.get(result.candidates.ids)
            if len(known) < len(result.candidates.ids):
                continue  # the index lags behind the store
            products = [known[id_] for id_ in result.candidates.ids]
            text, plan = planned.query.text, planned.plan
            batch = candidates.batch(text, planned.matched, result, products, time=now, plan=plan)
            tables.append(matrix(every, batch))
    finally:
        shop.close()
    rows = np.concatenate(tables)
    findings = check([each.name for each in every], rows)
    if as_json:
        print_json({"searches": len(tables) - 1, "rows": len(rows), "findings": [vars(each) for each in findings]})
    else:
        output.print(f"{len(every)} features, {len(rows):,} products in {len(tables) - 1} searches", highlight=False)
        for each in findings:
            output.print(f"{each.feature}: {each.problem} {each.other}".rstrip(), highlight=False)
    raise typer.Exit(int(any(each.problem == "infinite" for each in findings)))


def _described(feature: Feature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "en": feature.en,
        "zh": feature.zh,
        "direction": _DIRECTIONS[feature.monotone],
        "told to shoppers": " / ".join(feature.praise) if feature.praise else "nothing",
    }
