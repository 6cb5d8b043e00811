"""What one request sees: an immutable state of the whole index in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import VOLATILE_FIELDS
from lingsou.retrieval.engine import FieldContents, NumberSummary
from lingsou.retrieval.engines.embedded.analysis import (
    ATTRIBUTE_PREFIX,
    BASE_FIELDS,
    IDENTIFIER,
    KEYWORD_FIELDS,
    NUMBER_FIELDS,
)
from lingsou.retrieval.engines.embedded.columns import KeywordColumn, NumberColumn
from lingsou.retrieval.engines.embedded.postings import Postings, merge_postings, renumber_postings
from lingsou.retrieval.engines.embedded.segment import NO_VECTORS, KeywordBlock, NumberBlock, Segment, VectorBlock
from lingsou.retrieval.engines.embedded.vectors import VectorColumn
from lingsou.retrieval.filters import FieldKind


@dataclass(frozen=True)
class Snapshot:
    """N rows, one per version of a product; `alive` bool [N] marks the current ones.

    `numbers` int64 [N]: the product's internal id; `versions` int64 [N]: its content sequence;
    `row_of` int32: number → its current row, or -1;
    `dense` name → float64 [N]; `groups` int32 [N]: code of the variant group, -1 for a product without one;
    `lengths` float32 [N]. Rows are only ever appended; `compacted` starts afresh.
    """

    sequence: int = 0
    numbers: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    versions: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    ids: list[str] = field(default_factory=list)
    alive: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    row_of: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    dense: dict[str, NDArray[np.float64]] = field(
        default_factory=lambda: {name: np.empty(0, np.float64) for name in NUMBER_FIELDS}
    )
    groups: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    group_codes: dict[str, int] = field(default_factory=dict)
    keywords: dict[str, KeywordColumn] = field(
        default_factory=lambda: {name: KeywordColumn.empty() for name in KEYWORD_FIELDS}
    )
    attribute_numbers: dict[str, NumberColumn] = field(default_factory=dict)
    postings: tuple[Postings, ...] = ()
    lengths: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    vectors: VectorColumn = field(default_factory=VectorColumn)

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def living(self) -> int:
        """Products that can be found."""
        return int(np.count_nonzero(self.alive))

    @cached_property
    def mean_length(self) -> float:
        """Mean weighted length of the living documents."""
        return float(self.lengths[self.alive].sum(dtype=np.float64) / max(self.living, 1)) or 1.0

    @cached_property
    def fields(self) -> dict[str, FieldKind]:
        """Every field that can be filtered, with its kind."""
        attributes: dict[str, FieldKind] = {
            name: "both" if name in self.attribute_numbers else "keyword"
            for name in sorted(self.keywords)
            if name.startswith(ATTRIBUTE_PREFIX)
        }
        return {**BASE_FIELDS, **attributes}

    def contents(self) -> FieldContents:
        """The values of brand, category and attributes over living rows. Cost: one pass over their entries."""
        values: dict[str, dict[str, int]] = {}
        for name, column in self.keywords.items():
            if name not in ("brand", "category") and not name.startswith(ATTRIBUTE_PREFIX):
                continue
            counts = np.bincount(column.codes[self.alive[column.rows]], minlength=len(column.vocabulary))
            values[name] = {column.vocabulary[code]: int(counts[code]) for code in np.flatnonzero(counts).tolist()}
        numbers = {}
        for name, held in self.attribute_numbers.items():
            living = held.values[self.alive[held.rows]]
            if len(living):
                numbers[name] = NumberSummary(len(living), float(living.min()), float(living.max()))
        return FieldContents(values, numbers)

    def terms(self) -> dict[str, int]:
        """Each term of texts with the number of living rows that have it. Cost: one pass over all inverted lists."""
        found: dict[str, int] = {}
        for part in self.postings:
            before = np.concatenate([[0], np.cumsum(self.alive[part.rows], dtype=np.int64)])
            counts = (before[part.indptr[1:]] - before[part.indptr[:-1]]).tolist()
            for term, place in part.terms.items():
                if counts[place] and not term.startswith(IDENTIFIER):
                    found[term] = found.get(term, 0) + counts[place]
        return found

    def version_of(self, number: int) -> int:
        """The content sequence of the product's current row, or -1."""
        row = int(self.row_of[number]) if number < len(self.row_of) else -1
        return int(self.versions[row]) if row >= 0 else -1

    def extended(self, segment: Segment) -> "Snapshot":
        """The state after one more batch of changes."""
        snapshot = self._with_rows(segment) if len(segment.numbers) or len(segment.ended) else self
        return snapshot._with_patches(segment)._with_vectors(segment)

    def _with_rows(self, segment: Segment) -> "Snapshot":
        old, new = len(self), len(segment.numbers)
        row_of = _grown(self.row_of, segment.numbers, segment.ended)
        alive = np.concatenate([self.alive, np.ones(new, np.bool_)])
        ended = row_of[segment.ended]
        alive[ended[ended >= 0]] = False
        row_of[segment.ended] = -1
        row_of[segment.numbers] = np.arange(old, old + new, dtype=np.int32)
        # Snapshots before this one never look past their own length, so the list may be shared.
        ids = self.ids if len(self.ids) == old else self.ids[:old]
        ids.extend(segment.ids)
        keywords = dict(self.keywords)
        for name, block in segment.keywords.items():
            column = keywords.get(name) or KeywordColumn.empty()
            keywords[name] = column.extended(block.rows + np.int32(old), block.codes, block.vocabulary)
        attribute_numbers = dict(self.attribute_numbers)
        empty = NumberColumn(np.empty(0, np.int32), np.empty(0, np.float64))
        for name, values in segment.attribute_numbers.items():
            attribute_numbers[name] = attribute_numbers.get(name, empty).extended(
                values.rows + np.int32(old), values.values
            )
        codes = self.group_codes
        groups = [codes.setdefault(group, len(codes)) if group else -1 for group in segment.groups]
        return replace(
            self,
            sequence=segment.sequence,
            numbers=np.concatenate([self.numbers, segment.numbers]),
            versions=np.concatenate([self.versions, segment.versions]),
            ids=ids,
            alive=alive,
            row_of=row_of,
            dense={
                name: np.concatenate([self.dense[name], segment.dense[:, place]])
                for place, name in enumerate(NUMBER_FIELDS)
            },
            groups=np.concatenate([self.groups, np.asarray(groups, np.int32)]),
            keywords=keywords,
            attribute_numbers=attribute_numbers,
            postings=_levelled([*self.postings, segment.postings.shifted(old)]) if new else self.postings,
            lengths=np.concatenate([self.lengths, segment.lengths]),
            vectors=self.vectors.resized(old + new),
        )

    def _with_patches(self, segment: Segment) -> "Snapshot":
        known = segment.patched < len(self.row_of)
        rows = self.row_of[segment.patched[known]]
        values = segment.patches[known][rows >= 0]
        dense = dict(self.dense)
        for place, name in enumerate(VOLATILE_FIELDS if len(rows) else ()):
            column = dense[name].copy()
            column[rows[rows >= 0]] = values[:, place]
            dense[name] = column
        return replace(self, sequence=segment.sequence, dense=dense)

    def _with_vectors(self, segment: Segment) -> "Snapshot":
        block = segment.vectors
        if not len(block.numbers):
            return self
        known = block.numbers < len(self.row_of)
        rows = np.where(known, self.row_of[np.where(known, block.numbers, 0)], -1)
        current = (rows >= 0) & (self.versions[rows] == block.versions)
        return replace(self, vectors=self.vectors.filled(rows[current], block.codes[current], block.scales[current]))

    def without_vectors(self) -> "Snapshot":
        """The same products, none with a vector."""
        return replace(self, vectors=VectorColumn().resized(len(self)))

    @cached_property
    def with_vector(self) -> int:
        """Living rows that have a vector."""
        return int(np.count_nonzero(self.alive & (self.vectors.scales > 0))) if self.vectors.dimension else 0

    def rows_without_vector(self) -> NDArray[np.intp]:
        """Living rows that have no vector yet."""
        return np.flatnonzero(self.alive & (self.vectors.scales == 0) if self.vectors.dimension else self.alive)

    def compacted(self, order: NDArray[np.intp] | None = None) -> Segment:
        """All living rows as one segment, in their order or another: what a rebuilt base holds."""
        kept = np.flatnonzero(self.alive) if order is None else order
        new_rows: NDArray[np.int32] = np.full(len(self), -1, np.int32)
        new_rows[kept] = np.arange(len(kept), dtype=np.int32)
        names = {code: group for group, code in self.group_codes.items()}
        names[-1] = ""
        return Segment(
            sequence=self.sequence,
            ended=np.empty(0, np.int64),
            patched=np.empty(0, np.int64),
            patches=np.empty((0, len(VOLATILE_FIELDS))),
            numbers=self.numbers[kept],
            versions=self.versions[kept],
            ids=[self.ids[row] for row in kept],
            groups=[names[code] for code in self.groups[kept].tolist()],
            dense=np.stack([self.dense[name][kept] for name in NUMBER_FIELDS], axis=1),
            keywords={
                name: block for name, column in self.keywords.items() if (block := _compact_keywords(column, new_rows))
            },
            attribute_numbers={
                name: numbers
                for name, column in self.attribute_numbers.items()
                if (numbers := _compact_numbers(column, new_rows))
            },
            postings=renumber_postings(merge_postings(self.postings), new_rows) if self.postings else _NO_POSTINGS,
            lengths=self.lengths[kept],
            vectors=self._vector_block(kept),
        )

    def _vector_block(self, kept: NDArray[np.intp]) -> VectorBlock:
        if not self.vectors.dimension:
            return NO_VECTORS
        held = kept[self.vectors.scales[kept] > 0]
        codes, scales = self.vectors.codes_of(held), self.vectors.scales[held]
        return VectorBlock(self.numbers[held], self.versions[held], codes, scales)


_NO_POSTINGS = Postings({}, np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))


def _compact_keywords(column: KeywordColumn, new_rows: NDArray[np.int32]) -> KeywordBlock | None:
    rows, entries = _renumbered(column.rows, new_rows)
    if not len(rows):
        return None
    used, places = np.unique(column.codes[entries], return_inverse=True)
    return KeywordBlock(rows, places.astype(np.int32), [column.vocabulary[code] for code in used])


def _compact_numbers(column: NumberColumn, new_rows: NDArray[np.int32]) -> NumberBlock | None:
    rows, entries = _renumbered(column.rows, new_rows)
    return NumberBlock(rows, column.values[entries]) if len(rows) else None


def _renumbered(rows: NDArray[np.int32], new_rows: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """The new rows, ascending, of the entries that stay, and which entries these are."""
    renamed = new_rows[rows]
    entries = np.flatnonzero(renamed >= 0)
    entries = entries[np.argsort(renamed[entries], kind="stable")]
    return renamed[entries], entries


def _grown(row_of: NDArray[np.int32], *numbers: NDArray[np.int64]) -> NDArray[np.int32]:
    size = max([len(row_of), *(int(each.max()) + 1 for each in numbers if len(each))])
    grown = np.full(size, -1, np.int32)
    grown[: len(row_of)] = row_of
    return grown


def _levelled(parts: Sequence[Postings]) -> tuple[Postings, ...]:
    """Merge from the end while the last part is at least half its neighbour: about log2(N) parts remain."""
    levels = list(parts)
    while len(levels) > 1 and 2 * len(levels[-1].rows) >= len(levels[-2].rows):
        levels[-2:] = [merge_postings(levels[-2:])]
    return tuple(levels)
