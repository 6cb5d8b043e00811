"""Two configurations asked the same queries, as shoppers would be answered."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from lingsou.catalog.store import Store
from lingsou.core.errors import InputError
from lingsou.core.types import MAX_QUERY_LENGTH, SearchResponse
from lingsou.evaluation.judgements import Judgements
from lingsou.pipeline.configurations import Configuration, answer, is_late
from lingsou.pipeline.shop import Shop

_PAGE = 20
_TITLES = 5


@dataclass(frozen=True)
class Answered:
    """One configuration's answer to one query."""

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    """Of the first five."""
    total: int
    category: str
    """The top category that the plan thinks likeliest, else that of the first product; empty for neither."""
    ms: float
    """A page of 20 took so long when it was asked again, with everything that is cached known."""
    late: bool
    """Plan, meaning or learned order are missing although they belong to the configuration."""


@dataclass(frozen=True)
class Pair:
    """Both answers."""

    query: str
    a: Answered
    b: Answered


def asked(shop: Shop, a: Configuration, b: Configuration, queries: Sequence[str], depth: int) -> Iterator[Pair]:
    """Ask both every query; who is timed first alternates.

    Raises:
        InputError: a query is too long to be searched.
    """
    if long := next((query for query in queries if len(query) > MAX_QUERY_LENGTH), None):
        raise InputError(
            f"The query '{long[:40]}…' has {len(long)} characters.", cure=f"Shorten it to {MAX_QUERY_LENGTH}."
        )
    for number, query in enumerate(queries):
        answers = [answer(shop, side, query, depth) for side in (a, b)]
        order = (0, 1) if number % 2 else (1, 0)
        times = {place: answer(shop, (a, b)[place], query, _PAGE).took_ms for place in order}
        yield Pair(query, *(_answered(answers[place], times[place]) for place in (0, 1)))


def sold(store: Store, judged: Judgements) -> Judgements:
    """The judgements cut to products of the shop: nobody can find the others.

    Raises:
        InputError: nothing relevant is left.
    """
    wanted = list(dict.fromkeys(id_ for grades in judged.grades.values() for id_ in grades))
    there: Collection[str] = store.get(wanted).keys()
    known = {
        query: {id_: grade for id_, grade in grades.items() if id_ in there} for query, grades in judged.grades.items()
    }
    cut = Judgements({query: grades for query, grades in known.items() if grades})
    if not cut.relevant_queries():
        raise InputError(
            f"None of the {len(wanted):,} judged products is relevant to a query and in the shop.",
            cure="Give the ids that the shop's products have, with ratings above 0 for those that are relevant.",
        )
    return cut


def _answered(response: SearchResponse, ms: float) -> Answered:
    hits = response.hits
    believed = response.plan.categories if response.plan else ()
    category = believed[0].category.partition(" > ")[0] if believed else ""
    if not category and hits and hits[0].product.category:
        category = hits[0].product.category[0]
    return Answered(
        ids=tuple(hit.id for hit in hits),
        titles=tuple(hit.product.title for hit in hits[:_TITLES]),
        total=response.total,
        category=category,
        ms=ms,
        late=is_late(response),
    )
