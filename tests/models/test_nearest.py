"""Nearest rows by cosine, by hand."""

import numpy as np
import pytest

from lingsou.models import nearest as module
from lingsou.models.nearest import nearest

VECTORS = np.array([[1, 0], [0.6, 0.8], [0, 1], [-1, 0], [0, 0]], np.float32)


@pytest.mark.parametrize("cells", [1, 1 << 20], ids=["a row at a time", "at once"])
def test_each_row_has_its_nearest_others(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CELLS", cells)
    found = nearest(VECTORS, 1)
    # Opposite rows and rows without a direction are near to none.
    assert found.lengths.tolist() == [1, 1, 1, 0, 0]
    assert found.columns.tolist() == [1, 2, 1]
    assert found.values.tolist() == pytest.approx([0.6, 0.8, 0.8])


def test_only_rows_from_the_first_one_asked_for() -> None:
    found = nearest(VECTORS, 4, first=1)
    assert found.lengths.tolist() == [0, 2, 1, 0, 0]
    assert len(found) == found.n_columns == 5


def test_no_rows_at_all() -> None:
    assert len(nearest(np.zeros((0, 3), np.float32), 2)) == 0
