"""A shopper's own brands and sizes as small boosts, for queries that leave them open.

It is the way of a shop without a trained ranker: that one learns what a liking is worth (`features/affinity.py`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from lingsou.core.plan import Preference, QueryPlan
from lingsou.core.types import Context
from lingsou.features.events_view import Trail
from lingsou.features.trails import is_size_field
from lingsou.retrieval.engine import Boost
from lingsou.retrieval.filters import FieldKind, Terms

Trails = Callable[[Context, datetime], Trail | None]
"""What a shopper did before a moment; none: unknown, or without consent."""

PREFERENCE_WEIGHT = 0.03
"""What a preference adds at a share of 1, as much as a brand that the query names: it decides among equals."""

_VAGUE_TERMS = 4
_PRIOR = 3.0
"""So many clicks on something else stand beside the first one."""
_LEAST_SHARE = 0.25
_MOST_BRANDS = 2


def preferences_of(plan: QueryPlan, trail: Trail, values: Mapping[str, Mapping[str, int]]) -> tuple[Preference, ...]:
    """What the shopper chose before, of products in the category that the query is likely about.

    Brands and sizes are told by the share of the actions there, by weight, with three clicks on something else added. A
    query that names a brand or a model asks for that one, and of one that names a size no other is wished for.

    Args:
        plan: with its categories.
        trail: the shopper's latest actions.
        values: the index's, by field.
    """
    named = [entity for entity in plan.entities if not entity.negated]
    if len(plan.tokens) > _VAGUE_TERMS or not plan.categories or any(each.kind in ("brand", "model") for each in named):
        return ()
    about = plan.categories[0].category.split(" > ")[:2]
    brands: dict[str, float] = defaultdict(float)
    sizes: dict[str, float] = defaultdict(float)
    total = sized = _PRIOR
    for facts, weight in zip(trail.facts, trail.weights.tolist(), strict=True):
        if facts.category.split(" > ")[: len(about)] != about:
            continue
        total += weight
        if facts.brand:
            brands[facts.brand] += weight
        if facts.sizes:
            sized += weight
        for size in facts.sizes:
            sizes[size] += weight / len(facts.sizes)
    found = [
        Preference(field="brand", values=(brand,), share=weight / total)
        for brand, weight in sorted(brands.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_BRANDS]
        if weight / total >= _LEAST_SHARE and brand in values.get("brand", {})
    ]
    if sizes and not any(is_size_field(each.field.removeprefix("attributes.")) for each in named):
        size, weight = max(sizes.items(), key=lambda pair: (pair[1], pair[0]))
        if weight / sized >= _LEAST_SHARE:
            found += [
                Preference(field=field, values=spelt, share=weight / sized) for field, spelt in _spelt(size, values)
            ]
    return tuple(found)


def preferred(plan: QueryPlan, fields: Mapping[str, FieldKind]) -> tuple[Boost, ...]:
    """The preferences as boosts."""
    return tuple(
        Boost(
            Terms(each.field, each.values, ()),
            PREFERENCE_WEIGHT * each.share,
            f"{each.source}: {each.field} {', '.join(each.values)}",
        )
        for each in plan.preferences
        if each.field in fields
    )


def _spelt(size: str, values: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The fields that have a size, with its spellings there."""
    for field, known in values.items():
        if is_size_field(field.removeprefix("attributes.")):
            spelt = tuple(sorted(value for value in known if value.lower() == size))
            if spelt:
                yield field, spelt
