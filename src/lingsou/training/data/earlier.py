"""What a stored version keeps of its data for the training that goes on from it: texts and labels, nobody's id.

data/<task>.jsonl.gz    a line {"texts": […]}, then a line for each row: its part, and what `_rows` says of it
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lingsou.core.errors import StorageError
from lingsou.training.data.content import contents
from lingsou.training.examples import ExampleSet, HistorySet, LabelSet, PairSet, Rows, Span, TagSet, TextSet
from lingsou.training.recipe import TaskKind

KEPT = 20_000
"""Training rows of a task that are kept."""


@dataclass(frozen=True)
class Earlier:
    """Rows that a version learned from, and those that it was measured by."""

    train: ExampleSet
    test: ExampleSet

    def write(self, path: Path, seed: int) -> None:
        """Keep the test part, and of the training part whole groups until there are `KEPT` rows, drawn by `seed`.

        Raises:
            StorageError: the file cannot be written.
        """
        train = self.train.take(drawn(self.train.keys(), KEPT, seed))
        # The next product of a history is looked for among all of them.
        texts = self.test.texts if isinstance(self.test, HistorySet) else ()
        lines: list[Any] = [{"texts": texts}]
        lines += [[part, *row] for part, rows in (("train", train), ("test", self.test)) for row in _rows(rows)]
        # JSON in ASCII holds half characters too, which UTF-8 does not.
        content = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode("ascii")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(content, mtime=0))
        except OSError as error:
            raise StorageError(f"'{path}' cannot be written: {error.strerror}.", cure="Check the disk.") from error

    @classmethod
    def read(cls, path: Path, kind: TaskKind) -> "Earlier":
        """What `write` kept of a task of that kind.

        Raises:
            StorageError: the file cannot be read.
        """
        try:
            first, *lines = map(json.loads, gzip.decompress(path.read_bytes()).decode("ascii").splitlines())
            parts = {part: [row for name, *row in lines if name == part] for part in ("train", "test")}
            found = {part: _set(kind, rows, part, first["texts"]) for part, rows in parts.items()}
        except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
            raise StorageError(f"'{path}' cannot be read: {error}.", cure="Train anew, without --from.") from error
        return cls(**found)


def drawn(keys: Sequence[str], most: int, seed: int) -> Rows:
    """The rows, in order, of groups that are drawn by `seed`; of the last group as many as there is place for.

    Args:
        keys: of each row, the name of its group.
        most: rows at most.
        seed: decides which.
    """
    numbers: dict[str, int] = {}
    group = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
    turn = np.random.default_rng(seed).permutation(len(numbers))
    return np.sort(np.argsort(turn[group], kind="stable")[:most])


def _rows(examples: ExampleSet) -> Iterator[list[Any]]:
    """All that a row says, but whose history it is and when it was."""
    for row in contents(examples):
        yield [row[1]] if isinstance(examples, HistorySet) else list(row)


def _set(kind: TaskKind, rows: list[list[Any]], part: str, texts: list[str]) -> ExampleSet:
    if kind in ("matching", "relevance", "click"):
        return PairSet.of([(query, text, grade) for query, text, grade in rows])
    if kind in ("classes", "labels"):
        given = tuple(tuple(labels) for _, labels in rows)
        return LabelSet(tuple(text for text, _ in rows), given, kind == "labels")
    if kind == "tags":
        spans = tuple(tuple(Span(*span) for span in own) for _, own in rows)
        return TagSet(tuple(text for text, _ in rows), spans)
    if kind == "masking":
        return TextSet(tuple(text for (text,) in rows))
    places: dict[str, int] = {text: place for place, text in enumerate(texts)} if part == "test" else {}
    items = tuple(tuple(places.setdefault(text, len(places)) for text in own) for (own,) in rows)
    shoppers = tuple(f"earlier {part} {number}" for number in range(len(rows)))
    return HistorySet(tuple(places), items, shoppers, np.zeros(len(rows)))
