"""Generations of the index: which one is read, how they are switched, and what a kill at any step leaves."""

import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lingsou.catalog.store import Store
from lingsou.core.errors import ConflictError, CorruptIndexError, LockedError, StorageError
from lingsou.core.settings import FieldWeights, IndexSettings, SearchSettings
from lingsou.core.types import Product
from lingsou.encoders.calibration import GROUPS, Centring
from lingsou.retrieval.engine import EngineQuery
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.engines.embedded.generations import Generations, Published
from lingsou.retrieval.indexer import Indexer
from lingsou.testing.catalogue import as_changes, tiny_catalogue
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
PLAIN = SearchSettings()
OTHER = SearchSettings(weights=FieldWeights(title=9))
CATALOGUE = tiny_catalogue()
NEW = [Product(id="new", title="Telescope")]


def engine_in(folder: Path, settings: SearchSettings = PLAIN, **more: str) -> EmbeddedEngine:
    engine = EmbeddedEngine(folder, "s", SEGMENTER, settings, **more)  # type: ignore[arg-type]
    engine.refresh()
    return engine


@pytest.fixture
def writer(tmp_path: Path) -> EmbeddedEngine:
    """The indexer's engine, which has built the first generation."""
    engine = engine_in(tmp_path)
    engine.apply(as_changes(CATALOGUE))
    return engine


def rebuild(engine: EmbeddedEngine) -> None:
    with engine.building() as built:
        built.apply(as_changes(CATALOGUE))


def folders(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def found(engine: EmbeddedEngine, text: str = "") -> int:
    return engine.search(EngineQuery(text=text)).total


def test_a_new_generation_is_seen_only_when_it_is_whole(tmp_path: Path, writer: EmbeddedEngine) -> None:
    reader = engine_in(tmp_path)
    with writer.building() as built:
        assert (built.generation, found(built)) == ("g000002", 0)
        for place, product in enumerate(CATALOGUE, 1):
            built.apply(as_changes([product], first=place))
            assert not reader.refresh()
            assert found(engine_in(tmp_path)) == found(reader)
        built.compact(force=True)
    assert reader.refresh()
    assert writer.refresh()
    for engine in (reader, writer, engine_in(tmp_path)):
        assert (engine.generation, engine.size) == ("g000002", len(CATALOGUE))
    writer.apply(as_changes(NEW, first=50))
    assert reader.refresh()
    assert found(reader, "telescope") == 1, "the indexer goes on in the published generation"


def test_two_generations_are_kept_and_those_before_go(tmp_path: Path, writer: EmbeddedEngine) -> None:
    slow = engine_in(tmp_path)
    (tmp_path / "manifest.json").write_text("an index from before there were generations")
    for _ in range(3):
        rebuild(writer)
    assert folders(tmp_path) == ["g000003", "g000004"]
    assert not (tmp_path / "manifest.json").exists()
    assert found(slow, "running shoes"), "what was loaded can be searched on"
    assert slow.refresh()
    assert slow.generation == "g000004"


def test_rollback_switches_there_and_back(tmp_path: Path, writer: EmbeddedEngine) -> None:
    with pytest.raises(ConflictError, match="no generation to go back to"):
        writer.roll_back()
    rebuild(writer)
    assert writer.roll_back() == Published("g000001", "g000002")
    assert engine_in(tmp_path).generation == "g000001"
    assert writer.roll_back() == Published("g000002", "g000001")
    assert engine_in(tmp_path).generation == "g000002"
    assert folders(tmp_path) == ["g000001", "g000002"]


def test_no_search_goes_back_in_time(tmp_path: Path, writer: EmbeddedEngine) -> None:
    rebuild(writer)
    writer.refresh(to_write=True)
    writer.apply(as_changes(NEW, first=50))
    reader = engine_in(tmp_path)
    writer.roll_back()
    assert not reader.refresh()
    assert (reader.generation, found(reader, "telescope")) == ("g000002", 1)
    assert writer.refresh(to_write=True), "the indexer moves at once, and brings the older one forward"
    assert (writer.generation, found(writer, "telescope")) == ("g000001", 0)
    writer.apply(as_changes(NEW, first=50))
    assert reader.refresh()
    assert (reader.generation, found(reader, "telescope")) == ("g000001", 1)


def test_processes_of_both_settings_each_read_what_fits_them(tmp_path: Path, writer: EmbeddedEngine) -> None:
    new = engine_in(tmp_path, OTHER)
    assert (new.generation, new.size) == ("", 0)
    rebuild(new)
    reader = engine_in(tmp_path)
    writer.refresh(to_write=True)
    writer.apply(as_changes(NEW, first=50))
    assert reader.refresh(), "the service that runs is kept up to date until it is restarted"
    assert (reader.generation, found(reader, "telescope")) == ("g000001", 1)
    assert engine_in(tmp_path, OTHER).generation == "g000002"
    new.roll_back()
    assert engine_in(tmp_path, OTHER).generation == "g000002"
    assert engine_in(tmp_path).generation == "g000001"


def test_a_process_whose_generation_was_replaced_twice_keeps_what_it_has_and_says_so(
    tmp_path: Path, writer: EmbeddedEngine
) -> None:
    new = engine_in(tmp_path, OTHER)
    rebuild(new)
    rebuild(new)
    assert folders(tmp_path) == ["g000002", "g000003"]
    assert not writer.refresh()
    assert found(writer) == found(engine_in(tmp_path, OTHER))
    with pytest.raises(StorageError, match=r"was replaced twice.*Restart"):
        writer.apply(as_changes(NEW, first=50))
    assert engine_in(tmp_path, OTHER).generation == "g000003"


def test_where_nothing_fits_a_generation_is_begun_and_none_overwritten(tmp_path: Path, writer: EmbeddedEngine) -> None:
    other = engine_in(tmp_path, OTHER)
    other.apply(as_changes(CATALOGUE[:3]))
    assert (other.generation, other.size) == ("g000002", 3)
    assert engine_in(tmp_path).size == len(CATALOGUE)
    assert Generations(tmp_path).published() == Published("g000002", "g000001")


def test_vectors_of_another_encoder_are_another_index(tmp_path: Path, writer: EmbeddedEngine) -> None:
    small = engine_in(tmp_path, encoder="small")
    assert small.generation == "g000001", "it has no vectors yet"
    means = dict.fromkeys(GROUPS, np.zeros(4, np.float32))
    small.set_centring(Centring("x", means, means), 5)
    assert engine_in(tmp_path, encoder="large").generation == ""
    assert engine_in(tmp_path, encoder="small").generation == "g000001"
    assert engine_in(tmp_path).generation == "g000001", "words alone: whatever vectors there are"


def test_what_another_version_wrote_does_not_fit_and_is_no_error(tmp_path: Path, writer: EmbeddedEngine) -> None:
    rebuild(writer)
    (tmp_path / "g000002" / "manifest.json").write_text('{"identity": "s", "fingerprint": "v9", "shape": {"new": 1}}')
    assert engine_in(tmp_path).generation == "g000001"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"current": "g000001"}'])
def test_a_damaged_pointer_is_a_clear_error_and_a_rebuild_mends_it(
    tmp_path: Path, writer: EmbeddedEngine, content: str
) -> None:
    (tmp_path / "current.json").write_text(content)
    with pytest.raises(CorruptIndexError, match=r"current.json is damaged.*--rebuild"):
        engine_in(tmp_path)
    rebuild(writer)
    assert engine_in(tmp_path).size == len(CATALOGUE)


def test_a_failed_build_leaves_nothing(tmp_path: Path, writer: EmbeddedEngine) -> None:
    def fail() -> None:
        with writer.building() as built:
            built.apply(as_changes(CATALOGUE))
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert folders(tmp_path) == ["g000001"]
    assert engine_in(tmp_path).generation == "g000001"


def test_one_build_at_a_time(tmp_path: Path, writer: EmbeddedEngine) -> None:
    other = engine_in(tmp_path, OTHER)
    with writer.building():
        for attempt in (writer.roll_back, other.clear, lambda: other.apply(as_changes(CATALOGUE))):
            with pytest.raises(LockedError, match="building an index"):
                attempt()
        writer.apply(as_changes(NEW, first=50))
    assert folders(tmp_path) == ["g000001", "g000002"]


def test_readers_in_threads_and_a_store_that_is_written_see_whole_states(tmp_path: Path) -> None:
    """Every batch renames all products: a state in which two names are found was put together from two."""
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite3'}") as store:
        folder = tmp_path / "index"

        def engine() -> EmbeddedEngine:
            return EmbeddedEngine(folder, store.identity(), SEGMENTER, PLAIN)

        rounds = itertools.count()

        def rename() -> None:
            round_ = next(rounds)
            store.upsert([Product(id=f"p{n}", title=f"lamp round{round_}", brand=f"b{round_}") for n in range(40)])

        rename()
        writer, rebuilder = engine(), engine()
        indexer = Indexer(store, writer, IndexSettings())
        indexer.catch_up()
        stop, wrong = threading.Event(), []
        seen: list[int] = []

        def read() -> None:
            reader = engine()
            reader.refresh()
            last = -1
            while not stop.is_set():
                reader.refresh()
                view = reader.view()
                brands = view.contents().values["brand"]
                ((brand, count),) = brands.items()
                result = view.search(EngineQuery(text=f"round{brand[1:]}", limit=100))
                round_ = int(brand[1:])
                if (count, result.total, len(result.candidates.ids)) != (40, 40, 40) or round_ < last:
                    wrong.append((brands, result.total, last))
                last = round_
                seen.append(round_)

        threads = [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        for turn in range(24):
            rename()
            indexer.catch_up()
            if turn % 4 == 3:
                with rebuilder.building() as built:
                    again = Indexer(store, built, IndexSettings())
                    again.catch_up()
                    rename()
                    again.catch_up()
                    rename()
            elif turn % 4 == 1 and turn > 4:
                rebuilder.roll_back()
            indexer.catch_up()
        stop.set()
        for thread in threads:
            thread.join()
        assert not wrong
        assert len(set(seen)) > 5


_KILLED = r"""
import os, shutil, signal, sys
from pathlib import Path
from tests.retrieval.test_generations import CATALOGUE, engine_in, rebuild
from lingsou.testing.catalogue import as_changes

root, what, steps = Path(sys.argv[1]), sys.argv[2], 0

def counted(function, fatal):
    def run(*arguments, **options):
        global steps
        steps += 1
        if steps == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return run

base = root / "base"
for _ in range(2):
    rebuild(engine_in(base))
fatal = 0
while True:
    fatal += 1
    folder = root / f"{what}-{fatal}"
    shutil.copytree(base, folder)
    if (child := os.fork()) == 0:
        engine = engine_in(folder)
        for name in ("mkdir", "replace", "unlink", "rmdir"):
            setattr(os, name, counted(getattr(os, name), fatal))
        Path.write_bytes = counted(Path.write_bytes, fatal)
        {"rebuild": lambda: rebuild(engine), "clear": engine.clear, "roll_back": engine.roll_back}[what]()
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
print(fatal - 1)
"""


@pytest.mark.parametrize(("what", "least"), [("rebuild", 8), ("clear", 6), ("roll_back", 2)])
def test_a_kill_between_any_two_steps_leaves_a_whole_index(tmp_path: Path, what: str, least: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path), what],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    kills = int(done.stdout)
    assert kills >= least
    for folder in sorted(tmp_path.glob(f"{what}-*")):
        engine = engine_in(folder)
        assert engine.size in ({len(CATALOGUE), 0} if what == "clear" else {len(CATALOGUE)}), folder.name
        rebuild(engine)
        assert engine_in(folder).size == len(CATALOGUE)
        assert len(folders(folder)) == 2, "what the killed one left is gone"
        assert not [path for path in folder.rglob("*.tmp") if path.parent == folder]


@pytest.fixture
def rebuilding(tmp_path: Path, writer: EmbeddedEngine) -> Iterator["subprocess.Popen[str]"]:
    """Another process that is half-way through a rebuild."""
    code = (
        "import sys, time; from pathlib import Path; from tests.retrieval.test_generations import *\n"
        "with engine_in(Path(sys.argv[1])).building() as built:\n"
        "    built.apply(as_changes(CATALOGUE[:5])); print('half', flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        assert process.stdout.readline() == "half\n"
        yield process
        process.kill()


def test_a_killed_rebuild_is_never_read_and_makes_way_for_the_next(
    tmp_path: Path, writer: EmbeddedEngine, rebuilding: "subprocess.Popen[str]"
) -> None:
    assert folders(tmp_path) == ["g000001", "g000002"]
    with pytest.raises(LockedError):
        rebuild(writer)
    rebuilding.kill()
    rebuilding.wait(10)
    assert engine_in(tmp_path).generation == "g000001"
    rebuild(writer)
    assert folders(tmp_path) == ["g000001", "g000003"]
    assert engine_in(tmp_path).size == len(CATALOGUE)
