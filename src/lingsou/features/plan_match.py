"""Whether a product is what the plan says was meant: its brand, category, properties, measures, soft limits.

Of several readings of the same words the best counts, by its confidence. NaN where the plan has no such reading.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from lingsou.core.plan import Constraint, Entity, QueryPlan
from lingsou.core.types import AttributeValue, Product
from lingsou.features.feature import Feature, Floats, RankingBatch

SEPARATOR = " > "
_PREFIX = "attributes."
_BOUNDS: Mapping[str, Callable[[float, float], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}
_Reading = Entity | Constraint


def entities_met(kind: str, batch: RankingBatch) -> Floats:
    """Share, by confidence, of the plan's entities of a kind that the product is; 0 to 1."""
    found = batch.plan.entities if batch.plan else ()
    return _met([each for each in found if each.kind == kind and not each.negated and each.values], batch)


def wishes_met(batch: RankingBatch) -> Floats:
    """Share, by confidence, of the plan's soft limits that the product keeps; 0 to 1."""
    found = batch.plan.constraints if batch.plan else ()
    return _met([each for each in found if not each.hard], batch)


def category_probability(batch: RankingBatch) -> Floats:
    """How likely the shopper means the product's own category; 0 to 1."""
    if batch.plan is None or not batch.plan.categories:
        return np.full(len(batch), np.nan)
    chances = {belief.category: belief.probability for belief in batch.plan.categories}
    return np.asarray([chances.get(SEPARATOR.join(product.category), 0.0) for product in batch.products], np.float64)


def _met(readings: Sequence[_Reading], batch: RankingBatch) -> Floats:
    if not readings:
        return np.full(len(batch), np.nan)
    pieces = sorted({(each.start, each.end) for each in readings})
    best = np.zeros((len(batch), len(pieces)))
    sure = np.zeros(len(pieces))
    for reading in readings:
        place = pieces.index((reading.start, reading.end))
        sure[place] = max(sure[place], reading.confidence)
        met = condition_of(reading)
        kept = np.asarray([met(product) for product in batch.products], np.float64)
        best[:, place] = np.maximum(best[:, place], kept * reading.confidence)
    return np.asarray(best.sum(axis=1) / (sure.sum() or 1.0))


def condition_of(reading: _Reading) -> Callable[[Product], bool]:
    """Whether a product is what an entity names, or keeps a limit."""
    field = reading.field
    if isinstance(reading, Entity):
        values = frozenset(reading.values)
        return lambda product: not values.isdisjoint(_labels(product, field))
    conditions = tuple(reading.condition.items())
    return lambda product: all(_keeps(product, field, name, operand) for name, operand in conditions)


def _keeps(product: Product, field: str, name: str, operand: Any) -> bool:
    if name == "any_of":
        return not set(operand).isdisjoint(_labels(product, field))
    if name == "not":
        return set(operand).isdisjoint(_labels(product, field))
    value, within = _number(product, field), _BOUNDS.get(name)
    return value is not None and within is not None and within(value, float(operand))


def _labels(product: Product, field: str) -> Iterable[str]:
    """The values of a keyword field as the index spells them."""
    if field == "category":
        return (SEPARATOR.join(product.category[:depth]) for depth in range(1, len(product.category) + 1))
    if not field.startswith(_PREFIX):
        value = getattr(product, field, "")
        return (value,) if isinstance(value, str) else tuple(value or ())
    attribute = product.attributes.get(field.removeprefix(_PREFIX))
    if attribute is None:
        return ()
    value = attribute.value
    if isinstance(value, str) and not attribute.unit:
        return (value,)
    values = value if isinstance(value, tuple) else (value,)
    return [_label(value, attribute.unit) for value in values]


def _label(value: AttributeValue, unit: str | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"{value:.12g}" if isinstance(value, int | float) else str(value)
    return f"{text} {unit}" if unit else text


def _number(product: Product, field: str) -> float | None:
    attribute = product.attributes.get(field.removeprefix(_PREFIX)) if field.startswith(_PREFIX) else None
    value = attribute.value if attribute else getattr(product, field, None)
    if value is None or isinstance(value, bool | str | tuple):
        return None
    return float(value)


def wished_for(plan: QueryPlan | None, product: Product) -> list[str]:
    """The shopper's own words that the product answers, as they were typed, each once."""
    if plan is None:
        return []
    readings: list[_Reading] = [each for each in plan.entities if not each.negated]
    readings += plan.constraints
    return list(dict.fromkeys(each.surface for each in readings if condition_of(each)(product)))


BRAND = Feature("plan-brand", partial(entities_met, "brand"), "it is of the brand that is meant", "品牌与意图相符", 1)
CATEGORY = Feature(
    "plan-category", partial(entities_met, "category"), "it is of the category that is named", "类目与意图相符", 1
)
ATTRIBUTE = Feature(
    "plan-attribute", partial(entities_met, "attribute"), "it has the properties that are meant", "属性与意图相符", 1
)
WISHES = Feature("plan-limits", wishes_met, "it keeps soft limits on price and measures", "满足价格与规格的偏好", 1)
LIKELY = Feature(
    "category-probability", category_probability, "how likely its category is meant", "其类目符合意图的概率", 1
)
