"""The indexer: what it takes up, where it resumes, and who may run it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lingsou.catalog.store import Store
from lingsou.core.errors import LockedError, StorageError
from lingsou.core.settings import DataFolder, IndexSettings, SearchSettings
from lingsou.core.types import Change, Product, ProductPatch
from lingsou.retrieval.engine import EngineQuery
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.indexer import Indexer, indexer_lock
from lingsou.text.segment import Segmenter

SECONDS = 20


class FailingEngine(EmbeddedEngine):
    """Fails at the n-th `apply` from now on, as a full disk would."""

    fail_in = 0

    def apply(self, changes: Sequence[Change]) -> None:
        if self.fail_in:
            self.fail_in -= 1
            if not self.fail_in:
                raise StorageError("The disk is gone.", cure="Bring it back.")
        super().apply(changes)


class CountingSegmenter(Segmenter):
    """Counts the texts that it cuts."""

    count = 0

    def terms_of_normalised(self, text: str) -> list[str]:
        self.count += 1
        return super().terms_of_normalised(text)


SEGMENTER = Segmenter()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite3'}") as opened:
        yield opened


def engine_of(store: Store, root: Path, segmenter: Segmenter = SEGMENTER) -> FailingEngine:
    return FailingEngine(root / "index", store.identity(), segmenter, SearchSettings())


def products(count: int, word: str = "lamp") -> list[Product]:
    return [Product(id=f"p{n}", title=f"{word} {n}", stock=1) for n in range(count)]


def total(engine: EmbeddedEngine, text: str = "") -> int:
    return engine.search(EngineQuery(text=text)).total


def until(condition: object, seconds: float = SECONDS) -> float:
    """Wait until `condition()` holds; the seconds that took."""
    assert callable(condition)
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "waited too long"
        time.sleep(0.005)
    return time.monotonic() - start


def test_catch_up_takes_what_waits_and_tells_how_far(store: Store, tmp_path: Path) -> None:
    engine = engine_of(store, tmp_path)
    indexer = Indexer(store, engine, IndexSettings(batch=4))
    assert indexer.catch_up() == 0
    store.upsert(products(10))
    store.delete(["p3"])
    told: list[tuple[int, int]] = []
    assert indexer.catch_up(lambda done, waiting: told.append((done, waiting))) == 10
    assert told == [(4, 10), (8, 10), (10, 10)]
    assert (engine.sequence, total(engine)) == (store.sequence(), 9)
    assert indexer.catch_up() == 0


def test_catch_up_resumes_where_it_failed(store: Store, tmp_path: Path) -> None:
    engine = engine_of(store, tmp_path)
    indexer = Indexer(store, engine, IndexSettings(batch=4))
    store.upsert(products(10))
    engine.fail_in = 2
    with pytest.raises(StorageError):
        indexer.catch_up()
    assert (engine.sequence, total(engine)) == (4, 4), "what was indexed stays"
    again = engine_of(store, tmp_path)
    assert Indexer(store, again, IndexSettings(batch=4)).catch_up() == 6, "and another process goes on from there"
    assert total(again) == 10
    assert indexer.catch_up() == 0, "the first one reads what the other wrote"
    assert total(engine) == 10


@contextmanager
def following(indexer: Indexer) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=indexer.follow, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(SECONDS)
        assert not thread.is_alive()


def test_follow_shows_writes_within_a_second(store: Store, tmp_path: Path) -> None:
    store.upsert(products(2_000))
    writer, reader = engine_of(store, tmp_path), engine_of(store, tmp_path)
    Indexer(store, writer, IndexSettings()).catch_up()
    reader.refresh()

    def seen(word: str, count: int) -> bool:
        reader.refresh()
        return total(reader, word) == count

    with following(Indexer(store, writer, IndexSettings())):
        for round_ in range(3):
            store.upsert([Product(id="new", title=f"telescope{round_}")])
            assert until(lambda round_=round_: seen(f"telescope{round_}", 1)) <= 1
            store.delete(["new"])
            assert until(lambda round_=round_: seen(f"telescope{round_}", 0)) <= 1


def test_follow_survives_errors(store: Store, tmp_path: Path) -> None:
    engine = engine_of(store, tmp_path)
    engine.fail_in = 1
    store.upsert(products(5))
    with following(Indexer(store, engine, IndexSettings(poll_ms=10))):
        until(lambda: engine.sequence == 5)
        engine.fail_in = 1
        store.upsert([Product(id="late", title="Late")])
        until(lambda: engine.sequence == 6)
    assert total(engine) == 6


def test_an_index_ahead_of_its_store_is_built_anew(store: Store, tmp_path: Path) -> None:
    store.upsert(products(3))
    store.backup(tmp_path / "copy.sqlite3")
    store.upsert(products(5, "chair"))
    Indexer(store, engine_of(store, tmp_path), IndexSettings()).catch_up()
    with Store.open(f"sqlite:///{tmp_path / 'copy.sqlite3'}") as older:
        assert older.identity() == store.identity(), "a plain copy of the file, not `lingsou restore`"
        engine = engine_of(older, tmp_path)
        engine.refresh()
        assert engine.sequence > older.sequence()
        assert Indexer(older, engine, IndexSettings()).catch_up() == 3
        assert (total(engine, "lamp"), total(engine, "chair")) == (3, 0)


def test_an_index_of_another_store_reads_as_empty(store: Store, tmp_path: Path) -> None:
    store.upsert(products(3))
    Indexer(store, engine_of(store, tmp_path), IndexSettings()).catch_up()
    with Store.open(f"sqlite:///{tmp_path / 'other.sqlite3'}") as other:
        other.upsert(products(2, "chair"))
        engine = engine_of(other, tmp_path)
        engine.refresh()
        assert (engine.sequence, total(engine)) == (0, 0)
        assert Indexer(other, engine, IndexSettings()).catch_up() == 2
        assert (total(engine, "chair"), total(engine, "lamp")) == (2, 0)


def test_partial_updates_cut_no_text(store: Store, tmp_path: Path) -> None:
    segmenter = CountingSegmenter()
    engine = engine_of(store, tmp_path, segmenter)
    indexer = Indexer(store, engine, IndexSettings())
    store.upsert(products(10_000))
    indexer.catch_up()
    cut = segmenter.count
    assert cut >= 10_000
    patches = [ProductPatch(id=f"p{n}", price=n, stock=n % 7, rating=4.5, sales=n) for n in range(10_000)]
    start = time.process_time()
    for place in range(0, len(patches), 1_000):
        store.patch(patches[place : place + 1_000])
    assert indexer.catch_up() == 10_000
    seconds = time.process_time() - start
    assert segmenter.count == cut, "a volatile change re-tokenises nothing"
    assert engine.search(EngineQuery(sort="-price", limit=1)).candidates.ids == ("p9999",)
    assert seconds < 10, "5,000 a second is the floor of the benchmark; half of it even on a busy machine"


_HOLD = (
    "import sys, time; from lingsou.core.settings import DataFolder\n"
    "from lingsou.retrieval.indexer import indexer_lock\n"
    "with indexer_lock(DataFolder(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
)


def test_the_lock_keeps_others_out_until_its_holder_is_killed(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    command = [sys.executable, "-c", _HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match="Another process is indexing") as caught, indexer_lock(folder):
            pass
        assert caught.value.cure
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(SECONDS)
    with indexer_lock(folder):
        pass
    with indexer_lock(folder):
        pass
