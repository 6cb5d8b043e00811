"""What products of a kind have, and numbers far away from theirs."""

import numpy as np
import pytest

from lingsou.core.types import Attribute
from lingsou.quality.attributes.neighbours import Neighbours
from lingsou.quality.attributes.usual import expected, outliers


def test_an_attribute_is_expected_where_the_likes_have_it() -> None:
    pytest.importorskip("scipy")
    # Products 0 to 4 are alike, and so are 5 to 9; of the first all but the last have it.
    places = np.array(
        [
            [other for other in range(first, first + 5) if other != own]
            for first in (0, 5)
            for own in range(first, first + 5)
        ]
    )
    has = np.array([True] * 4 + [False] * 6)
    chance = expected(Neighbours(places, np.ones((10, 4))), has)
    assert chance[:5].min() >= 0.75
    assert chance[5:].max() <= 0.01


def test_a_number_ten_times_too_large_is_judged_by_its_own_category() -> None:
    lamps = [{"power": Attribute(value=9.0 + n % 3, unit="W")} for n in range(60)]
    heaters = [{"power": Attribute(value=2_000.0 + n, unit="W")} for n in range(60)]
    wrong = [{"power": Attribute(value=120.0, unit="W")}]
    paths = [("Lamps",)] * 60 + [("Heaters",)] * 60 + [("Lamps",)]
    [found] = outliers([*lamps, *heaters, *wrong], "power", paths)
    assert (found.place, found.category, found.factor) == (120, ("Lamps",), 10)
    assert found.median == pytest.approx(10)


def test_several_kinds_in_one_category_are_not_outliers() -> None:
    powers = [{"power": Attribute(value=value)} for value in [10.0] * 60 + [2_000.0] * 10]
    assert outliers(powers, "power", [("Electric",)] * 70) == []


def test_few_numbers_say_nothing() -> None:
    assert outliers([{"power": Attribute(value=1.0)}, {"power": Attribute(value=1e6)}], "power", [(), ()]) == []
