"""Catalogues for benchmarks: a judged folder as a shop would import it, or the demo generator at any size."""

from collections.abc import Sequence
from pathlib import Path

from lingsou.catalog.feeds import RowProblem, open_feed
from lingsou.catalog.guess import guess_mapping
from lingsou.core.settings import SearchSettings
from lingsou.core.types import Change, Product
from lingsou.evaluation.judgements import Judgements, read_icecat
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.text.segment import Segmenter

PRODUCTS, RATINGS = "products.jsonl.gz", "ratings.csv"


def judged_shop(folder: Path) -> tuple[list[Product], Judgements]:
    """Products, by the mapping that `lingsou import` would guess, and ratings of a folder in the Icecat form."""
    path = folder / PRODUCTS
    rows = [row for _, row in open_feed(path).rows(path) if not isinstance(row, RowProblem)]
    mapper = guess_mapping(rows).mapper
    products = [mapper.product(row) for row in rows]
    return [product for product in products if isinstance(product, Product)], read_icecat(folder / RATINGS)


def changes_of(products: Sequence[Product]) -> list[Change]:
    """The change log of a store that got these products in order."""
    return [
        Change.model_construct(sequence=n, content_sequence=n, number=n, id=product.id, product=product)
        for n, product in enumerate(products, 1)
    ]


def indexed(
    products: Sequence[Product], folder: Path, settings: SearchSettings, segmenter: Segmenter
) -> EmbeddedEngine:
    """An engine that holds the products, compacted."""
    engine = EmbeddedEngine(folder, "benchmark", segmenter, settings)
    changes = changes_of(products)
    for start in range(0, len(changes), 5_000):
        engine.apply(changes[start : start + 5_000])
    engine.compact(force=True)
    return engine
