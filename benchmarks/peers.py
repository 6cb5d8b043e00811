"""Two embedded search libraries over the vectors, words and filter columns that Lingsou's own index has.

Both get the terms that Lingsou's segmenter makes, so that all three match the same words, and hand back ids alone:

- qdrant-edge: HNSW (m 16, ef_construct 128) over float32 vectors; words as a sparse vector of BM25 term weights, idf
  by the library; payload indexes on price and stock. Hybrid: the best 100 of each leg, filtered, fused by reciprocal
  ranks.
- zvec: HNSW (m 16, ef_construction 200) over float32 vectors; its full-text index (BM25) over the same terms; inverted
  indexes on price and stock. Hybrid: the best 100 of each leg, filtered, fused by reciprocal ranks.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.retrieval.engines.embedded.vectors import threshold

LEAST_RECALL = 0.99
EFFORTS = (32, 64, 128, 256, 512, 1_024)
DEPTH = 100
"""Candidates of each leg that are fused."""

PAGE = 20
_BATCH = 1_000
_CLOSE = 1e-3
_K1, _B = 1.2, 0.75


@dataclass(frozen=True)
class Rows:
    """What is indexed: `vectors` float32 [n, d] at unit length, `terms` of each row, `prices` and `stocks` [n]."""

    vectors: NDArray[np.float32]
    terms: Sequence[Sequence[str]]
    prices: NDArray[np.float64]
    stocks: NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """One query: its terms, and its vector [d] at unit length."""

    terms: Sequence[str]
    vector: NDArray[np.float32]


class Peer(ABC):
    """A library with the index built; answers are row numbers, best first. `effort` is HNSW's ef."""

    effort = EFFORTS[0]

    @abstractmethod
    def vector(self, asked: Asked, limit: int = PAGE) -> list[int]:
        """By meaning."""

    @abstractmethod
    def lexical(self, asked: Asked) -> list[int]:
        """By words."""

    @abstractmethod
    def hybrid(self, asked: Asked, *, filtered: bool) -> list[int]:
        """By both, within the filter of the benchmark or without one."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the files."""

    def tune(self, asked: Sequence[Asked], vectors: NDArray[np.float32]) -> float:
        """Set the smallest effort that finds the ten nearest well enough, and return the recall at 10."""
        for effort in EFFORTS:
            self.effort = effort
            recall = recall_at_10([self.vector(each, 10) for each in asked], asked, vectors)
            if recall >= LEAST_RECALL:
                break
        return recall


def recall_at_10(
    found: Sequence[Sequence[int]], asked: Sequence[Asked], vectors: NDArray[np.float32], *, cut: bool = False
) -> float:
    """Share of the exact ten nearest that were found: as near as the exact tenth, or farther by 0.001 at most.

    The definition of ann-benchmarks (Aumüller, Bernhardsson and Faithfull, 2020), so that among products of the same
    text it does not matter which are found. With `cut`, only those of the ten count that are near enough to be
    relevant, which is all that Lingsou returns; queries with none are left out.
    """
    shares: list[float] = []
    for got, each in zip(found, asked, strict=True):
        similarities = vectors @ each.vector
        room = 10
        if cut:
            room = min(room, int(np.count_nonzero(similarities >= threshold(similarities, len(vectors)) + _CLOSE)))
        if not room:
            continue
        least = np.partition(similarities, -room)[-room] - _CLOSE
        shares.append(int(np.count_nonzero(similarities[list(got[:room])] >= least)) / room)
    return float(np.mean(shares))


class Qdrant(Peer):
    """qdrant-edge."""

    def __init__(self, folder: Path, rows: Rows, price: tuple[float, float]):
        import qdrant_edge as q

        self._q = q
        self._terms: dict[str, int] = {}
        folder.mkdir()
        hnsw = q.HnswIndexConfig(m=16, ef_construct=128, full_scan_threshold=1_000)
        config = q.EdgeConfig(
            vectors={"meaning": q.EdgeVectorParams(rows.vectors.shape[1], q.Distance.Dot)},
            sparse_vectors={"words": q.EdgeSparseVectorParams(modifier=q.Modifier.Idf)},
            hnsw_config=hnsw,
            # One segment, indexed whole: what its own documentation advises for the fastest single query.
            optimizers=q.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=1_000),
        )
        self._shard = q.EdgeShard.create(str(folder), config)
        mean = float(np.mean([len(terms) for terms in rows.terms])) or 1.0
        for first in range(0, len(rows.terms), _BATCH):
            points = [
                q.Point(
                    row,
                    {"meaning": rows.vectors[row].tolist(), "words": self._document(rows.terms[row], mean)},
                    {"price": float(rows.prices[row]), "stock": float(rows.stocks[row])},
                )
                for row in range(first, min(first + _BATCH, len(rows.terms)))
            ]
            self._shard.update(q.UpdateOperation.upsert_points(points))
        for name in ("price", "stock"):
            self._shard.update(q.UpdateOperation.create_field_index(name, q.PayloadSchemaType.Float))
        self._shard.optimize()
        low, high = price
        self._filter = q.Filter(
            must=[
                q.FieldCondition("price", range=q.RangeFloat(gte=low, lt=high)),
                q.FieldCondition("stock", range=q.RangeFloat(gt=0.0)),
            ]
        )

    def _document(self, terms: Sequence[str], mean: float) -> Any:
        norm = _K1 * (1 - _B + _B * len(terms) / mean)
        weights = {
            self._terms.setdefault(term, len(self._terms)): count * (_K1 + 1) / (count + norm)
            for term, count in Counter(terms).items()
        }
        return self._q.SparseVector(list(weights), list(weights.values()))

    def _nearest(self, asked: Asked) -> Any:
        return self._q.Query.Nearest(asked.vector.tolist(), "meaning")

    def _words(self, asked: Asked) -> Any:
        known = [self._terms[term] for term in dict.fromkeys(asked.terms) if term in self._terms]
        return self._q.Query.Nearest(self._q.SparseVector(known, [1.0] * len(known)), "words")

    def _ask(self, **request: Any) -> list[int]:
        params = self._q.SearchParams(hnsw_ef=self.effort)
        return [int(point.id) for point in self._shard.query(self._q.QueryRequest(params=params, **request))]

    def vector(self, asked: Asked, limit: int = PAGE) -> list[int]:
        """HNSW."""
        return self._ask(limit=limit, query=self._nearest(asked))

    def lexical(self, asked: Asked) -> list[int]:
        """Sparse dot product."""
        return self._ask(limit=PAGE, query=self._words(asked))

    def hybrid(self, asked: Asked, *, filtered: bool) -> list[int]:
        """Two prefetches, fused."""
        q, condition = self._q, self._filter if filtered else None
        params = q.SearchParams(hnsw_ef=max(self.effort, DEPTH))
        legs = [
            q.Prefetch(DEPTH, query=query, params=params, filter=condition)
            for query in (self._nearest(asked), self._words(asked))
        ]
        return self._ask(limit=PAGE, prefetches=legs, query=q.Fusion.Rrf(k=60))

    def close(self) -> None:
        """Release the shard."""
        self._shard.close()


class Zvec(Peer):
    """zvec."""

    def __init__(self, folder: Path, rows: Rows, price: tuple[float, float]):
        import zvec as z

        self._z = z
        z.init(log_level=z.LogLevel.ERROR, log_type=z.LogType.CONSOLE)
        plain = z.InvertIndexParam(enable_range_optimization=True)
        schema = z.CollectionSchema(
            "products",
            fields=[
                z.FieldSchema("words", z.DataType.STRING, index_param=z.FtsIndexParam(tokenizer_name="whitespace")),
                z.FieldSchema("price", z.DataType.DOUBLE, index_param=plain),
                z.FieldSchema("stock", z.DataType.DOUBLE, index_param=plain),
            ],
            vectors=[
                z.VectorSchema(
                    "meaning",
                    z.DataType.VECTOR_FP32,
                    rows.vectors.shape[1],
                    index_param=z.HnswIndexParam(z.MetricType.IP, m=16, ef_construction=200),
                )
            ],
        )
        self._collection = z.create_and_open(str(folder), schema)
        for first in range(0, len(rows.terms), _BATCH):
            statuses = self._collection.insert(
                [
                    z.Doc(
                        str(row),
                        vectors={"meaning": rows.vectors[row]},
                        fields={
                            "words": " ".join(rows.terms[row]),
                            "price": float(rows.prices[row]),
                            "stock": float(rows.stocks[row]),
                        },
                    )
                    for row in range(first, min(first + _BATCH, len(rows.terms)))
                ]
            )
            assert all(status.ok() for status in statuses)
        self._collection.optimize()
        self._fuse = z.RrfReRanker()
        low, high = price
        self._filter = f"price >= {low} and price < {high} and stock > 0"

    def _nearest(self, asked: Asked, depth: int) -> Any:
        param = self._z.HnswQueryParam(ef=max(self.effort, depth))
        return self._z.Query("meaning", vector=asked.vector, param=param)

    def _words(self, asked: Asked) -> Any:
        return self._z.Query("words", fts=self._z.Fts(match_string=" ".join(asked.terms)))

    def _ask(self, queries: Any, **more: Any) -> list[int]:
        return [int(found.id) for found in self._collection.query(queries, output_fields=[], **more)]

    def vector(self, asked: Asked, limit: int = PAGE) -> list[int]:
        """HNSW."""
        return self._ask(self._nearest(asked, limit), topk=limit)

    def lexical(self, asked: Asked) -> list[int]:
        """BM25, any of the terms."""
        return self._ask(self._words(asked), topk=PAGE)

    def hybrid(self, asked: Asked, *, filtered: bool) -> list[int]:
        """Two queries, fused."""
        legs = [self._nearest(asked, DEPTH), self._words(asked)]
        return self._ask(legs, topk=DEPTH, reranker=self._fuse, filter=self._filter if filtered else None)[:PAGE]

    def close(self) -> None:
        """Release the collection."""
        self._collection.close()


PEERS: dict[str, type[Qdrant] | type[Zvec]] = {"qdrant-edge": Qdrant, "zvec": Zvec}
