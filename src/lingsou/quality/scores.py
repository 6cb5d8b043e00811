"""How good the data of a product is, from 0 to 100, and of everything that has products."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import prod

from pydantic import Field

from lingsou.core.types import Frozen, Product
from lingsou.quality.check import Severity

COST: Mapping[Severity, float] = {"error": 0.5, "warning": 0.15, "info": 0.02}
"""The share of its score that a product loses by one finding that is certain."""

BEST = 100.0
SELLERS = ("attributes.seller", "attributes.supplier", "attributes.vendor", "attributes.merchant")
"""Where the seller stands if the shop does not say: in the first of these that a product has."""
_FEWEST, _MOST = 5, 100


class GroupScore(Frozen):
    """Products that have something in common."""

    name: str
    products: int
    score: float = Field(ge=0, le=100, description="mean of its products'")


class Scores(Frozen):
    """Mean scores of a catalogue and its parts, the worst part first."""

    all: float = Field(ge=0, le=100)
    categories: tuple[GroupScore, ...] = Field(description="by the whole path, joined by ` > `")
    brands: tuple[GroupScore, ...]
    sellers: tuple[GroupScore, ...]


def score(findings: Iterable[tuple[Severity, float]]) -> float:
    """100 · Π (1 − cost of the severity · confidence) over the findings of one product.

    Each finding takes a share of what the others left, so the order does not matter and nothing falls below 0.
    """
    return BEST * prod(1 - COST[severity] * confidence for severity, confidence in findings)


class ScoreBook:
    """Adds up scores by category, brand and seller. Memory: the number of their names.

    Count every product first; then tell the score of each that is below 100.
    """

    def __init__(self, seller: str = ""):
        self._sellers = (seller,) if seller else SELLERS
        self._count: dict[tuple[str, str], int] = defaultdict(int)
        self._lost: dict[tuple[str, str], float] = defaultdict(float)

    def count(self, product: Product) -> None:
        """One more product."""
        for group in self._groups(product):
            self._count[group] += 1

    def lower(self, product: Product, score: float) -> None:
        """A counted product has this score."""
        for group in self._groups(product):
            self._lost[group] += BEST - score

    def scores(self) -> Scores:
        """Means. Parts of fewer than five products are left out, and of each kind the hundred worst are kept."""
        return Scores(
            all=self._mean(("", "")), categories=self._part("c"), brands=self._part("b"), sellers=self._part("s")
        )

    def _groups(self, product: Product) -> Iterable[tuple[str, str]]:
        yield "", ""
        if product.category:
            yield "c", " > ".join(product.category)
        if product.brand:
            yield "b", product.brand
        if seller := self._seller(product):
            yield "s", seller

    def _seller(self, product: Product) -> str:
        for place in self._sellers:
            field, _, name = place.partition(".")
            if field == "attributes":
                held = product.attributes.get(name)
                value = "" if held is None else held.value
            else:
                value = getattr(product, field)
            if value:
                return " > ".join(value) if isinstance(value, tuple) else str(value)
        return ""

    def _mean(self, group: tuple[str, str]) -> float:
        lost = self._lost.get(group, 0.0) / max(self._count.get(group, 0), 1)
        return min(max(BEST - lost, 0.0), BEST)  # sums of products may be off by an ulp, or changed while they ran

    def _part(self, kind: str) -> tuple[GroupScore, ...]:
        found = (
            GroupScore(name=group[1], products=number, score=self._mean(group))
            for group, number in self._count.items()
            if group[0] == kind and number >= _FEWEST
        )
        return tuple(sorted(found, key=lambda each: (each.score, -each.products, each.name))[:_MOST])
