"""Check `stock`: stock that is not given, not believable, or the same everywhere."""

from collections.abc import Mapping
from typing import ClassVar

from lingsou.core.types import Product
from lingsou.quality.check import EXAMPLES, Finding, Kind, Severity, Sink
from lingsou.quality.tally import Deferred, Problem, Tally

HUGE = 1_000_000
MIN_ROWS = 100
_MOSTLY = 0.9
_NORMAL = 0.05
_NEARLY_ALL = 0.95
_CODE = 9_999

_MISSING = Problem(
    "warning",
    "no stock, though most products have one",
    "Give the stock; a product without one counts as always available.",
    0.7,
)
_UNTRACKED = Problem(
    "info", "no stock on part of the catalogue", "Give the stock of all products or of none, so that filters are fair."
)
_HUGE = Problem("warning", "implausibly large stock", "Give the units on hand, not a code or a quantity in grams.", 0.8)
_NINES = Problem(
    "info", "stock that looks like a code for unlimited", "Leave the stock empty if it is not tracked.", 0.6
)
_NONE_LEFT = Problem(
    "warning",
    "nearly every product is out of stock",
    "See that the mapping takes the stock from the right column.",
    0.8,
)
_ALL_ALIKE = Problem("info", "every product has the same stock", "Leave the stock empty if it is not tracked.", 0.8)


class StockCheck:
    """Looks at the stock of each product beside that of the others. Negative stock is refused before."""

    id: ClassVar[str] = "stock"
    severity: ClassVar[Severity] = "warning"
    cost: ClassVar[str] = (
        "Shoppers order what is not there, or never see what is, because availability filters by stock."
    )

    def __init__(self, examples: int = EXAMPLES, sink: Sink | None = None):
        self._tally = Tally(self.id, examples, sink)
        self._tracked = 0
        self._zeros = 0
        self._last: int | None = None
        self._all_alike = True
        self._missing = Deferred(examples)
        self._huge = Deferred(examples)

    def observe(self, row: int, product: Product) -> None:
        """Count the value; what most of them mean is known at the end."""
        stock = product.stock
        if stock is None:
            self._missing.add(row, product.id)
            return
        self._tracked += 1
        self._zeros += stock == 0
        if stock != self._last:
            self._all_alike = self._last is None
            self._last = stock
        if stock >= _CODE and set(str(stock)) == {"9"}:
            self._tally.add(_NINES, "stock", f"{stock} units", row=row, product_id=product.id)
        elif stock > HUGE:
            self._huge.add(row, product.id, f"{stock:,} units")

    def finish(self) -> list[Finding]:
        """Judge what was seen by its share of the catalogue."""
        if self._tracked:
            missing = self._missing.count / (self._missing.count + self._tracked)
            problem = _MISSING if missing <= 1 - _MOSTLY else _UNTRACKED
            self._missing.report(self._tally, problem, "stock", f"none, as on {missing:.1%} of the products")
        if self._huge.count <= max(1, _NORMAL * self._tracked):  # where many are, it is the shop's kind of goods
            self._huge.report(self._tally, _HUGE, "stock")
        if self._tracked >= MIN_ROWS:
            self._judge_all()
        return self._tally.findings()

    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind."""
        return self._tally.counts()

    def _judge_all(self) -> None:
        if self._zeros >= _NEARLY_ALL * self._tracked:
            self._tally.add(_NONE_LEFT, "stock", f"0 on {self._zeros:,} of {self._tracked:,} products with a stock")
        elif self._all_alike:
            self._tally.add(_ALL_ALIKE, "stock", f"{self._last:,} on all {self._tracked:,} products")
