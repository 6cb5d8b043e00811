"""Attributes are read from texts as the shop itself reads them, and completed from what is alike."""

import numpy as np
import pytest

from lingsou.core.types import Attribute
from lingsou.quality.attributes.completion import complete, extract
from lingsou.quality.attributes.neighbours import neighbours
from tests.quality.attributes.shops import COLOURS, ZH_COLOURS, chinese, columns, fashion, product

pytest.importorskip("scipy")


def test_of_two_colours_the_one_that_this_shop_would_choose_is_read() -> None:
    shop = fashion()
    new = [
        product(1000, "Ardena White & Black Skirt"),  # Black comes before White in the shop's own choice
        product(1001, "Ardena Pink & Blue Jacket"),
        product(1002, "Ardena Sneakers with a green sole"),
        product(1003, "Ardena gift card"),
    ]
    found = extract(columns(shop + new), "colour")
    assert found.values[-4:] == ["Black", "Blue", "Green", None]
    assert found.confidence[-4:-2].min() > 0.9
    assert found.confidence[-1] == 0
    assert found.named[-4:].tolist() == [True, True, True, False]


def test_a_shade_and_the_other_language_give_the_value_that_the_catalogue_has() -> None:
    new = [product(1000, "云朵 藏青色外套"), product(1001, "Yunduo black jacket"), product(1002, "云朵 酒红色外套")]
    found = extract(columns(chinese() + new), "颜色")
    assert found.values[-3:] == ["蓝色", "黑色", None]  # the catalogue has no red


def test_without_labels_the_first_named_value_is_taken_with_less_confidence() -> None:
    bare = [
        product(1, "Navy Blue shirt"),
        product(2, "Black & Red shorts"),
        product(3, "藏青色外套"),
        product(4, "Shirt", description="A grey shirt"),
        product(5, "Textured shirt"),
    ]
    found = extract(columns(bare), "colour")
    assert found.values == ["navy", "black", "藏青", "grey", None]
    alone, several, chinese_, in_text, none = found.confidence.tolist()
    assert 0.9 > alone == chinese_ > several > in_text > none == 0


def test_an_attribute_of_no_known_kind_is_not_guessed_without_labels() -> None:
    assert extract(columns([product(1, "Black shirt")]), "warranty").values == [None]


def test_confidence_is_honest_on_labels_that_are_partly_noise() -> None:
    rng = np.random.default_rng(5)
    noisy = [
        each.model_copy(update={"attributes": {"colour": Attribute(value=COLOURS[int(rng.integers(5))])}})
        if rng.random() < 0.3
        else each
        for each in fashion(600)
    ]
    found = extract(columns(noisy), "colour")
    right = np.mean(found.same)
    assert abs(right - found.confidence.mean()) < 0.03
    assert 0.65 < right < 0.85


def test_a_value_that_no_text_names_comes_from_its_like_and_from_other_attributes() -> None:
    rng = np.random.default_rng(6)
    words = [f"word{number}" for number in range(60)]
    products = []
    for number in range(160):
        line = number % 4
        title = " ".join([f"line{line}", *rng.choice(words, 4, replace=False).tolist()])
        attributes = {
            "material": ("Paper", "Steel", "Glass", "Wood")[line],
            "depth": 10.0 + line,
            "case_depth": 10.0 + line,
        }
        products.append(product(number, title, attributes=attributes))
    open_ = product(1000, "line2 word1 word2", attributes={"case_depth": 12.0})
    shop = columns([*products, open_])
    like = neighbours(shop)
    material, depth = complete(shop, "material", like), complete(shop, "depth", like)
    assert (material.values[-1], depth.values[-1]) == ("Glass", 12.0)
    assert min(material.confidence[-1], depth.confidence[-1]) > 0.8
    assert not material.named[-1]


def test_the_same_columns_give_the_same_suggestions() -> None:
    shop = columns(fashion(150))
    first, second = complete(shop, "colour"), complete(shop, "colour")
    assert first.values == second.values
    assert first.confidence.tolist() == second.confidence.tolist()


def test_the_given_value_is_unlikely_where_the_title_never_names_it() -> None:
    wrong = product(1000, "Ardena White & Black Skirt", attributes={"colour": "Green"})
    found = extract(columns([*fashion(), wrong]), "colour")
    assert found.given[-1] < 0.05
    assert not found.same[-1]
    assert not found.given_named[-1]
    assert found.values[-1] == "Black"


def test_values_are_those_of_the_catalogue() -> None:
    assert set(extract(columns(chinese()), "颜色").values) == set(ZH_COLOURS)


def test_what_nothing_suggests_is_left_open() -> None:
    rows = [product(n, f"Lamp {n}", attributes={"serial": f"x{n * 7919}y", "height": 1.0 + n / 7}) for n in range(60)]
    shop = columns(rows)
    for name in ("serial", "height"):
        assert extract(shop, name).values == [None] * 60
        found = complete(shop, name)
        assert not found.same.any()
        assert found.confidence.max() < 0.1


def test_an_empty_catalogue() -> None:
    assert extract(columns([]), "colour").values == []
