"""The rejects file."""

import errno
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.catalog.feeds import RowProblem
from lingsou.catalog.rejects import MAX_DATA_BYTES, Rejects
from lingsou.core.errors import StorageError, StorageFullError


def lines(path: Path | None) -> list[dict[str, Any]]:
    assert path
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_there_is_no_file_without_rejects(tmp_path: Path) -> None:
    with Rejects(tmp_path / "rejects", "feed") as rejects:
        assert rejects.path is None
    assert not (tmp_path / "rejects").exists()


def test_each_line_says_where_what_and_how_to_mend_it(tmp_path: Path) -> None:
    with Rejects(tmp_path, "夏 季/feed") as rejects:
        rejects.add(7, RowProblem("price: below 0", "price is -5, below 0", "Correct it.", "price", {"id": "1"}), "1")
        rejects.add(8, RowProblem("not valid JSON", "line 8 is not valid JSON", "Mend it.", data="{oops"))
    first, second = lines(rejects.path)
    assert first == {
        "row": 7,
        "field": "price",
        "reason": "price is -5, below 0",
        "cure": "Correct it.",
        "id": "1",
        "data": {"id": "1"},
    }
    assert second["field"] is None
    assert "id" not in second
    assert second["data"] == "{oops"
    assert rejects.path
    assert rejects.path.name.startswith("夏_季_feed-20")
    assert rejects.top() == {"price: below 0": 1, "not valid JSON": 1}


def test_two_loads_in_one_second_have_two_files(tmp_path: Path) -> None:
    paths = set()
    for _ in range(3):
        with Rejects(tmp_path, "feed") as rejects:
            rejects.add(1, RowProblem("k", "r"))
        paths.add(rejects.path)
    assert len(paths) == 3


@given(st.one_of(st.text(), st.dictionaries(st.text(), st.text() | st.integers() | st.binary() | st.dates())))
def test_any_row_can_be_written_and_stays_short(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    with Rejects(tmp_path_factory.mktemp("r"), "feed") as rejects:
        rejects.add(1, RowProblem("k", "r", data=data))
        rejects.add(2, RowProblem("k", "r", data="红" * 5_000))
        rejects.add(3, RowProblem("k", "r", data={"a": "红" * 5_000, "b": "\ud800", "c": 2**70}))
    for line in lines(rejects.path):
        assert len(str(line["data"]).encode()) <= 4 * MAX_DATA_BYTES


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, StorageFullError), (errno.EACCES, StorageError)])
def test_a_full_disk_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, "simulated")

    monkeypatch.setattr(Path, "open", fail)
    with Rejects(tmp_path, "feed") as rejects, pytest.raises(kind, match="simulated"):
        rejects.add(1, RowProblem("k", "r"))
