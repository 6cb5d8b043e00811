"""The store of models: what stays, what goes, who wins, and that it can be used after a kill at any moment."""

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lingsou.core.errors import ConflictError, NotFoundError, StorageError
from lingsou.core.gates import Gate
from lingsou.core.manifests import Measurement, ModelManifest
from lingsou.core.model_store import MOST_BACK, ModelStore

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
KILLED = 9


class TinyManifest(ModelManifest):
    task: Literal["tiny"] = "tiny"
    width: int


def measured(value: float, data: str = "a") -> Measurement:
    return Measurement(data=data * 64, rows=3, values={"accuracy": value})


def put(store: ModelStore, number: int, value: float = 0.5) -> str:
    def write(folder: Path) -> None:
        (folder / "part").mkdir()
        (folder / "part" / "weights.txt").write_text(f"model {number}")
        (folder / "words.txt").write_text("words")

    manifest = TinyManifest(width=number, measurements={"test": measured(value)})
    return store.add(write, manifest, START + timedelta(minutes=number))


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are killed here, not machines."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models" / "tiny")


def test_nothing_is_there_at_first(store: ModelStore) -> None:
    assert (store.versions(), store.alias("production"), store.alias("candidate")) == ([], None, None)
    assert not store.root.exists(), "looking creates nothing"
    with pytest.raises(NotFoundError, match="Have: none"):
        store.path("20260131T120000-00000000")
    with pytest.raises(NotFoundError):
        store.path("../tiny")


def test_what_was_added_is_read_back(store: ModelStore) -> None:
    version = put(store, 3, 0.8)
    assert version.startswith("20260131T120300-")
    assert store.versions() == [version]
    assert (store.alias("candidate"), store.alias("production")) == (version, None)
    manifest = store.manifest(version, TinyManifest)
    assert (manifest.width, manifest.created, sorted(manifest.files)) == (
        3,
        START + timedelta(minutes=3),
        ["part/weights.txt", "words.txt"],
    )
    assert manifest.code
    assert store.about(version).measurements == {"test": measured(0.8)}
    assert (store.path(version) / "part" / "weights.txt").read_text() == "model 3"
    store.verify(version)
    assert put(store, 3, 0.8) == version, "the same again is the same"
    assert store.versions() == [version]


def test_a_folder_is_copied_and_its_manifest_replaced(store: ModelStore, tmp_path: Path) -> None:
    source = tmp_path / "made"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "x.txt").write_text("x")
    (source / "manifest.json").write_text("{}")
    version = store.add(source, TinyManifest(width=1, parent="before"), START)
    assert list(store.manifest(version, TinyManifest).files) == ["deep/x.txt"]
    assert (source / "manifest.json").read_text() == "{}"
    assert store.about(version).parent == "before"


def test_the_metric_that_decides_stays_first(store: ModelStore) -> None:
    figures = Measurement(data="a" * 64, rows=1, values={"z": 1.0, "a": 2.0})
    version = store.add(lambda _: None, TinyManifest(width=1, measurements={"t": figures}), START)
    assert list(store.about(version).measurements["t"].values) == ["z", "a"]


@pytest.mark.parametrize("damage", ["changed", "gone", "manifest", "kind", "outside"])
def test_damage_is_told_with_the_way_back(store: ModelStore, damage: str) -> None:
    version = put(store, 1)
    folder = store.path(version)
    manifest = folder / "manifest.json"
    if damage == "changed":
        (folder / "words.txt").write_text("weird")
    elif damage == "gone":
        (folder / "words.txt").unlink()
    elif damage == "manifest":
        manifest.write_bytes(manifest.read_bytes()[:50])
    elif damage == "kind":
        manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))
    else:
        (folder.parent / "words.txt").write_text("words")
        manifest.write_text(manifest.read_text().replace('"words.txt"', '"../words.txt"'))
    with pytest.raises(StorageError, match="lingsou models rollback tiny"):
        store.verify(version)
    with pytest.raises(StorageError):
        store.promote(version, force=True)
    assert store.alias("production") is None


def test_aliases_that_cannot_be_read_are_told(store: ModelStore) -> None:
    put(store, 1)
    (store.root / "aliases.json").write_text("[]")
    with pytest.raises(StorageError, match="lingsou models promote tiny"):
        store.alias("production")


def test_production_follows_the_gate(store: ModelStore) -> None:
    first, better, worse = put(store, 1, 0.5), put(store, 2, 0.6), put(store, 3, 0.4)
    store.promote(first)
    store.promote(better, Gate(margin=0.1))
    with pytest.raises(ConflictError, match=r"0\.4000 against production's 0\.6000") as refused:
        store.promote(worse)
    assert "--force" in str(refused.value)
    assert (store.alias("production"), store.alias("candidate")) == (better, worse)
    store.promote(worse, force=True)
    assert (store.alias("production"), store.alias("candidate")) == (worse, None)
    store.promote(worse)  # it is there already
    assert [store.rollback(), store.rollback()] == [better, first]
    with pytest.raises(ConflictError, match="lingsou models withdraw tiny"):
        store.rollback()
    assert store.alias("production") == first


def test_withdrawn_and_brought_back(store: ModelStore) -> None:
    version = put(store, 1)
    assert store.withdraw() is None
    store.promote(version)
    assert store.withdraw() == version
    assert store.alias("production") is None
    assert store.rollback() == version == store.alias("production")


def test_production_is_measured_anew_on_a_new_test_set(store: ModelStore) -> None:
    old = put(store, 1, 0.5)
    store.promote(old)
    manifest = TinyManifest(width=2, measurements={"test": measured(0.6, data="b")})
    new = store.add(lambda _: None, manifest, START + timedelta(hours=1))
    with pytest.raises(ConflictError, match="other data"):
        store.promote(new)
    store.record(old, "test", measured(0.7, data="b"))
    with pytest.raises(ConflictError, match=r"0\.6000 against production's 0\.7000"):
        store.promote(new)
    store.record(old, "test", measured(0.55, data="b"))
    store.promote(new)
    store.verify(old)
    assert store.versions() == [old, new]


def test_garbage_is_what_nobody_needs(store: ModelStore) -> None:
    versions = [put(store, number) for number in range(12)]
    for version in versions[:9]:
        store.promote(version, force=True)
    store.record(versions[1], "test", measured(0.9))
    store.withdraw()
    (store.root / ".new-dead").mkdir()
    (store.root / ".new-dead" / "part").write_text("half")
    (store.root / ".gone-dead").mkdir()
    removed = store.collect(2)
    # Kept: the last five productions for rollback, the two newest, one of which is the candidate.
    assert removed == [*versions[: 9 - MOST_BACK], versions[9]]
    assert sorted(path.name for path in store.root.iterdir()) == [
        *store.versions(),
        "aliases.json",
        "store.lock",
    ]
    assert [store.rollback() for _ in range(MOST_BACK)] == versions[8 : 8 - MOST_BACK : -1]
    assert store.collect(0) == [*versions[5:9], versions[10]]
    assert store.versions() == [versions[4], versions[11]]


def test_a_draft_in_the_making_is_not_garbage(store: ModelStore) -> None:
    def write(folder: Path) -> None:
        (folder / "x").write_text("x")
        other = threading.Thread(target=ModelStore(store.root).collect, args=(0,))
        other.start()
        other.join()
        assert (folder / "x").exists()

    store.verify(store.add(write, TinyManifest(width=1), START))


def test_a_writer_that_fails_leaves_nothing(store: ModelStore) -> None:
    def write(folder: Path) -> None:
        (folder / "x").write_text("x")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        store.add(write, TinyManifest(width=1), START)
    assert [path.name for path in store.root.iterdir()] == ["store.lock"]


def test_two_who_promote_at_once_take_turns(store: ModelStore) -> None:
    versions = [put(store, number) for number in range(4)]
    barrier, failed = threading.Barrier(len(versions)), []

    def promote(version: str) -> None:
        barrier.wait()
        try:
            ModelStore(store.root).promote(version, force=True)
        except Exception as error:  # noqa: BLE001 (shown below)
            failed.append(error)

    threads = [threading.Thread(target=promote, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    aliases = store.aliases()
    assert sorted([*aliases.history, aliases.production or ""]) == sorted(versions), "none is lost"


def stopped_after(steps: int, root: Path, action: Callable[[], object]) -> bool:
    """Run `action` in a process that dies before its file operation number `steps`; whether it came so far."""
    process = os.fork()
    if process == 0:
        done = 0

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal done
            if event in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir") and str(root) in str(arguments):
                if done == steps:
                    os._exit(KILLED)
                done += 1

        sys.addaudithook(count)
        try:
            action()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == KILLED


def check_usable(store: ModelStore, known: set[str | None]) -> None:
    """Every version is whole, every alias leads to one, and everything can still be done."""
    versions, aliases = store.versions(), store.aliases()
    for version in versions:
        store.verify(version)
    assert {aliases.production, aliases.candidate, *aliases.history} - {None} <= set(versions)
    assert aliases.production in known
    store.collect(100)
    assert not [path for path in store.root.iterdir() if path.name.startswith((".new", ".gone"))]
    store.promote(versions[-1], force=True)
    assert store.alias("production") == versions[-1]


@pytest.mark.parametrize("name", ["add", "promote", "rollback", "withdraw", "collect", "record"])
def test_killed_at_any_step(tmp_path: Path, name: str) -> None:
    template = ModelStore(tmp_path / "template" / "tiny")
    versions = [put(template, number) for number in range(4)]
    for version in versions[:3]:
        template.promote(version, force=True)
    steps, stopped = 0, True
    while stopped:
        root = tmp_path / str(steps) / "tiny"
        shutil.copytree(template.root, root)
        stopped = stopped_after(steps, root, partial(act, ModelStore(root), name, versions))
        check_usable(ModelStore(root), {*versions, None})
        steps += 1
    assert steps > 4, "the steps were counted"


def act(store: ModelStore, name: str, versions: list[str]) -> None:
    match name:
        case "add":
            put(store, 9)
        case "promote":
            store.promote(versions[3], force=True)
        case "rollback":
            store.rollback()
        case "withdraw":
            store.withdraw()
        case "collect":
            store.rollback()
            store.rollback()
            store.collect(0)
        case _:
            store.record(versions[0], "test", measured(1))


def test_what_has_a_name_is_on_the_disk(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("lingsou.core.model_store._sync", lambda path: told.append(path.name))
    rename, replace = Path.rename, Path.replace
    monkeypatch.setattr(Path, "rename", lambda self, to: told.append("renamed") or rename(self, to))  # type: ignore[func-returns-value]
    monkeypatch.setattr(Path, "replace", lambda self, to: told.append("replaced") or replace(self, to))  # type: ignore[func-returns-value]
    put(store, 1)
    before, after = told[: told.index("renamed")], told[told.index("renamed") :]
    assert {"weights.txt", "words.txt", "part", "manifest.json"} < set(before)
    assert after == ["renamed", "tiny", ".aliases.json.tmp", "replaced", "tiny"]


class Lives(RuleBasedStateMachine):
    """Any sequence of operations against a model in memory: lists instead of files."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = ModelStore(Path(self.folder.name) / "tiny")
        self.versions: list[str] = []
        self.production: str | None = None
        self.candidate: str | None = None
        self.history: list[str] = []
        self.made = 0

    @rule()
    def add(self) -> None:
        self.made += 1
        self.candidate = put(self.store, self.made)
        self.versions.append(self.candidate)

    @precondition(lambda self: self.versions)
    @rule(data=st.data())
    def promote(self, data: st.DataObject) -> None:
        version = data.draw(st.sampled_from(self.versions))
        self.store.promote(version)
        if version != self.production:
            self.history += [self.production] if self.production else []
            self.production = version
        self.candidate = None if self.candidate == version else self.candidate
        self.history = self.history[-MOST_BACK:]

    @rule()
    def withdraw(self) -> None:
        assert self.store.withdraw() == self.production
        self.history = [*self.history, *([self.production] if self.production else [])][-MOST_BACK:]
        self.production = None

    @rule()
    def rollback(self) -> None:
        if self.history:
            self.production = self.history.pop()
            assert self.store.rollback() == self.production
        else:
            with pytest.raises(ConflictError):
                self.store.rollback()

    @rule(keep=st.integers(0, 4))
    def collect(self, keep: int) -> None:
        kept = {self.production, self.candidate, *self.history, *(self.versions[-keep:] if keep else [])}
        assert self.store.collect(keep) == [version for version in self.versions if version not in kept]
        self.versions = [version for version in self.versions if version in kept]

    @invariant()
    def same(self) -> None:
        aliases = self.store.aliases()
        assert self.store.versions() == self.versions
        assert (aliases.production, aliases.candidate) == (self.production, self.candidate)
        assert list(aliases.history) == self.history

    def teardown(self) -> None:
        self.folder.cleanup()


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)
