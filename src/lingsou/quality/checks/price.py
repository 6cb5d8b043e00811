"""Check `price`: missing, zero, token and outlying prices, and currencies that are mixed."""

from array import array
from bisect import insort
from collections.abc import Mapping
from functools import cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Product
from lingsou.quality.check import EXAMPLES, Finding, Kind, Severity, Sink
from lingsou.quality.prices import MIN_ROWS, Usual, likely_factor, usual
from lingsou.quality.tally import Deferred, Problem, Tally

TOKEN = 0.01
_MOSTLY = 0.5
_COMMON = 0.05
_FEW = 3

_MISSING = Problem(
    "warning", "no price, though most products have one", "Give the price; filters and sorting by price skip it."
)
_PARTLY = Problem("info", "no price on most of the catalogue", "Give prices, or leave price filters out of the shop.")
_NONE = Problem("info", "no product has a price", "Map the column that holds the price, if the feed has one.")
_ZERO = Problem("error", "the price is 0", "Give the true price, or leave it empty if it is on request.", 0.9)
_TOKEN = Problem(
    "error",
    "a token price of 0.01 or less",
    "Give the true price; take links for deposits and top-ups out of search.",
    0.9,
)
_OUTLIER = Problem("warning", "price far outside its category", "Compare it with the source.", 0.7)
_TWO_LEVELS = Problem(
    "info",
    "prices of a category lie on two levels",
    "See whether part of the feed is in cents or in another currency; if these are different goods, part the category.",
    0.4,
)
_CURRENCY = Problem(
    "warning",
    "prices are in several currencies",
    "Convert all prices to one currency; filters and sorting compare the numbers.",
    0.9,
)
_NO_CURRENCY = Problem("info", "no currency, though other products name one", "Name the currency on every product.")

Category = tuple[str, ...]


class PriceCheck:
    """Compares each price with the prices of its category, in its currency.

    Memory: 8 bytes for each product, and a few examples for each category.
    """

    id: ClassVar[str] = "price"
    severity: ClassVar[Severity] = "error"
    cost: ClassVar[str] = (
        "The shop sells below cost, or shoppers laugh and leave; price filters show the wrong products."
    )

    def __init__(self, examples: int = EXAMPLES, sink: Sink | None = None):
        self._tally = Tally(self.id, examples, sink)
        self._examples = max(1, examples)
        self._missing = Deferred(examples)
        self._currencies: dict[str, Deferred] = {}
        self._groups: dict[tuple[str, Category], _Group] = {}

    def observe(self, row: int, product: Product) -> None:
        """Report what is wrong by itself, and keep the number for the comparison."""
        if product.price is None:
            self._missing.add(row, product.id)
            return
        price, currency = float(product.price), product.currency
        rows = self._currencies.get(currency)
        if rows is None:
            rows = self._currencies[currency] = Deferred(self._examples)
        rows.add(row, product.id, _written(product) if rows.count < self._examples else "")
        if price <= TOKEN:
            problem = _TOKEN if price else _ZERO
            self._tally.add(problem, "price", _written(product), row=row, product_id=product.id)
            return
        key = (currency, product.category)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(self._examples)
        group.add(price, row, product.id)

    def finish(self) -> list[Finding]:
        """Compare categories and currencies, now that all prices are known."""
        self._judge_missing()
        self._judge_currencies()
        for currency in sorted(self._currencies):
            groups = {category: group for (code, category), group in self._groups.items() if code == currency}
            known = _usual_by_category(groups)
            for category, group in groups.items():
                if category in known:
                    self._judge(currency, category, group, known[category])
        return self._tally.findings()

    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind."""
        return self._tally.counts()

    def _judge_missing(self) -> None:
        priced = sum(rows.count for rows in self._currencies.values())
        missing = self._missing.count
        if missing and not priced:
            self._tally.add(_NONE, "price", f"{missing:,} products without a price")
        elif missing:
            problem = _MISSING if missing <= (1 - _MOSTLY) * (missing + priced) else _PARTLY
            evidence = f"none, as on {missing / (missing + priced):.1%} of the products"
            self._missing.report(self._tally, problem, "price", evidence)

    def _judge_currencies(self) -> None:
        named = {code: rows for code, rows in self._currencies.items() if code}
        if named and "" in self._currencies:
            self._currencies[""].report(self._tally, _NO_CURRENCY, "currency")
        if len(named) > 1:
            main = max(named, key=lambda code: named[code].count)
            for code, rows in named.items():
                if code != main:
                    rows.report(self._tally, _CURRENCY, "currency")

    def _judge(self, currency: str, category: Category, group: "_Group", known: Usual) -> None:
        prices = group.values()
        below, above = int((prices < known.low).sum()), int((prices > known.high).sum())
        place = f"“{category[-1]}”" if category else "all products"
        if below + above > max(_FEW, _COMMON * len(prices)):
            far = f"{below + above:,} of {len(prices):,} in {place} are far from their median"
            self._tally.add(_TWO_LEVELS, "price", f"{far}, {known.median:,.2f} {currency}".rstrip())
            return
        for count, extremes in ((below, group.lowest), (above, group.highest)):
            uncounted = count - min(count, len(extremes))
            for price, row, product_id in extremes[:count]:
                price = abs(price)
                self._tally.add(
                    _OUTLIER,
                    "price",
                    f"{price:,.2f} {currency}; the median of {known.rows:,} prices here is {known.median:,.2f}",
                    row=row,
                    product_id=product_id,
                    repair=_repair(price, known),
                    confidence=0.85 if likely_factor(price, known) else None,
                    count=1 + uncounted,
                )
                uncounted = 0


def _written(product: Product) -> str:
    """With every digit that the feed gave."""
    return f"{product.price:,f} {product.currency}".rstrip()


class _Group:
    """The prices of one category, and the rows of the lowest and the highest of them."""

    __slots__ = ("_keep", "_prices", "highest", "lowest")

    def __init__(self, keep: int):
        self._keep = keep
        self._prices = array("d")
        self.lowest: list[tuple[float, int, str]] = []
        self.highest: list[tuple[float, int, str]] = []
        """Prices are negative here, so that both lists ascend."""

    def add(self, price: float, row: int, product_id: str) -> None:
        self._prices.append(price)
        if len(self.lowest) < self._keep or price < self.lowest[-1][0]:  # a later row never goes before an equal price
            _keep_least(self.lowest, (price, row, product_id), self._keep)
        if len(self.highest) < self._keep or -price < self.highest[-1][0]:
            _keep_least(self.highest, (-price, row, product_id), self._keep)

    def values(self) -> NDArray[np.float64]:
        return np.frombuffer(self._prices, dtype=np.float64)


def _keep_least(kept: list[tuple[float, int, str]], entry: tuple[float, int, str], size: int) -> None:
    insort(kept, entry)
    del kept[size:]


def _usual_by_category(groups: Mapping[Category, _Group]) -> dict[Category, Usual]:
    """What is usual in each category; one with too few prices takes it from the nearest ancestor with enough."""
    members: dict[Category, list[_Group]] = {}
    for category, group in groups.items():
        for depth in range(len(category) + 1):
            members.setdefault(category[:depth], []).append(group)

    @cache
    def pooled(prefix: Category) -> Usual | None:
        pool = np.concatenate([member.values() for member in members[prefix]])
        return usual(pool) if len(pool) >= MIN_ROWS else None

    known = {}
    for category, group in groups.items():
        if len(group.values()) >= MIN_ROWS:
            known[category] = usual(group.values())
            continue
        ancestors = (pooled(category[:depth]) for depth in range(len(category), -1, -1))
        nearest = next((found for found in ancestors if found), None)
        if nearest:
            known[category] = nearest
    return known


def _repair(price: float, known: Usual) -> str:
    factor = likely_factor(price, known)
    if not factor:
        return _OUTLIER.repair
    verb = "divide" if price > known.median else "multiply"
    return f"Compare it with the source; if the decimal point slipped, {verb} by {factor:,}."
