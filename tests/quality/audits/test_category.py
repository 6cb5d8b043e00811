"""The audit `category`: wrong and missing categories."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from lingsou.core.errors import MissingExtraError
from lingsou.core.types import Product
from lingsou.quality.audit import Flags
from lingsou.quality.audits.category import WrongCategory, judgement
from lingsou.quality.columns import columns_of
from tests.quality.audits.shop import shop

WRONG = {3: ("Garden", "Tools"), 40: ("Shoes", "Running"), 100: ("Garden", "Tools"), 201: ("Phones", "Cases")}


def judged(products: list[Product]) -> list[Flags]:
    return WrongCategory().judge(columns_of(enumerate(products, start=1)))


def changed(products: list[Product], categories: dict[int, Any]) -> list[Product]:
    new = list(products)
    for place, category in categories.items():
        new[place] = products[place].model_copy(update={"category": category})
    return new


def test_the_misplaced_products_come_first_and_are_put_back() -> None:
    products = shop()
    (flags,) = judged(changed(products, WRONG))
    moved = [place for place, category in WRONG.items() if products[place].category[0] != category[0]]
    assert set(flags.places[: len(moved)].tolist()) == set(moved)
    for number in range(len(moved)):
        edit = flags.edits[number]
        assert edit is not None
        assert edit.field == "category"
        assert isinstance(edit.value, list)
        assert edit.value[0] == products[flags.places[number]].category[0]
        assert str(edit.value[0]) in flags.repairs[number].split("%")[0], "the likeliest stands first"


def test_a_sound_catalogue_has_next_to_no_wrong_category() -> None:
    assert sum(len(flags) for flags in judged(shop())) <= 2


@pytest.mark.parametrize(
    "path",
    [
        lambda place, main: (main, "Sale") if place % 10 == 0 else (main,),
        lambda place, main: (main, f"shelf {place % 150}"),
        lambda place, main: (main, "All", f"shelf {place % 3}"),
    ],
    ids=["few have a shelf", "every shelf is rare", "three levels"],
)
def test_shelves_that_say_nothing_of_the_product_flag_nothing(path: Callable[[int, str], tuple[str, ...]]) -> None:
    products = shop()
    paths = {place: path(place, product.category[0]) for place, product in enumerate(products)}
    assert sum(len(flags) for flags in judged(changed(products, paths))) <= 2


def test_products_without_a_category_get_a_suggestion() -> None:
    products = shop()
    blank = [5, 18, 64]
    (flags,) = [
        each for each in judged(changed(products, dict.fromkeys(blank, ()))) if "no category" in each.problem.text
    ]
    assert sorted(flags.places.tolist()) == blank
    for place, edit in zip(flags.places.tolist(), flags.edits, strict=True):
        assert edit is not None
        assert edit.value == list(products[place].category)


def test_most_without_a_category_is_no_defect_of_each() -> None:
    products = shop()
    assert judged(changed(products, dict.fromkeys(range(160), ()))) == []


def test_too_few_products_or_one_category_alone_are_not_judged() -> None:
    products = changed(shop(), WRONG)
    assert judged(products[:150]) == []
    assert judged(changed(products, dict.fromkeys(range(len(products)), ("All",)))) == []


def test_a_root_that_all_share_is_passed_over() -> None:
    products = shop(240)
    rooted = [each.model_copy(update={"category": ("Shop", *each.category)}) for each in products]
    found = judgement(columns_of(enumerate(rooted, start=1)))
    assert found is not None
    assert set(found.names) == {("Shop", each.category[0]) for each in products}


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.feature_extraction.text", None)
    with pytest.raises(MissingExtraError, match="quality"):
        judged(shop(240))
