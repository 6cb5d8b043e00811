"""What a value means in either language, and which attributes have such values."""

import pytest

from lingsou.quality.attributes.lexicon import kind_of, meaning_of, meanings


@pytest.mark.parametrize(
    ("text", "meaning"),
    [("Gray", "grey"), ("藏青色", "navy"), ("navy blue", "navy"), ("黑", "black"), ("米色", "beige"), ("17 inch", "")],
)
def test_spellings_of_both_languages_have_one_meaning(text: str, meaning: str) -> None:
    assert meaning_of("colour", text) == meaning


@pytest.mark.parametrize("kind", ["colour", "material", "gender", "pattern"])
def test_a_broader_value_is_a_value_of_the_kind(kind: str) -> None:
    assert meanings(kind)
    assert all(not each.broader or each.broader in meanings(kind) for each in meanings(kind).values())


def test_the_kind_of_an_attribute_is_told_by_its_values_first() -> None:
    assert kind_of("PrimaryColor", ["Blue", "Matte", "Teal"]) == "colour"
    assert kind_of("颜色", []) == "colour"
    assert kind_of("f_17", ["Cotton", "Silk", "Linen"]) == "material"
    assert kind_of("colour_depth", ["24 bit", "30 bit", "8 bit"]) == ""
    assert kind_of("weight", []) == ""
