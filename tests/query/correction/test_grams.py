"""Counts of stretches against plain Python, and probabilities worked by hand."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.query.correction import grams
from lingsou.query.correction.grams import ORDER, Table, TitleGrams, codes_of, hash_of, rows_of, stretches, sums

TITLES = ["红色连衣裙", "蓝色连衣裙 夏季", "连衣裙长款", "iphone 手机壳"]


def test_each_stretch_is_counted_and_none_goes_over_a_space() -> None:
    counted = TitleGrams(TITLES)
    assert [counted.count(text) for text in ("连衣裙", "色连衣裙", "红色连衣裙", "裙")] == [3, 2, 1, 3]
    assert [counted.count(text) for text in ("裙夏", "裙 夏", "裙蓝", "没有")] == [0, 0, 0, 0]


@given(st.lists(st.text("甲乙丙 ", max_size=12), max_size=6), st.text("甲乙丙丁", min_size=1, max_size=ORDER))
def test_counts_are_those_of_plain_python(titles: list[str], wanted: str) -> None:
    stretched = Counter(
        word[start : start + length]
        for title in titles
        for word in title.split(" ")
        for length in range(1, ORDER + 1)
        for start in range(len(word) - length + 1)
    )
    assert TitleGrams(titles).count(wanted) == stretched[wanted]


def test_the_rarest_of_the_longest_go_when_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = TitleGrams(TITLES)
    monkeypatch.setattr(grams, "MOST_GRAMS", 30)
    small = TitleGrams(TITLES)
    assert small.nbytes < everything.nbytes
    assert small.count("裙") == 3
    assert small.count("红色连衣裙") == 0


def test_of_too_many_titles_some_evenly_spread_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grams, "MOST_CHARACTERS", 20)
    assert TitleGrams(["甲乙", "丙丁"] * 10).characters == 20


def test_a_hash_is_the_same_wherever_a_text_stands() -> None:
    rows = rows_of(["红色连衣裙", "连衣裙"])
    assert rows.shape == (2, 5)
    of = sums(rows)
    inside = stretches(of, 3)
    assert inside[0, 2] == inside[1, 0] == hash_of(["连衣裙"])[0]
    assert len({int(each) for each in hash_of(["连衣裙", "连衣", "衣连", "连 ", " 连", "连"])}) == 6


def test_a_table_finds_what_it_has_and_gives_0_for_the_rest() -> None:
    table = Table(np.array([3, 5], np.uint64), np.array([30, 50], np.int32))
    assert table.values[table.places(np.array([5, 4, 3, 99], np.uint64))].tolist() == [50, 0, 30, 0]


def test_witten_bell_by_hand() -> None:
    """`甲乙`, `甲乙`, `甲丙`: after 甲, two kinds of followers were seen three times."""
    model = TitleGrams(["甲乙", "甲乙", "甲丙"])
    total = 6 + 0.5 * 3 + 1
    single = {"甲": 3.5 / total, "乙": 2.5 / total, "丙": 1.5 / total}
    found = model.log_probabilities(rows_of(["甲乙", "甲丙"]))
    assert found[0].tolist() == pytest.approx([math.log(single["甲"]), math.log((2 + 2 * single["乙"]) / 5)], rel=1e-5)
    assert found[1, 1] == pytest.approx(math.log((1 + 2 * single["丙"]) / 5), rel=1e-5)


@given(st.text(max_size=20))
def test_any_text_has_probabilities(text: str) -> None:
    found = TitleGrams(TITLES).log_probabilities(codes_of(text + "x")[None])
    assert np.isfinite(found).all()
    assert (found <= 0).all()
