"""Quantities of a query as constraints on the number attributes of the catalogue that can hold them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from lingsou.core.plan import Constraint, Entity
from lingsou.query.places import Piece, overlaps, trimmed
from lingsou.query.tables import Measure, measures, unit_named
from lingsou.query.vocabulary import ATTRIBUTE_PREFIX, NumberField, Vocabulary, is_asked_for
from lingsou.text.numbers import fold
from lingsou.text.quantities import Quantity, find_quantities
from lingsou.text.units import Unit, bound_after, bounds_before, units

_EXACT_DIMENSIONS = frozenset({"count", "package", "people", "layers", "age", "duration", "print resolution"})
_SHARE = Decimal("0.05")
_INCHES = Decimal("0.5")
_SIZE_NAMES = ("size", "尺码", "尺寸", "clothing_size", "shoe_size", "size_name", "diaper_size")
_SAME_SCALE = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class _Holder:
    """A number attribute that may hold a dimension: in which unit its bare numbers are, and how well it fits."""

    field: str
    numbers: NumberField
    unit: Unit
    count: int
    one_scale: bool
    rule: Measure | None
    trust: float


class MeasureFinder:
    """Knows which attributes of a vocabulary hold which dimension. Immutable; threads may share it."""

    def __init__(self, vocabulary: Vocabulary):
        self._holders: dict[str, list[_Holder]] = {}
        for field, numbers in sorted(vocabulary.numbers.items()):
            if is_asked_for(field):
                for holder in _holders(field, numbers):
                    self._holders.setdefault(holder.unit.dimension, []).append(holder)
        self._sizes = {
            field: {
                fold(value).removeprefix("size ").removesuffix("码"): value for value in sorted(values, reverse=True)
            }
            for field, values in sorted(vocabulary.fields.items())
            if field.removeprefix(ATTRIBUTE_PREFIX).lower() in _SIZE_NAMES
        }

    def find(
        self, raw: str, taken: Sequence[Piece], categories: Sequence[str]
    ) -> tuple[list[Constraint], list[Entity], list[Piece], list[Piece]]:
        """Constraints, sizes that are words, comparison words to leave out of the text, and the measures' places."""
        constraints: list[Constraint] = []
        sizes: list[Entity] = []
        cut: list[Piece] = []
        places: list[Piece] = []
        folded = fold(raw)
        for quantity in find_quantities(raw):
            start, end = trimmed(raw, quantity.start, quantity.end)
            if overlaps(taken, start, end):
                continue
            places.append((start, end))
            if quantity.dimension == "size":
                sizes += self._size_entities(raw, quantity, start, end)
                continue
            constraint = self._constraint(raw, folded, quantity, (start, end), categories)
            if constraint is not None:
                constraints.append(constraint)
                if quantity.comparison in ("at least", "at most"):
                    cut += _comparison_words(folded, start, end)
        return constraints, sizes, cut, places

    def _constraint(
        self, raw: str, folded: str, quantity: Quantity, piece: Piece, categories: Sequence[str]
    ) -> Constraint | None:
        fitting = [
            (holder, condition)
            for holder in self._holders.get(quantity.dimension, ())
            if (condition := _condition(quantity, holder)) and _is_within(condition, holder.numbers)
        ]
        if not fitting:
            return None
        scores = [_score(holder, folded, categories) for holder, _ in fitting]
        best = max(range(len(fitting)), key=scores.__getitem__)
        holder, condition = fitting[best]
        share = scores[best] / sum(scores) if sum(scores) else 0.0
        bounded = quantity.comparison in ("at least", "at most")
        return Constraint(
            start=piece[0],
            end=piece[1],
            surface=raw[piece[0] : piece[1]],
            field=holder.field,
            condition=condition,
            hard=bounded and len(fitting) == 1 and holder.one_scale,
            source=f"quantity-{quantity.dimension}",
            confidence=round(min(0.95, 0.3 + 0.65 * share) * holder.trust, 4),
        )

    def _size_entities(self, raw: str, quantity: Quantity, start: int, end: int) -> list[Entity]:
        bound = quantity.label if quantity.label not in ("us", "uk") else ""
        wanted = bound or (f"{quantity.low:f}" if quantity.low is not None else "")
        found = [(field, values[wanted]) for field, values in self._sizes.items() if wanted in values]
        return [
            Entity(
                start=start,
                end=end,
                surface=raw[start:end],
                kind="attribute",
                field=field,
                values=(value,),
                negated=False,
                source="size",
                confidence=round(0.9 / len(found), 4),
            )
            for field, value in found
        ]


def _holders(field: str, numbers: NumberField) -> list[_Holder]:
    """The dimensions that an attribute may hold: those of its units, or, without units, those its name suggests."""
    name = field.removeprefix(ATTRIBUTE_PREFIX).lower()
    by_dimension: dict[str, list[tuple[int, Unit]]] = {}
    unlabelled = not numbers.units
    for label, count in sorted(numbers.units.items()):
        unit = unit_named(label) if label else None
        if unit is not None:
            by_dimension.setdefault(unit.dimension, []).append((count, unit))
        unlabelled = unlabelled or not label
    found = []
    for dimension, counted in by_dimension.items():
        counted.sort(key=lambda pair: (-pair[0], pair[1].name))
        unit = counted[0][1]
        one = all(abs(other.factor / unit.factor - 1) < _SAME_SCALE for _, other in counted)
        total = sum(count for count, _ in counted)
        trust = sum(count for count, other in counted if other.factor == unit.factor) / max(1, total)
        rule = next((rule for rule in measures() if rule.dimension == dimension and rule.field.search(name)), None)
        one = one and len(by_dimension) == 1 and not unlabelled
        found.append(_Holder(field, numbers, unit, total, one, rule, trust if len(by_dimension) == 1 else 0.9 * trust))
    if unlabelled and not by_dimension:
        for rule in measures():
            named = unit_named(rule.unit)
            known = any(holder.unit.dimension == rule.dimension for holder in found)
            if not known and named is not None and rule.field.search(name) and rule.dimension == named.dimension:
                found.append(_Holder(field, numbers, named, numbers.count, True, rule, 0.8))
    return found


def _score(holder: _Holder, folded: str, categories: Sequence[str]) -> float:
    """How likely a measure means this attribute: products that have it (in the categories asked for), and its name."""
    count = float(holder.count)
    if categories and holder.numbers.categories:
        inside = sum(n for path, n in holder.numbers.categories.items() if _is_below(path, categories))
        count = min(inside, count) + 0.02 * count
    score = math.sqrt(count)
    if holder.rule is not None:
        rank = measures().index(holder.rule)
        asked = holder.rule.asked is not None and holder.rule.asked.search(folded) is not None
        score *= (6.0 if asked else 2.0) * (1 - rank / 1_000)
    return score


def _is_below(path: str, categories: Sequence[str]) -> bool:
    return any(path == category or path.startswith(f"{category} > ") for category in categories)


def _condition(quantity: Quantity, holder: _Holder) -> dict[str, Any] | None:
    """The range in the attribute's own unit, a bare value widened by what people round away."""
    own = quantity.unit if quantity.unit in units() else None
    low, high = (_converted(value, own, holder.unit) for value in (quantity.low, quantity.high))
    if low is None and high is None:
        return None
    if quantity.comparison == "exact" and low is not None and high is not None:
        around = _around(low, quantity.dimension, holder.unit.name)
        low, high = low - around, high + around
    condition: dict[str, Any] = {}
    if low is not None:
        condition["gte"] = _plain(low)
    if high is not None:
        condition["lte"] = _plain(high)
    return condition


def _around(value: Decimal, dimension: str, unit: str) -> Decimal:
    if dimension in _EXACT_DIMENSIONS:
        return Decimal(0)
    if unit == "inch" and value >= 10:
        return _INCHES
    return abs(value) * _SHARE


def _converted(value: Decimal | None, unit: str | None, target: Unit) -> Decimal | None:
    if value is None or unit is None:
        return value
    if unit == target.name:
        return value
    if "fahrenheit" in (unit, target.name):
        celsius = (value - 32) / Decimal("1.8") if unit == "fahrenheit" else value
        return celsius if target.name != "fahrenheit" else celsius * Decimal("1.8") + 32
    try:
        return value * units()[unit].factor / target.factor
    except InvalidOperation:  # pragma: no cover  # factors are never zero; numbers have at most 15 digits
        return None


def _is_within(condition: dict[str, Any], numbers: NumberField) -> bool:
    """Whether any product can satisfy it: a phone's screen is no answer to 65 inches."""
    low, high = condition.get("gte"), condition.get("lte")
    if numbers.high is not None and low is not None and low > numbers.high:
        return False
    return not (numbers.low is not None and high is not None and high < numbers.low)


def _comparison_words(folded: str, start: int, end: int) -> list[Piece]:
    """`under` of `under 15 inch`, `以上` of `16G以上`: titles hold the measure, not the comparison."""
    found = [
        (start, place)
        for place, words in bounds_before(folded).items()
        if start < place < end and any(at == start for at, _ in words)
    ][-1:]
    inner = found[0][1] if found else start
    for place in range(inner + 1, end):
        after = bound_after(folded, place)
        if after is not None and after[0] == end:
            return [*found, (place, end)]
    return found


def _plain(value: Decimal) -> int | float:
    rounded = round(float(value), 6)
    return int(rounded) if rounded == int(rounded) else rounded
