"""What tells variants apart, in both languages."""

import pytest

from lingsou.core.types import Attribute
from lingsou.quality.matching.variation import stem_of, told_apart, variation_of
from lingsou.text.normalise import normalise


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("Kettle 1.7 L red", "Kettle 1.7 L blue", True),
        ("Kettle 1.7 L", "Kettle 1.5 L", True),
        ("Shirt XL", "Shirt L", True),
        ("保温杯 500ml 黑色", "保温杯 500ml 白色", True),
        ("保温杯 500ml", "保温杯 750ml", True),
        # One says more than the other, and nothing else.
        ("Kettle 1.7 L red", "Kettle red", False),
        ("保温杯 500ml 黑色", "保温杯 黑色", False),
        ("Kettle red steel", "steel kettle, red", False),
        # Navy blue is a blue, olive a green; rose and magenta are two pinks.
        ("Sneakers navy blue", "Sneakers blue", False),
        ("Jacket olive green and white", "Jacket white green", False),
        ("外套 藏青色 黑色", "外套 蓝色 黑色", False),
        ("Sneakers navy blue", "Sneakers olive green", True),
        ("Sneakers navy blue", "Sneakers green", True),
        ("Scarf rose", "Scarf magenta", True),
        ("Shirt navy blue & red", "Shirt blue & white", True),
        ("Campus Men's running shoes", "Campus Women's running shoes", True),
        ("Lumo boys jacket", "Lumo jacket for girls", True),
        ("保暖手套 男士", "保暖手套 女款", True),
        ("Lumo men jacket", "Lumo boys’ jacket", False),
        ("Lumo men jacket", "Lumo jacket for men and women", False),
        ("Lumo men jacket", "Lumo unisex jacket", False),
        ("Lumo menu holder", "Lumo women menu holder", False),
        # The second 4 is the stars of the one, the 5 those of the other.
        ("Fan 4 star 4 in 1", "Fan 5 star 4 in 1", True),
    ],
)
def test_two_numbers_sizes_or_colours_contradict(one: str, other: str, apart: bool) -> None:
    mine, yours = variation_of(normalise(one)), variation_of(normalise(other))
    assert mine.contradicts(yours) is apart
    assert yours.contradicts(mine) is apart


def test_the_stem_is_what_variants_share() -> None:
    assert stem_of("Lumo Kettle 1.7 L (Red)")[0] == stem_of("Lumo Kettle 1.5 L (Blue)")[0] == "lumo kettle"
    assert stem_of("棉质T恤 黑色 XL")[0] == stem_of("棉质T恤 白色 L码")[0]


def test_a_bare_number_is_part_of_the_name() -> None:
    assert stem_of("Lumo Phone 12")[0] != stem_of("Lumo Phone 13")[0]


def test_attributes_that_variants_differ_in() -> None:
    black, white = {"Colour": Attribute(value="Black")}, {"Colour": Attribute(value="white")}
    assert told_apart(black, white)
    assert not told_apart(black, {"Colour": Attribute(value="black")})
    assert not told_apart(black, {})
    assert not told_apart({"weight": Attribute(value=1.0)}, {"weight": Attribute(value=2.0)})
    assert told_apart({"颜色": Attribute(value="红")}, {"颜色": Attribute(value="蓝")})
