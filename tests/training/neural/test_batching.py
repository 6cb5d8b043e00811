import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lingsou.training.neural.batching import by_query
from lingsou.training.neural.tokens import by_length


@given(
    queries=st.lists(st.integers(0, 12), min_size=1, max_size=80),
    batch=st.integers(1, 9),
    seed=st.integers(0, 5),
)
def test_every_row_comes_once_and_queries_stay_whole(queries: list[int], batch: int, seed: int) -> None:
    query = np.array(queries, np.int64)
    lengths = np.arange(len(query), dtype=np.int64) % 7
    found = by_query(query, lengths, batch, np.random.default_rng(seed))
    assert sorted(np.concatenate(found).tolist()) == list(range(len(query)))
    assert all(0 < len(each) <= batch for each in found)
    for number in set(queries):
        holders = [each for each in found if (query[each] == number).any()]
        assert len(holders) == -(-queries.count(number) // batch)  # cut only where it must be
    again = by_query(query, lengths, batch, np.random.default_rng(seed))
    assert [each.tolist() for each in again] == [each.tolist() for each in found]


def test_batches_hold_rows_of_like_length() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 60, 640)
    found = by_length(rng.permutation(640), lengths, 10, rng)
    assert sorted(np.concatenate(found).tolist()) == list(range(640))
    padded = sum(int(lengths[each].max()) * len(each) for each in found)
    assert padded < 1.05 * lengths.sum()
    whole = by_query(np.arange(640), lengths, 10, rng)
    assert sum(int(lengths[each].max()) * len(each) for each in whole) < 1.05 * lengths.sum()
