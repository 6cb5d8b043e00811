from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.cache import QueryVectorCache
from lingsou.encoders.encoder import Vectors
from lingsou.testing.encoder import HashEncoder


class Counting(HashEncoder):
    """Notes every query that reaches it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self.asked.extend(texts)
        return super().encode_queries(texts)


def test_the_least_recently_used_goes_first() -> None:
    encoder = Counting()
    cache = QueryVectorCache(encoder, capacity=2)
    for text in ("a", "b", "a", "c", "a", "b"):  # c pushes b out, then b pushes c out
        assert np.array_equal(cache.encode([text]), HashEncoder().encode_queries([text]))
    assert encoder.asked == ["a", "b", "c", "b"]
    found = cache.statistics()
    assert (found.hits, found.misses, found.size, found.capacity) == (2, 4, 2, 2)


def test_one_call_asks_for_a_text_once() -> None:
    encoder = Counting()
    cache = QueryVectorCache(encoder)
    vectors = cache.encode(["a", "b", "a"])
    assert encoder.asked == ["a", "b"]
    assert np.array_equal(vectors[0], vectors[2])
    assert cache.encode([]).shape == (0, encoder.dimension)


def test_a_caller_cannot_spoil_what_is_kept() -> None:
    cache = QueryVectorCache(HashEncoder())
    cache.encode(["a"])[:] = 9
    cache.encode(["a"])[:] = 9
    assert np.array_equal(cache.encode(["a"]), HashEncoder().encode_queries(["a"]))


def test_zero_switches_it_off_and_clear_forgets() -> None:
    encoder = Counting()
    off = QueryVectorCache(encoder, capacity=0)
    off.encode(["a"])
    off.encode(["a"])
    assert encoder.asked == ["a", "a"]
    cache = QueryVectorCache(encoder)
    cache.encode(["b"])
    cache.clear()
    assert cache.statistics().size == 0
    with pytest.raises(ConfigurationError, match="negative"):
        QueryVectorCache(encoder, capacity=-1)


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=5), max_size=20), st.integers(0, 4))
def test_vectors_are_those_of_the_encoder(calls: list[list[str]], capacity: int) -> None:
    cache, encoder = QueryVectorCache(HashEncoder(), capacity), HashEncoder()
    for texts in calls:
        assert np.array_equal(cache.encode(texts), encoder.encode_queries(texts))
    found = cache.statistics()
    assert found.hits + found.misses == sum(map(len, calls))
    assert found.size <= capacity


def test_threads_share_it() -> None:
    cache = QueryVectorCache(HashEncoder(), capacity=5)
    texts = [str(number % 9) for number in range(900)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: cache.encode([text])[0], texts))
    assert np.array_equal(np.stack(found), HashEncoder().encode_queries(texts))
    counted = cache.statistics()
    assert counted.hits + counted.misses == 900
    assert counted.size <= 5
