"""Example sets: what a task learns from, as columns. Every set says which rows a split must keep together."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.text.normalise import normalise

Rows = NDArray[np.int64]
"""Numbers of rows."""


@dataclass(frozen=True)
class ExampleSet(ABC):
    """What all sets share. `slices` [rows] by name (language, category …) are for reports and the gate alone."""

    slices: Mapping[str, Sequence[str]] = field(default_factory=dict, kw_only=True)

    @abstractmethod
    def __len__(self) -> int:
        """Rows."""

    @abstractmethod
    def take(self, rows: Rows) -> Self:
        """The same set cut to `rows`, in their order."""

    @abstractmethod
    def keys(self) -> list[str]:
        """For each row, the text that names its group: rows of one key never part in a split."""

    @abstractmethod
    def labels(self) -> list[str]:
        """For each row, what is to be learned of it, as a name: for balance and noise reports."""

    def _cut(self, rows: Rows) -> dict[str, list[str]]:
        return {name: [values[row] for row in rows] for name, values in self.slices.items()}


@dataclass(frozen=True)
class PairSet(ExampleSet):
    """Queries and product texts with grades: row i says how well `texts[text[i]]` answers `queries[query[i]]`."""

    queries: tuple[str, ...]
    texts: tuple[str, ...]
    query: Rows
    text: Rows
    grades: NDArray[np.float32]
    """[rows], higher is better; 0 is not relevant."""

    @classmethod
    def of(cls, rows: Sequence[tuple[str, str, float]], slices: Mapping[str, Sequence[str]] | None = None) -> "PairSet":
        """From (query, text, grade) of each row; texts that recur are held once."""
        queries: dict[str, int] = {}
        texts: dict[str, int] = {}
        query = [queries.setdefault(each, len(queries)) for each, _, _ in rows]
        text = [texts.setdefault(each, len(texts)) for _, each, _ in rows]
        grades = np.array([grade for _, _, grade in rows], np.float32)
        return cls(
            tuple(queries),
            tuple(texts),
            np.array(query, np.int64),
            np.array(text, np.int64),
            grades,
            slices=slices or {},
        )

    def __len__(self) -> int:
        return len(self.query)

    def take(self, rows: Rows) -> Self:
        """The same set cut to `rows`; texts that are not used any more are dropped."""
        queries, query = np.unique(self.query[rows], return_inverse=True)
        texts, text = np.unique(self.text[rows], return_inverse=True)
        return type(self)(
            tuple(self.queries[number] for number in queries),
            tuple(self.texts[number] for number in texts),
            query.astype(np.int64),
            text.astype(np.int64),
            self.grades[rows],
            slices=self._cut(rows),
        )

    def keys(self) -> list[str]:
        """The query of each row: splits are by query, never by row."""
        names = [normalise(each) for each in self.queries]
        return [names[number] for number in self.query]

    def labels(self) -> list[str]:
        """The grade of each row."""
        return [f"{grade:g}" for grade in self.grades]


@dataclass(frozen=True)
class LabelSet(ExampleSet):
    """Texts with one class each, or with any number of labels (`multiple`). Rows of `given` are tuples of names."""

    texts: tuple[str, ...]
    given: tuple[tuple[str, ...], ...]
    multiple: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every label that occurs, sorted."""
        return tuple(sorted({name for row in self.given for name in row}))

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: Rows) -> Self:
        """The same set cut to `rows`."""
        return type(self)(
            tuple(self.texts[row] for row in rows),
            tuple(self.given[row] for row in rows),
            self.multiple,
            slices=self._cut(rows),
        )

    def keys(self) -> list[str]:
        """The text itself: the same text never stands on both sides of a split."""
        return [normalise(text) for text in self.texts]

    def labels(self) -> list[str]:
        """The labels of each row, joined."""
        return ["+".join(row) for row in self.given]


@dataclass(frozen=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text are a `kind`."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class TagSet(ExampleSet):
    """Texts with the spans that are named in them; spans of one text do not overlap and are in order."""

    texts: tuple[str, ...]
    spans: tuple[tuple[Span, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every kind that occurs, sorted."""
        return tuple(sorted({span.kind for row in self.spans for span in row}))

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: Rows) -> Self:
        """The same set cut to `rows`."""
        return type(self)(
            tuple(self.texts[row] for row in rows), tuple(self.spans[row] for row in rows), slices=self._cut(rows)
        )

    def keys(self) -> list[str]:
        """The text itself."""
        return [normalise(text) for text in self.texts]

    def labels(self) -> list[str]:
        """The kinds of each row, joined."""
        return ["+".join(sorted({span.kind for span in row})) or "none" for row in self.spans]


@dataclass(frozen=True)
class HistorySet(ExampleSet):
    """What shoppers met in order: `texts[items[i][k]]` is the k-th of shopper i, the last one is to be predicted."""

    texts: tuple[str, ...]
    items: tuple[tuple[int, ...], ...]
    shoppers: tuple[str, ...]
    """[rows], hashed ids."""
    times: NDArray[np.float64]
    """[rows], seconds since 1970 of the last item: splits of events are by time."""

    def __post_init__(self) -> None:
        for row, items in enumerate(self.items):
            if len(items) < 2:
                raise InputError("A history needs two products or more.", row=row, cure="Leave shorter ones out.")

    def __len__(self) -> int:
        return len(self.items)

    def take(self, rows: Rows) -> Self:
        """The same set cut to `rows`."""
        return type(self)(
            self.texts,
            tuple(self.items[row] for row in rows),
            tuple(self.shoppers[row] for row in rows),
            self.times[rows],
            slices=self._cut(rows),
        )

    def keys(self) -> list[str]:
        """The shopper of each row."""
        return list(self.shoppers)

    def labels(self) -> list[str]:
        """The text of the product to be predicted."""
        return [self.texts[items[-1]] for items in self.items]


@dataclass(frozen=True)
class TextSet(ExampleSet):
    """Plain texts, for masked-token adaptation, distillation and pseudo-labels."""

    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: Rows) -> Self:
        """The same set cut to `rows`."""
        return type(self)(tuple(self.texts[row] for row in rows), slices=self._cut(rows))

    def keys(self) -> list[str]:
        """The text itself."""
        return [normalise(text) for text in self.texts]

    def labels(self) -> list[str]:
        """Nothing is to be learned of a row."""
        return [""] * len(self.texts)


S = TypeVar("S", bound=ExampleSet)


@dataclass(frozen=True)
class Splits(Generic[S]):
    """One set cut in three; no key stands in two of them."""

    train: S
    validation: S
    test: S
