"""Searches of a shop with parts of understanding taken out, each text encoded once whatever the parts."""

import contextlib
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from benchmarks.shops import indexed
from benchmarks.understanding.section import Options
from lingsou.catalog.store import Store
from lingsou.catalog.vectors import VectorStore
from lingsou.core.database import sqlite_url
from lingsou.core.plan import QueryPlan
from lingsou.core.settings import EncoderSettings, IndexSettings, SearchSettings
from lingsou.core.types import Product
from lingsou.encoders import Encoder, EncoderOptions, open_encoder
from lingsou.encoders.calibration import group_of
from lingsou.evaluation.significance import compare
from lingsou.pipeline.understanding import boosts_of, filters_of, vocabulary_of, with_categories
from lingsou.query import CatalogLexicon, Understander
from lingsou.query.correction import Correctors, ShopWords, build_correctors
from lingsou.query.expansion import NameLookup
from lingsou.retrieval.embedding import DocumentEmbedder
from lingsou.retrieval.engine import EngineQuery, QueryVector
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.filters import EVERYTHING, parse_filters
from lingsou.retrieval.indexer import Indexer
from lingsou.text.segment import Segmenter

Part = Literal["correction", "limits", "wishes", "together", "category", "expansions", "meaning"]
PARTS: tuple[Part, ...] = get_args(Part)
"""`correction` of misspelt words; `limits` as filters, their words taken from the text; `wishes` (names, measures) as
boosts, and the boost for all of them `together`; the likeliest `category` as boost; `expansions`; the leg of
`meaning`."""
DEPTH = 100


@dataclass
class SearchedShop:
    """A shop of products with an engine over them, and what was encoded so far."""

    products: Sequence[Product]
    engine: EmbeddedEngine
    encoder: Encoder
    store: Store
    currency: str

    @property
    def segmenter(self) -> Segmenter:
        """The engine's."""
        return self.engine.segmenter

    @cached_property
    def lexicon(self) -> CatalogLexicon:
        """The catalogue's names."""
        return CatalogLexicon(vocabulary_of(self.engine.contents()), self.segmenter)

    @cached_property
    def correctors(self) -> Correctors:
        """As a shop without a log has them."""
        titles = [product.title for product in self.products]
        words = ShopWords(titles, self.engine.contents().values, self.engine.terms())
        return build_correctors(words, self.segmenter)

    @cached_property
    def _queries(self) -> VectorStore:
        return VectorStore(self.store.database, f"{self.encoder.fingerprint} query")

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of queries; those that were asked for before are read."""
        known = self._queries.get(texts)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            self._queries.put(missing, self.encoder.encode_queries(missing))
            known = self._queries.get(texts)
        return np.stack([known[text] for text in texts])

    def vectors(self, products: Sequence[Product]) -> NDArray[np.float32]:
        """Of products: unit length, the mean taken off."""
        raw = DocumentEmbedder(self.encoder, VectorStore(self.store.database, self.encoder.fingerprint)).vectors(
            products
        )
        centred = raw - raw.mean(axis=0)
        found: NDArray[np.float32] = centred / np.linalg.norm(centred, axis=1, keepdims=True)
        return found

    def understander(self, lookup: NameLookup | None = None, *, correct: bool = False) -> Understander:
        """One with other names than those of the package's tables, or with correction."""
        correctors = self.correctors if correct else None
        names = None if lookup is None else lambda: lookup
        return Understander(self.lexicon, self.segmenter, self.currency, correctors, names)

    def ranked(self, plan: QueryPlan, without: Collection[Part] = ()) -> list[str]:
        """The best `DEPTH` products, as a search ranks them that lacks some parts."""
        fields = self.engine.fields()
        if "limits" in without:
            plan = plan.model_copy(
                update={"text": plan.read, "constraints": [c for c in plan.constraints if not c.hard]}
            )
        vector = None
        if "meaning" not in without and plan.text.strip():
            vector = QueryVector(self.encode([plan.text])[0], group_of(plan.text), self.encoder.fingerprint)
        query = EngineQuery(
            text=plan.text,
            vector=vector,
            expansions=() if "expansions" in without else plan.expansions,
            filters=parse_filters(filters_of(plan, fields), fields),
            collapse=False,
            limit=DEPTH,
        )
        matched = self.engine.match(query)
        boosts = boosts_of(with_categories(plan, matched), fields)
        kept = tuple(boost for boost in boosts if _part(boost.reason) not in without)
        found = matched.answer(replace(query, boosts=kept))
        found = found if found.total else matched.answer(replace(query, boosts=kept, filters=EVERYTHING))
        return list(found.candidates.ids)


@contextlib.contextmanager
def searched_shop(
    products: Sequence[Product], options: Options, name: str, currency: str = ""
) -> Iterator[SearchedShop]:
    """A shop of products, indexed by words and meaning with the default settings."""
    chosen = EncoderSettings()
    encoder = open_encoder(chosen.name, chosen.models_dir, EncoderOptions(max_tokens=chosen.max_tokens))
    with tempfile.TemporaryDirectory() as temporary:
        work = (options.work or Path(temporary)) / name
        work.mkdir(parents=True, exist_ok=True)
        engine = indexed(products, Path(temporary) / "index", SearchSettings(), Segmenter())
        with Store.open(sqlite_url(work / "store.sqlite3")) as store:
            store.upsert(products)
            embedder = DocumentEmbedder(encoder, VectorStore(store.database, encoder.fingerprint))
            Indexer(store, engine, IndexSettings(), lambda: embedder).embed()
            yield SearchedShop(products, engine, encoder, store, currency)


def is_held(query: str) -> bool:
    """Whether a query belongs to the half that is reported; settings are chosen on the other one."""
    return sha256(query.encode()).digest()[0] % 2 == 0


def difference(better: NDArray[np.float64], worse: NDArray[np.float64]) -> dict[str, Any]:
    """Mean difference over the same queries with its interval and the p of none."""
    found = compare(better, worse)
    gap = found.difference
    return {"value": gap.value, "ci": [gap.low, gap.high], "p": found.p}


def _part(reason: str) -> Part:
    if reason.startswith("likely category"):
        return "category"
    return "together" if reason.startswith("all of") else "wishes"
