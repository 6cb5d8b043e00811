"""What a search engine is to Lingsou: the one border between the pipeline and any index, embedded or remote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Change, Explanation, Facet, FacetRequest, Product, Sort
from lingsou.retrieval.filters import EVERYTHING, AllOf, FieldKind


@dataclass(frozen=True)
class EngineQuery:
    """A query after understanding: words, filters, and which part of the ordered match set is wanted."""

    text: str = ""
    filters: AllOf = EVERYTHING
    facets: tuple[FacetRequest, ...] = ()
    sort: Sort = "relevance"
    offset: int = 0
    limit: int = 20
    collapse: bool = True


@dataclass(frozen=True)
class Candidates:
    """Products in rank order, columnar: the one list type from retrieval to answer.

    Arrays share one length n. `numbers` int64 are the store's internal ids, `scores` float64 are comparable
    within one query, `legs` hold each leg's own score (NaN: not found by it), `variants` int64 count the matching
    products of the same group.
    """

    ids: tuple[str, ...]
    numbers: NDArray[np.int64]
    scores: NDArray[np.float64]
    variants: NDArray[np.int64]
    legs: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class EngineResult:
    """One page of candidates, with totals and facets over the whole match set after filters."""

    candidates: Candidates
    total: int
    facets: tuple[Facet, ...]
    sequence: int
    """The store's sequence number that this answer reflects."""


@runtime_checkable
class SearchEngine(Protocol):
    """An index over the products of one store. `lingsou.testing.engine` holds its contract tests.

    Reading is safe from many threads while one writer applies changes. One request sees one state of the index.
    """

    @property
    def sequence(self) -> int:
        """The store's sequence number up to which changes are visible to `search`."""
        ...

    def fields(self) -> Mapping[str, FieldKind]:
        """Every field that can be filtered or counted now, with its kind."""
        ...

    def search(self, query: EngineQuery) -> EngineResult:
        """Answer one query.

        Raises:
            RequestError: a facet asks for an unknown field.
        """
        ...

    def explain(self, text: str, products: Sequence[Product]) -> list[Explanation]:
        """How the lexical score of each product comes about, in the order given."""
        ...

    def refresh(self) -> bool:
        """Make what the writer has committed visible here; whether anything was new."""
        ...

    def apply(self, changes: Sequence[Change]) -> None:
        """Write and commit a batch from the change log, in order. Only the holder of the indexer's lock calls this."""
        ...

    def compact(self, *, force: bool = False) -> bool:
        """Tidy the index where that pays (always, with `force`); whether anything was done."""
        ...

    def clear(self) -> None:
        """Forget everything indexed; the store is not touched and the next `apply` starts afresh."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...
