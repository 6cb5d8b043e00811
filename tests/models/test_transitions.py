import numpy as np
import pytest

from lingsou.models.transitions import transitions


def counted(
    window: int, backward: float, power: float = 1.0, new: list[int] | None = None
) -> dict[tuple[int, int], float]:
    """Of the histories 0 1 2 and 2 1."""
    fresh = None if new is None else np.array(new)
    rows = transitions(
        np.array([0, 3, 5]), np.array([0, 1, 2, 2, 1]), 3, window=window, backward=backward, power=power, new=fresh
    )
    return dict(zip(zip(rows.rows.tolist(), rows.columns.tolist(), strict=True), rows.values.tolist(), strict=True))


def test_nearer_pairs_and_the_way_forward_count_more() -> None:
    """1 → 2 once, and 2 → 1 once: each is the way back of the other too; 0 and 2 are two steps apart."""
    assert counted(50, 0.25) == pytest.approx(
        {(0, 1): 1, (1, 0): 0.25, (1, 2): 1.25, (2, 1): 1.25, (0, 2): 0.5, (2, 0): 0.125}
    )


def test_the_window_ends_what_counts() -> None:
    assert set(counted(1, 0.0)) == {(0, 1), (1, 2), (2, 1)}


def test_distance_may_not_matter() -> None:
    assert counted(50, 1.0, power=0.0)[(0, 2)] == 1


def test_only_pairs_with_something_new_are_counted() -> None:
    """New are the 2 of the first history and nothing of the second."""
    assert counted(50, 0.0, new=[1, 0]) == pytest.approx({(1, 2): 1, (0, 2): 0.5})


def test_an_item_does_not_follow_itself() -> None:
    rows = transitions(np.array([0, 2]), np.array([1, 1]), 2, window=5, backward=1.0)
    assert not len(rows.values)
