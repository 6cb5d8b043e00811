"""Index files: what happens to damaged, foreign and vanished ones."""

from pathlib import Path

import pytest

from lingsou.core.errors import CorruptIndexError
from lingsou.core.settings import FieldWeights, SearchSettings
from lingsou.retrieval.engine import EngineQuery
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.testing.catalogue import as_changes, tiny_catalogue
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()


def engine_in(folder: Path, identity: str = "s", settings: SearchSettings | None = None) -> EmbeddedEngine:
    return EmbeddedEngine(folder, identity, SEGMENTER, settings or SearchSettings())


def built(folder: Path) -> EmbeddedEngine:
    engine = engine_in(folder)
    engine.apply(as_changes(tiny_catalogue()))
    return engine


@pytest.mark.parametrize("keep", [0, 7, 100, 4000])
def test_a_truncated_segment_is_a_clear_error_and_can_be_rebuilt(tmp_path: Path, keep: int) -> None:
    built(tmp_path)
    (segment,) = tmp_path.glob("*/*.safetensors")
    segment.write_bytes(segment.read_bytes()[:keep])
    engine = engine_in(tmp_path)
    with pytest.raises(CorruptIndexError, match=r"is damaged.*index --rebuild"):
        engine.refresh()
    engine.clear()
    engine.apply(as_changes(tiny_catalogue()))
    assert engine.search(EngineQuery()).total == engine_in_after_refresh(tmp_path).search(EngineQuery()).total > 0


def engine_in_after_refresh(folder: Path) -> EmbeddedEngine:
    engine = engine_in(folder)
    engine.refresh()
    return engine


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"identity": 1}', b"\xff\xfe"])
def test_a_damaged_manifest_is_a_clear_error_and_can_be_rebuilt(tmp_path: Path, content: bytes) -> None:
    built(tmp_path)
    (tmp_path / "g000001" / "manifest.json").write_bytes(content)
    engine = engine_in(tmp_path)
    with pytest.raises(CorruptIndexError):
        engine.refresh()
    engine.clear()
    engine.apply(as_changes(tiny_catalogue()))
    assert engine_in_after_refresh(tmp_path).size == len(tiny_catalogue())


def test_an_index_of_another_store_or_of_other_settings_reads_as_empty_and_is_replaced(tmp_path: Path) -> None:
    built(tmp_path)
    for engine in (
        engine_in(tmp_path, identity="another"),
        engine_in(tmp_path, settings=SearchSettings(weights=FieldWeights(title=9))),
    ):
        assert not engine.refresh()
        assert (engine.sequence, engine.size) == (0, 0)
        engine.apply(as_changes(tiny_catalogue()[:3]))
        assert engine.size == 3
    assert engine_in_after_refresh(tmp_path).size == 0, "it was replaced twice"


def test_a_failed_write_leaves_the_index_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = built(tmp_path)

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        engine.apply(as_changes(tiny_catalogue()[:1], first=50))
    monkeypatch.undo()
    assert engine_in_after_refresh(tmp_path).size == engine.size == len(tiny_catalogue())
    assert not list(tmp_path.rglob("*.tmp"))


def test_compaction_keeps_a_slow_reader_whole(tmp_path: Path) -> None:
    engine = built(tmp_path)
    slow = engine_in_after_refresh(tmp_path)
    for place in range(3):
        engine.apply(as_changes(tiny_catalogue()[:2], first=50 + 10 * place))
        engine.compact(force=True)
        assert slow.search(EngineQuery()).total
    assert slow.refresh()
    assert slow.sequence == engine.sequence
