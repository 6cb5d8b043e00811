import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lingsou.models import sparse_rows
from lingsou.models.sparse_rows import SparseRows, added, from_entries

entries = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(1, 9)), max_size=40)
SHAPE = (5, 7)


def rows_of(triples: list[tuple[int, int, int]]) -> SparseRows:
    table = np.array(triples, np.int64).reshape(-1, 3)
    return from_entries(table[:, 0], table[:, 1], table[:, 2].astype(np.float64), SHAPE)


def dense(rows: SparseRows) -> np.ndarray:
    table = np.zeros((len(rows), rows.n_columns))
    table[rows.rows, rows.columns] = rows.values
    return table


def plain(triples: list[tuple[int, int, int]]) -> np.ndarray:
    table = np.zeros(SHAPE)
    for row, column, value in triples:
        table[row, column] += value
    return table


@given(entries)
def test_equal_entries_are_added_up_and_lie_by_column(triples: list[tuple[int, int, int]]) -> None:
    rows = rows_of(triples)
    assert np.array_equal(dense(rows), plain(triples))
    for row in range(SHAPE[0]):
        assert (np.diff(rows.columns[rows.starts[row] : rows.starts[row + 1]]) > 0).all()
    assert np.array_equal(dense(rows.transposed()), plain(triples).T)


@given(entries, st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(1, 5)), max_size=12))
def test_sums_are_the_matrix_product(triples: list[tuple[int, int, int]], terms: list[tuple[int, int, int]]) -> None:
    table = np.array(terms, np.int64).reshape(-1, 3)
    found = rows_of(triples).sums(table[:, 0], table[:, 1], table[:, 2].astype(np.float32), 3)
    wanted = np.zeros((3, SHAPE[1]))
    for query, row, weight in terms:
        wanted[query] += weight * plain(triples)[row]
    assert found.dtype == np.float32
    assert np.array_equal(found, wanted)


@given(entries, st.lists(st.integers(0, 4), max_size=4), st.lists(st.integers(0, 6), max_size=6))
def test_entries_are_found_between_any_rows_and_columns(
    triples: list[tuple[int, int, int]], rows: list[int], columns: list[int]
) -> None:
    found = rows_of(triples).between(np.array(rows, np.int64), np.array(columns, np.int64))
    assert np.array_equal(found, plain(triples)[np.ix_(rows, columns)])


@given(entries, entries)
def test_parts_add_up(one: list[tuple[int, int, int]], other: list[tuple[int, int, int]]) -> None:
    total = added([rows_of(one), rows_of(other)], (6, 8))
    assert np.array_equal(dense(total)[:5, :7], plain(one) + plain(other))
    assert not dense(total)[5].any()
    assert not dense(total)[:, 7].any()


@given(entries, st.integers(1, 4))
def test_pruning_keeps_the_largest_and_of_equals_the_first(triples: list[tuple[int, int, int]], most: int) -> None:
    rows = rows_of(triples).pruned(most)
    table = plain(triples)
    for row in range(SHAPE[0]):
        wanted = sorted((c for c in range(SHAPE[1]) if table[row, c]), key=lambda c: (-table[row, c], c))[:most]
        assert rows.columns[rows.starts[row] : rows.starts[row + 1]].tolist() == sorted(wanted)


def test_small_parts_give_what_one_gives(monkeypatch: object) -> None:
    triples = [(number % 5, number * 3 % 7, 1) for number in range(100)]
    before = sparse_rows._PENDING
    try:
        sparse_rows._PENDING = 8
        parts = [tuple(np.array([each]) for each in triple) for triple in triples]
        rows = sparse_rows.gathered(((a, b, c.astype(np.float64)) for a, b, c in parts), SHAPE)
    finally:
        sparse_rows._PENDING = before
    assert np.array_equal(dense(rows), plain(triples))


def test_rows_are_scaled_chosen_and_kept() -> None:
    rows = rows_of([(0, 1, 2), (0, 3, 4), (2, 0, 6)])
    scaled = rows.scaled(np.array([10, 1, 1, 1, 1], np.float32), np.array([1, 1, 1, 0.5, 1, 1, 1], np.float32))
    assert dense(scaled)[0, [1, 3]].tolist() == [20, 20]
    assert dense(rows.of(np.array([2, 0, 2])))[:, [0, 3]].tolist() == [[6, 0], [0, 4], [6, 0]]
    assert dense(rows.keeping(rows.values > 2)).sum() == 10
