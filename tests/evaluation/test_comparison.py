"""Comparisons of runs: signs, corrections, slices, and what changed most."""

import numpy as np
import pytest

from lingsou.core.errors import InputError
from lingsou.evaluation.comparison import METRICS, PRIMARY, compare_runs, means, paired
from lingsou.evaluation.judgements import Judgements
from lingsou.evaluation.runs import Run
from lingsou.evaluation.significance import compare, holm
from lingsou.evaluation.slices import Slice

QUERIES = tuple(f"q{n}" for n in range(12))
JUDGED = Judgements({query: {"good": 1.0, "bad": 0.0} for query in QUERIES})
FIRST, SECOND = ("good", "bad"), ("bad", "good")
HALF = 1 / np.log2(3)
"""nDCG of the only relevant product in the second place."""


def runs() -> tuple[Run, Run]:
    """b gains on the first eight queries, loses on two, and the last two are alike."""
    a = {query: FIRST if number >= 8 else SECOND for number, query in enumerate(QUERIES)}
    b = {query: SECOND if number in (8, 9) else FIRST for number, query in enumerate(QUERIES)}
    return Run(a), Run(b)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([0.2]) == pytest.approx([0.2])
    assert len(holm([])) == 0


def test_the_difference_is_what_b_gains() -> None:
    found = compare_runs(*runs(), JUDGED, [])
    rows = {row.name: row for row in found.metrics}
    assert tuple(rows) == METRICS
    row = rows[PRIMARY]
    assert [row.a, row.b] == pytest.approx([(4 + 8 * HALF) / 12, (10 + 2 * HALF) / 12])
    assert row.difference.value == pytest.approx(row.b - row.a)
    assert row.difference.low < row.difference.value < row.difference.high
    per_query = np.array([1 - HALF] * 8 + [HALF - 1] * 2 + [0, 0])
    assert row.p == compare(per_query, np.zeros(12)).p
    assert list(found.differences) == pytest.approx(list(per_query))
    assert rows["judged@10"].difference.value == 0
    assert [row.corrected_p for row in found.metrics] == pytest.approx(list(holm([row.p for row in found.metrics])))


def test_gains_and_losses_are_the_queries_that_moved() -> None:
    found = compare_runs(*runs(), JUDGED, [], shown=3)
    assert [(each.query, each.difference > 0) for each in found.gains] == [("q0", True), ("q1", True), ("q2", True)]
    assert [each.query for each in found.losses] == ["q9", "q8"]
    same = compare_runs(runs()[0], runs()[0], JUDGED, [])
    assert (same.gains, same.losses) == ((), ())
    assert all(row.p == 1 and row.difference.value == 0 for row in same.metrics)


def test_slices_are_corrected_together_and_small_ones_say_nothing() -> None:
    cuts = [
        Slice("half", "gains", tuple(range(8))),
        Slice("half", "others", (8, 9, 10, 11, 0)),
        Slice("length", "few", (0, 1)),
    ]
    gains, others, few = compare_runs(*runs(), JUDGED, cuts).slices
    assert gains.row
    assert others.row
    assert gains.row.p == 2 / 2**8, "exact: only all-plus and all-minus are as extreme"
    assert gains.row.corrected_p == 2 * gains.row.p, "two slices were tested"
    assert (gains.name, gains.row.name, gains.queries) == ("gains", "gains", 8)
    assert others.row.difference.value == pytest.approx((HALF - 1) / 5)
    assert (few.queries, few.row) == (2, None)


def test_means_of_slices() -> None:
    values = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 9.0])
    full, few = means(values, [Slice("d", "first five", (0, 1, 2, 3, 4)), Slice("d", "last", (5,))])
    assert full.mean
    assert full.mean.value == pytest.approx(0.4)
    assert few.mean is None


def test_values_must_be_paired() -> None:
    with pytest.raises(InputError, match="'m' has 2 and 3 values"):
        paired({"m": (np.zeros(2), np.zeros(3))})
