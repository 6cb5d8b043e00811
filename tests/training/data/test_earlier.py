"""What a version keeps of its data: read back as it was, bounded, and without anybody's id."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from lingsou.core.errors import StorageError
from lingsou.training.data.content import contents
from lingsou.training.data.earlier import Earlier, drawn
from lingsou.training.examples import ExampleSet, HistorySet, LabelSet, PairSet, Span, TagSet, TextSet
from lingsou.training.recipe import TaskKind

SETS: dict[TaskKind, ExampleSet] = {
    "matching": PairSet.of([("red shoe", "a shoe", 2.0), ("red shoe", "\ud800 half", 0.5), ("红色", "连衣裙\n", 0.0)]),
    "classes": LabelSet(("good", "bad"), (("plus",), ("minus",))),
    "labels": LabelSet(("good", "bad"), (("a", "b"), ()), multiple=True),
    "tags": TagSet(("nike shoe", "shoe"), ((Span(0, 4, "BRAND"),), ())),
    "masking": TextSet(("one text", "another")),
}


@pytest.mark.parametrize("kind", list(SETS))
def test_it_is_read_back_as_it_was(tmp_path: Path, kind: TaskKind) -> None:
    path = tmp_path / "data" / "main.jsonl.gz"
    Earlier(SETS[kind], SETS[kind].take(np.array([1]))).write(path, seed=0)
    found = Earlier.read(path, kind)
    assert type(found.train) is type(SETS[kind])
    assert contents(found.train) == contents(SETS[kind])
    assert contents(found.test) == contents(SETS[kind])[1:2]


def test_histories_are_nobodys(tmp_path: Path) -> None:
    texts = ("shoe", "dress", "phone", "case")
    whole = HistorySet(texts, ((0, 1), (2, 0, 1)), ("ann", "bob"), np.array([1.7e9, 1.8e9]))
    path = tmp_path / "main.jsonl.gz"
    Earlier(whole.take(np.array([0])), whole.take(np.array([1]))).write(path, seed=0)
    kept = gzip.decompress(path.read_bytes()).decode()
    assert "ann" not in kept
    assert "1700000000" not in kept
    found = Earlier.read(path, "history")
    assert isinstance(found.test, HistorySet)
    assert found.test.texts == texts, "the next product is looked for among all"
    assert found.test.items == ((2, 0, 1),)
    assert not set(found.train.keys()) & set(found.test.keys())


def test_so_many_training_rows_and_whole_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lingsou.training.data.earlier.KEPT", 6)
    pairs = PairSet.of([(f"query {row // 3}", f"text {row}", 1.0) for row in range(30)])
    Earlier(pairs, pairs).write(tmp_path / "main.jsonl.gz", seed=0)
    found = Earlier.read(tmp_path / "main.jsonl.gz", "matching")
    assert (len(found.train), len(set(found.train.keys())), len(found.test)) == (6, 2, 30)
    assert drawn(["a", "b"], 5, seed=0).tolist() == [0, 1]
    assert drawn([], 5, seed=0).tolist() == []


def test_damage_is_told(tmp_path: Path) -> None:
    path = tmp_path / "main.jsonl.gz"
    Earlier(SETS["matching"], SETS["matching"]).write(path, seed=0)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StorageError, match="cannot be read"):
        Earlier.read(path, "matching")
