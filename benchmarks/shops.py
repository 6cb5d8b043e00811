"""Catalogues for benchmarks: a judged folder as a shop would import it, or the demo generator at any size."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lingsou.catalog.feeds import RowProblem, open_feed
from lingsou.catalog.guess import guess_mapping
from lingsou.core.settings import SearchSettings
from lingsou.core.types import Change, Product
from lingsou.evaluation.judgements import Judgements, read_icecat, read_pairs
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.text.segment import Segmenter

PRODUCTS, RATINGS, PAIRS = "products.jsonl.gz", "ratings.csv", "pairs.csv.gz"


@dataclass(frozen=True)
class JudgedShop:
    """A catalogue with judgements. `pooled`: only the judged products of a query are to be ranked for it."""

    products: list[Product]
    judgements: Judgements
    pooled: bool

    def pool(self, query: str) -> list[str] | None:
        """The products to rank for a query, in an order of chance that is the same in every run; none: all."""
        pool = list(self.judgements.grades[query])
        random.Random(query).shuffle(pool)
        return pool if self.pooled else None


def judged_shop(folder: Path, queries: int | None = None, seed: int = 7) -> JudgedShop:
    """A folder in the Icecat form, its products mapped as `lingsou import` would guess; or a file of graded pairs.

    Of pairs, the queries are those with at least five products whose grades are not all the same, or `queries` of them
    drawn with `seed`; the catalogue is their products.
    """
    if (folder / PAIRS).exists():
        pairs = read_pairs(folder / PAIRS)
        judgements = sampled(pairs.judgements.informative(), queries, seed)
        ids = dict.fromkeys(id_ for grades in judgements.grades.values() for id_ in grades)
        return JudgedShop([Product(id=id_, title=pairs.titles[id_]) for id_ in ids], judgements, pooled=True)
    path = folder / PRODUCTS
    rows = [row for _, row in open_feed(path).rows(path) if not isinstance(row, RowProblem)]
    mapper = guess_mapping(rows).mapper
    products = [product for row in rows if isinstance(product := mapper.product(row), Product)]
    return JudgedShop(products, sampled(read_icecat(folder / RATINGS), queries, seed), pooled=False)


def sampled(judgements: Judgements, queries: int | None, seed: int) -> Judgements:
    """At most so many of the queries with a relevant product, drawn at random."""
    known = judgements.relevant_queries()
    if queries is None or queries >= len(known):
        return judgements
    return judgements.only(random.Random(seed).sample(known, queries))


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
