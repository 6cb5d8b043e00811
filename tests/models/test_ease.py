import numpy as np
import pytest

from lingsou.models import ease as module
from lingsou.models.ease import ease

pytest.importorskip("scipy")


def test_two_items_by_hand() -> None:
    """G = [[3, 1], [1, 2]] has the inverse [[2, −1], [−1, 3]] / 5, so the weight 0 → 1 is 1/3 and 1 → 0 is 1/2."""
    rows = ease(np.asfortranarray([[3, 1], [1, 2]], np.float32), 5)
    assert rows.rows.tolist() == [0, 1]
    assert rows.columns.tolist() == [1, 0]
    assert rows.values == pytest.approx([1 / 3, 1 / 2])


def test_it_is_the_closed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """B = −P / diag(P) with the diagonal 0, of which the largest positive ones of each row are kept; in blocks of 4."""
    monkeypatch.setattr(module, "_BLOCK", 4)
    matrix = (np.random.default_rng(2).random((50, 11)) < 0.3).astype(np.float64)
    gram = matrix.T @ matrix + 2 * np.eye(11)
    inverse = np.linalg.inv(gram)
    wanted = -inverse / np.diag(inverse)
    np.fill_diagonal(wanted, 0)
    rows = ease(np.asfortranarray(gram, np.float32), 3)
    found = np.zeros((11, 11))
    found[rows.rows, rows.columns] = rows.values
    for row in range(11):
        best = [c for c in np.argsort(-wanted[row])[:3] if wanted[row, c] > 0]
        assert found[row, best] == pytest.approx(wanted[row, best], rel=1e-3)
        assert np.count_nonzero(found[row]) == len(best)
