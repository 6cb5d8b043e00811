"""Which facets a page of results offers, and how they are shown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lingsou.console.browsing import Browse
from lingsou.console.labels import Labels
from lingsou.core.types import Facet, FacetRequest, Hit

STANDING = ("category", "brand", "price")
SHOWN_AT_ONCE = 6
_ATTRIBUTES = 5
_LEAST_SHARE = 0.4
_LONGEST_VALUE = 40
_SIZES = {"category": 300, "price": 5}


@dataclass(frozen=True)
class Choice:
    """One value that can be chosen, or given up when it is."""

    label: str
    value: str
    count: int
    chosen: bool
    url: str
    depth: int = 0


@dataclass(frozen=True)
class FacetView:
    """One facet as the page shows it."""

    field: str
    title: str
    choices: tuple[Choice, ...]
    other: int = 0


def request_of(field: str) -> FacetRequest:
    """The facet as it is asked for."""
    return FacetRequest(field=field, size=_SIZES.get(field, 24))


def attribute_fields(hits: Sequence[Hit]) -> tuple[str, ...]:
    """The attributes worth a facet: many of these products have them, and they tell the products apart."""
    holders: Counter[str] = Counter()
    values: dict[str, set[str]] = {}
    for hit in hits:
        for name, attribute in hit.product.attributes.items():
            listed = attribute.value if isinstance(attribute.value, tuple) else (str(attribute.value),)
            if all(len(each) <= _LONGEST_VALUE for each in listed):
                holders[name] += 1
                values.setdefault(name, set()).update(listed)
    least = max(2, _LEAST_SHARE * len(hits))
    telling = [
        name for name, count in holders.most_common() if count >= least and 1 < len(values[name]) <= 0.8 * count + 3
    ]
    return tuple(f"attributes.{name}" for name in telling[:_ATTRIBUTES])


def facet_views(facets: Mapping[str, Facet], browse: Browse, labels: Labels) -> list[FacetView]:
    """Facets with something to choose, category first, then brand, then attributes."""
    views = []
    for field, facet in facets.items():
        choices = _categories(facet, browse, labels) if field == "category" else _values(facet, browse, labels)
        chosen = any(choice.chosen for choice in choices)
        if chosen or len(choices) > 1:
            views.append(FacetView(field, labels.field(field), tuple(choices), facet.other))
    return views


def price_ranges(facet: Facet | None, browse: Browse, labels: Labels, currency: str) -> list[Choice]:
    """Ranges that hold about equally many products, as links. Without counts: both ends are part of a range here."""
    found = []
    for each in facet.values if facet else ():
        if not each.count or (each.gte is None and each.lt is None):
            continue
        low = labels.money(each.gte, currency) if each.gte is not None else ""
        high = labels.money(each.lt, currency) if each.lt is not None else ""
        key = "price_between" if low and high else "price_above" if low else "price_below"
        text = labels.text(key, low=low, high=high)
        bounds = {"low": _decimal(each.gte), "high": _decimal(each.lt)}
        chosen = (browse.low, browse.high) == (bounds["low"], bounds["high"])
        target = browse.but(low=None, high=None) if chosen else browse.but(**bounds)
        found.append(Choice(text, "", each.count, chosen, target.url))
    return found


def _values(facet: Facet, browse: Browse, labels: Labels) -> list[Choice]:
    chosen = browse.values(facet.field)
    counts = {each.value: each.count for each in facet.values if each.value is not None}
    # What is chosen stays in view, also where it finds nothing any more.
    ordered = [*(value for value in chosen if value not in counts), *counts]
    choices = []
    for value in ordered:
        held = value in chosen
        target = browse.without_value(facet.field, value) if held else browse.with_value(facet.field, value)
        choices.append(Choice(labels.value(value), value, counts.get(value, 0), held, target.url))
    return sorted(choices, key=lambda choice: not choice.chosen)


def _categories(facet: Facet, browse: Browse, labels: Labels) -> list[Choice]:
    """The way down to the chosen category, and what is below it; without one, the first level with a choice."""
    (chosen, *_) = browse.values("category") or ("",)
    counts = {each.value: each.count for each in facet.values if each.value}
    parent = chosen
    while not chosen and len(below := _below(counts, parent)) == 1:
        (parent,) = below
    names = chosen.split(" > ") if chosen else []
    way = [" > ".join(names[: depth + 1]) for depth in range(len(names))]
    below = sorted(_below(counts, parent), key=lambda path: -counts[path])
    elsewhere = browse.but(chosen=tuple(pair for pair in browse.chosen if pair[0] != "category"))
    return [
        Choice(
            labels.value(path),
            path,
            counts.get(path, 0),
            path == chosen,
            (elsewhere if path == chosen else browse.with_value("category", path)).url,
            len(way) if path in below else way.index(path),
        )
        for path in [*way, *below]
    ]


def _below(counts: Mapping[str, int], parent: str) -> list[str]:
    return [path for path in counts if path.rpartition(" > ")[0] == parent]


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{value:g}")
