"""Every registered check keeps the contract, and none raises on any valid product."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lingsou.core import plugins
from lingsou.core.types import Product
from lingsou.quality.report import run_checks
from lingsou.testing.check import CONTRACT

NAMES = plugins.names("check")

LETTERS = st.characters(codec="utf-8")
TRICKY = st.sampled_from(
    [
        "鐧惧害",
        "锟斤拷",
        "Ã©",
        "â€™",
        "ÖÐÎÄ",
        "么",
        "&amp;nbsp;",
        "&#x;",
        "<b>",
        "</b>",
        "<script",
        "\u200b",
        "\ufeff",
        "\x9f",
        "???",
    ]
)
TEXT = st.lists(st.text(LETTERS, max_size=8) | TRICKY, max_size=6).map("".join)
WORD = TEXT.filter(str.strip)


def short(limit: int) -> Any:
    return WORD.map(lambda text: text.strip()[:limit].strip()).filter(bool)


PRODUCTS = st.builds(
    Product,
    id=short(256).filter(lambda text: "\0" not in text),
    title=short(2_000),
    short_description=TEXT,
    description=TEXT,
    brand=short(200) | st.just(""),
    category=st.lists(short(512), max_size=3).map(tuple),
    price=st.none() | st.decimals(0, 10**11, places=4, allow_nan=False),
    currency=st.sampled_from(["", "CNY", "USD"]),
    sku=short(100) | st.just(""),
    attributes=st.dictionaries(
        short(100),
        st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | TEXT
        | st.lists(TEXT, max_size=2).map(tuple),
        max_size=3,
    ),
    tags=st.lists(short(512), max_size=2).map(tuple),
    stock=st.none() | st.integers(0, 2**31 - 1),
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("clause", CONTRACT, ids=lambda clause: clause.__name__)
def test_contract(clause: Any, name: str) -> None:
    clause(name, plugins.resolve("check", name))


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PRODUCTS, max_size=6), st.integers(0, 3))
def test_no_check_raises_on_any_valid_product(products: list[Product], examples: int) -> None:
    report = run_checks(enumerate(products, start=1), examples=examples)
    assert report.rows == len(products)
    for check in report.checks:
        for problem in check.problems:
            kept = [
                e
                for e in check.examples
                if (e.field, e.problem, e.severity) == (problem.field, problem.problem, problem.severity)
            ]
            assert len(kept) <= examples
            assert problem.count >= len(kept)
        for finding in check.examples:
            assert finding.evidence.isprintable()


def test_every_built_in_check_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "quality.md").read_text(encoding="utf-8")
    for name in ("schema", *NAMES):
        assert f"| `{name}` |" in page
