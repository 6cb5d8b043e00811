import numpy as np
import pytest

from lingsou.core.errors import InputError
from lingsou.recommend.interactions import IdMap, interactions, items_of, sequences


def test_rows_are_sorted_by_user_and_time_and_ties_keep_their_order() -> None:
    found = interactions(
        np.array([1, 0, 1, 1]), np.array([5, 6, 7, 8]), np.array([30, 10, 20, 20]), n_users=3, n_items=9
    )
    assert len(found) == 3
    assert found.starts.tolist() == [0, 1, 4, 4]
    assert found.items.tolist() == [6, 7, 8, 5]
    assert found.users.tolist() == [0, 1, 1, 1]
    assert found.ages.tolist() == [0, 2, 1, 0]
    assert found.lengths.tolist() == [1, 3, 0]


def test_parts_of_histories() -> None:
    found = sequences([[1, 2, 3], [], [4, 5]], 9)
    assert found.last(2).items.tolist() == [2, 3, 4, 5]
    assert found.until_last(1).items.tolist() == [1, 2, 4]
    assert found.until_last(9).starts.tolist() == [0, 0, 0, 0]
    assert found.of([2, 0, 2]).items.tolist() == [4, 5, 1, 2, 3, 4, 5]
    assert found.block(1, 3).items.tolist() == [4, 5]
    assert found.block(1, 3).starts.tolist() == [0, 0, 2]
    odd = found.where(found.items % 2 == 1)
    assert odd.items.tolist() == [1, 3, 5]
    assert odd.starts.tolist() == [0, 2, 2, 3]
    assert odd.times.tolist() == [0, 2, 1]


@pytest.mark.parametrize(
    ("columns", "wrong"),
    [
        (([0, 1], [0]), "do not fit"),
        (([0, -1], [0, 0]), "number -1"),
        (([0, 1], [0, 7]), "only 5 are said"),
    ],
)
def test_what_does_not_fit_is_named(columns: tuple[list[int], list[int]], wrong: str) -> None:
    with pytest.raises(InputError, match=wrong):
        interactions(np.array(columns[0]), np.array(columns[1]), n_items=5)


def test_items_know_their_attributes() -> None:
    items = items_of([[3, 1], [], [1]])
    assert len(items) == 3
    assert items.n_attributes == 4
    assert items.owners.tolist() == [0, 0, 2]


def test_ids_keep_their_numbers() -> None:
    ids = IdMap(["a", "b"])
    assert ids.add(["b", "c", "a", "c"]).tolist() == [1, 2, 0, 2]
    assert ids.find(["c", "?"]).tolist() == [2, -1]
    assert list(ids.names) == ["a", "b", "c"]
    assert len(ids) == 3
