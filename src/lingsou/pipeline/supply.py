"""Demand and supply: searches that led nowhere, traced to what the catalogue lacks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from pydantic import Field

from lingsou.core.database import Database
from lingsou.core.types import Frozen
from lingsou.events.analytics import low_click, zero
from lingsou.pipeline.planned import PlannedQuery, PlannedSearch
from lingsou.retrieval.engine import EngineResult
from lingsou.retrieval.filters import EVERYTHING, AllOf, FieldKind, parse_filters

Cause = Literal["product", "limit", "stock", "attribute", "word", "offer", "none"]
CURES: Mapping[Cause, str] = {
    "product": "Nothing like it is in the catalogue: take it up, or say in a rule what to show instead.",
    "limit": "Products fit, but not within the limit: take up some that do, or look whether their prices are right.",
    "stock": "All that fits is sold out: order more, or show what is alike.",
    "attribute": "Many products do not say whether they have it: fill in the attribute.",
    "word": "No product is called so: add the word as a synonym of what the shop calls it.",
    "offer": "Products fit and are not chosen: compare prices, pictures and titles with what shoppers expect.",
    "none": "It finds products now: nothing to do, unless shoppers still do not choose them.",
}
_MOST_LOOKED = 100
_SILENT = 0.5
"""Share of the products without an attribute from which on it counts as missing."""

_EXAMPLES = 3
_AVAILABLE = {"any": [{"stock": {"gt": 0}}, {"stock": {"exists": False}}]}


class Unmet(Frozen):
    """A text that shoppers searched in vain, and why it seems to be so."""

    text: str
    searches: int
    failed: int = Field(description="of these, without a result, only with a limit dropped, or without a click")
    cause: Cause
    about: str = Field(description="the words, the limit or the attribute that it is due to")
    products: int = Field(description="that fit now, stock and limits aside")
    examples: str = Field(description="ids of the first of them")
    cure: str


def unmet(
    search: PlannedSearch, database: Database, *, days: float = 30, limit: int = 50, language: str | None = None
) -> list[Unmet]:
    """The texts that failed most often in the last `days`, each with its likeliest cause; most failures first.

    A text failed where it found nothing, found something only with a limit dropped, or found what few click on, as
    `events.analytics` counts both. Causes are looked for in the catalogue as it is now.

    Args:
        search: over the shop, with its words learned.
        database: the search log's.
        days: how far back.
        limit: texts at most.
        language: only texts in it, as `text.language` names it.
    """
    none: dict[str, tuple[int, int, int]] = {}
    for row in zero(database, days=days, limit=limit, language=language):
        none[row.text] = row.searches, row.zero, row.relaxed
    counts = {text: (searches, nothing + relaxed) for text, (searches, nothing, relaxed) in none.items()}
    for few in low_click(database, days=days, limit=limit, language=language):
        searches, nothing, relaxed = none.get(few.text, (few.searches, 0, 0))
        # A search with a limit dropped and no click failed once.
        counts[few.text] = searches, nothing + max(relaxed, few.searches - few.clicked)
    ranked = sorted(counts, key=lambda text: (-counts[text][1], text))[:limit]
    return [_traced(search, text, *counts[text], in_vain=text in none) for text in ranked]


def _traced(search: PlannedSearch, text: str, searches: int, failed: int, *, in_vain: bool) -> Unmet:
    asked = search.matched(text)
    free = asked.matched.answer(replace(asked.query, filters=EVERYTHING, limit=_MOST_LOOKED))
    cause, about = _cause(asked, search.fields(), free)
    if in_vain and cause == "offer":
        cause = "none"
    return Unmet(
        text=text,
        searches=searches,
        failed=failed,
        cause=cause,
        about=about,
        products=free.total,
        examples=" ".join(free.candidates.ids[:_EXAMPLES]),
        cure=CURES[cause],
    )


def _cause(asked: PlannedQuery, fields: Mapping[str, FieldKind], free: EngineResult) -> tuple[Cause, str]:
    plan, query = asked.plan, asked.query
    words = plan.tokens if plan else ()
    unknown = [word for word, known in zip(words, asked.matched.information(words), strict=True) if not known]
    if not free.total:
        return "product", " ".join(unknown or words)
    if plan and not asked.matched.answer(query).total:
        return "limit", ", ".join(each.surface for each in plan.constraints if each.hard)
    if "stock" in fields and not _count(asked, AllOf((query.filters, parse_filters(_AVAILABLE, fields)))):
        return "stock", ""
    if plan and unknown and np.isnan(free.candidates.legs.get("lexical", np.zeros(1))).all():
        return "word", " ".join(unknown)
    silent: Counter[str] = Counter()
    for entity in plan.entities if plan else ():
        if entity.field.startswith("attributes.") and entity.field in fields and not entity.negated:
            without = parse_filters({entity.field: {"exists": False}}, fields)
            silent[entity.field] = _count(asked, AllOf((query.filters, without)))
    if silent:
        name, lacking = silent.most_common(1)[0]
        if lacking >= _SILENT * free.total:
            return "attribute", name.removeprefix("attributes.")
    return ("word", " ".join(unknown)) if unknown else ("offer", "")


def _count(asked: PlannedQuery, filters: Any) -> int:
    return asked.matched.answer(replace(asked.query, filters=filters, limit=1)).total


def causes(rows: Sequence[Unmet]) -> dict[Cause, int]:
    """Failed searches by cause, the most frequent first."""
    counted: Counter[Cause] = Counter()
    for row in rows:
        counted[row.cause] += row.failed
    return dict(counted.most_common())
