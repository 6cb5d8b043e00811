"""The same thing listed twice, in a made-up bilingual shop without a label."""

from functools import cache

import numpy as np
import pytest

from lingsou.core.types import Product
from lingsou.quality.audits.duplicates import NearDuplicates, second_listings
from lingsou.quality.columns import Columns, columns_of

pytest.importorskip("lightgbm")
pytest.importorskip("scipy")

BRANDS = ("Lumo", "Vero", "Kestrel", "Oderra", "Plinth", "Sabra")
THINGS = ("kettle", "lamp", "backpack", "blanket", "speaker", "notebook", "teapot", "umbrella", "scarf", "drill")
EXTRAS = (
    *("folding", "quiet", "wireless", "handmade", "outdoor", "compact", "ribbed", "hooded", "magnetic", "insulated"),
    *("striped", "foldable", "padded", "solar", "walnut", "ceramic", "velvet", "linen", "brass", "granite"),
)
HAN = ("保温杯", "双肩包", "蓝牙音箱", "羊毛围巾", "台灯", "雨伞", "茶壶", "笔记本", "电钻", "毛毯")
HAN_EXTRAS = (
    "便携",
    "静音",
    "加厚",
    "复古",
    "防水",
    "轻便",
    "手工",
    "折叠",
    "户外",
    "家用",
    "学生",
    "商务",
    "北欧",
    "简约",
)

ALTERED = {
    # id → another listing, written by hand
    "p3": "{1} {0} {2} {3} {4}",
    "p50": "{0} {1} {2} {4} {5}",
    "p77": "{0} {1}x {2} {3} {4}",
    "p121": "{1} {2} {3} {4} {5} {6}",
    "p141": "{0} {1} {3} {2} {4} {5}",
}


def shop() -> list[Product]:
    rng = np.random.default_rng(5)
    made = []
    for number in range(260):
        if number % 4:
            extras = rng.choice(EXTRAS, 3, replace=False).tolist()
            brand = BRANDS[rng.integers(len(BRANDS))]
            title = f"{brand} {' '.join(extras)} {THINGS[rng.integers(len(THINGS))]} {rng.integers(10, 99)}0 ml"
        else:
            brand = "鑫喆"
            extras = rng.choice(HAN_EXTRAS, 4, replace=False).tolist()
            title = f"{''.join(extras)}{HAN[rng.integers(len(HAN))]} {rng.integers(10, 99)}0ml"
        made.append(product(f"p{number}", title, brand=brand, price=round(float(rng.uniform(20, 400)), 2)))
    return made


def product(id_: str, title: str, **more: object) -> Product:
    return Product.model_validate({"id": id_, "title": title, **more})


@cache
def damaged() -> Columns:
    clean = shop()
    by_id = {each.id: each for each in clean}
    copies = []
    for id_, form in ALTERED.items():
        words = by_id[id_].title.split()
        price = round(float(by_id[id_].price or 0) * 1.03, 2)
        copies.append(product(f"copy-{id_}", form.format(*words), price=price))
    title = by_id["p8"].title
    copies.append(product("copy-p8", f"新款{title[2:]}", price=float(by_id["p8"].price or 0)))
    copies.append(
        product("same-p30", by_id["p30"].title, brand=by_id["p30"].brand, price=float(by_id["p30"].price or 0))
    )
    # Variants of one product: another measure, another colour. None is a duplicate.
    variants = [
        product(f"v{number}", f"Tarn {colour} rucksack with rain cover {size} l", brand="Tarn", price=99)
        for number, (colour, size) in enumerate((("red", 20), ("blue", 20), ("red", 30), ("green", 40)))
    ]
    variants += [
        product(f"h{size}", f"鑫喆不锈钢焖烧壶家用大容量 {size}ml", brand="鑫喆", price=150) for size in (800, 1200)
    ]
    return columns_of(enumerate([*clean, *copies, *variants], start=1))


def test_copies_are_found_and_variants_are_not() -> None:
    columns = damaged()
    found = second_listings(columns)
    pairs = {frozenset((columns.ids[each.product], columns.ids[each.kept])): each.confidence for each in found}
    wanted = {frozenset((f"copy-{id_}", id_)) for id_ in (*ALTERED, "p8")} | {frozenset(("same-p30", "p30"))}
    assert len(pairs.keys() & wanted) >= len(wanted) - 1
    # Products made of few words look alike; few of them look the same.
    assert len([pair for pair, sure in pairs.items() if sure >= 0.6 and pair not in wanted]) <= 3
    assert not [pair for pair in pairs if any(id_[0] in "vh" for id_ in pair)]


def test_flags_name_the_other_product() -> None:
    columns = damaged()
    same, likely, *maybe = NearDuplicates().judge(columns)
    assert likely.confidence.min() >= 0.6
    assert all(flags.confidence.max() < 0.6 for flags in maybe)
    assert [columns.ids[place] for place in same.places] in (["same-p30"], ["p30"])
    assert "'p30': " in same.evidence[0] or "'same-p30': " in same.evidence[0]
    assert same.confidence[0] > 0.9
    assert len(likely)
    assert (np.diff(likely.confidence) <= 0).all()
    assert likely.edits == [None] * len(likely)


def test_the_fuller_listing_stays_and_codes_part() -> None:
    words = "Lumo quiet wireless speaker"
    columns = columns_of(
        enumerate(
            [
                product("bare", words),
                product("full", words, category=["Audio"], price=30),
                product("other-code", words, ean=["4006381333931"]),
                product("variant-1", "Lumo folding lamp", group_id="lamps"),
                product("variant-2", "Lumo folding lamp"),
            ],
            start=1,
        )
    )
    (found,) = second_listings(columns)
    assert (columns.ids[found.product], columns.ids[found.kept], found.same_text) == ("bare", "full", True)


def test_two_prices_are_less_sure() -> None:
    columns = columns_of(enumerate([product("a", "Lumo scarf", price=30), product("b", "Lumo scarf", price=40)]))
    (found,) = second_listings(columns)
    assert found.confidence == 0.7


def test_an_empty_catalogue() -> None:
    assert not second_listings(columns_of([]))


def test_nothing_to_learn_from() -> None:
    """Titles without a word in common: no copy of one looks like another."""
    products = [product(f"p{number}", chr(0xAC00 + number) * 5) for number in range(300)]
    assert not second_listings(columns_of(enumerate(products)))


def test_one_group_of_the_same_words_is_no_duplicate() -> None:
    words = "Lumo quiet wireless speaker"
    grouped = [product(f"size-{number}", words, group_id="speaker", price=30) for number in range(3)]
    assert not second_listings(columns_of(enumerate(grouped)))
    columns = columns_of(enumerate([*grouped, product("other", words, price=30)]))
    assert {columns.ids[each.product] for each in second_listings(columns)} <= {"other"}
