"""One search as it is live beside how the draft would answer it, the differences marked."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import Response

from lingsou.console.labels import Labels
from lingsou.console.media import picture_url
from lingsou.console.ops import rule_words
from lingsou.console.ops.desk import desk_of, labels_of, show
from lingsou.core.types import AppliedRule, Context, Explanation, Hit, SearchRequest, SearchResponse
from lingsou.rules.schema import Rule, Synonyms
from lingsou.rules.store import RuleSets

router = APIRouter(prefix="/preview", include_in_schema=False)
SHOWN = 12
_MOST_SUGGESTED = 10
_DEPTH = 100
"""How far down a product's other place is looked for."""

_RULE = re.compile(r"\brule ([A-Za-z0-9][A-Za-z0-9._-]*)")


@dataclass(frozen=True)
class Line:
    """One product of one column."""

    hit: Hit
    rank: int
    move: Literal["same", "up", "down", "new", "gone"]
    by: int
    """Places that it rose or fell."""
    rules: tuple[str, ...]
    """Ids of the rules that acted on it."""

    @property
    def picture(self) -> str | None:
        """Where its first picture is."""
        return picture_url(self.hit.product.images[0]) if self.hit.product.images else None


@router.get("")
def compare(request: Request) -> Response:
    """The two answers; without a query, the form alone."""
    desk, asked = desk_of(request), request.query_params
    q, when = asked.get("q", "").strip()[:512], asked.get("time", "")
    zone = asked.get("zone", "UTC")
    moment = _moment(when, zone)
    segments = tuple(part.strip()[:50] for part in asked.get("segments", "").split(",") if part.strip())[:50]
    shop = desk.shop
    sets = shop.rules.store.sets()
    live = draft = None
    if "q" in asked:
        context = Context(
            time=moment, device=asked.get("device") or None, locale=asked.get("locale") or None, segments=segments
        )
        search = SearchRequest(q=q, page_size=_DEPTH, explain=True, context=context)
        shop.rules.refresh()
        answers = shop.pipeline.preview(search, shop.rules.index_of(sets.draft))
        live, draft = answers.live, answers.draft
    return show(
        request,
        "preview.html",
        q=q,
        asked=asked,
        wrong_time=bool(when) and moment is None,
        sets=sets,
        live=live,
        draft=draft,
        suggested=_words_of_changes(sets),
        acted=lambda rule, draft: _acted(rule, sets.draft if draft else sets.published, labels_of(request)),
        left=lines(live, draft, leaving=True) if live and draft else [],
        right=lines(draft, live, leaving=False) if live and draft else [],
        shown=SHOWN,
    )


def lines(answer: SearchResponse, other: SearchResponse, *, leaving: bool) -> list[Line]:
    """The first products of an answer. Of the live one (`leaving`) those are marked that the other has no more."""
    places = {hit.id: rank for rank, hit in enumerate(other.hits, 1)}
    applied = {rule.id for rule in answer.rules}
    moved = _moved([places[hit.id] for hit in answer.hits[:SHOWN] if hit.id in places])
    found = []
    for rank, hit in enumerate(answer.hits[:SHOWN], 1):
        elsewhere = places.get(hit.id)
        by = 0 if elsewhere is None else elsewhere - rank
        move: Literal["same", "up", "down", "new", "gone"] = "same"
        if elsewhere is None:
            move = "gone" if leaving else "new"
        elif elsewhere in moved and not leaving:
            move = "up" if by > 0 else "down"
        named = dict.fromkeys(id_ for id_ in _named(hit.explanation) if id_ in applied)
        found.append(Line(hit, rank, move, abs(by), tuple(named)))
    return found


def _moved(places: Sequence[int]) -> set[int]:
    """The places that are out of order: all but the longest rising sequence, for what one product's leap merely shifts
    has not moved.
    """
    rising: list[list[int]] = [[]]
    for each in places:
        longest = max((kept for kept in rising if not kept or kept[-1] < each), key=list.__len__)
        rising.append([*longest, each])
    kept = max(reversed(rising), key=list.__len__)  # of equals that which leaves the upper product as the mover
    return set(places).difference(kept)


def _words_of_changes(sets: RuleSets) -> list[str]:
    """Queries that the draft would answer otherwise: words of the rules that differ."""
    changed = {each.id for each in sets.changes}
    words = [
        word
        for rule in (*sets.draft, *sets.published)
        if rule.id in changed
        for word in (
            *(pattern.text for pattern in rule.when.queries),
            *(word for action in rule.then if isinstance(action, Synonyms) for word in action.words),
        )
    ]
    return list(dict.fromkeys(words))[:_MOST_SUGGESTED]


def _acted(applied: AppliedRule, rules: Iterable[Rule], labels: Labels) -> list[tuple[str, str]]:
    """(action, words) of what a rule did; as the search said it where it did only part of what it says."""
    rule = next((each for each in rules if each.id == applied.id), None)
    if rule is None or len(rule.then) != len(applied.did):
        return [("", said) for said in applied.did]
    return rule_words.actions(rule, labels)


def _named(explanation: Explanation | None) -> Iterator[str]:
    """Ids of the rules that an explanation mentions."""
    if explanation is not None:
        yield from _RULE.findall(explanation.detail)
        for child in explanation.children:
            yield from _named(child)


def _moment(text: str, zone: str) -> datetime | None:
    """The time to look at; none for now, and for what is no time."""
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    except (ValueError, KeyError, OSError):
        return None
