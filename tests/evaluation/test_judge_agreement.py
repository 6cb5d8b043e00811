"""Agreement of judges against values worked by hand and published ones; and what a set's report says."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.evaluation.judge_agreement import agreement, krippendorff_alpha, weighted_kappa
from lingsou.evaluation.judging import Grading, JudgingSet, Pool
from lingsou.evaluation.judging_report import report

# Krippendorff, "Computing Krippendorff's alpha-reliability", 2011, section D: four observers, twelve units.
OBSERVERS = (
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)


def coincidences(units: list[list[int]], grades: int) -> np.ndarray:
    """The table as the paper builds it, pair by pair."""
    table = np.zeros((grades, grades))
    for unit in units:
        for place, one in enumerate(unit):
            for other_place, other in enumerate(unit):
                if place != other_place:
                    table[one, other] += 1 / (len(unit) - 1)
    return table


def test_alpha_is_the_published_one() -> None:
    rows = [line.split() for line in OBSERVERS]
    units = [[int(row[place]) for row in rows if row[place] != "."] for place in range(12)]
    table = coincidences([unit for unit in units if len(unit) > 1], 6)
    assert table.sum() == pytest.approx(40), "the paper's n"
    # The paper gives 0.815 for ordinal data.
    assert float(krippendorff_alpha(table)) == pytest.approx(0.815, abs=5e-4)


def test_weighted_kappa_worked_by_hand() -> None:
    # Of 10 products the first judge says 0, 1, 3 of 4, 3, 3; the table is rows: first, columns: second.
    joint = np.array([[3, 1, 0, 0], [0, 2, 1, 0], [0, 0, 0, 0], [0, 0, 1, 2]], np.float64)
    # Observed: three cells one off = 3. First judge's sums 4 3 0 3, second's 3 3 2 2. By chance, over 10:
    # 0: 4 · (3·1 + 2·4 + 2·9) = 116; 1: 3 · (3·1 + 2·1 + 2·4) = 39; 3: 3 · (3·9 + 3·4 + 2·1) = 123; 278 / 10.
    assert float(weighted_kappa(joint)) == pytest.approx(1 - 3 / 27.8)


def test_two_judges_one_grade_apart_by_hand() -> None:
    gradings = [Grading("q", f"p{n}", judge, grade) for n, pair in enumerate([(0, 0), (3, 3), (1, 2), (2, 2)])
                for judge, grade in zip(("ann", "ben"), pair, strict=True)]  # fmt: skip
    found = agreement(gradings)
    assert found is not None
    # Observed 1. Chance over 4, ann 0 1 2 3 against ben 0 2 2 3: 0: 0+4+4+9, 1: 1+1+1+4, 2: 4+0+0+1, 3: 9+1+1+0 = 40.
    assert found.value == pytest.approx(1 - 1 / 10)
    assert (found.statistic, found.judges, found.queries, found.products) == ("weighted kappa", ("ann", "ben"), 1, 4)
    assert found.same == 0.75
    assert found.low is None, "one query says nothing of others"


def test_three_judges_take_alpha_and_leave_out_what_one_alone_graded() -> None:
    unit_grades = {"p1": (0, 0, 1), "p2": (3, 3, 3), "p3": (2, 2), "p4": (1,)}
    gradings = [
        Grading(f"q{product}", product, f"j{n}", grade)
        for product, all_ in unit_grades.items()
        for n, grade in enumerate(all_)
    ]
    found = agreement(gradings)
    assert found is not None
    table = coincidences([[0, 0, 1], [3, 3, 3], [2, 2]], 4)
    assert found.value is not None
    assert found.value == pytest.approx(float(krippendorff_alpha(table)))
    assert (found.statistic, found.queries, found.products) == ("alpha", 3, 3)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high
    assert found == agreement(gradings), "the same grades, the same interval"


def test_nothing_shared_and_nothing_to_tell() -> None:
    assert agreement([]) is None
    assert agreement([Grading("q", "p", "ann", 1), Grading("q", "r", "ben", 1)]) is None
    alike = agreement([Grading(q, "p", judge, 2) for q in "qr" for judge in ("ann", "ben")])
    assert alike is not None
    assert (alike.value, alike.low, alike.same) == (None, None, 1.0)


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=2, max_size=12))
def test_alpha_keeps_its_bounds(units: list[list[int]]) -> None:
    found = agreement(
        [Grading("q", f"p{n}", f"j{j}", grade) for n, unit in enumerate(units) for j, grade in enumerate(unit)]
    )
    assert found is not None
    whole = len({grade for unit in units for grade in unit}) == 1
    assert (found.value is None) == whole
    if found.value is not None:
        assert found.value <= 1 + 1e-12
        assert math.isclose(found.value, 1) == (found.same == 1)


@pytest.mark.parametrize("quality", [0.0, 0.5, 1.0])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(quality: float) -> None:
    random = np.random.default_rng(3)
    values, held = [], 0

    def draw(queries: int) -> list[Grading]:
        truth = random.integers(0, 4, size=(queries, 5))
        second = np.where(random.random(truth.shape) < quality, truth, random.integers(0, 4, size=truth.shape))
        return [
            Grading(f"q{q}", f"p{p}", judge, int(grades[q, p]))
            for q in range(queries)
            for p in range(5)
            for judge, grades in (("ann", truth), ("ben", second))
        ]

    whole = agreement(draw(2_000), resamples=10)
    assert whole is not None
    assert whole.value is not None
    for _ in range(40):
        found = agreement(draw(40), resamples=300)
        assert found is not None
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        values.append(found.value)
        held += found.low - 1e-9 <= whole.value <= found.high + 1e-9
    assert whole.value == pytest.approx(quality, abs=0.03), "κ of a judge who copies with this probability"
    assert held >= 33


SET = JudgingSet(
    number=1, name="s", a="live", b="words-only", depth=3, author="x",
    created_at="2026-01-01T00:00:00+00:00", queries=("q", "r", "t"),
)  # fmt: skip


def test_a_report_by_hand() -> None:
    pools = [Pool("q", ("p1", "p2"), ("p2", "p3")), Pool("r", ("p4",), ()), Pool("t")]
    gradings = [
        Grading("q", "p1", "ann", 0),
        Grading("q", "p2", "ann", 3),
        Grading("q", "p3", "ben", 1),
        Grading("r", "elsewhere", "ann", 3),
    ]
    found = report(SET, pools, gradings, "ann")
    first, second, third = found.queries
    assert first.a is not None
    assert [(each.products, each.mine, each.judged) for each in found.queries] == [(3, 2, 3), (1, 0, 0), (0, 0, 0)]
    # Gains 7 and 1: a has them at ranks 2 and –, b at 1 and 2, which is ideal.
    assert first.a == pytest.approx((7 / math.log2(3)) / (7 + 1 / math.log2(3)))
    assert first.b == pytest.approx(1)
    assert (second.a, second.b) == (0, 0), "what is relevant was found by neither"
    assert (third.a, third.b) == (None, None)
    assert (found.mine, found.products, found.next, found.depth) == (2, 4, 1, 3)
    assert found.judges == (("ann", 2), ("ben", 1))
    assert found.compared == 1, "r is not complete"
    assert found.b == 1
    assert found.difference is not None
    assert found.difference.difference.value == pytest.approx(1 - first.a)


def test_a_report_before_the_first_grade() -> None:
    found = report(SET, [Pool("q", ("p1",), ("p1",)), Pool("r"), Pool("t")], [], "ann")
    assert (found.compared, found.a, found.difference, found.agreement, found.next) == (0, None, None, None, 1)
