"""One opened data folder: settings, store, engine and pipeline, for the CLI, the service and benchmarks alike."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lingsou.catalog.store import Store
from lingsou.catalog.vectors import VectorStore
from lingsou.core.settings import DataFolder, Settings, load_settings
from lingsou.events.behaviour import Behaviour, open_behaviour
from lingsou.features.live import LiveEvents
from lingsou.pipeline.candidates import CandidateFeatures
from lingsou.pipeline.encoder_choice import EncoderChoice, choose_encoder
from lingsou.pipeline.encoding import QueryEncoder
from lingsou.pipeline.heads import Heads
from lingsou.pipeline.ranking import RankingStage
from lingsou.pipeline.recommending import Recommendations
from lingsou.pipeline.reranking import Reranking
from lingsou.pipeline.rewriting import Rewriting, rewriter_named
from lingsou.pipeline.search import SearchPipeline
from lingsou.pipeline.suggesting import Suggestions
from lingsou.pipeline.understanding import Understanding
from lingsou.quality.live import LiveScores
from lingsou.query.expansion import ShopNames
from lingsou.query.intents import intent_rules
from lingsou.query.labels import QueryLabels
from lingsou.retrieval.embedding import DocumentEmbedder
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.indexer import Indexer
from lingsou.rules import RuleBook, RuleStore
from lingsou.text.lexicon import read_lexicon
from lingsou.text.segment import Segmenter

_POPULAR_DAYS, _POPULAR_SEARCHES, _RECENT_SEARCHES = 30, 20_000, 20
"""How far back, and how many, searches are suggested to all; how many to the shopper whose own they are."""


@dataclass(frozen=True)
class Shop:
    """What is needed to serve one shop. Encoder, understanding and reranker are not ready yet: `warm_up()`."""

    folder: DataFolder
    settings: Settings
    store: Store
    engine: EmbeddedEngine
    encoder: QueryEncoder
    encoder_name: str
    """A version of the shop's own store as `encoder/VERSION`, or as the settings name it; empty: there is none."""
    understanding: Understanding
    rules: RuleBook
    ranking: RankingStage
    pipeline: SearchPipeline
    labels: QueryLabels
    names: ShopNames
    behaviour: Behaviour
    live_events: LiveEvents
    suggestions: Suggestions
    quality: LiveScores
    recommendations: Recommendations

    def warm_up(self) -> None:
        """Open the encoder and learn the catalogue's words, which takes seconds; searches do without until then."""
        self.understanding.refresh(at_once=True)
        self.encoder.open()
        self.ranking.warm_up()

    def indexer(self, engine: EmbeddedEngine | None = None) -> Indexer:
        """An indexer over this shop's store and engine, for the holder of `indexer_lock`; or over one being built."""
        return Indexer(self.store, engine or self.engine, self.settings.index, self._embedder)

    def _embedder(self) -> DocumentEmbedder | None:
        encoder = self.encoder.open()
        return DocumentEmbedder(encoder, VectorStore(self.store.database, encoder.fingerprint)) if encoder else None

    def close(self) -> None:
        """Release encoder, index, logs and store."""
        self.encoder.close()
        self.understanding.close()
        self.ranking.close()
        self.behaviour.close()
        self.engine.close()
        self.store.close()


def open_shop(root: Path | str, *, read_index: bool = True) -> Shop:
    """Open an initialised data folder and, unless it is to be rebuilt anyway, read its index.

    Raises:
        ConfigurationError: not initialised, or its settings are wrong.
        StorageError: store or index cannot be read.
    """
    folder = DataFolder(root)
    settings = load_settings(folder)
    store = Store.of(folder, settings)
    try:
        segmenter = Segmenter(read_lexicon(folder.lexicon))
        engine, chosen = _engine(folder, settings, store.identity(), segmenter, read_index=read_index)
        if read_index:
            engine.refresh()
        rules = RuleBook(RuleStore(store.database), segmenter)
        behaviour = open_behaviour(folder, settings)
    except BaseException:
        store.close()
        raise
    labels = QueryLabels(folder.query_labels)
    names = ShopNames(folder.mined_names, folder.dropped_names, segmenter, settings.understanding.expansions)
    heads = Heads(folder.heads, labels, intent_rules(settings.understanding.intent_rules))
    encoder = QueryEncoder(
        chosen.load, budget_ms=settings.encoder.budget_ms, cache=settings.encoder.cache, opened=heads.open
    )
    searches = behaviour.searches
    popular = partial(searches.popular, _POPULAR_DAYS, _POPULAR_SEARCHES)
    suggestions = Suggestions(
        store,
        engine,
        segmenter,
        popular=popular,
        recent=lambda user_id: searches.recent(user_id, _RECENT_SEARCHES),
    )
    rewriter = rewriter_named(settings.understanding.rewriter, settings.llm)
    understanding = Understanding(
        engine,
        segmenter,
        settings.currency,
        heads,
        labels,
        titles=suggestions.titles,
        searched=popular,
        names=names,
        correct=settings.understanding.correct,
        rewriting=Rewriting(rewriter, segmenter, budget_ms=settings.understanding.rewriter_budget_ms)
        if rewriter
        else None,
    )
    live_events = LiveEvents(behaviour, store.get)
    quality = LiveScores(store.database)
    candidates = CandidateFeatures(segmenter, live_events.view, quality.of)
    reranking = Reranking(folder.reranker, settings.ranking)
    ranking = RankingStage(folder.ranker, settings.ranking, candidates, store.get, reranking)
    trails = live_events.trail if settings.understanding.personal else None
    pipeline = SearchPipeline(store, engine, segmenter, encoder, understanding, rules, ranking, trails)
    return Shop(
        folder=folder,
        settings=settings,
        store=store,
        engine=engine,
        encoder=encoder,
        encoder_name=chosen.name,
        understanding=understanding,
        rules=rules,
        ranking=ranking,
        pipeline=pipeline,
        labels=labels,
        names=names,
        behaviour=behaviour,
        live_events=live_events,
        suggestions=suggestions,
        quality=quality,
        recommendations=Recommendations(
            folder.recommender,
            store.get,
            engine.view,
            live_events,
            settings.ranking.diversity,
            settings.ranking.freshness,
            rules,
        ),
    )


def _engine(
    folder: DataFolder, settings: Settings, identity: str, segmenter: Segmenter, *, read_index: bool
) -> tuple[EmbeddedEngine, EncoderChoice]:
    """The engine and its encoder: the shop's own, or while an index of another is read, that one."""

    def engine_for(encoder: str) -> EmbeddedEngine:
        return EmbeddedEngine(
            folder.index, identity, segmenter, settings.search, ann_from=settings.index.ann_from, encoder=encoder
        )

    indexed = engine_for("").published_encoder() if read_index else ""
    chosen = choose_encoder(folder, settings.encoder, indexed)
    return engine_for(chosen.identity), chosen
