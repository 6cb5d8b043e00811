import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lingsou.models.topk import top_k


@given(st.lists(st.lists(st.integers(0, 4), min_size=6, max_size=6), max_size=5), st.integers(0, 8))
def test_it_is_the_head_of_the_sorted_row(rows: list[list[int]], k: int) -> None:
    """Few different scores, so that ties lie across the cut."""
    scores = np.array(rows, np.float32).reshape(-1, 6)
    columns, best = top_k(scores, k)
    assert columns.shape == best.shape == (len(rows), min(k, 6))
    for row, values in enumerate(rows):
        order = sorted((c for c in range(6) if values[c] > 0), key=lambda c: (-values[c], c))[:k]
        missing = min(k, 6) - len(order)
        assert columns[row].tolist() == order + [-1] * missing
        assert best[row].tolist() == [values[c] for c in order] + [0] * missing
