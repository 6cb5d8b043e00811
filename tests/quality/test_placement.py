"""Shelves below the judged categories, and models out of fold."""

import numpy as np
import pytest

from lingsou.quality.placement import MIN_CLASS, MOST_CLASSES, Shelves, shelves_below, votes

HAND = Shelves(np.array([0, 0, 0, 1, 2, -1]), np.array([0, 0, 1]), np.array([True, False, True]))


def test_shelves_speak_for_their_categories() -> None:
    likely = np.array([[0.2, 0.3, 0.5], [0.0, 0.1, 0.1], [0.0, 0.0, 0.0]])
    assert HAND.summed(likely).tolist() == [[0.5, 0.5], [0.5, 0.5], [0.0, 0.0]]


def test_shelves_are_drawn_as_often_as_products_are_on_them() -> None:
    drawn = HAND.drawn(np.repeat([0, 1], 4_000), np.random.default_rng(0))
    assert set(drawn[4_000:].tolist()) == {2}
    shares = np.bincount(drawn[:4_000], minlength=3) / 4_000
    assert shares[2] == 0
    assert shares[0] == pytest.approx(0.75, abs=0.03)  # three of the four products


def test_a_rare_shelf_is_the_rest_of_its_category() -> None:
    paths = (
        [("Pets", "Dogs", "Food")] * MIN_CLASS
        + [("Pets", "Cats")] * (MIN_CLASS - 1)
        + [("Pets",)]
        + [("Shoes", "Running")] * (MIN_CLASS + 1)
        + [("Shoes", "Hiking")] * 2
        + [("Rare", "Shelf")]
    )
    names = [("Shoes",), ("Pets",)]
    given = np.array([{"Pets": 1, "Shoes": 0}.get(path[0], -1) for path in paths])
    shelves = shelves_below(paths, names, given)
    assert shelves is not None
    # Dogs; cats with what is only pets; running; hiking is too little of a rest to be judged.
    assert shelves.category.tolist() == [1, 1, 0, 0]
    assert shelves.judged.tolist() == [True, True, True, False]
    assert np.bincount(shelves.given[given >= 0]).tolist() == [MIN_CLASS, MIN_CLASS, MIN_CLASS + 1, 2]
    assert shelves.given[-1] == -1


def test_one_level_has_no_shelves() -> None:
    paths = [("Pets",)] * 30 + [("Shoes", "Running")] * 30
    given = np.repeat([0, 1], 30)
    assert shelves_below(paths, [("Pets",), ("Shoes",)], given) is None


def test_the_number_of_shelves_is_bounded() -> None:
    paths = [("All", f"shelf {number}") for number in range(MOST_CLASSES + 50) for _ in range(MIN_CLASS)]
    shelves = shelves_below(paths, [("All",)], np.zeros(len(paths), np.int64))
    assert shelves is not None
    assert len(shelves) == MOST_CLASSES + 1


def test_near_neighbours_count_more() -> None:
    found = votes(np.array([[0, 1]]), np.array([[1.0, 0.5]]), 2)
    # Fourth powers 1 and 1/16, and .02 shared by both.
    assert found[0] == pytest.approx([1.01 / 1.0825, 0.0725 / 1.0825])
