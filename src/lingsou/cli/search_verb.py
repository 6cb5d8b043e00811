"""`lingsou search`: one query on the terminal."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json
from lingsou.cli.requests import request_of
from lingsou.core.types import Explanation, FacetCount, SearchRequest, SearchResponse
from lingsou.pipeline.shop import open_shop
from lingsou.retrieval.filters import parse_filter_arguments


def search(
    q: Annotated[str, typer.Argument(help="What the shopper types; empty browses.")] = "",
    data: Data = None,
    filters: Annotated[
        list[str] | None, typer.Option("--filter", help="'brand=HP|Dell', 'price=50..100', 'brand!=HP', 'ean=*'.")
    ] = None,
    facets: Annotated[list[str] | None, typer.Option("--facet", help="A field to count, e.g. brand.")] = None,
    sort: Annotated[str, typer.Option(help="relevance, price, -price, newest, sales, rating.")] = "relevance",
    page: Annotated[int, typer.Option()] = 1,
    page_size: Annotated[int, typer.Option()] = 10,
    no_collapse: Annotated[bool, typer.Option("--no-collapse", help="Show every variant.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say how each position came about.")] = False,
    as_json: AsJson = False,
) -> None:
    """Search the index as it is now."""
    raw = {
        "q": q,
        "filters": parse_filter_arguments(filters or []),
        "facets": facets or [],
        "sort": sort,
        "page": page,
        "page_size": page_size,
        "collapse": not no_collapse,
        "explain": explain,
    }
    request = request_of(SearchRequest, raw, "search")
    shop = open_shop(folder_of(data).root)
    try:
        shop.warm_up()
        response = shop.pipeline.search(request)
    finally:
        shop.close()
    if as_json:
        print_json(response.model_dump(mode="json", exclude_none=True))
    else:
        _print(response)


def _print(response: SearchResponse) -> None:
    output.print(f"{response.total:,} results in {response.took_ms:.1f} ms")
    table = Table("#", "id", "title", "brand", "price", "stock", "score", box=None)
    first = (response.page - 1) * response.page_size + 1
    for place, hit in enumerate(response.hits, first):
        product = hit.product
        price = "" if product.price is None else f"{product.price} {product.currency}"
        title = escape(product.title) + (f" (+{hit.variants - 1} variants)" if hit.variants > 1 else "")
        stock = "" if product.stock is None else str(product.stock)
        table.add_row(str(place), escape(hit.id), title, escape(product.brand), price, stock, f"{hit.score:.2f}")
    if response.hits:
        output.print(table)
    if response.plan and response.plan.corrected:
        output.print(f"searched for: {response.plan.corrected}", markup=False, highlight=False)
    if response.plan and response.plan.suggested:
        output.print(f"did you mean: {response.plan.suggested}", markup=False, highlight=False)
    for notice in response.notices:
        output.print(notice, markup=False, highlight=False)
    for stage in response.stages:
        if stage.fallback:
            errors.print(f"{stage.stage}: {stage.fallback}", markup=False, highlight=False)
    for facet in response.facets:
        counts = "  ".join(f"{_label(each)} ({each.count:,})" for each in facet.values)
        more = f"  … {facet.other:,} more" if facet.other else ""
        output.print(f"{facet.field}: {counts}{more}", markup=False)
    for hit in response.hits:
        if hit.explanation:
            output.print(_tree(hit.explanation, Tree(escape(hit.id))))


def _label(count: FacetCount) -> str:
    if count.value is not None:
        return count.value
    low = "" if count.gte is None else f"{count.gte:g}"
    high = "" if count.lt is None else f"{count.lt:g}"
    return f"{low}..{high}"


def _tree(explanation: Explanation, under: Tree) -> Any:
    value = "" if explanation.value is None else f" = {explanation.value:.4g}"
    branch = under.add(escape(f"{explanation.name}{value} {explanation.detail}".rstrip()))
    for child in explanation.children:
        _tree(child, branch)
    return under
