"""Backup while the store is written, restore into either database, and archives that are not to be trusted."""

import gzip
import io
import json
import shutil
import stat
import tarfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lingsou.catalog import backup as backups
from lingsou.catalog.backup import MANIFEST, Manifest, backup, restore
from lingsou.catalog.store import Store
from lingsou.core.database import sqlite_url
from lingsou.core.errors import (
    ConfigurationError,
    ConflictError,
    InputError,
    LingsouError,
    LockedError,
    NotFoundError,
    StorageError,
)
from lingsou.core.keys import create_key, verify_key
from lingsou.core.manifests import Measurement, ModelManifest
from lingsou.core.model_store import ModelStore
from lingsou.core.settings import DataFolder, Settings, load_settings
from lingsou.core.types import ProductPatch
from lingsou.testing.store import FULL, product


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "shop")
    folder.root.mkdir()
    folder.settings_file.write_text('currency = "EUR"\n', encoding="utf-8")
    folder.lexicon.write_text("灵搜\n", encoding="utf-8")
    folder.query_labels.parent.mkdir()
    folder.query_labels.write_text('{"query": "苹果", "intent": "browse", "at": "2026-01-31T12:00:00Z"}\n', "utf-8")
    folder.index.mkdir()
    return folder


def fill(store: Store) -> str:
    store.upsert([FULL, *(product(number, price=number) for number in range(50))])
    store.patch([ProductPatch(id="p3", stock=5)])
    store.delete(["p1", "p2"])
    return create_key(store.database, "feed")[1]


def state(store: Store) -> Any:
    return (
        store.sequence(),
        store.count(),
        store.changes(0, 10_000),
        [each for page in store.products() for each in page],
    )


def open_folder(folder: DataFolder) -> Store:
    return Store.of(folder, load_settings(folder))


def test_everything_comes_back(folder: DataFolder, tmp_path: Path) -> None:
    archive, other = tmp_path / "b.tar.gz", DataFolder(tmp_path / "new" / "shop")
    with open_folder(folder) as store:
        plain = fill(store)
        task = store.create_task("upsert", accepted=51, sequence=store.sequence())
        store.begin_load()
        before, identity = state(store), store.identity()
        manifest = backup(folder, store, archive)
    assert (manifest.sequence, manifest.products, manifest.identity) == (before[0], 49, identity)
    assert set(manifest.files) == {"store.sqlite3", "lingsou.toml", "lexicon.txt", "queries.jsonl"}
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    restored = restore(archive, other)
    assert (restored.manifest, restored.notes) == (manifest, ())
    assert other.query_labels.read_bytes() == folder.query_labels.read_bytes()
    assert {path.name for path in other.root.iterdir()} == {"store.sqlite3", "lingsou.toml", "lexicon.txt", "labels"}
    assert other.lexicon.read_text(encoding="utf-8") == "灵搜\n"
    with open_folder(other) as store:
        assert state(store) == before
        assert store.identity() != identity
        assert verify_key(store.database, plain).name == "feed"
        assert store.task(task.id) == task
        assert store.upsert([product(99)]).sequence == before[0] + 1
        assert store.changes(before[0], 1)[0].number == 52
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def check_backup_under_writes(folder: DataFolder, url: str | None, archive: Path, target: DataFolder) -> None:
    settings = Settings.model_validate({"store": {"url": url}})
    stop = threading.Event()
    with Store.of(folder, settings) as store:
        store.upsert([product(number, description="x" * 1000) for number in range(2000)])

        def write() -> None:
            number = 2000
            while not stop.is_set():
                store.upsert([product(each) for each in range(number, number + 10)])
                number += 10

        writer = threading.Thread(target=write)
        writer.start()
        try:
            manifest = backup(folder, store, archive)
        finally:
            stop.set()
            writer.join()
        written = store.changes(0, 10**6)
    restore(archive, target)
    with Store.open(sqlite_url(target.database)) as store:
        restored = store.changes(0, 10**6)
        assert store.sequence() == len(restored) == manifest.sequence >= 2000
        assert len(restored) % 10 == 0
        assert restored == written[: len(restored)]


def test_backup_under_writes_is_a_prefix(folder: DataFolder, tmp_path: Path) -> None:
    check_backup_under_writes(folder, None, tmp_path / "b.tar.gz", DataFolder(tmp_path / "new"))


def test_backup_of_postgres_under_writes_is_a_prefix(folder: DataFolder, tmp_path: Path, postgres_url: str) -> None:
    check_backup_under_writes(folder, postgres_url, tmp_path / "b.tar.gz", DataFolder(tmp_path / "new"))


def test_sqlite_to_postgres_and_back(folder: DataFolder, tmp_path: Path, postgres_url: str) -> None:
    first, second = tmp_path / "1.tar.gz", tmp_path / "2.tar.gz"
    with open_folder(folder) as store:
        plain = fill(store)
        before = state(store)
        backup(folder, store, first)
    middle, last = DataFolder(tmp_path / "middle"), DataFolder(tmp_path / "last")
    restored = restore(first, middle, url=postgres_url)
    assert "store.url" in restored.notes[0]
    assert not middle.database.exists()
    with Store.open(postgres_url) as store:
        assert state(store) == before
        verify_key(store.database, plain)
        assert store.upsert([product(99)]).sequence == before[0] + 1
        backup(middle, store, second)
        after = state(store)
    restore(second, last)
    with open_folder(last) as store:
        assert state(store) == after
        verify_key(store.database, plain)
    with pytest.raises(ConflictError, match="holds a store already"):
        restore(first, DataFolder(tmp_path / "x"), url=postgres_url)
    assert list((tmp_path / "x").iterdir()) == []
    restore(first, DataFolder(tmp_path / "x"), url=postgres_url, force=True)
    with Store.open(postgres_url) as store:
        assert state(store) == before


def test_settings_that_name_postgres_are_followed(folder: DataFolder, tmp_path: Path, postgres_url: str) -> None:
    folder.settings_file.write_text(f'[store]\nurl = "{postgres_url}"\n', encoding="utf-8")
    with open_folder(folder) as store:
        fill(store)
        before = state(store)
        backup(folder, store, tmp_path / "b.tar.gz")
    with pytest.raises(ConflictError):
        restore(tmp_path / "b.tar.gz", DataFolder(tmp_path / "new"))
    assert restore(tmp_path / "b.tar.gz", DataFolder(tmp_path / "new"), force=True).notes == ()
    with open_folder(DataFolder(tmp_path / "new")) as store:
        assert state(store) == before
        assert not store.database.is_sqlite


def test_folder_in_use_is_kept_aside(folder: DataFolder, tmp_path: Path) -> None:
    archive = tmp_path / "b.tar.gz"
    with open_folder(folder) as store:
        fill(store)
        before = state(store)
        backup(folder, store, archive)
        store.upsert([product(1000)])
        with pytest.raises(ConflictError, match="not empty"):
            restore(archive, folder)
        with pytest.raises(LockedError, match="in use"):
            restore(archive, folder, force=True)
        assert store.get(["p1000"])
    (note,) = restore(archive, folder, force=True).notes
    (aside,) = folder.root.glob("replaced-*")
    assert str(aside) in note
    assert not folder.index.exists()
    with open_folder(folder) as store:
        assert state(store) == before
    with Store.open(sqlite_url(aside / "store.sqlite3")) as store:
        assert store.get(["p1000"])


def test_damaged_store_can_be_replaced(folder: DataFolder, tmp_path: Path) -> None:
    with open_folder(folder) as store:
        fill(store)
        backup(folder, store, tmp_path / "b.tar.gz")
    folder.database.write_bytes(b"rubbish" * 1000)
    restore(tmp_path / "b.tar.gz", folder, force=True)
    with open_folder(folder) as store:
        assert store.count() == 49


def add_model(store: ModelStore, weights: bytes) -> str:
    manifest = ModelManifest(task=store.task, measurements={"t": Measurement(data="0" * 64, rows=9, values={"a": 1.0})})

    def write(folder: Path) -> None:
        (folder / "parts").mkdir()
        (folder / "parts" / "weights.bin").write_bytes(weights)

    return store.add(write, manifest, datetime.now(UTC))


def test_models_come_back_with_their_roles(folder: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version is collected and another one promoted while the archive is written: it has what there was before."""
    rankers = ModelStore(folder.ranker)
    old, new = add_model(rankers, b"old"), add_model(rankers, b"new" * 100_000)
    rankers.promote(old)
    rankers.record(old, "later", Measurement(data="1" * 64, rows=9, values={"a": 2.0}))
    (folder.ranker / ".new-left-by-a-kill").mkdir()
    add_model(ModelStore(folder.encoder), b"vectors")
    aliases, pack_all = rankers.aliases(), backups._pack

    def pack_late(*arguments: Any) -> None:
        rankers.withdraw()
        rankers.rollback()
        rankers.promote(new, force=True)
        rankers.withdraw()
        shutil.rmtree(folder.ranker / old)
        rankers.collect(0)
        add_model(rankers, b"newest")
        pack_all(*arguments)

    monkeypatch.setattr(backups, "_pack", pack_late)
    with open_folder(folder) as store:
        fill(store)
        manifest = backup(folder, store, tmp_path / "b.tar.gz")
    assert sum(name.startswith("models/") for name in manifest.files) == 3 * 2 + 2 + 1
    other = DataFolder(tmp_path / "new")
    restore(tmp_path / "b.tar.gz", other)
    again = ModelStore(other.ranker)
    assert again.versions() == sorted([old, new])
    assert again.aliases() == aliases
    assert again.about(old).measurements["later"].values == {"a": 2.0}
    for version in again.versions():
        again.verify(version)
    assert {path.name for path in other.models.iterdir()} == {"ranker", "encoder"}
    assert not list(folder.models.rglob(".new-*")), "what the backup held is gone, and what a kill had left"
    add_model(again, b"more")  # and it goes on


def test_a_model_that_was_tampered_with_is_refused(folder: DataFolder, tmp_path: Path) -> None:
    version = add_model(ModelStore(folder.reranker), b"weights")
    with open_folder(folder) as store:
        backup(folder, store, tmp_path / "good.tar.gz")
    with tarfile.open(tmp_path / "good.tar.gz") as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    name = f"models/reranker/{version}/parts/weights.bin"
    for number, content in enumerate((b"weightz", b"weights!")):
        pack(tmp_path / f"{number}", {**members, name: content})
        assert isinstance(refused(tmp_path / f"{number}", tmp_path / "target"), InputError)
    pack(tmp_path / "without", {key: content for key, content in members.items() if key != name})
    assert isinstance(refused(tmp_path / "without", tmp_path / "target"), InputError)


def test_targets_that_cannot_be(folder: DataFolder, tmp_path: Path) -> None:
    with open_folder(folder) as store:
        (tmp_path / "there").write_text("x", encoding="utf-8")
        with pytest.raises(ConflictError, match="exists"):
            backup(folder, store, tmp_path / "there")
        with pytest.raises(StorageError, match="cannot be written"):
            backup(folder, store, tmp_path / "no" / "folder" / "b.tar.gz")
        with pytest.raises(ConflictError, match="exists"):
            store.backup(tmp_path / "there")
    with pytest.raises(NotFoundError):
        restore(tmp_path / "nothing", DataFolder(tmp_path / "new"))


Members = dict[str, bytes]


def pack(target: Path, members: Members, more: Callable[[tarfile.TarFile], None] | None = None) -> None:
    with tarfile.open(target, "w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        if more:
            more(tar)


@pytest.fixture
def members(folder: DataFolder, tmp_path: Path) -> Members:
    with open_folder(folder) as store:
        store.upsert([product(1)])
        backup(folder, store, tmp_path / "good.tar.gz")
    with tarfile.open(tmp_path / "good.tar.gz") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def changed_manifest(members: Members, **changes: Any) -> Members:
    return {**members, MANIFEST: json.dumps({**json.loads(members[MANIFEST]), **changes}).encode()}


def symlink(tar: tarfile.TarFile) -> None:
    member = tarfile.TarInfo("lexicon.txt")
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    tar.addfile(member)


def refused(archive: Path, target: Path) -> LingsouError:
    with pytest.raises(LingsouError) as caught:
        restore(archive, DataFolder(target))
    assert not target.exists() or list(target.iterdir()) == []
    assert caught.value.cure
    return caught.value


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "/tmp/evil", "index/evil", "store.sqlite3/../../evil",
        "models/evil", "models/encoder/../../../evil", "models//evil", "models/encoder/./evil", "models/a\\..\\evil/b",
    ],
)  # fmt: skip
def test_paths_of_the_archive_lead_nowhere(members: Members, tmp_path: Path, name: str) -> None:
    files = json.loads(members[MANIFEST])["files"]
    evil = {**files, name: files["lexicon.txt"]}
    pack(tmp_path / "evil.tar.gz", {**changed_manifest(members, files=evil), name: members["lexicon.txt"]})
    assert isinstance(refused(tmp_path / "evil.tar.gz", tmp_path / "a" / "target"), InputError)
    assert not list(tmp_path.rglob("evil"))


def test_tampered_archives_are_refused(members: Members, tmp_path: Path) -> None:
    cases: dict[str, Members] = {
        "other content": {**members, "lexicon.txt": b"x" * len(members["lexicon.txt"])},
        "other size": {**members, "lexicon.txt": b"x"},
        "no store": {name: content for name, content in members.items() if name != "store.sqlite3"},
        "no manifest": {name: content for name, content in members.items() if name != MANIFEST},
        "manifest not first": dict(reversed(members.items())),
        "manifest not JSON": {**members, MANIFEST: b"{"},
        "manifest with nothing": changed_manifest(members, files={}),
        "a file too many": {**members, "extra": b""},
        "empty": {},
    }
    for name, content in cases.items():
        pack(tmp_path / name, content)
        assert isinstance(refused(tmp_path / name, tmp_path / "target"), InputError), name
    without = {name: content for name, content in members.items() if name != "lexicon.txt"}
    pack(tmp_path / "link", without, symlink)
    assert isinstance(refused(tmp_path / "link", tmp_path / "target"), InputError)


def test_files_that_are_no_archive(members: Members, tmp_path: Path) -> None:
    whole = (tmp_path / "good.tar.gz").read_bytes()
    cases = {"empty": b"", "text": b"hello", "gzip of text": gzip.compress(b"hello" * 1000)}
    for place in range(0, len(whole) * 3 // 4, len(whole) // 12):
        cases[f"cut at {place}"] = whole[:place]
        cases[f"damaged at {place}"] = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        assert isinstance(refused(tmp_path / name, tmp_path / "target"), InputError), name


def test_backup_of_a_newer_version(members: Members, tmp_path: Path) -> None:
    newer: list[dict[str, Any]] = [
        {"format": 4},
        {"schemas": {"catalog": 99, "keys": 1}},
        {"schemas": {"ads": 1}},
    ]
    for number, changes in enumerate(newer):
        pack(tmp_path / f"{number}", changed_manifest(members, version="9.9", **changes))
        error = refused(tmp_path / f"{number}", tmp_path / "target")
        assert isinstance(error, ConfigurationError)
        assert "lingsou 9.9" in (error.cure or "")


def test_manifest_is_readable_by_itself(members: Members) -> None:
    assert Manifest.model_validate_json(members[MANIFEST]).products == 1
    assert next(iter(members)) == MANIFEST
