"""Price limits of a query as constraints."""

from decimal import Decimal
from typing import Any

from lingsou.core.plan import Constraint
from lingsou.query.places import Piece, trimmed
from lingsou.text.prices import PriceConstraint, find_prices

SURE = 0.8
"""From this confidence of the parser on, an explicit limit filters; below, it is a wish."""

_READ = 0.65
"""Below this the words may well be something else: they stay in the text."""

_EXACT_SHARE = Decimal("0.1")
_DOLLARS = frozenset({"USD", "AUD", "CAD", "HKD", "NZD", "SGD", "TWD"})
_YUAN = frozenset({"CNY", "HKD", "TWD", "MOP"})
_YEN_SIGN = frozenset({"CNY", "JPY"})


def price_constraints(raw: str, currency: str, *, has_price: bool) -> tuple[list[Constraint], list[Piece], list[Piece]]:
    """Constraints, the pieces that leave the text, and all pieces that were read as money.

    An amount in a currency that is not the shop's constrains nothing (no rate is known here), but its words are
    no product words either: they leave the text.
    """
    constraints: list[Constraint] = []
    cut: list[Piece] = []
    read: list[Piece] = []
    for price in find_prices(raw):
        start, end = trimmed(raw, price.start, price.end)
        read.append((start, end))
        if price.confidence >= _READ:
            cut.append((start, end))
        if not has_price or not is_same_currency(price, currency):
            continue
        explicit = price.kind in ("range", "max", "min") and not price.approximate
        constraints.append(
            Constraint(
                start=start,
                end=end,
                surface=raw[start:end],
                field="price",
                condition=_condition(price),
                hard=explicit and price.confidence >= SURE,
                source=f"price-{price.kind}",
                confidence=price.confidence,
            )
        )
    return constraints, cut, read


def is_same_currency(price: PriceConstraint, currency: str) -> bool:
    """Whether an amount is in the shop's currency; a bare `$` or `元` is any currency that people call so."""
    if not price.currency or not currency or price.currency == currency:
        return True
    if any(sign in price.surface for sign in "¥￥"):
        return currency in _YEN_SIGN
    if price.currency == "USD" and currency in _DOLLARS:
        return "us" not in price.surface.lower() and "美" not in price.surface
    return price.currency == "CNY" and currency in _YUAN and any(sign in price.surface for sign in "元块塊圓圆")


def _condition(price: PriceConstraint) -> dict[str, Any]:
    bounds = {name: getattr(price, name) for name in ("gte", "gt", "lte", "lt")}
    if price.kind == "exact" and price.target is not None:
        share = price.target * _EXACT_SHARE
        bounds = {"gte": price.target - share, "lte": price.target + share}
    return {name: _plain(bound) for name, bound in bounds.items() if bound is not None}


def _plain(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
