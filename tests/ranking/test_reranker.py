"""What a reranker reads, and how its scores join the ranker's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lingsou.core.types import Product
from lingsou.ranking.ranker import order_of
from lingsou.ranking.reranker import document_text, rerank, to_read

FINITE = st.floats(-1e6, 1e6)


def test_the_text_is_title_brand_and_the_last_category() -> None:
    product = Product(id="1", title="Red lamp", brand="Acme", category=("Home", "Lamps"), description="unread")
    assert document_text(product) == "Red lamp. Acme. Lamps"
    assert document_text(product.model_copy(update={"title": "ACME red lamp"})) == "ACME red lamp. Lamps"
    assert document_text(Product(id="1", title="灯")) == "灯"
    assert len(document_text(Product(id="1", title="x" * 2_000, brand="Acme"))) == 400


def test_exact_identifiers_are_not_read() -> None:
    order, exact = np.array([3, 0, 2, 1]), np.array([False, False, False, True])
    assert to_read(order, exact, 3).tolist() == [0, 2]
    assert to_read(order, exact, 0).tolist() == []
    assert to_read(order, exact, 9).tolist() == [0, 2, 1]


def test_a_case_by_hand() -> None:
    """Candidates 0, 1, 2 score 3, 2, 1 by the ranker, so 1.22, 0, −1.22 in deviations; the model says 0, 0, 3, that is
    −0.71, −0.71, 1.41. Half and half: 0.26, −0.35, 0.09, so 0, 2, 1, and candidate 3, not read, stays last."""
    scores = np.array([3.0, 2.0, 1.0, 0.5])
    found = rerank(np.arange(4), scores, np.array([0, 1, 2]), np.array([0.0, 0.0, 3.0]), weight=0.5, version="v")
    assert found.shares == pytest.approx(np.array([[0.612, -0.354], [0.0, -0.354], [-0.612, 0.707]]), abs=1e-3)
    assert found.order.tolist() == [0, 2, 1, 3]
    assert found.before.tolist() == [0, 1, 2, 3]
    assert found.scores.tolist() == [3.0, 1.0, 2.0, 0.5], "2 has the second's score now"


def test_weight_1_is_the_models_order_and_0_the_rankers() -> None:
    scores, texts = np.array([1.0, 3.0, 2.0]), np.array([2.0, 1.0, 3.0])
    order = order_of(scores)  # 1, 2, 0
    assert order.tolist() == [1, 2, 0]
    assert rerank(order, scores, order, texts[order], weight=1.0, version="v").order.tolist() == [2, 0, 1]
    assert rerank(order, scores, order, texts[order], weight=0.0, version="v").order.tolist() == [1, 2, 0]


def test_what_is_all_alike_changes_nothing() -> None:
    scores = np.array([2.0, 2.0, 1.0])
    order = order_of(scores)
    assert rerank(order, scores, order, np.full(3, 7.0), weight=0.7, version="v").order.tolist() == [0, 1, 2]
    assert rerank(order, np.ones(3), order, np.full(3, 7.0), weight=1.0, version="v").order.tolist() == [0, 1, 2]


@given(
    scores=arrays(np.float64, st.integers(1, 40), elements=FINITE),
    texts=arrays(np.float64, 40, elements=FINITE),
    exact=arrays(np.bool_, 40),
    depth=st.integers(1, 50),
    weight=st.floats(0, 1),
)
def test_only_what_was_read_moves_and_scores_fall(
    scores: np.ndarray, texts: np.ndarray, exact: np.ndarray, depth: int, weight: float
) -> None:
    order, exact = order_of(scores), exact[: len(scores)]
    read = to_read(order, exact, depth)
    if not len(read):
        return
    found = rerank(order, scores, read, texts[: len(read)], weight=weight, version="v")
    fixed = [number for number, place in enumerate(order) if exact[place] or number >= depth]
    assert found.order[fixed].tolist() == order[fixed].tolist()
    assert sorted(found.order.tolist()) == sorted(order.tolist())
    assert np.array_equal(found.scores[found.order], scores[order])
    sums = dict(zip(read.tolist(), found.shares.sum(axis=1).tolist(), strict=True))
    blended = [sums[place] for place in found.order.tolist() if place in sums]
    assert blended == sorted(blended, reverse=True)
