"""Feeds with every kind of damage: each row ends in one of store, quarantine and rejects, and the report says so.

The same holds when the load is killed on its way and started again.
"""

import csv
import gzip
import io
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest

from lingsou.catalog.load import LoadReport, Mode, load_feed
from lingsou.catalog.mapping import parse_mapping
from lingsou.catalog.store import Store
from lingsou.core.database import sqlite_url
from lingsou.core.types import Product
from lingsou.quality.gate import Gate
from lingsou.quality.profile import load_profile

MAPPING = 'fields = { id = "id", title = "title", price = "price", description = "description" }'
GOOD, HELD, REFUSED = "store", "quarantine", "rejects"
Row = dict[str, Any]
pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")


def damaged(number: int) -> list[tuple[str, Row]]:
    """One row of each damage that every format can carry, with ids of their own, and where it belongs."""

    def row(name: str, **changes: Any) -> Row:
        usual = {"id": f"{name}{number}", "title": f"Lamp {name} {number}", "price": "19.5", "description": "It glows."}
        return usual | changes

    huge = [(REFUSED, row("huge", description="x" * 200_001))] if number == 0 else []
    return [
        *huge,
        (GOOD, row("good")),
        (GOOD, row("nul", title="A lamp\0 with a hole")),
        (GOOD, row("tags", description="<p>It <b>glows</b> &amp; warms.</p>")),
        (GOOD, row("twice")),
        (HELD, row("twice", title="Another lamp")),
        (HELD, row("script", title="Lamp <script>alert(1)</script>")),
        (HELD, row("misread", title="Lampe CafÃ© Ã©toilÃ©e")),
        (HELD, row("marks", title="????????")),
        (HELD, row("lost", title="锟斤拷锟斤拷 lamp")),
        (HELD, row("token", price="0.01")),
        (HELD, row("free", price="0")),
        (REFUSED, row("", id="")),
        (REFUSED, row("untitled", title="")),
        (REFUSED, row("negative", price="-5")),
        (REFUSED, row("priceless", price="on request")),
        (REFUSED, row("long", title="x" * 2_001)),
        (REFUSED, row("hole", id=f"a\0{number}")),
    ]


def csv_feed(path: Path, rows: list[tuple[str, Row]]) -> dict[int, tuple[str, Row]]:
    """Lines by number, the header being the first; with lines that break the rules of CSV and of UTF-8."""
    lines: list[tuple[str, Row, bytes]] = []
    for fate, row in rows:
        cell = io.StringIO()
        csv.writer(cell, lineterminator="").writerow(row.values())
        lines.append((fate, row, cell.getvalue().encode()))
    lines += [
        (REFUSED, {}, b"few,fields"),
        (REFUSED, {}, b"many,fields,1,2,3,4"),
        (REFUSED, {}, b"latin,caf\xe9 lamp,1,x"),
        (REFUSED, {}, b'open,"never closed,1,x'),
        (GOOD, {"id": "last", "title": "A lamp"}, b"last,A lamp,1,x"),
    ]
    path.write_bytes(b"\n".join([b"id,title,price,description", *(line for _, _, line in lines)]) + b"\n")
    return {number: (fate, row) for number, (fate, row, _) in enumerate(lines, 2)}


def jsonl_feed(path: Path, rows: list[tuple[str, Row]]) -> dict[int, tuple[str, Row]]:
    lines = [(fate, row, orjson.dumps(row)) for fate, row in rows]
    lines += [
        (REFUSED, {}, b'{"id": "cut", "title": "A la'),
        (REFUSED, {}, b'["a list"]'),
        (REFUSED, {}, b'{"id": "latin", "title": "caf\xe9"}'),
        (REFUSED, {}, b'{"id": "half", "title": "\\ud83d"}'),
        (GOOD, {"id": "last", "title": "A lamp"}, b'{"id": "last", "title": "A lamp"}'),
    ]
    path.write_bytes(b"\n".join(line for _, _, line in lines))
    return {number: (fate, row) for number, (fate, row, _) in enumerate(lines, 1)}


def parquet_feed(path: Path, rows: list[tuple[str, Row]]) -> dict[int, tuple[str, Row]]:
    pq.write_table(pa.Table.from_pylist([row for _, row in rows]), path)
    return dict(enumerate(rows, 1))


Writer = Callable[[Path, list[tuple[str, Row]]], dict[int, tuple[str, Row]]]
FORMATS: dict[str, Writer] = {"csv": csv_feed, "jsonl": jsonl_feed, "parquet": parquet_feed}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(sqlite_url(tmp_path / "store.sqlite3")) as opened:
        yield opened


def load(store: Store, path: Path, mode: Mode = "upsert", **options: Any) -> LoadReport:
    rejects = path.parent / "rejects"
    gate = Gate(load_profile("strict"))
    mapping = parse_mapping(MAPPING)
    return load_feed(store, path, mapping=mapping, mode=mode, rejects_dir=rejects, gate=gate, **options)


def stored(store: Store) -> dict[str, Product]:
    return {product.id: product for batch in store.products() for product in batch}


def held(store: Store) -> dict[str, tuple[int | None, str]]:
    page = store.quarantine.page(limit=100_000)
    assert page.next is None
    return {entry.product_id: (entry.row, entry.product.title) for entry in page.entries}


def rejected(report: LoadReport) -> list[int]:
    assert report.rejects_file
    lines = [orjson.loads(line) for line in report.rejects_file.read_bytes().splitlines()]
    assert all(line["reason"] for line in lines)
    return [line["row"] for line in lines]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("mode", ["upsert", "full"])
@pytest.mark.parametrize("batch", [7, 1_000])
def test_every_row_is_in_exactly_one_place(format_: str, mode: Mode, batch: int, store: Store, tmp_path: Path) -> None:
    path = tmp_path / f"summer.{format_}"
    expected = FORMATS[format_](path, [each for number in range(3) for each in damaged(number)])
    report = load(store, path, mode, batch=batch)

    rows = {fate: {row for row, (own, _) in expected.items() if own == fate} for fate in (GOOD, HELD, REFUSED)}
    assert (report.rows, report.complete) == (len(expected), True)
    assert (report.accepted, report.quarantined, report.rejected) == tuple(map(len, rows.values()))
    assert sorted(rejected(report)) == sorted(rows[REFUSED])
    assert {row for row, _ in held(store).values()} == rows[HELD]
    products = stored(store)
    assert {(product.id, product.title) for product in products.values()} == {
        (row["id"], row["title"]) for fate, row in expected.values() if fate == GOOD
    }
    assert sum(report.by_reason.values()) == report.rejected
    assert sum(report.held_by.values()) == report.quarantined, "each has one fault here"
    assert len(report.held_by) == 7

    again = load(store, path, mode, batch=batch)
    assert (again.unchanged, again.quarantined, again.deleted) == (report.accepted, report.quarantined, 0)
    assert stored(store) == products
    assert len(store.quarantine.page(state="replaced").entries) == 0, "held exactly so already"


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_a_truncated_archive_gives_what_precedes_the_damage(format_: str, store: Store, tmp_path: Path) -> None:
    plain, path = tmp_path / "whole", tmp_path / f"summer.{format_}.gz"
    expected = FORMATS[format_](plain, [each for number in range(100) for each in damaged(number)])
    store.upsert([Product(id="old", title="Old lamp")])
    packed = gzip.compress(plain.read_bytes())
    path.write_bytes(packed[: len(packed) * 2 // 3])
    report = load(store, path, "full")

    assert not report.complete
    assert "old" in stored(store), "a damaged feed deletes nothing"
    assert 500 < report.rows < len(expected)
    *refused, damage = sorted(rejected(report))
    assert report.accepted + report.quarantined + report.rejected == report.rows
    read = {row: own for row, own in expected.items() if row < damage}
    assert len(read) == report.rows - 1
    assert {row for row, _ in held(store).values()} == {row for row, (fate, _) in read.items() if fate == HELD}
    assert refused == [row for row, (fate, _) in read.items() if fate == REFUSED]
    assert report.accepted == sum(fate == GOOD for fate, _ in read.values()) == store.count() - 1


def test_a_corrected_feed_empties_the_quarantine(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "summer.jsonl"
    jsonl_feed(path, damaged(0))
    first = load(store, path)
    assert first.quarantined == 7
    path.write_bytes(b"\n".join(orjson.dumps({"id": each, "title": "Mended"}) for each in held(store)))
    assert load(store, path).accepted == 7
    assert held(store) == {}
    assert len(store.quarantine.page(state="replaced").entries) == 7


def test_a_full_load_keeps_the_old_version_of_what_it_holds_back(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "summer.jsonl"
    rows = [{"id": str(number), "title": f"Lamp {number}", "price": 5} for number in range(6)]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    load(store, path, "full")
    rows[0]["price"], rows[1]["title"], rows[2]["title"] = 0.01, "<script>", ""
    path.write_bytes(b"\n".join(map(orjson.dumps, rows[:5])))
    report = load(store, path, "full")
    assert (report.quarantined, report.rejected, report.deleted) == (2, 1, 1)
    products = stored(store)
    assert products.keys() == {"0", "1", "2", "3", "4"}
    assert products["0"].price == Decimal(5)
    assert (products["1"].title, products["2"].title) == ("Lamp 1", "Lamp 2")


IMPORT = """
import sys
from pathlib import Path
from tests.catalog.test_damaged_loads import load
from lingsou.catalog.store import Store
with Store.open(sys.argv[1]) as store:
    load(store, Path(sys.argv[2]), sys.argv[3], batch=10)
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["upsert", "full"])
def test_a_killed_load_that_is_started_again_ends_the_same(mode: Mode, tmp_path: Path) -> None:
    path = tmp_path / "summer.jsonl"
    jsonl_feed(path, [each for number in range(100) for each in damaged(number)])
    whole, broken = sqlite_url(tmp_path / "whole.sqlite3"), sqlite_url(tmp_path / "broken.sqlite3")
    for url in (whole, broken):
        with Store.open(url) as store:
            store.upsert([Product(id="old", title="Old lamp"), Product(id="token1", title="Lamp", price=9)])
    with Store.open(whole) as store:
        load(store, path, mode, force=True)
        expected = stored(store), held(store)

    process = subprocess.Popen([sys.executable, "-c", IMPORT, broken, str(path), mode])
    with Store.open(broken) as store:
        before, deadline = stored(store), time.monotonic() + 60
        while store.sequence() < 30 and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        got = stored(store)
        assert 30 <= len(got) < len(expected[0]), "it was killed on its way"
        assert all(product in (expected[0].get(each), before.get(each)) for each, product in got.items())
        there = held(store)
        assert there.items() <= expected[1].items()
        # A batch is there whole: of the rows up to the last that came in, none is missing.
        last = max(row or 0 for row, _ in there.values())
        assert {row for row, _ in expected[1].values() if (row or 0) <= last} == {row for row, _ in there.values()}
        load(store, path, mode, force=True)
        assert (stored(store), held(store)) == expected
        assert store.quarantine.page(state="replaced").total == 0
        assert ("old" in stored(store)) == (mode == "upsert")
