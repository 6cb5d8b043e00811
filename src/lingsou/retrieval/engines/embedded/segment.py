"""One batch of changes, ready to be laid over a snapshot: the unit that is written, read and merged."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import VOLATILE_FIELDS, Change, Product
from lingsou.retrieval.engines.embedded.analysis import (
    NUMBER_FIELDS,
    Analyser,
    attribute_numbers,
    keywords,
    numbers,
)
from lingsou.retrieval.engines.embedded.postings import Postings, build_postings


@dataclass(frozen=True)
class KeywordBlock:
    """Keyword entries of one field inside a segment; codes count in `vocabulary`, rows in the segment."""

    rows: NDArray[np.int32]
    codes: NDArray[np.int32]
    vocabulary: Sequence[str]


@dataclass(frozen=True)
class NumberBlock:
    """Numbers of one attribute inside a segment."""

    rows: NDArray[np.int32]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class VectorBlock:
    """Vectors of v products: `numbers` and `versions` int64 [v] name what they are of (a vector whose product has
    moved on is dropped), `codes` int8 [v, d], `scales` float32 [v].
    """

    numbers: NDArray[np.int64]
    versions: NDArray[np.int64]
    codes: NDArray[np.int8]
    scales: NDArray[np.float32]


NO_VECTORS = VectorBlock(
    np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 0), np.int8), np.empty(0, np.float32)
)


@dataclass(frozen=True)
class Segment:
    """n new rows, the products whose earlier row they (or a deletion) end, and new volatile values.

    `dense` is float64 [n, len(NUMBER_FIELDS)]; `patches` float64 [m, len(VOLATILE_FIELDS)] for `patched` [m];
    `versions` int64 [n] are the products' content
    sequences; `lengths` float32 [n] are weighted document lengths Σ_f w_f · |f|; NaN is a missing number.
    """

    sequence: int
    ended: NDArray[np.int64]
    patched: NDArray[np.int64]
    patches: NDArray[np.float64]
    numbers: NDArray[np.int64]
    versions: NDArray[np.int64]
    ids: Sequence[str]
    groups: Sequence[str]
    dense: NDArray[np.float64]
    keywords: Mapping[str, KeywordBlock]
    attribute_numbers: Mapping[str, NumberBlock]
    postings: Postings
    lengths: NDArray[np.float32]
    vectors: VectorBlock = NO_VECTORS


def vector_segment(sequence: int, vectors: VectorBlock) -> Segment:
    """A segment that brings vectors alone."""
    return Segment(
        sequence=sequence,
        ended=np.empty(0, np.int64),
        patched=np.empty(0, np.int64),
        patches=_matrix([], len(VOLATILE_FIELDS)),
        numbers=np.empty(0, np.int64),
        versions=np.empty(0, np.int64),
        ids=[],
        groups=[],
        dense=_matrix([], len(NUMBER_FIELDS)),
        keywords={},
        attribute_numbers={},
        postings=build_postings([]),
        lengths=np.empty(0, np.float32),
        vectors=vectors,
    )


def build_segment(changes: Sequence[Change], analyser: Analyser, held: Callable[[int], int]) -> Segment:
    """The segment of a batch from the change log (each product at most once).

    Args:
        changes: ascending by sequence.
        analyser: cuts the texts.
        held: internal id → `content_sequence` of the row that the index holds for it, or -1. Where it equals the
            change's own, only volatile values are new.
    """
    products: list[Product] = []
    rows: list[int] = []
    versions: list[int] = []
    patched: list[int] = []
    patches: list[list[float | None]] = []
    for change in changes:
        if change.product is None:
            continue
        if held(change.number) == change.content_sequence:
            patched.append(change.number)
            patches.append(numbers(change.product)[: len(VOLATILE_FIELDS)])
        else:
            products.append(change.product)
            rows.append(change.number)
            versions.append(change.content_sequence)
    weighted = [analyser.terms(product) for product in products]
    lengths = np.asarray([sum(terms.values()) for terms in weighted], np.float32)
    for terms, product in zip(weighted, products, strict=True):
        terms.update(dict.fromkeys(analyser.identifiers(product), 1.0))
    return Segment(
        sequence=changes[-1].sequence,
        ended=np.asarray([c.number for c in changes if c.product is None] + rows, np.int64),
        patched=np.asarray(patched, np.int64),
        patches=_matrix(patches, len(VOLATILE_FIELDS)),
        numbers=np.asarray(rows, np.int64),
        versions=np.asarray(versions, np.int64),
        ids=[product.id for product in products],
        groups=[product.group_id for product in products],
        dense=_matrix([numbers(product) for product in products], len(NUMBER_FIELDS)),
        keywords=_keyword_blocks(products),
        attribute_numbers=_number_blocks(products),
        postings=build_postings(weighted),
        lengths=lengths,
    )


def _matrix(rows: list[list[float | None]], width: int) -> NDArray[np.float64]:
    return np.asarray(rows, np.float64).reshape(-1, width)


def _keyword_blocks(products: Sequence[Product]) -> dict[str, KeywordBlock]:
    rows: dict[str, list[int]] = defaultdict(list)
    codes: dict[str, list[int]] = defaultdict(list)
    vocabularies: dict[str, dict[str, int]] = defaultdict(dict)
    for row, product in enumerate(products):
        for field, value in keywords(product):
            vocabulary = vocabularies[field]
            rows[field].append(row)
            codes[field].append(vocabulary.setdefault(value, len(vocabulary)))
    return {
        field: KeywordBlock(np.asarray(rows[field], np.int32), np.asarray(codes[field], np.int32), list(vocabulary))
        for field, vocabulary in vocabularies.items()
    }


def _number_blocks(products: Sequence[Product]) -> dict[str, NumberBlock]:
    rows: dict[str, list[int]] = defaultdict(list)
    values: dict[str, list[float]] = defaultdict(list)
    for row, product in enumerate(products):
        for field, value in attribute_numbers(product):
            rows[field].append(row)
            values[field].append(value)
    return {
        field: NumberBlock(np.asarray(rows[field], np.int32), np.asarray(values[field], np.float64)) for field in rows
    }
