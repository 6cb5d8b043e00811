"""Scores worked by hand: of a product, and of what has products in common."""

from decimal import Decimal

import pytest

from lingsou.core.errors import ProductError
from lingsou.core.types import Attribute, Product
from lingsou.quality.check import Edit, Finding, Severity
from lingsou.quality.edits import proposal_of, with_edit
from lingsou.quality.scores import ScoreBook, score


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([], 100),
        ([("error", 1.0)], 50),
        ([("error", 0.8)], 60),
        ([("warning", 1.0)], 85),
        ([("info", 1.0)], 98),
        ([("error", 1.0), ("warning", 1.0)], 42.5),
        ([("info", 0.5), ("error", 0.2)], 89.1),
        ([("error", 0.0)], 100),
    ],
)
def test_a_product(findings: list[tuple[Severity, float]], expected: float) -> None:
    assert score(findings) == pytest.approx(expected)
    assert score(reversed(findings)) == pytest.approx(expected)
    assert 0 <= score(findings * 500) <= 100


def shop(place: int, brand: str, **attributes: str) -> Product:
    category = ("Home", "Lamps") if place < 6 else ("Toys",)
    return Product(id=str(place), title="t", brand=brand, category=category, attributes=dict(attributes))


def test_parts_of_a_catalogue() -> None:
    """Ten products: six lamps, four toys (too few to be told); two lamps of Lux have 50 and 75."""
    products = [shop(place, "Lux" if place < 5 else "Ray", seller="s") for place in range(10)]
    book = ScoreBook()
    for product in products:
        book.count(product)
    book.lower(products[0], 50.0)
    book.lower(products[1], 75.0)
    found = book.scores()
    assert found.all == pytest.approx(92.5)
    assert [(each.name, each.products, each.score) for each in found.categories] == [("Home > Lamps", 6, 87.5)]
    assert [(each.name, each.products, each.score) for each in found.brands] == [("Lux", 5, 85.0), ("Ray", 5, 100.0)]
    assert [(each.name, each.score) for each in found.sellers] == [("s", 92.5)]


@pytest.mark.parametrize(
    ("seller", "expected"),
    [("", ["shop a"]), ("attributes.from", ["Lisbon"]), ("brand", ["Lux"]), ("group_id", []), ("attributes.none", [])],
)
def test_who_the_seller_is(seller: str, expected: list[str]) -> None:
    book = ScoreBook(seller)
    for place in range(5):
        attributes = {"supplier": Attribute(value="shop a"), "from": Attribute(value=("Lisbon",))}
        book.count(shop(place, "Lux").model_copy(update={"attributes": attributes}))
    assert [each.name for each in book.scores().sellers] == expected


def test_an_empty_catalogue_lacks_nothing() -> None:
    assert ScoreBook().scores().all == 100


def finding(edit: Edit | None) -> Finding:
    return Finding(
        check="price", severity="error", problem="cents", product_id="a", row=1, field="price", evidence="5490",
        repair="Divide.", confidence=0.9, edit=edit,
    )  # fmt: skip


def test_what_a_finding_would_write() -> None:
    product = Product(id="a", title="t", price=Decimal(5490))
    edit = Edit(field="price", value="54.90")
    assert with_edit(product, edit) == product.model_copy(update={"price": Decimal("54.90")})
    proposed = proposal_of(finding(edit), product)
    assert proposed is not None
    assert (proposed.old, proposed.new, proposed.confidence) == ("5490", "54.9", 0.9)
    assert proposal_of(finding(None), product) is None
    assert proposal_of(finding(Edit(field="price", value=5490)), product) is None, "that is what it costs"
    with pytest.raises(ProductError, match="cannot be edited"):
        proposal_of(finding(Edit(field="prize", value=1)), product)
