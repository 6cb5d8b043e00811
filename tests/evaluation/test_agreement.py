"""Every metric agrees with `ir_measures` (trec_eval, gdeval) on random runs."""

import random
import shutil
from collections.abc import Mapping
from typing import Any

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, Judged, P, R, nDCG

from lingsou.evaluation.judgements import Judgements
from lingsou.evaluation.runs import Run, evaluate

# trec_eval's linear gain over grades that were mapped to 2^grade − 1 is the exponential gain
EXPONENTIAL = {grade: 2**grade - 1 for grade in range(1, 5)}
PEERS: dict[str, Any] = {
    "ndcg@10": nDCG(gains=EXPONENTIAL) @ 10,
    "ndcg@3": nDCG(gains=EXPONENTIAL) @ 3,
    "ndcg@10_condensed": nDCG(gains=EXPONENTIAL, judged_only=True) @ 10,
    "judged@10": Judged @ 10,
    "mrr@10": RR @ 10,
    "mrr@3": RR @ 3,
    "recall@10": R @ 10,
    "recall@100": R @ 100,
    "precision@5": P @ 5,
    "precision@5_condensed": P(judged_only=True) @ 5,
    "ap": AP,
    "ap_condensed": AP(judged_only=True),
}


def peer_values(
    ranking: Mapping[str, list[str]], grades: Mapping[str, Mapping[str, float]], measure: Any
) -> dict[str, float]:
    run = {query: {name: float(-place) for place, name in enumerate(ids)} for query, ids in ranking.items() if ids}
    qrels = {query: {name: int(grade) for name, grade in products.items()} for query, products in grades.items()}
    return {each.query_id: each.value for each in ir_measures.iter_calc([measure], qrels, run)}


def check(ranking: Mapping[str, list[str]], grades: Mapping[str, Mapping[str, float]], tolerance: float = 1e-9) -> None:
    evaluation = evaluate(Run(ranking), Judgements(grades), list(PEERS))
    for name, measure in PEERS.items():
        theirs = peer_values(ranking, grades, measure)
        for query, ours in zip(evaluation.queries, evaluation.values[name], strict=True):
            # a query without results has no line there and counts as 0
            assert ours == pytest.approx(theirs.get(query, 0.0), abs=tolerance), (name, query)


def random_case(seed: int, queries: int, pool: int) -> tuple[dict[str, list[str]], dict[str, dict[str, float]]]:
    """Numbers as query ids, because gdeval takes no others."""
    rng = random.Random(seed)
    names = [f"p{n}" for n in range(pool)]
    ranking = {str(q): rng.sample(names, rng.randint(1, pool)) for q in range(queries)}
    grades = {
        str(q): {name: float(rng.choice([0, 0, 1, 2, 3])) for name in rng.sample(names, rng.randint(1, pool))}
        | {"sure": 1.0}
        for q in range(queries)
    }
    return ranking, grades


@pytest.mark.parametrize("seed", range(5))
def test_agreement_on_random_runs(seed: int) -> None:
    check(*random_case(seed, queries=40, pool=150))


IDS = st.sampled_from([f"p{n}" for n in range(14)])


@settings(max_examples=60)
@given(
    st.dictionaries(st.sampled_from("abc"), st.lists(IDS, unique=True, max_size=14), max_size=3),
    st.dictionaries(
        st.sampled_from("abc"), st.dictionaries(IDS, st.integers(0, 4).map(float), min_size=1), min_size=1, max_size=3
    ),
)
def test_agreement_on_any_small_run(ranking: dict[str, list[str]], grades: dict[str, dict[str, float]]) -> None:
    if any(grade > 0 for products in grades.values() for grade in products.values()):
        check(ranking, grades)


@pytest.mark.skipif(
    shutil.which("perl") is None, reason="gdeval, the reference for the exponential gain, is a Perl script"
)
def test_agreement_with_the_exponential_gain_of_gdeval() -> None:
    ranking, grades = random_case(11, queries=30, pool=60)
    theirs = peer_values(ranking, grades, nDCG(dcg="exp-log2") @ 10)
    evaluation = evaluate(Run(ranking), Judgements(grades), ["ndcg@10"])
    for query, ours in zip(evaluation.queries, evaluation.values["ndcg@10"], strict=True):
        assert ours == pytest.approx(theirs[query], abs=1e-5)  # gdeval prints five decimals
