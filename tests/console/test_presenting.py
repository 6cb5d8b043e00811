"""Chips, facets, reasons, labels: from what the API answers to what a shopper reads."""

from decimal import Decimal
from pathlib import Path

import pytest

from lingsou.console.browsing import Browse
from lingsou.console.chips import chosen, understood, without_span
from lingsou.console.facets import attribute_fields, facet_views, price_ranges
from lingsou.console.labels import Labels, read_labels
from lingsou.console.media import picture_url
from lingsou.console.texts import Texts
from lingsou.console.why import why
from lingsou.core.errors import ConfigurationError
from lingsou.core.plan import Constraint, Entity, QueryPlan
from lingsou.core.types import Explanation, Facet, FacetCount, Hit, Product

ENGLISH = Labels(Texts("en"), {("en", "Clothing > Shirts"): "Shirts and blouses"})
CHINESE = Labels(Texts("zh"), {("zh", "Clothing"): "服饰"})


@pytest.mark.parametrize(
    ("raw", "span", "rest"),
    [
        ("蓝色T恤 100元以内", "100元以内", "蓝色T恤"),
        ("蓝色T恤 100元以内", "蓝色", "T恤 100元以内"),
        ("不要黑色 T恤", "黑色", "T恤"),
        ("shoes without laces", "laces", "shoes"),
        ("non-leather belt", "leather", "belt"),
        ("不要黑色和红色的T恤", "黑色", "不要红色的T恤"),
        ("不要黑色和红色的T恤", "红色", "不要黑色的T恤"),
        ("shoes", "shoes", ""),
    ],
)
def test_a_removed_piece_takes_what_refused_it_along(raw: str, span: str, rest: str) -> None:
    start = raw.index(span)
    assert without_span(raw, start, start + len(span)) == rest


def plan(raw: str, *beliefs: Entity | Constraint) -> QueryPlan:
    return QueryPlan(
        raw=raw,
        language="en",
        text=raw,
        tokens=(),
        entities=tuple(each for each in beliefs if isinstance(each, Entity)),
        constraints=tuple(each for each in beliefs if isinstance(each, Constraint)),
    )


def test_understood_chips() -> None:
    raw = "blue HP toner under 50 not used"
    entity = {"source": "catalogue", "surface": "HP", "start": 5, "end": 7}
    found = understood(
        plan(
            raw,
            Entity(kind="brand", field="brand", values=("HP",), confidence=0.9, **entity),
            Entity(kind="attribute", field="attributes.series", values=("HP",), confidence=0.6, **entity),
            Entity(
                start=0, end=4, surface="blue", kind="attribute", field="attributes.colour",
                values=("navy",), confidence=0.3, source="family",
            ),
            Constraint(
                start=14, end=22, surface="under 50", field="price", condition={"lte": 50},
                hard=True, source="price-max", confidence=1,
            ),
            Constraint(
                start=27, end=31, surface="used", field="attributes.condition", condition={"not": ["used"]},
                hard=True, source="negation", confidence=0.9,
            ),
        ),
        Browse(q=raw, page=2),
        ENGLISH,
        "USD",
    )  # fmt: skip
    assert [(chip.label, chip.hard) for chip in found] == [
        ("Brand: HP", False),
        ("Price ≤ $50", True),
        ("not used", True),
    ]
    assert found[0].url == "/search?q=blue+toner+under+50+not+used"
    assert found[2].url == "/search?q=blue+HP+toner+under+50"


def test_chosen_chips() -> None:
    browse = Browse(chosen=(("category", "Clothing > Shirts"),), low=Decimal(5), high=Decimal("9.5"), in_stock=True)
    found = chosen(browse, ENGLISH, "EUR")
    assert [chip.label for chip in found] == ["Category: Shirts and blouses", "Price €5 – €9.50", "In stock only"]
    assert found[0].url == "/search?min=5&max=9.5&in_stock=1"


def facet(field: str, *values: tuple[str, int]) -> Facet:
    return Facet(field=field, values=tuple(FacetCount(value=value, count=count) for value, count in values))


def test_the_category_tree_starts_where_there_is_a_choice() -> None:
    tree = facet("category", ("A", 9), ("A > B", 5), ("A > C", 4), ("A > B > D", 5))
    (view,) = facet_views({"category": tree}, Browse(), ENGLISH)
    assert [(each.label, each.count, each.depth) for each in view.choices] == [("B", 5, 0), ("C", 4, 0)]
    (view,) = facet_views({"category": tree}, Browse(chosen=(("category", "A > B"),)), ENGLISH)
    assert [(each.label, each.chosen, each.depth) for each in view.choices] == [
        ("A", False, 0),
        ("B", True, 1),
        ("D", False, 2),
    ]
    assert view.choices[1].url == "/search"
    assert facet_views({"category": facet("category", ("A", 3), ("A > B", 3))}, Browse(), ENGLISH) == []


def test_chosen_values_stay_in_view_and_come_first() -> None:
    browse = Browse(chosen=(("brand", "Gone"), ("brand", "B")))
    (view,) = facet_views({"brand": facet("brand", ("A", 2), ("B", 1))}, browse, ENGLISH)
    assert [(each.value, each.count, each.chosen) for each in view.choices] == [
        ("Gone", 0, True),
        ("B", 1, True),
        ("A", 2, False),
    ]
    assert view.choices[1].url == "/search?brand=Gone"


def test_price_ranges_are_links_to_both_bounds() -> None:
    counts = (FacetCount(lt=50, count=2), FacetCount(gte=50, lt=99.5, count=0), FacetCount(gte=99.5, count=1))
    found = price_ranges(Facet(field="price", values=counts), Browse(q="x", low=Decimal("99.5")), CHINESE, "CNY")
    assert [(each.label, each.chosen, each.url) for each in found] == [
        ("¥50 以下", False, "/search?q=x&max=50"),
        ("¥99.50 以上", True, "/search?q=x"),
    ]


def hit(id_: str, explanation: Explanation | None = None, **values: object) -> Hit:
    product = Product.model_validate({"id": id_, "title": "Blue shirt", **values})
    return Hit(id=id_, score=1, product=product, explanation=explanation, highlights={"title": "<em>Blue</em> shirt"})


def test_attributes_that_tell_products_apart_become_facets() -> None:
    hits = [
        hit(str(n), attributes={"colour": ["red", "blue"][n % 2], "same": "x", "own": f"v{n}", "text": "y" * n * 10})
        for n in range(20)
    ]
    hits[0] = hit("0", attributes={"rare": "z"})
    assert attribute_fields(hits) == ("attributes.colour",)
    assert attribute_fields([]) == ()


def test_reasons_in_plain_words() -> None:
    parts = (
        Explanation(name="lexical", value=0.2, detail="0.4 × BM25"),
        Explanation(name="vector", value=0.5, detail="relevant with probability 0.83"),
        Explanation(name="boost", value=0.03, detail="attributes.colour: blue"),
        Explanation(name="boost", value=0.02, detail="all of attributes.colour: blue, category: shirt"),
        Explanation(name="boost", value=0.015, detail="likely category: Clothing > Shirts (0.80)"),
        Explanation(name="boost", value=0.01, detail="rule r1: clearance first"),
        Explanation(name="exact identifier", value=10.0, detail="ab-1: always first"),
        Explanation(name="boost", value=-0.2, detail="rule 'clearance last'"),
    )
    tree = Explanation(name="position", value=3, children=(Explanation(name="relevance", value=1, children=parts),))
    limits = chosen(Browse(in_stock=True), ENGLISH, "")
    assert why(hit("a", tree), limits, Browse(q="blue shirt", sort="price"), ENGLISH) == [
        "Its number is exactly the one you typed",
        "Close in meaning to your search",
        "It has these words: Blue",
        "Fits what you named: Colour blue",
        "Fits what you named: Colour blue, Category shirt",
        "Fits what you named: Category Shirts and blouses",
        "Placed by the shop: rule r1: clearance first",
        "Meets: In stock only",
        "Sorted by Price, low to high; number 3",
    ]
    assert why(hit("a"), (), Browse(q="x"), ENGLISH) == []
    browsing = Explanation(name="position", value=1, children=(Explanation(name="relevance", value=0),))
    assert why(hit("a", browsing), (), Browse(), CHINESE) == ["没有搜索词，畅销的在前"]


def test_amounts_and_values() -> None:
    assert ENGLISH.money(Decimal("1299.00"), "CNY") == "¥1,299"
    assert ENGLISH.money(Decimal("9.5"), "SEK") == "9.50 SEK"
    assert ENGLISH.money(None, "CNY") == "Price on request"
    assert (CHINESE.count(12_345), ENGLISH.count(12_345), CHINESE.count(20_000)) == ("1.2万", "12,345", "2万")
    assert ENGLISH.attribute(14.0, "inch") == "14 inch"
    assert CHINESE.attribute(True, None) == "是"
    assert CHINESE.attribute(("a", "b"), None) == "a、b"
    assert (CHINESE.value("Clothing"), CHINESE.value("Clothing > Shirts")) == ("服饰", "Shirts")
    assert ENGLISH.field("attributes.screen_size") == "Screen size"


def test_labels_file(tmp_path: Path) -> None:
    assert read_labels(tmp_path) == {}
    (tmp_path / "labels.tsv").write_text("# shown names\nzh\tClothing\t服饰\n\n", encoding="utf-8")
    assert read_labels(tmp_path) == {("zh", "Clothing"): "服饰"}
    (tmp_path / "labels.tsv").write_text("zh\tClothing\t服饰\nfr\tClothing\tHabits\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="line 2"):
        read_labels(tmp_path)


@pytest.mark.parametrize(
    ("image", "url"),
    [
        ("images/a b.svg", "/media/images/a%20b.svg"),
        ("/images/a.png", "/media/images/a.png"),
        ("https://cdn.example/a.jpg", "https://cdn.example/a.jpg"),
        ("HTTP://cdn.example/a.jpg", "HTTP://cdn.example/a.jpg"),
        ("javascript:alert(1)", None),
        ("data:image/svg+xml,<svg/>", None),
        ("//cdn.example/a.jpg", None),
    ],
)
def test_picture_addresses(image: str, url: str | None) -> None:
    assert picture_url(image) == url
