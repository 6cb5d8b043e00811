"""Rows of products on the shop's pages: searched or recommended, and never waited for beyond a budget."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from lingsou.client import AsyncClient
from lingsou.console.labels import Labels
from lingsou.console.visitor import Visitor
from lingsou.core.types import Context, Hit, RecommendKind, RecommendRequest, RecommendResponse, SearchResponse

SHELF = 10
"""Products in a row."""

_MOST_LATE = 8
"""Recommendations that may be waited for in vain at a time: each holds a thread of the service until it ends."""
_TOLD: Mapping[str, tuple[str, str]] = {
    "trending": ("trending", "from_trending"),
    "similar": ("similar", "from_similar"),
    "bought-together": ("bought_together", "from_bought_together"),
}
"""What answered → keys of heading and note."""
_FOR_ONE, _FOR_ALL = ("for_you", "from_history"), ("popular", "from_popularity")


@dataclass(frozen=True)
class Row:
    """One row of a page."""

    title: str
    """Key of its heading, and its name on the page."""
    source: str
    """What answered: `sales`, `blend`, `trending` …"""
    query_id: str
    hits: tuple[Hit, ...]
    reasons: Mapping[str, str]
    """By product, where products have different ones."""
    note: str = ""
    """Where the row is from, in plain words."""
    url: str = ""
    """Of the whole list; empty: there is none."""


class Shelves:
    """Asks for recommended rows; for use within one event loop."""

    def __init__(self, client: AsyncClient, budget_s: float):
        self._client = client
        self._budget_s = budget_s
        self._late: set[asyncio.Task[RecommendResponse]] = set()

    async def ask(
        self, visitor: Visitor, labels: Labels, *kinds: RecommendKind, items: Sequence[str] = ()
    ) -> list[RecommendResponse | None]:
        """What is recommended, for each kind; none where the recommender failed, or is slower than the budget.

        What is late is not cancelled, since that would not free its thread; while too much is late nothing is asked.
        """
        if len(self._late) >= _MOST_LATE:
            return [None] * len(kinds)
        context = Context(user_id=visitor.name, locale=labels.language, personalise=visitor.name is not None)
        # Twice as many as are shown: rows of one page do not repeat each other.
        requests = (
            RecommendRequest(kind=kind, n=2 * SHELF, items=tuple(items), context=context, explain=True)
            for kind in kinds
        )
        tasks = [asyncio.create_task(self._client.recommend(request)) for request in requests]
        await asyncio.wait(tasks, timeout=self._budget_s)
        for task in tasks:
            if not task.done():
                self._late.add(task)
                task.add_done_callback(self._arrived)
        return [_answer(kind, task) for kind, task in zip(kinds, tasks, strict=True)]

    def _arrived(self, task: asyncio.Task[RecommendResponse]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not report it as never retrieved


def recommended(
    answer: RecommendResponse | None, labels: Labels, *, without: Iterable[str] = (), group_id: str = ""
) -> Row | None:
    """The row of an answer: without products shown already, or of the group of variants that the page is about.

    None where there is nothing to show, or only what sells, which pages have a row of anyway.
    """
    if answer is None or answer.source == "sales":
        return None
    left_out = set(without)
    items = [
        each for each in answer.items if each.id not in left_out and (not group_id or each.product.group_id != group_id)
    ][:SHELF]
    if not items:
        return None
    personal = answer.kind in ("for-you", "session") and any(each.because for each in items)
    title, note = _FOR_ONE if personal else _TOLD.get(answer.source, _FOR_ALL)
    if answer.source == "rules":  # a list of the shop's own choice alone
        title, note = _TOLD.get(answer.kind, _FOR_ALL)[0], "from_shop"
    reasons = {each.id: each.reason for each in items if each.reason}
    return Row(
        title=title,
        source=answer.source,
        query_id=answer.query_id,
        hits=tuple(Hit(id=each.id, score=each.score, product=each.product) for each in items),
        # Ten times "Similar to this" beneath "Similar products" would tell nothing.
        reasons=reasons if personal or len(set(reasons.values())) > 1 else {},
        note=labels.text(note),
    )


def searched(answer: SearchResponse, title: str, url: str = "") -> Row | None:
    """The row of a search without words, such as best sellers."""
    hits = answer.hits[:SHELF]
    return Row(title, "sales", answer.query_id, hits, {}, url=url) if hits else None


def _answer(kind: str, task: asyncio.Task[RecommendResponse]) -> RecommendResponse | None:
    trouble: object
    if not task.done():
        trouble = "too late"
    elif (trouble := task.exception()) is None:
        return task.result()
    structlog.get_logger("lingsou.console").warning("a row is left out", kind=kind, error=str(trouble))
    return None
