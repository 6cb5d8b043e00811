"""What a search engine is to Lingsou: the one border between the pipeline and any index, embedded or remote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lingsou.core.plan import Expansion
from lingsou.core.types import Change, Explanation, Facet, FacetRequest, Product, Sort
from lingsou.encoders.calibration import Centring, Group
from lingsou.retrieval.filters import EVERYTHING, AllOf, FieldKind, Filter


@dataclass(frozen=True)
class QueryVector:
    """A query as its encoder gave it, unit length and not centred, with the language whose means it gets."""

    values: NDArray[np.float32]
    group: Group
    encoder: str
    """Fingerprint of the encoder: a vector of another than the index was made with is not compared."""


@dataclass(frozen=True)
class Boost:
    """A preference: products that pass the condition score `weight` higher, or lower where it is negative."""

    condition: Filter
    weight: float
    reason: str = ""


@dataclass(frozen=True)
class Pin:
    """A product that belongs to the results, if it passes the filters, and stands at a 1-based place by relevance."""

    id: str
    position: int


@dataclass(frozen=True)
class EngineQuery:
    """A query after understanding: words, meaning, filters, and which part of the ordered match set is wanted."""

    text: str = ""
    vector: QueryVector | None = None
    expansions: tuple[Expansion, ...] = ()
    """Other names of what the words name: they widen the match set, and never do better than the words themselves."""
    boosts: tuple[Boost, ...] = ()
    pins: tuple[Pin, ...] = ()
    """Distinct products at distinct places."""
    lifts: tuple[tuple[int, float], ...] = ()
    """(Internal id, what a ranker adds to the product's score): by them the order by relevance is a learned one."""
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
    total_is_exact: bool = True
    """False: an approximate search by meaning may have missed some; as a rule `total` and facet counts are too low."""
    lexical_ceiling: float = 0.0
    """What no product's lexical score could exceed for this query; 0 where there are no words, or nobody knows."""


@dataclass(frozen=True)
class NumberSummary:
    """One number field over the living products."""

    count: int
    low: float
    high: float


@dataclass(frozen=True)
class FieldContents:
    """What the catalogue's fields hold: keyword field → value → products, and number attributes in brief."""

    values: Mapping[str, Mapping[str, int]]
    numbers: Mapping[str, NumberSummary]


class MatchedQuery(Protocol):
    """The words, vector and expansions of one query, matched once against one state of the index."""

    def neighbours(self, limit: int) -> tuple[tuple[str, float], ...]:
        """Category path (joined by ` > `) and score, at least 0, of the best `limit` rows, before filters and boosts.

        Of variants the best one counts; products without a category have the path "".
        """
        ...

    def answer(self, query: EngineQuery) -> EngineResult:
        """Answer a query of the same words, vector and expansions: `IndexView.search` for the rest of its work."""
        ...

    def score(self, query: EngineQuery, ids: Sequence[str]) -> EngineResult:
        """The scores of the given products in the given order, whether they match or not; unknown ones are left out.

        Neither filters nor pages nor variants are considered, and nothing is counted: `total` is their number.
        """
        ...

    def information(self, terms: Sequence[str]) -> tuple[float, ...]:
        """The IDF of each index term; 0 for one that no product has."""
        ...

    def explain(self, query: EngineQuery, products: Sequence[Product]) -> list[Explanation]:
        """As `IndexView.explain`, for such a query."""
        ...


class IndexView(Protocol):
    """One state of the index: all that is asked of it agrees."""

    @property
    def sequence(self) -> int:
        """The store's sequence number up to which changes are visible to `search`."""
        ...

    def fields(self) -> Mapping[str, FieldKind]:
        """Every field that can be filtered or counted now, with its kind."""
        ...

    def contents(self) -> FieldContents:
        """The values of brand, category and attributes with their counts: what understanding matches words against."""
        ...

    def terms(self) -> Mapping[str, int]:
        """Every index term of the searched texts, with the number of products that have it."""
        ...

    def match(self, query: EngineQuery) -> MatchedQuery:
        """Match the words, the vector and the expansions of a query, so that more can be decided from what was met."""
        ...

    def search(self, query: EngineQuery) -> EngineResult:
        """Answer one query.

        Raises:
            RequestError: a facet asks for an unknown field.
        """
        ...

    def similar(self, product_id: str, filters: AllOf, limit: int) -> EngineResult:
        """The products nearest in meaning to one, variants of it left out; none when it has no vector.

        Raises:
            NotFoundError: the index holds no such product.
        """
        ...

    def explain(self, query: EngineQuery, products: Sequence[Product]) -> list[Explanation]:
        """How the relevance score of each product comes about, in the order given."""
        ...


@runtime_checkable
class SearchEngine(IndexView, Protocol):
    """An index over the products of one store. `lingsou.testing.engine` holds its contract tests.

    Reading is safe from many threads while one writer applies changes. Asked itself, the engine answers each call from
    its newest state; who asks several things for one request asks a `view`.
    """

    def view(self) -> IndexView:
        """The state as it is now, for as long as it is held."""
        ...

    def refresh(self, *, to_write: bool = False) -> bool:
        """Make what the writer has committed visible here; whether anything was new.

        With `to_write`, move to where changes are to be applied, even if that lags behind what is shown now.
        """
        ...

    def apply(self, changes: Sequence[Change]) -> None:
        """Write and commit a batch from the change log, in order. Only the holder of the indexer's lock calls this."""
        ...

    def without_vectors(self, limit: int) -> list[tuple[int, int, str]]:
        """At most `limit` products without a vector: (number, content sequence, id)."""
        ...

    def count_without_vectors(self) -> int:
        """How many products have no vector yet."""
        ...

    def spread(self, limit: int) -> list[str]:
        """Ids of at most `limit` products, spread evenly over the index: a sample."""
        ...

    @property
    def size(self) -> int:
        """Products that can be found."""
        ...

    @property
    def centring(self) -> Centring | None:
        """The means that vectors are centred by; none before the first fit."""
        ...

    @property
    def centred_on(self) -> int:
        """From how many products the means were taken that vectors are centred by; 0 before the first fit."""
        ...

    def set_centring(self, centring: Centring, products: int) -> None:
        """Centre by new means from now on; every vector that is held goes, and has to be added again."""
        ...

    def add_vectors(
        self, numbers: Sequence[int], versions: Sequence[int], vectors: NDArray[np.float32], groups: Sequence[Group]
    ) -> None:
        """Take up vectors [n, d] as the encoder gave them; those whose product has moved on are dropped."""
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
