"""Vectors of items that begin from the graph of items."""

import numpy as np

from lingsou.models.graph_embedding import graph_embedding, product
from lingsou.models.sparse_rows import from_entries


def test_product_is_that_of_the_dense_matrix_rows_without_entries_included() -> None:
    random = np.random.default_rng(3)
    dense = random.random((7, 5)) * (random.random((7, 5)) < 0.3)
    dense[[0, 4, 6]] = 0
    rows, columns = np.nonzero(dense)
    sparse = from_entries(rows, columns, dense[rows, columns], dense.shape)
    other = random.random((5, 3)).astype(np.float32)
    assert np.allclose(product(sparse, other), dense @ other, atol=1e-6)


def test_items_of_one_circle_are_near_each_other_and_far_from_the_other() -> None:
    # Two rings of ten items, joined by one weak link; the last item has no neighbour.
    rings = [(ring + place, ring + (place + 1) % 10, 1.0) for ring in (0, 10) for place in range(10)] + [(0, 10, 0.1)]
    rows, columns, weights = (np.array(column) for column in zip(*rings, strict=True))
    both = from_entries(
        np.concatenate([rows, columns]), np.concatenate([columns, rows]), np.concatenate([weights] * 2), (21, 21)
    )
    vectors = graph_embedding(both, 4, steps=10)
    assert vectors.shape == (21, 4)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    near = vectors @ vectors.T
    assert near[1, 2] > 0.8 > near[1, 12] + 0.3
    assert np.array_equal(vectors, graph_embedding(both, 4, steps=10))


def test_width_may_exceed_the_items() -> None:
    nothing = from_entries(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), (3, 3))
    assert np.allclose(np.linalg.norm(graph_embedding(nothing, 8), axis=1), 1, atol=1e-5)
    none = from_entries(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), (0, 0))
    assert graph_embedding(none, 4).shape == (0, 4)
