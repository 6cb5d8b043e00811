"""`lingsou recommend`: products for one shopper on the terminal, or for all of them into a file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json
from lingsou.cli.requests import request_of
from lingsou.core.errors import NotFoundError
from lingsou.core.types import RecommendRequest, RecommendResponse
from lingsou.events.log import Selection
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.recommend.artefact import current, load
from lingsou.recommend.batch import write_recommendations
from lingsou.recommend.shoppers import shopper_log, steps
from lingsou.retrieval.filters import parse_filter_arguments


def recommend(
    data: Data = None,
    user: Annotated[str | None, typer.Option(help="The shopper, as the shop calls them in events.")] = None,
    session: Annotated[str | None, typer.Option(help="The session.")] = None,
    items: Annotated[list[str] | None, typer.Option("--item", help="A product shown, in the cart, just seen.")] = None,
    kind: Annotated[
        str, typer.Option(help="for-you, session, similar, bought-together, trending, replenish.")
    ] = "for-you",
    number: Annotated[int, typer.Option("--n", help="So many products.")] = 12,
    filters: Annotated[list[str] | None, typer.Option("--filter", help="As in lingsou search.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each product is there.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write a Parquet file of the products for every shopper of the log instead.")
    ] = None,
    days: Annotated[float, typer.Option(min=1, help="How far back shoppers are looked for, with --out.")] = 365,
    as_json: AsJson = False,
) -> None:
    """Recommend products as `/v1/recommend` does."""
    context = {"user_id": user, "session_id": session}
    raw = {
        "kind": kind,
        "n": number,
        "items": items or [],
        "filters": parse_filter_arguments(filters or []),
        "explain": explain,
        "context": context,
    }
    request = request_of(RecommendRequest, raw, "recommend")
    shop = open_shop(folder_of(data).root)
    try:
        if out:
            _write(shop, number, days, out)
            return
        shop.live_events.refresh()
        response = shop.recommendations.answer(request)
    finally:
        shop.close()
    if as_json:
        print_json(response.model_dump(mode="json", exclude_none=True))
    else:
        _print(response)


def _write(shop: Shop, number: int, days: float, out: Path) -> None:
    version = current(shop.folder.recommender)
    if version is None:
        raise NotFoundError("No recommender was trained yet.", cure="lingsou train recommend")
    model = load(shop.folder.recommender, version).model
    columns = shop.behaviour.events.read(Selection(since=datetime.now(UTC) - timedelta(days=days)))
    log = shopper_log(columns, model.products)
    rows = write_recommendations(model, steps(log.interactions), log.people, number, out)
    errors.print(f"{rows:,} recommendations for {len(log.people):,} shoppers: {out}", highlight=False)


def _print(response: RecommendResponse) -> None:
    table = Table("#", "id", "title", "brand", "score", "why", box=None)
    for place, item in enumerate(response.items, 1):
        product, why = item.product, escape(item.reason or "")
        table.add_row(
            str(place), escape(item.id), escape(product.title), escape(product.brand), f"{item.score:.3f}", why
        )
    output.print(table)
    for notice in response.notices:
        errors.print(notice, highlight=False)
