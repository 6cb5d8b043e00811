"""The shop's pages: home, results, product. Everything in them comes from the public API, by its client."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from lingsou.client import AsyncClient
from lingsou.console.browsing import PAGE_SIZE, Browse
from lingsou.console.chips import chosen, understood, without_span
from lingsou.console.facets import SHOWN_AT_ONCE, STANDING, attribute_fields, facet_views, price_ranges, request_of
from lingsou.console.labels import Labels
from lingsou.console.paging import pages_of
from lingsou.console.rendering import Renderer
from lingsou.console.rows import SHELF, Row, Shelves, recommended, searched
from lingsou.console.visitor import Visitor
from lingsou.console.why import why
from lingsou.core.errors import LingsouError
from lingsou.core.types import Facet, Product, RecommendResponse, SearchResponse

router = APIRouter(include_in_schema=False)
_TILES = 12
_MOST_VARIANTS = 60


@router.get("/")
async def home(request: Request) -> Response:
    """Where shoppers arrive: search, popular categories, what suits them, what others look at, new arrivals."""
    client, visitor, labels = _client(request), _visitor(request), _renderer(request).labels(request)
    best, newest, answers = await asyncio.gather(
        client.search(page_size=SHELF, facets=(request_of("category"),)),
        client.search(page_size=SHELF, sort="newest"),
        _shelves(request).ask(visitor, labels, "trending", *(("for-you",) if visitor.back else ())),
    )
    mine = _own(answers[1], labels) if visitor.back else None
    others = recommended(answers[0], labels, without=[hit.id for hit in mine.hits] if mine else ())
    popular = others or searched(best, "bestsellers", "/search?sort=sales")
    rows = [mine, popular, searched(newest, "newest_products", "/search?sort=newest")]
    return _page(request, "home.html", visitor, rows=list(filter(None, rows)), tiles=_top_categories(best))


@router.get("/search")
async def results(request: Request) -> Response:
    """Results of words and filters; everything that can be changed is a link or a form."""
    browse, visitor, client = Browse.of(request.query_params), _visitor(request), _client(request)
    labels = _renderer(request).labels(request)
    answer, facets = await _search(client, browse)
    if answer.redirect and browse.page == 1 and answer.redirect.startswith(("/", "http://", "https://")):
        return RedirectResponse(answer.redirect, 302)
    rescue = None
    if not answer.total:
        rescue, (suited,) = await asyncio.gather(
            _rescue(client, browse, answer), _shelves(request).ask(visitor, labels, "for-you")
        )
        rescue = replace(rescue, row=recommended(suited, labels) or rescue.row)
    shown = answer.hits or (rescue.row.hits if rescue and rescue.row else ())
    currency = next((hit.product.currency for hit in shown), "")
    limits = understood(answer.plan, browse, labels, currency)
    filters = chosen(browse, labels, currency)
    passed = filters + ([] if answer.notices else [chip for chip in limits if chip.hard])
    return _page(
        request,
        "results.html",
        visitor,
        browse=browse,
        page_size=PAGE_SIZE,
        answer=answer,
        reasons=[why(hit, passed, browse, labels) for hit in answer.hits],
        understood=limits,
        filters=filters,
        facets=facet_views({name: each for name, each in facets.items() if name != "price"}, browse, labels),
        price_ranges=price_ranges(facets.get("price"), browse, labels, currency),
        pages=pages_of(browse, answer.total),
        shown_at_once=SHOWN_AT_ONCE,
        rescue=rescue,
    )


@router.get("/product/{product_id:path}")
async def product(request: Request, product_id: str) -> Response:
    """One product with its variants, what is like it, and what is bought with it."""
    client, visitor, labels = _client(request), _visitor(request), _renderer(request).labels(request)
    found = await client.product(product_id)
    (alike, together), variants = await asyncio.gather(
        _shelves(request).ask(visitor, labels, "similar", "bought-together", items=(found.id,)),
        _variants(client, found),
    )
    bought = recommended(together, labels, group_id=found.group_id)
    without = [hit.id for hit in bought.hits] if bought else ()
    similar = recommended(alike, labels, without=without, group_id=found.group_id) or await _similar(client, found.id)
    rows = list(filter(None, [similar, bought]))
    return _page(
        request, "product.html", visitor, product=found, rows=rows, variants=variants, differing=_differing(variants)
    )


async def _search(client: AsyncClient, browse: Browse) -> tuple[SearchResponse, dict[str, Facet]]:
    """The page, and the facets: each is counted without its own filter, so that a second value can be chosen."""
    filtered = browse.fields()
    standing = [request_of(field) for field in STANDING if field not in filtered]
    searches = [client.search(browse.request(standing, explain=True))]
    if browse.page > 1:  # later pages offer the same facets as the first
        searches.append(client.search(browse.request(page=1)))
    answer, *first = await asyncio.gather(*searches)
    found = {facet.field: facet for facet in answer.facets}
    attributes = [field for field in attribute_fields((first or [answer])[0].hits) if field not in filtered]
    count = partial(browse.request, page=1, page_size=1)
    more = [count([request_of(field)], filters=browse.filters(field)) for field in filtered]
    if attributes:
        more.append(count(map(request_of, attributes)))
    for each in await asyncio.gather(*map(client.search, more)):
        found |= {facet.field: facet for facet in each.facets}
    order = [*STANDING, *(field for field in filtered if field not in STANDING), *attributes]
    return answer, {field: found[field] for field in order if field in found}


@dataclass(frozen=True)
class Rescue:
    """What helps when nothing was found: fewer filters, fewer words, another place to start."""

    without_filters: int
    shorter: tuple[tuple[str, str], ...]
    """(words, address) of the query with one word or limit less."""
    tiles: tuple[str, ...]
    row: Row | None


async def _rescue(client: AsyncClient, browse: Browse, answer: SearchResponse) -> Rescue:
    asked = [client.search(page_size=SHELF, facets=(request_of("category"),))]
    if browse.filtered:
        asked.append(client.search(browse.unfiltered().request(page_size=1)))
    everything, *unfiltered = await asyncio.gather(*asked)
    words = browse.q.split()
    shorter = [" ".join(words[:place] + words[place + 1 :]) for place in range(len(words))] if len(words) > 1 else []
    if answer.plan and not shorter:
        shorter = [without_span(browse.q, each.start, each.end) for each in answer.plan.constraints]
    return Rescue(
        without_filters=unfiltered[0].total if unfiltered else 0,
        shorter=tuple((words, Browse(q=words).url) for words in dict.fromkeys(shorter) if words)[:6],
        tiles=_top_categories(everything),
        row=searched(everything, "bestsellers", "/search?sort=sales"),
    )


def _top_categories(answer: SearchResponse) -> tuple[str, ...]:
    values = (each.value for facet in answer.facets for each in facet.values)
    return tuple(value for value in values if value and " > " not in value)[:_TILES]


def _own(answer: RecommendResponse | None, labels: Labels) -> Row | None:
    """The row for this shopper; none where nothing in it is for them alone."""
    row = recommended(answer, labels)
    return row if row and row.title == "for_you" else None


async def _similar(client: AsyncClient, product_id: str) -> Row | None:
    """By meaning, where the recommender does not know the product yet."""
    # A product page is worth showing without its neighbours: a new product is in the store before it is in the index.
    try:
        return searched(await client.similar(product_id, limit=SHELF), "similar")
    except LingsouError:
        return None


async def _variants(client: AsyncClient, found: Product) -> list[Product]:
    if not found.group_id:
        return []
    answer = await client.search(filters={"group_id": found.group_id}, collapse=False, page_size=_MOST_VARIANTS)
    variants = {hit.id: hit.product for hit in answer.hits} | {found.id: found}
    return sorted(variants.values(), key=lambda each: (each.price or 0, each.id)) if len(variants) > 1 else []


def _differing(variants: Sequence[Product]) -> list[str]:
    """The attributes in which variants differ."""
    names = dict.fromkeys(name for each in variants for name in each.attributes)
    return [name for name in names if len({str(each.attributes.get(name)) for each in variants}) > 1]


def _client(request: Request) -> AsyncClient:
    client: AsyncClient = request.app.state.client
    return client


def _visitor(request: Request) -> Visitor:
    return Visitor.of(request, personal=request.app.state.personal)


def _shelves(request: Request) -> Shelves:
    shelves: Shelves = request.app.state.shelves
    return shelves


def _page(request: Request, template: str, visitor: Visitor, **values: Any) -> Response:
    response = _renderer(request).page(request, template, visitor=visitor, **values)
    visitor.remember(request, response)
    return response


def _renderer(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.renderer
    return renderer
