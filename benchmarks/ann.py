"""Approximate search among many vectors: our lists beside `faiss` and `usearch`, and the exact scan, same vectors.

    python -m benchmarks.ann --rows 300000
    python -m benchmarks.ann --vectors FILE        .npz or .safetensors with centred `vectors` [n, d], perhaps `queries`

The generated vectors are a mixture: categories, families of like products inside them, and noise, all with a decaying
spectrum, so that ranks 1, 10, 100 and 1,000 around a product have similarities of about 0.75, 0.6, 0.4 and 0.3, as
encoded product texts have. A query is a product and much noise (cosine about 0.64). `recall@100` is the share of the
exact hundred nearest that pass the filter, `match_set` that of the products that match by
meaning. Libraries are asked for 1,000, which the engine would need for its match set; filters are random bitmaps handed
to the library. `memory` is what the process grew by when the file was read.
"""

import argparse
import gc
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from lingsou.encoders.quantise import quantise
from lingsou.evaluation.report import result_line
from lingsou.retrieval.engines.embedded.ann import build_lists, compare, read_lists, widened, write_lists
from lingsou.retrieval.engines.embedded.vectors import VectorColumn, threshold

DIMENSION = 384
SHARES = (1.0, 0.5, 0.05, 0.005)
TOP, ASKED = 100, 1_000

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
FAISS: Any = faiss
"""Its type hints lack what its Python layer adds."""

Search = Callable[[Floats, Mask | None], NDArray[np.int64]]


def generated(rows: int, seed: int = 7) -> Floats:
    """Unit vectors [rows, 384] of a mixture."""
    rng = np.random.default_rng(seed)
    categories, families = drawn(rng, 500), drawn(rng, max(1, rows // 10))
    category_of = rng.integers(0, len(categories), len(families))
    vectors = np.empty((rows, DIMENSION), np.float32)
    for start in range(0, rows, 20_000):
        family = rng.integers(0, len(families), min(20_000, rows - start))
        noise = drawn(rng, len(family))
        vectors[start : start + 20_000] = 0.6 * categories[category_of[family]] + 0.6 * families[family] + 0.55 * noise
    return unit(vectors @ np.linalg.qr(rng.standard_normal((DIMENSION, DIMENSION)))[0].astype(np.float32))


def drawn(rng: np.random.Generator, count: int) -> Floats:
    """Unit vectors whose variances fall as i^−0.8, as those of product texts do."""
    return unit(rng.standard_normal((count, DIMENSION), dtype=np.float32) * np.arange(1, DIMENSION + 1) ** -0.4)


def unit(vectors: NDArray[Any]) -> Floats:
    """Of length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def read_vectors(path: Path) -> tuple[Floats, Floats | None]:
    """Vectors of a file, and its queries if it has any."""
    tensors = load_file(path) if path.suffix == ".safetensors" else np.load(path)
    return unit(tensors["vectors"]), unit(tensors["queries"]) if "queries" in tensors else None


class Exact:
    """The scan of every row, then the filter."""

    def __init__(self, column: VectorColumn):
        self._column = column

    def save(self, path: Path) -> None:
        """Nothing to keep."""

    def load(self, path: Path) -> Search:
        """Ready."""
        return self.search

    def search(self, query: Floats, passing: Mask | None) -> NDArray[np.int64]:
        """The rows, best first."""
        return best(self._column.similarities(query), passing)


class Subset(Exact):
    """The codes of every row that passes, gathered and scanned."""

    def search(self, query: Floats, passing: Mask | None) -> NDArray[np.int64]:
        """The rows, best first."""
        if passing is None:
            return super().search(query, None)
        values = np.zeros(len(passing), np.float32)
        self._column.compare_rows(query, np.flatnonzero(passing), values)
        return best(values, passing)


class Ours:
    """Lists around k-means centres over the codes of the snapshot, as the engine searches them."""

    def __init__(self, column: VectorColumn):
        self._lists, self._order = build_lists(column, np.arange(column.length), None)
        self._column = filled(column.codes_of(self._order), column.scales[self._order])

    def save(self, path: Path) -> None:
        """To a file."""
        write_lists(path, self._lists)

    def load(self, path: Path) -> Search:
        """From the file."""
        lists = read_lists(path)

        def search(query: Floats, passing: Mask | None) -> NDArray[np.int64]:
            mask = None if passing is None else passing[self._order]
            found = compare(self._column, lists, query)
            if mask is not None:
                found = widened(self._column, lists, query, mask, found)
            return np.asarray(self._order[best(found.values, mask)])

        return search


class Faiss:
    """A faiss index by its factory name."""

    def __init__(self, name: str, vectors: Floats, parameters: Callable[..., Any]):
        self._parameters = parameters
        self._index = FAISS.index_factory(vectors.shape[1], name, FAISS.METRIC_INNER_PRODUCT)
        self._index.train(vectors[: 100_000 if "IVF" in name else 20_000])
        self._index.add(vectors)

    def save(self, path: Path) -> None:
        """To a file."""
        FAISS.write_index(self._index, str(path))
        del self._index

    def load(self, path: Path) -> Search:
        """From the file, memory-mapped where the library can."""
        index = FAISS.read_index(str(path))

        def search(query: Floats, passing: Mask | None) -> NDArray[np.int64]:
            selector: dict[str, Any] = {}
            if passing is not None:
                bits = np.packbits(passing, bitorder="little")
                selector["sel"] = FAISS.IDSelectorBitmap(bits)
            _, found = index.search(query[np.newaxis], ASKED, params=self._parameters(**selector))
            return np.asarray(found[0][found[0] >= 0])

        return search


class Usearch:
    """A usearch index of int8; its Python binding takes no filter, so what fails is dropped from 10 times as many."""

    def __init__(self, vectors: Floats):
        # Imported before simsimd, it breaks simsimd's scan of int8: both export the same symbols.
        from usearch.index import Index

        self._restore = Index.restore
        self._index = Index(ndim=vectors.shape[1], metric="ip", dtype="i8", connectivity=32, expansion_search=ASKED)
        self._index.add(np.arange(len(vectors)), vectors, threads=2)

    def save(self, path: Path) -> None:
        """To a file."""
        self._index.save(str(path))
        del self._index

    def load(self, path: Path) -> Search:
        """Memory-mapped."""
        index: Any = self._restore(str(path), view=True)

        def search(query: Floats, passing: Mask | None) -> NDArray[np.int64]:
            found = np.asarray(index.search(query, ASKED if passing is None else 10 * ASKED).keys, np.int64)
            return found if passing is None else found[passing[found]]

        return search


def best(similarities: Floats, passing: Mask | None) -> NDArray[np.int64]:
    """The leading 1,000 rows, of those that pass."""
    if passing is not None:
        similarities = np.where(passing, similarities, np.float32(-2))
    rows = np.argpartition(-similarities, ASKED)[:ASKED]
    rows = rows[np.argsort(-similarities[rows])]
    return np.asarray(rows[similarities[rows] > -2], np.int64)


def filled(codes: NDArray[np.int8], scales: Floats) -> VectorColumn:
    """A column of these vectors."""
    return VectorColumn().resized(len(codes)).filled(np.arange(len(codes), dtype=np.int32), codes, scales)


def resident_mb() -> float:
    """Memory of this process now; its peak where the system does not say."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--only", nargs="*", help="ways to run; default: all")
    arguments = parser.parse_args()
    given = None
    if arguments.vectors:
        vectors, given = read_vectors(arguments.vectors)
    else:
        vectors = generated(arguments.rows)
    rng = np.random.default_rng(1)
    noise = unit(rng.standard_normal((arguments.queries, vectors.shape[1])))
    queries = unit(vectors[rng.choice(len(vectors), arguments.queries)] + 1.2 * noise) if given is None else given
    masks: list[Mask | None] = [None, *(rng.random(len(vectors)) < share for share in SHARES[1:])]
    column = filled(*quantise(vectors))
    exact = Exact(column)
    truth = [[exact.search(query, mask).tolist() for query in queries] for mask in masks]
    matching = [int(np.count_nonzero((s := column.similarities(query)) >= threshold(s))) for query in queries]
    hnsw = lambda **more: FAISS.SearchParametersHNSW(efSearch=ASKED, **more)  # noqa: E731
    ivf = lambda **more: FAISS.SearchParametersIVF(nprobe=128, **more)  # noqa: E731
    ways: dict[str, Callable[[], Any]] = {
        "exact scan": lambda: exact,
        "exact over the passing": lambda: Subset(column),
        "lists (ours)": lambda: Ours(column),
        "faiss IVF2048,SQ8": lambda: Faiss("IVF2048,SQ8", vectors, ivf),
        "faiss HNSW32,SQ8": lambda: Faiss("HNSW32_SQ8", vectors, hnsw),
        "usearch i8": lambda: Usearch(vectors),
    }
    metrics: dict[str, Any] = {}
    for name, make in ways.items():
        if arguments.only and name not in arguments.only:
            continue
        metrics[name] = measured(make, queries, masks, truth, matching)
        print(name, metrics[name])
    best_similarity = [float(column.similarities(query).max()) for query in queries]
    data = arguments.vectors.name if arguments.vectors else "generated mixture"
    extra = {
        "products": len(vectors),
        "queries": len(queries),
        "nearest": np.median(best_similarity),
    }
    print(result_line("ann", data, metrics, **extra))


def measured(
    make: Callable[[], Any],
    queries: Floats,
    masks: list[Mask | None],
    truth: list[list[list[int]]],
    matching: list[int],
) -> dict[str, Any]:
    """Build, save, load and ask one way."""
    start = time.perf_counter()
    way = make()
    figures: dict[str, Any] = {"build_seconds": time.perf_counter() - start}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.safetensors"
        way.save(path)
        gc.collect()
        before = resident_mb()
        search = way.load(path)
        search(queries[0], None)
        figures["file_mb"] = path.stat().st_size / 2**20 if path.exists() else 0.0
        for share, mask, right in zip(SHARES, masks, truth, strict=True):
            times, recalls = [], []
            for query, wanted in zip(queries, right, strict=True):
                begin = time.perf_counter()
                found = search(query, mask)
                times.append((time.perf_counter() - begin) * 1_000)
                recalls.append(len(set(wanted[:TOP]).intersection(found[:TOP].tolist())) / len(wanted[:TOP]))
            p50, p95 = np.percentile(times, (50, 95)).tolist()
            figures[f"{share:.1%}"] = {"recall@100": float(np.mean(recalls)), "p50_ms": p50, "p95_ms": p95}
        matches = [
            len(set(wanted[:count]).intersection(search(query, None).tolist())) / len(wanted[:count])
            for query, wanted, count in zip(queries, truth[0], matching, strict=True)
            if count
        ]
        figures["match_set"] = float(np.mean(matches))
        figures["memory_mb"] = max(0.0, resident_mb() - before)
    return figures


if __name__ == "__main__":
    main()
