"""Metrics worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import ConfigurationError, InputError
from lingsou.evaluation import metrics
from lingsou.evaluation.judgements import Judgements
from lingsou.evaluation.metrics import Floats, metric
from lingsou.evaluation.runs import Run, evaluate

NAN = math.nan


def rows(*lists: list[float]) -> Floats:
    return np.array(lists, dtype=np.float64)


def test_ndcg_of_two_products_in_the_wrong_order() -> None:
    # grade 1 (gain 1) first and grade 3 (gain 7) second: 1/log2(2) + 7/log2(3), against 7/log2(2) + 1/log2(3)
    expected = (1 + 7 / math.log2(3)) / (7 + 1 / math.log2(3))
    assert metrics.ndcg(rows([1, 3]), rows([1, 3]), 10) == pytest.approx([expected])


def test_ideal_is_made_of_all_judged_products_even_those_not_found() -> None:
    # one product of grade 2 (gain 3) was found first, an equal one not at all: 3 / (3 + 3/log2(3))
    assert metrics.ndcg(rows([2, NAN]), rows([2, 2]), 10) == pytest.approx([1 / (1 + 1 / math.log2(3))])


def test_ideal_is_cut_at_k() -> None:
    # with k = 1 only the first place counts, and it holds the best grade
    assert metrics.ndcg(rows([2, NAN]), rows([2, 2]), 1) == pytest.approx([1.0])


def test_condensed_ndcg_forgets_unjudged_products() -> None:
    # two unjudged products stand before the only relevant one: third place gains 1/log2(4) = half;
    # without them it stands first
    found, judged = rows([NAN, NAN, 1]), rows([1])
    assert metrics.ndcg(found, judged, 10) == pytest.approx([0.5])
    assert metrics.condensed_ndcg(found, judged, 10) == pytest.approx([1.0])


def test_condensing_reaches_below_k() -> None:
    # k = 1 and the first place is unjudged: condensed looks at the next judged product
    assert metrics.condensed_ndcg(rows([NAN, 1]), rows([1]), 1) == pytest.approx([1.0])


def test_judged_share_counts_grade_zero_and_divides_by_what_was_returned() -> None:
    found = rows([0, NAN, 3, NAN], [1, NAN, NAN, NAN], [NAN] * 4)
    # 2 of 4; a list of one product, judged; an empty list
    assert metrics.judged_share(found, np.array([4, 1, 0]), 10) == pytest.approx([0.5, 1.0, 0.0])
    assert metrics.judged_share(found, np.array([4, 1, 0]), 2) == pytest.approx([0.5, 1.0, 0.0])


def test_mrr_is_one_over_the_first_relevant_place_within_k() -> None:
    found = rows([0, NAN, 1, 3], [3, 0, 0, 0], [0, 0, 0, 0])
    assert metrics.mrr(found, 10) == pytest.approx([1 / 3, 1.0, 0.0])
    assert metrics.mrr(found, 2) == pytest.approx([0.0, 1.0, 0.0])


def test_recall_and_precision_at_k() -> None:
    # of three relevant products one is within the first two, two within the first four
    found, judged = rows([1, 0, NAN, 2]), rows([1, 2, 1, 0])
    assert metrics.recall(found, judged, 2) == pytest.approx([1 / 3])
    assert metrics.recall(found, judged, 4) == pytest.approx([2 / 3])
    assert metrics.precision(found, 2) == pytest.approx([1 / 2])
    # the list ends after four places; precision at ten is still out of ten
    assert metrics.precision(found, 10) == pytest.approx([2 / 10])


def test_average_precision() -> None:
    # relevant at places 1 and 3, a third one missed: (1/1 + 2/3 + 0) / 3
    assert metrics.average_precision(rows([1, 0, 2]), rows([1, 2, 3])) == pytest.approx([(1 + 2 / 3) / 3])


def test_negative_grades_gain_nothing() -> None:
    assert metrics.ndcg(rows([-2, 1]), rows([-2, 1]), 10) == pytest.approx([1 / math.log2(3)])
    assert metrics.precision(rows([-2, 1]), 2) == pytest.approx([0.5])


def test_fractional_grades_gain_between() -> None:
    # relevance 2.5 of a pair file is grade 1.5: gain 2^1.5 − 1
    expected = (2**1.5 - 1) / math.log2(3) / (2**1.5 - 1)
    assert metrics.ndcg(rows([0, 1.5]), rows([1.5, 0]), 10) == pytest.approx([expected])


def test_empty_rankings_score_zero() -> None:
    nothing, judged = np.empty((1, 0)), rows([3])
    for value in (
        metrics.ndcg(nothing, judged, 10),
        metrics.condensed_ndcg(nothing, judged, 10),
        metrics.judged_share(nothing, np.array([0]), 10),
        metrics.mrr(nothing, 10),
        metrics.recall(nothing, judged, 10),
        metrics.precision(nothing, 10),
        metrics.average_precision(nothing, judged),
    ):
        assert value == pytest.approx([0.0])


@pytest.mark.parametrize(
    "name", ["ndcg", "ndcg@0", "NDCG@10", "ap@10", "judged@5_condensed", "map", "", "mrr@-1", "mrr@10 "]
)
def test_unknown_metric_names_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no metric"):
        metric(name)


def test_wrong_shapes_and_cut_offs_are_refused() -> None:
    with pytest.raises(InputError, match="dimensions"):
        metrics.mrr(np.array([1.0]), 10)
    with pytest.raises(InputError, match="cut-off"):
        metrics.mrr(rows([1.0]), 0)


def test_evaluate_takes_queries_with_a_relevant_rating_and_scores_missing_ones_zero() -> None:
    judgements = Judgements({"a": {"p": 3.0}, "nothing relevant": {"p": 0.0}, "b": {"q": 1.0}})
    evaluation = evaluate(Run({"a": ["p"], "nothing relevant": ["p"], "not judged": ["p"]}), judgements, ["mrr@10"])
    assert evaluation.queries == ("a", "b")
    assert evaluation.values["mrr@10"] == pytest.approx([1.0, 0.0])
    assert evaluation.means() == {"mrr@10": 0.5}


def test_summary_holds_mean_and_interval_of_each_metric() -> None:
    judgements = Judgements({str(n): {"p": 1.0} for n in range(20)})
    run = Run({str(n): ["p"] if n % 2 else ["x", "p"] for n in range(20)})
    summary = evaluate(run, judgements, ["mrr@10", "ndcg@10_condensed"]).summary()
    assert list(summary) == ["queries", "mrr@10", "mrr@10_ci", "ndcg@10_condensed", "ndcg@10_condensed_ci"]
    assert summary["mrr@10"] == pytest.approx(0.75)
    interval = summary["mrr@10_ci"]
    assert isinstance(interval, list)
    assert 0.5 < interval[0] < 0.75 < interval[1] < 1
    assert summary["ndcg@10_condensed_ci"] == [1.0, 1.0]


def test_bad_runs_and_judgements_are_refused() -> None:
    with pytest.raises(InputError, match="'p' twice"):
        Run({"a": ["p", "q", "p"]})
    with pytest.raises(InputError, match="2 scores for 1"):
        Run({"a": ["p"]}, {"a": [1.0, 2.0]})
    with pytest.raises(InputError, match="No query"):
        evaluate(Run({}), Judgements({"a": {"p": 0.0}}), ["ap"])


@given(
    st.lists(st.sampled_from([NAN, 0.0, 1.0, 2.0, 3.0]), min_size=1, max_size=15),
    st.lists(st.sampled_from([0.0, 1.0, 3.0]), max_size=5),
    st.integers(1, 20),
)
def test_every_metric_lies_between_zero_and_one_and_better_order_is_never_worse(
    found: list[float], missed: list[float], k: int
) -> None:
    grades, judged = rows(found), rows([g for g in found if not math.isnan(g)] + missed)
    best = rows(sorted(found, key=lambda g: -1 if math.isnan(g) else g, reverse=True))
    retrieved = np.array([len(found)])
    for name in ("ndcg@K", "ndcg@K_condensed", "mrr@K", "recall@K", "precision@K", "ap", "judged@K"):
        measure = metric(name.replace("K", str(k)))
        value = measure(metrics.RankedGrades(grades, judged, retrieved))[0]
        ideal = measure(metrics.RankedGrades(best, judged, retrieved))[0]
        assert -1e-12 <= value <= 1 + 1e-12
        assert value <= ideal + 1e-12
