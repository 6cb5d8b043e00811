"""Contract of `lingsou.ranking.reranker.Reranker`: every function of `CHECKS` takes one and fails if it is broken.

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_contract(check, my_reranker):
        check(my_reranker)

Give each check a reranker of its own: one that keeps scores may have seen the texts before.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from lingsou.ranking.reranker import Reranker
from lingsou.testing.encoder import TEXTS

QUERIES = ("wireless mouse", "无线鼠标", "", "</s></s> red", "x" * 512)
_SECONDS = 60.0


def identity(reranker: Reranker) -> None:
    """The reranker says what it is."""
    assert isinstance(reranker, Reranker)
    assert reranker.version


def one_number_for_each_text(reranker: Reranker) -> None:
    """Ordinary and hostile texts get a finite float64 each; no text gives no number."""
    for query in QUERIES:
        scores = _scores(reranker, query, TEXTS)
        assert scores.shape == (len(TEXTS),)
        assert scores.dtype == np.float64
        assert np.isfinite(scores).all()
    assert _scores(reranker, QUERIES[0], []).shape == (0,)


def a_pair_alone_decides_its_score(reranker: Reranker) -> None:
    """Neighbours, order and repetition change no bit of a score."""
    for query in QUERIES:
        together = _scores(reranker, query, TEXTS)
        assert np.array_equal(together, _scores(reranker, query, TEXTS[::-1])[::-1])
        assert np.array_equal(together, [_scores(reranker, query, [text])[0] for text in TEXTS])
        assert np.array_equal(together, _scores(reranker, query, [*TEXTS, *TEXTS])[len(TEXTS) :])


def threads_may_share_it(reranker: Reranker) -> None:
    """Calls from several threads at once give what calls one after another give."""
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: _scores(reranker, QUERIES[0], TEXTS), range(4)))
    for scores in found:
        assert np.array_equal(scores, _scores(reranker, QUERIES[0], TEXTS))


def no_time_no_scores(reranker: Reranker) -> None:
    """After its deadline it computes nothing, and says so at once; asked again with time, it answers."""
    texts = [f"product {number} {TEXTS[number % 5]}" for number in range(200)]
    start = time.perf_counter()
    assert reranker.score(QUERIES[0], texts, start - 1) is None
    assert _scores(reranker, QUERIES[0], texts).shape == (len(texts),)


def the_deadline_is_kept(reranker: Reranker) -> None:
    """However much there is to do, it is back soon after the deadline; a busy machine is granted a second."""
    texts = [f"{number} {'very long words ' * 50}" for number in range(5_000)]
    deadline = time.perf_counter() + 0.02
    reranker.score(QUERIES[0], texts, deadline)
    assert time.perf_counter() < deadline + 1.0


CHECKS: tuple[Callable[[Reranker], None], ...] = (
    identity,
    one_number_for_each_text,
    a_pair_alone_decides_its_score,
    threads_may_share_it,
    no_time_no_scores,
    the_deadline_is_kept,
)


def _scores(reranker: Reranker, query: str, texts: Sequence[str]) -> NDArray[np.float64]:
    found = reranker.score(query, texts, time.perf_counter() + _SECONDS)
    assert found is not None, f"{len(texts)} texts took longer than {_SECONDS:g} s"
    return found
