"""Mojibake and HTML in 5 % of the products that can have it, found by the checks `encoding` and `html`.

What a check finds in the catalogue as it came is a fault of its own and no false alarm: such products are neither
damaged nor counted, and `already` says how many they are. Baselines: ftfy's own verdict (`is_bad`) for mojibake; for
HTML any `<` or `&` in the title.

A folder of reviews has no products; its first texts stand for titles, which are otherwise hardly ever Chinese here.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from ftfy.badness import is_bad

from benchmarks.damage.inject import CHARSETS, Damaged, mojibake, with_html
from benchmarks.damage.labels import reviews
from benchmarks.damage.scoring import scored
from benchmarks.damage.shops import Shop
from lingsou.core.types import Product
from lingsou.quality.check import Check, Finding, Sink
from lingsou.quality.checks.encoding import EncodingCheck
from lingsou.quality.checks.html import HtmlCheck

RATE, MIN_FAULTS = 0.05, 20
TITLE, TITLES = 40, 20_000
"""Characters of a text that stand for a title, and how many texts."""


def run(shop: Shop, seed: int) -> dict[str, Any] | None:
    """Each kind of damage on its own copy of the catalogue."""
    products = shop.products or _titles(shop)
    garbled, marked = _flagged(EncodingCheck, products), _flagged(HtmlCheck, products)
    whole = [product for place, product in enumerate(products) if place not in garbled]
    plain = [product for place, product in enumerate(products) if place not in marked]
    results: dict[str, Any] = {"already": {"encoding": len(garbled), "html": len(marked)}}
    for charset in CHARSETS:
        damaged = mojibake(whole, RATE, seed, charset)
        results[f"mojibake_{charset}"] = _compared(damaged, EncodingCheck, is_bad)
    results["html"] = _compared(with_html(plain, RATE, seed), HtmlCheck, lambda text: "<" in text or "&" in text)
    return results


def on_clean(shop: Shop) -> list[str]:
    """What the checks say of the catalogue as it came."""
    found: list[str] = []

    def told(finding: Finding) -> None:
        if finding.severity != "info":
            found.append(f"{finding.check} {finding.field}: {finding.evidence}")

    _observe((EncodingCheck(sink=told), HtmlCheck(sink=told)), shop.products or _titles(shop))
    return found


def _compared(damaged: Damaged, check: Callable[..., Check], baseline: Callable[[str], bool]) -> dict[str, Any]:
    if len(damaged.truth) < MIN_FAULTS:
        return {"not_scored": f"only {len(damaged.truth)} products to damage: too few titles with letters beyond ASCII"}
    told = [place for place, product in enumerate(damaged.products) if baseline(product.title)]
    truth = damaged.truth.tolist()
    return {
        "lingsou": scored(sorted(_flagged(check, damaged.products)), truth),
        "baseline": scored(told, truth),
    }


def _flagged(check: Callable[..., Check], products: Sequence[Product]) -> set[int]:
    """Positions of products with anything worse than an info."""
    found: set[int] = set()

    def told(finding: Finding) -> None:
        if finding.severity != "info" and finding.row is not None:
            found.add(finding.row - 1)

    sink: Sink = told
    _observe((check(sink=sink),), products)
    return found


def _observe(checks: Sequence[Check], products: Sequence[Product]) -> None:
    for row, product in enumerate(products, start=1):
        for each in checks:
            each.observe(row, product)


def _titles(shop: Shop) -> list[Product]:
    texts, _ = reviews(shop)
    return [Product(id=str(number), title=text[:TITLE]) for number, text in enumerate(islice(texts, TITLES))]
