"""Alternating least squares: the closed form of a row, and the library `implicit`."""

import numpy as np
import pytest

from lingsou.models.als import als, fold_in
from lingsou.models.sparse_rows import SparseRows, from_entries


def taste(users: int = 40, items: int = 15) -> SparseRows:
    random = np.random.default_rng(3)
    rows, columns = np.nonzero(random.random((users, items)) < 0.3)
    return from_entries(rows, columns, 1 + 3 * random.random(len(rows)), (users, items))


def test_a_row_is_the_solution_of_its_normal_equations() -> None:
    """x = (Yᵀ C Y + λI)⁻¹ Yᵀ C p, written out; a user without history is 0."""
    confidence = taste()
    others = np.random.default_rng(4).normal(size=(15, 3)).astype(np.float32)
    found = fold_in(confidence, others, 0.7)
    for user in range(40):
        own = slice(confidence.starts[user], confidence.starts[user + 1])
        weights = np.ones(15)
        weights[confidence.columns[own]] = confidence.values[own]
        wanted = np.zeros(15)
        wanted[confidence.columns[own]] = 1
        system = others.T @ (weights[:, None] * others) + 0.7 * np.eye(3)
        assert found[user] == pytest.approx(np.linalg.solve(system, others.T @ (weights * wanted)), abs=1e-4)
    nobody = from_entries(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), (2, 15))
    assert not fold_in(nobody, others, 0.7).any()


def test_the_same_seed_gives_the_same_factors() -> None:
    one, other = (als(taste(), 4, regularisation=0.1, iterations=3, seed=1) for _ in range(2))
    assert np.array_equal(one, other)


@pytest.mark.filterwarnings("ignore")
def test_it_agrees_with_implicit(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the same factors to begin with, both come to the same factors of the items."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    implicit, sparse = pytest.importorskip("implicit.cpu.als"), pytest.importorskip("scipy.sparse")
    confidence, factors = taste(), 5
    start = np.random.default_rng(1).normal(0, 0.01, (15, factors)).astype(np.float32)
    peer = implicit.AlternatingLeastSquares(
        factors=factors, regularization=0.3, alpha=1.0, iterations=6, use_cg=False, use_native=False, num_threads=1
    )
    peer.user_factors = np.zeros((40, factors), np.float32)
    peer.item_factors = start.copy()
    matrix = sparse.csr_matrix((confidence.values, confidence.columns, confidence.starts), shape=(40, 15))
    peer.fit(matrix, show_progress=False)
    own = als(confidence, factors, regularisation=0.3, iterations=6, seed=1)
    assert own == pytest.approx(np.asarray(peer.item_factors), abs=1e-4)
