"""Loads into a real store: what each mode writes, keeps, deletes, rejects and reports."""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from lingsou.catalog.load import LoadReport, Mode, Progress, load_feed
from lingsou.catalog.mapping import Mapping, parse_mapping
from lingsou.catalog.quarantine import Held, Reason
from lingsou.catalog.store import Store
from lingsou.core.errors import ConfigurationError, ConflictError, FeedError, StorageFullError
from lingsou.core.types import Product

MAPPING = parse_mapping(
    '[fields]\nid = "id"\ntitle = "title"\nprice = "price"\nstock = "stock"\n[[attributes]]\nsource = "attributes.*"\n'
)
Load = Callable[..., LoadReport]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite3'}") as opened:
        yield opened


@pytest.fixture
def load(store: Store, tmp_path: Path) -> Load:
    def run(
        rows: Sequence[Any] | bytes, mode: Mode = "upsert", mapping: Mapping = MAPPING, **options: Any
    ) -> LoadReport:
        path = tmp_path / "summer.jsonl"
        lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
        path.write_bytes(rows if isinstance(rows, bytes) else "\n".join(map(str, lines)).encode())
        return load_feed(store, path, mapping=mapping, mode=mode, rejects_dir=tmp_path / "rejects", **options)

    return run


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": str(number), "title": f"Lamp {number}", "price": 10 + number, "stock": 1} | changes


def rejected(report: LoadReport) -> list[dict[str, Any]]:
    assert report.rejects_file
    return [orjson.loads(line) for line in report.rejects_file.read_bytes().splitlines()]


def test_upsert_adds_updates_and_leaves_the_rest(load: Load, store: Store) -> None:
    first = load([row(1), row(2)])
    assert (first.rows, first.accepted, first.added, first.rejected, first.rejects_file) == (2, 2, 2, 0, None)
    second = load([row(2, title="Big lamp"), row(3)])
    assert (second.added, second.updated, second.deleted) == (1, 1, 0)
    assert store.count() == 3
    assert load([row(3)]).unchanged == 1


def test_bad_rows_go_to_the_rejects_and_the_load_goes_on(load: Load, store: Store, tmp_path: Path) -> None:
    report = load([row(1), row(2, price=-5), "{oops", row(3, title=""), row(4)])
    assert store.get(["1", "2", "3", "4"]).keys() == {"1", "4"}
    assert (report.rows, report.accepted, report.rejected) == (5, 2, 3)
    assert report.by_reason == {"price: below 0": 1, "not valid JSON": 1, "title: missing": 1}
    assert [(line["row"], line["field"], line.get("id")) for line in rejected(report)] == [
        (2, "price", "2"),
        (3, None, None),
        (4, "title", "3"),
    ]
    assert report.rejects_file
    assert report.rejects_file.parent == tmp_path / "rejects"
    assert report.rejects_file.name.startswith("summer-")


def test_a_full_load_deletes_what_is_not_in_the_feed_but_keeps_what_was_rejected(load: Load, store: Store) -> None:
    load([row(n) for n in range(1, 7)])
    report = load([row(1), row(2), row(3, price="free"), row(4, title=None), row(7)], "full")
    assert (report.added, report.unchanged, report.deleted, report.rejected) == (1, 2, 2, 2)
    kept = store.get([str(n) for n in range(1, 8)])
    assert kept.keys() == {"1", "2", "3", "4", "7"}
    assert kept["3"].price == Decimal(13), "as it was"


def test_a_full_load_that_would_empty_the_shop_is_refused(load: Load, store: Store) -> None:
    load([row(n) for n in range(10)])
    with pytest.raises(ConflictError):
        load([row(1)], "full")
    assert store.count() == 10
    assert load([row(1)], "full", force=True).deleted == 9


def test_a_damaged_feed_loads_what_precedes_the_damage_and_deletes_nothing(load: Load, store: Store) -> None:
    load([row(n) for n in range(3)])
    lines = b"".join(orjson.dumps(row(n, title=f"{n * 7919 % 10007} lamp")) + b"\n" for n in range(10, 5_000))
    data = gzip.compress(lines)
    report = load(data[: len(data) // 2], "full")
    assert not report.complete
    assert report.deleted == 0
    assert report.added > 100
    assert store.count() == 3 + report.added
    assert rejected(report)[-1]["reason"].startswith("'summer.jsonl' is truncated")


def test_duplicates_in_one_feed_are_counted_and_the_last_wins(load: Load, store: Store) -> None:
    for batch in (2, 1_000):
        report = load([row(1, title="a"), row(2), row(1, title="b"), row(1, title="c")], batch=batch)
        assert report.duplicates == 2
        assert store.get(["1"])["1"].title == "c"


def test_rows_that_share_the_id_of_a_held_one_cost_no_batch_each(
    load: Load, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, batches = store.upsert, list[int]()

    def upsert(batch: Sequence[Product], held: Sequence[Held]) -> Any:
        batches.append(len(held))
        return real(batch, held)

    def gate(_: int, product: Product) -> list[Reason]:
        bad = product.title.startswith("bad")
        return [
            Reason(check="c", severity="error", problem="p", field="title", evidence="", repair="", confidence=1)
        ] * bad

    monkeypatch.setattr(store, "upsert", upsert)
    rows = [row(1, title=f"bad {n}") for n in range(5)] + [row(2, title="bad"), row(2)]
    report = load(rows, gate=gate)
    assert batches == [1]
    assert (report.quarantined, report.accepted, report.held_by) == (6, 1, {"c: p": 6})
    assert [each.product.title for each in store.quarantine.page().entries] == ["bad 4"]
    assert store.get(["1", "2"]).keys() == {"2"}


def test_a_patch_changes_only_the_volatile_fields(load: Load, store: Store) -> None:
    load([row(1), row(2)])
    report = load(
        [{"id": "1", "price": 5, "title": "new"}, {"id": "2", "stock": 0}, {"id": "2"}, {"id": "9", "stock": 1}],
        "patch",
    )
    assert (report.accepted, report.updated, report.missing, report.rejected) == (2, 2, 1, 2)
    found = store.get(["1", "2"])
    assert (found["1"].title, found["1"].price, found["1"].stock) == ("Lamp 1", Decimal(5), 1)
    assert (found["2"].price, found["2"].stock) == (Decimal(12), 0)
    assert {line["row"]: line["reason"] for line in rejected(report)} == {
        3: "the row has neither price, stock nor another volatile field",
        4: "there is no product '9' in the store",
    }


def test_a_delete_needs_only_ids(load: Load, store: Store) -> None:
    load([row(1), row(2), row(3)])
    report = load([{"id": "1"}, {"id": "9"}, {"name": "x"}], "delete", parse_mapping('fields = { id = "id" }'))
    assert (report.deleted, report.missing, report.rejected) == (1, 1, 1)
    assert store.count() == 2


def test_what_the_store_cannot_keep_is_one_reject(load: Load, store: Store) -> None:
    rows = [row(n) for n in range(50)]
    rows[17]["id"] = "a\0b"
    report = load(rows)
    assert (store.count(), report.accepted, report.rejected) == (49, 49, 1)
    (line,) = rejected(report)
    assert (line["row"], line["field"], line["id"]) == (18, "id", "a\0b")


def test_progress_reports_bytes_and_rows(load: Load) -> None:
    seen: list[Progress] = []
    load([row(n) for n in range(25)], batch=10, progress=seen.append)
    assert [each.rows for each in seen] == [10, 20, 25]
    assert all(0 < each.bytes_done <= each.bytes_total for each in seen)
    assert seen[-1].bytes_done == seen[-1].bytes_total


def test_a_full_disk_says_how_far_the_load_came(load: Load, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = store.upsert, 0

    def upsert(batch: Sequence[Product], held: Sequence[Held]) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise StorageFullError("No space is left on the disk.", cure="Make room.")
        return real(batch, held)

    monkeypatch.setattr(store, "upsert", upsert)
    with pytest.raises(StorageFullError, match=r"Before that, 20 of 30 rows were loaded"):
        load([row(n) for n in range(40)], batch=10)
    assert store.count() == 20


def test_mappings_that_do_not_suffice_are_refused_before_anything_is_read(load: Load, store: Store) -> None:
    for mode, text, field in [
        ("upsert", 'fields = { id = "id" }', "title"),
        ("full", 'fields = { title = "title" }', "id"),
        ("patch", 'fields = { id = "id", title = "title" }', None),
    ]:
        with pytest.raises(ConfigurationError) as caught:
            load([row(1)], mode, parse_mapping(text))
        assert caught.value.field == field
        assert caught.value.cure


def test_an_empty_feed_is_an_error_in_every_mode(load: Load, store: Store) -> None:
    load([row(1)])
    for mode in ("full", "upsert", "patch", "delete"):
        with pytest.raises(FeedError, match="empty"):
            load(b"", mode)
    assert store.count() == 1
