"""The fit of the weight: orders under every weight from one answer, smoothing, and values out of fold."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import InputError
from lingsou.retrieval.engine import Candidates, EngineResult
from lingsou.training.fusion import WEIGHTS, JudgedAnswer, best, fit, out_of_fold, quality, smoothed


def answer(others: list[float], shares: list[float], grades: list[float]) -> JudgedAnswer:
    columns = (np.array(each, np.float64) for each in (others, shares, grades))
    known = np.array([each for each in grades if not np.isnan(each)], np.float64)
    return JudgedAnswer(next(columns), next(columns), next(columns), known)


def result(scores: list[float], legs: dict[str, list[float]], ceiling: float = 4.0) -> EngineResult:
    columns: Any = {name: np.array(values) for name, values in legs.items()}
    ids = tuple(f"p{n}" for n in range(len(scores)))
    found = Candidates(ids, np.arange(len(ids)), np.array(scores), np.ones(len(ids), np.int64), columns)
    return EngineResult(found, len(ids), (), 1, lexical_ceiling=ceiling)


WORDS_ARE_RIGHT = answer([0.8, 0.2], [0.0, 1.0], [0.0, 1.0])
MEANING_IS_RIGHT = answer([0.8, 0.2], [0.0, 1.0], [1.0, 0.0])


def test_quality_by_hand() -> None:
    """The second product passes the first where 0.2 + w > 0.8; at rank 2 nDCG is 1 / log2(3), MRR one half."""
    second = (1 / np.log2(3) + 1 / 2) / 2
    table = quality([WORDS_ARE_RIGHT, MEANING_IS_RIGHT], np.array([0.5, 0.7]))
    assert table == pytest.approx(np.array([[second, 1.0], [1.0, second]]))


def test_what_was_judged_and_not_found_counts() -> None:
    missing = JudgedAnswer(np.array([1.0]), np.array([1.0]), np.array([np.nan]), np.array([3.0]))
    empty = JudgedAnswer(np.empty(0), np.empty(0), np.empty(0), np.array([1.0]))
    assert quality([missing, empty], np.array([1.0])).tolist() == [[0.0], [0.0]]


def test_an_answer_keeps_boosts_and_identifiers_apart_from_words() -> None:
    """Score 10.7 = similarity 0.3 + 0.4 · 4 / 4 + 10 for an identifier: without the words 10.3."""
    found = JudgedAnswer.of(result([10.7, 0.2], {"lexical": [4.0, 0.0], "vector": [0.3, 0.2]}), {"p1": 2.0}, 0.4)
    assert found.others.tolist() == pytest.approx([10.3, 0.2])
    assert found.shares.tolist() == [1.0, 0.0]
    assert np.isnan(found.grades[0])
    assert found.grades[1] == 2.0
    assert found.judged.tolist() == [2.0]


@pytest.mark.parametrize("legs", [{"lexical": [4.0]}, {"vector": [0.3]}, {}])
def test_answers_without_both_legs_are_refused(legs: dict[str, list[float]]) -> None:
    with pytest.raises(InputError, match="words and of meaning"):
        JudgedAnswer.of(result([1.0], legs), {"p0": 1.0}, 0.4)
    with pytest.raises(InputError, match="words and of meaning"):
        JudgedAnswer.of(result([1.0], {"lexical": [1.0], "vector": [1.0]}, ceiling=0.0), {"p0": 1.0}, 0.4)


def test_a_lone_peak_is_passed_over() -> None:
    row = np.full(len(WEIGHTS), 0.5)
    row[10] = 0.9
    row[30:40] = 0.7
    assert 30 <= best(row[np.newaxis]) < 40
    assert smoothed(np.full((2, len(WEIGHTS)), 0.3)) == pytest.approx(0.3), "averages of equals, at the edges too"


@given(st.integers(0, len(WEIGHTS) - 1))
def test_smoothing_leaves_a_peak_in_its_place(place: int) -> None:
    row = -np.abs(np.arange(len(WEIGHTS)) - place).astype(np.float64)
    assert abs(best(row[np.newaxis]) - place) <= 2


def test_out_of_fold_values_come_from_the_other_queries() -> None:
    """Each query is best under a weight of its own and worth 0 elsewhere, so none gains from the others' best."""
    table = np.zeros((10, len(WEIGHTS)))
    for query in range(10):
        table[query, 6 * query] = 1.0
    assert out_of_fold(table).tolist() == [0.0] * 10
    shared = np.tile((np.abs(np.arange(len(WEIGHTS)) - 20) < 8).astype(np.float64), (10, 1))
    assert out_of_fold(shared).tolist() == [1.0] * 10


def test_a_fit_finds_what_the_queries_agree_on() -> None:
    found = fit([WORDS_ARE_RIGHT] * 20, 0.1)
    assert found.weight > 0.6
    assert found.after.tolist() == [1.0] * 20
    assert found.gain.difference.value == pytest.approx(1 - (1 / np.log2(3) + 1 / 2) / 2)
    assert found.gain.difference.low > 0
    again = fit([MEANING_IS_RIGHT] * 20, 0.1)
    assert again.weight < 0.6
    assert again.gain.difference.value == 0.0
    with pytest.raises(InputError, match="cannot be cut"):
        fit([WORDS_ARE_RIGHT] * 4, 0.1)
