"""The fused score: by hand, bounded, monotone in both legs, and below an exact identifier."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lingsou.core.plan import Expansion
from lingsou.core.settings import SearchSettings
from lingsou.retrieval.engine import EngineQuery
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.fusion import EXACT_BONUS, fused
from lingsou.testing.catalogue import as_changes, tiny_catalogue
from lingsou.text.segment import Segmenter

similarity = st.floats(-1, 1)
share = st.floats(0, 1)
ceiling = st.floats(0.1, 200)
weight = st.floats(0.01, 5)
_SLACK = 1e-4


def scored(similarities: list[float], shares: list[float], ceiling: float, weight: float) -> NDArray[np.float32]:
    lexical = np.asarray(shares, np.float32) * np.float32(ceiling)
    return fused(np.asarray(similarities, np.float32), lexical, ceiling, weight)


def test_by_hand() -> None:
    """Similarity counts as it is; half of the ceiling is half of the weight, whatever the ceiling."""
    for most in (2.0, 12.0):
        assert scored([0.5, 0.0, 0.3], [0.0, 0.5, 1.0], most, 0.4).tolist() == pytest.approx([0.5, 0.2, 0.7])


@given(st.lists(st.tuples(similarity, share), min_size=1, max_size=20), ceiling, weight)
def test_bounded_and_below_an_exact_identifier(
    products: list[tuple[float, float]], ceiling: float, weight: float
) -> None:
    scores = scored([s for s, _ in products], [w for _, w in products], ceiling, weight)
    assert scores.max() <= 1 + weight + _SLACK
    assert scores.min() >= -1 - _SLACK
    assert scores.min() + EXACT_BONUS > scores.max(), "the worst product with an exact identifier comes first"


def test_no_setting_lifts_words_and_meaning_to_an_exact_identifier() -> None:
    (most,) = [each.le for each in SearchSettings.model_fields["lexical_weight"].metadata if hasattr(each, "le")]
    assert 1 + most < EXACT_BONUS - 1


@given(similarity, similarity, share, share, ceiling, weight)
def test_monotone_in_both_legs(a: float, b: float, v: float, w: float, ceiling: float, weight: float) -> None:
    worse, better = scored([min(a, b), max(a, b)], [min(v, w), max(v, w)], ceiling, weight).tolist()
    assert worse <= better + _SLACK


@given(st.lists(share, min_size=2, max_size=20), ceiling, weight)
def test_without_meaning_the_order_is_that_of_the_words(shares: list[float], ceiling: float, weight: float) -> None:
    scores = scored([0.0] * len(shares), shares, ceiling, weight)
    assert (np.diff(scores[np.argsort(shares, kind="stable")]) >= -_SLACK).all()


@pytest.mark.parametrize("weight", [0.1, 0.4, 5.0])
def test_the_engine_keeps_to_the_bound_also_with_expansions(weight: float, tmp_path: Path) -> None:
    """Without meaning a score is the weight times the share of the ceiling, whatever other names the words have."""
    segmenter = Segmenter()
    engine = EmbeddedEngine(tmp_path, "s", segmenter, SearchSettings(lexical_weight=weight))
    engine.apply(as_changes(tiny_catalogue()))
    names = (
        Expansion(term="shirt", weight=1.0, source="test", of="tee"),
        Expansion(term="shoe", weight=1.0, source="test"),
    )
    for text in ("tee", "blue tee shirt", "orbit laptop laptop", "跑步鞋 男士", "shoe tee"):
        for expansions in ((), names):
            found = engine.search(EngineQuery(text=text, expansions=expansions, limit=100))
            shares = found.candidates.legs["lexical"] / found.lexical_ceiling
            assert (shares <= 1 + _SLACK).all(), (text, expansions)
            assert found.candidates.scores == pytest.approx(weight * shares, abs=_SLACK)
    assert engine.search(EngineQuery()).lexical_ceiling == 0
