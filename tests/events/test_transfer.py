"""Events in files, both ways."""

import json
from pathlib import Path

import pytest

from lingsou.core.errors import FeedError
from lingsou.core.settings import DataFolder, load_settings
from lingsou.events.behaviour import open_behaviour
from lingsou.events.log import Selection
from lingsou.events.transfer import export_events, import_events
from lingsou.events.wire import to_wire
from lingsou.testing.events import ALL, click

from .conftest import make

EVENTS = [
    click(1, user_id="anna", ordinal=3, attributes={"a": {"b": [1, 'x,\n"y']}}, message="多行\n“引号”, 逗号"),
    click(2, action_name="purchase", quantity=2, price=9.5, object_id="=1+1"),
    click(3, action_name="rating", rating=4.5, object_id_field="sku", application="shop"),
]


@pytest.mark.parametrize("name", ["e.jsonl", "e.jsonl.gz", "e.csv", "e.csv.gz", "e.parquet"])
def test_what_is_exported_can_be_imported_elsewhere(folder: DataFolder, tmp_path: Path, name: str) -> None:
    other = make(tmp_path / "other")
    with open_behaviour(folder, load_settings(folder)) as here, open_behaviour(other, load_settings(other)) as there:
        here.events.append(EVENTS)
        assert export_events(here.events.pages(ALL), tmp_path / name) == 3
        assert import_events(here.events, tmp_path / name).duplicates == 3
        done = import_events(there.events, tmp_path / name)
        assert (done.rows, done.accepted, done.duplicates, done.rejected) == (3, 3, 0, 0), done.problems
        ours, theirs = ([to_wire(e) for page in each.events.pages(ALL) for e in page] for each in (here, there))
        assert ours == theirs
        with pytest.raises(FileExistsError):
            export_events([], tmp_path / name)


def test_bad_rows_are_reported_and_the_others_kept(folder: DataFolder, tmp_path: Path) -> None:
    rows = [
        json.dumps(to_wire(EVENTS[0])),
        "{",
        json.dumps({"action_name": "click"}),
        "",
        json.dumps(to_wire(EVENTS[1])),
    ]
    (tmp_path / "e.jsonl").write_text("\n".join(rows), encoding="utf-8")
    with open_behaviour(folder, load_settings(folder)) as behaviour:
        done = import_events(behaviour.events, tmp_path / "e.jsonl")
        assert (done.rows, done.accepted, done.rejected) == (4, 2, 2)
        assert [(problem.row, problem.field) for problem in done.problems] == [(2, None), (3, "timestamp")]
        assert len(behaviour.events.read(Selection())) == 2


def test_a_flat_csv_of_a_shop(folder: DataFolder, tmp_path: Path) -> None:
    text = "action_name,timestamp,user_id,object_id,colour\nclick,2026-03-01T12:00:00Z,anna,p1,red\nbuy,,anna,p1,\n"
    (tmp_path / "e.csv").write_text(text, encoding="utf-8-sig")
    with open_behaviour(folder, load_settings(folder)) as behaviour:
        done = import_events(behaviour.events, tmp_path / "e.csv")
        assert (done.accepted, done.rejected) == (1, 1)
        ((event,),) = behaviour.events.pages(ALL)
        assert (event.object_id, event.attributes) == ("p1", {"colour": "red"})


@pytest.mark.parametrize(
    ("name", "content"), [("e.txt", b""), ("e.parquet", b"no"), ("e.csv.gz", b"no"), ("e.csv", b"\xff\xfe,\n")]
)
def test_a_file_that_cannot_be_read(folder: DataFolder, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with open_behaviour(folder, load_settings(folder)) as behaviour, pytest.raises(FeedError):
        import_events(behaviour.events, tmp_path / name)
