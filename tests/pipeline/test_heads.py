"""Learned heads in the plan: read in the pass that gives the vector, explained word by word, and overruled."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lingsou.catalog.store import Store
from lingsou.core.database import sqlite_url
from lingsou.core.plan import QueryPlan
from lingsou.core.settings import IndexSettings, SearchSettings
from lingsou.core.types import SearchRequest
from lingsou.encoders.encoder import HeadedEncoder, HeadOutputs, TextKind
from lingsou.encoders.manifest import HeadManifest
from lingsou.models.character_classes import CharacterClasses, grams_of
from lingsou.models.tagger import bio_tags
from lingsou.pipeline.encoding import QueryEncoder
from lingsou.pipeline.heads import Heads, role_of
from lingsou.pipeline.intents import ClassHead, fit_head, known_head, learn_head
from lingsou.pipeline.search import SearchPipeline
from lingsou.pipeline.understanding import Understanding
from lingsou.query.intents import INTENTS, intent_cues
from lingsou.query.labels import QueryLabels, new_label
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.indexer import Indexer
from lingsou.testing.catalogue import tiny_catalogue
from lingsou.testing.encoder import HashEncoder
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
TAGS = bio_tags(["HP", "MISC"])
HEADS = {
    "mood": HeadManifest(kind="classes", output="head.mood", labels=("bad", "good"), role="sentiment"),
    "category": HeadManifest(kind="classes", output="head.category", labels=("laptops", "elsewhere")),
    "entities": HeadManifest(
        kind="tags", output="head.entities", labels=TAGS, transitions="t", meanings={"HP": "brand", "MISC": ""}
    ),
    "colour": HeadManifest(kind="classes", output="head.colour", labels=("red", "blue")),
}


class Headed(HashEncoder):
    """Good where `nice` stands, laptops where `laptop` does; `zonk` is a brand, `odd` is something else."""

    def __init__(self, characters: Mapping[str, Mapping[str, NDArray[np.generic]]] | None = None) -> None:
        super().__init__()
        self.heads: Mapping[str, HeadManifest] = HEADS
        self._characters = characters or {}
        self.passes: list[str] = []

    def transitions(self, head: str) -> Mapping[str, NDArray[np.float32]]:
        shapes = {"start": (len(TAGS),), "end": (len(TAGS),), "transitions": (len(TAGS), len(TAGS))}
        return {name: np.zeros(shape, np.float32) for name, shape in shapes.items() if head == "entities"}

    def characters(self, head: str) -> Mapping[str, NDArray[np.generic]]:
        return self._characters.get(head, {})

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise AssertionError("one forward pass gives vector and heads")

    def encode_heads(self, texts: Sequence[str], kind: TextKind = "query") -> list[HeadOutputs]:
        self.passes += texts
        return [self._read(text, vector) for text, vector in zip(texts, self._encode(texts), strict=True)]

    def _read(self, text: str, vector: NDArray[np.float32]) -> HeadOutputs:
        tags = np.zeros((len(text), len(TAGS)), np.float32)
        tags[:, 0] = 4
        for word, tag in (("zonk", "HP"), ("odd", "MISC")):
            if (start := text.find(word)) >= 0:
                tags[start : start + len(word), TAGS.index(f"I-{tag}")] = 9
                tags[start, TAGS.index(f"B-{tag}")] = 9
                tags[start, TAGS.index(f"I-{tag}")] = 0
        starts = np.arange(len(text), dtype=np.int32)
        logits = {
            "mood": np.array([0, 2 if "nice" in text else -2], np.float32),
            "category": np.array([3 if "laptop" in text else -3, 0], np.float32),
            "entities": tags,
            "colour": np.zeros(2, np.float32),
        }
        return HeadOutputs(logits, np.stack([starts, starts + 1], axis=1), vector)


@contextmanager
def searching(folder: Path, encoder: HashEncoder, **options: object) -> Iterator[tuple[SearchPipeline, Heads]]:
    labels = QueryLabels(folder / "labels.jsonl")
    with Store.open(sqlite_url(folder / "store.sqlite3")) as store:
        store.upsert(tiny_catalogue())
        engine = EmbeddedEngine(folder / "index", store.identity(), SEGMENTER, SearchSettings())
        Indexer(store, engine, IndexSettings(), lambda: None).catch_up()
        heads = Heads(folder / "heads", labels, **options)  # type: ignore[arg-type]
        queries = QueryEncoder(lambda: encoder, budget_ms=10_000, cache=100, opened=heads.open)
        understanding = Understanding(engine, SEGMENTER, "CNY", heads, labels)
        understanding.refresh()
        queries.open()
        try:
            yield SearchPipeline(store, engine, SEGMENTER, queries, understanding), heads
        finally:
            queries.close()


def understood(pipeline: SearchPipeline, words: str) -> QueryPlan:
    plan = pipeline.understand(words)
    assert plan is not None
    return plan


def test_an_encoder_with_heads_keeps_the_protocol() -> None:
    assert isinstance(Headed(), HeadedEncoder)
    assert not isinstance(HashEncoder(), HeadedEncoder)
    assert [role_of(name, head) for name, head in HEADS.items()] == ["sentiment", "category", "entities", None]


def test_one_pass_of_a_search_tells_all(tmp_path: Path) -> None:
    encoder = Headed()
    with searching(tmp_path, encoder) as (pipeline, _):
        plan = pipeline.search(SearchRequest(q="nice zonk laptop odd")).plan
        assert plan is not None
        assert encoder.passes == ["nice zonk laptop odd"]
        assert pipeline.search(SearchRequest(q="nice zonk laptop odd")).plan == plan
        assert len(encoder.passes) == 1, "the second search finds both in the cache"
    assert [(each.sentiment, each.probability, each.source) for each in plan.sentiment] == [
        ("good", 0.8807, "head"),
        ("bad", 0.1192, "head"),
    ]
    (zonk,) = (each for each in plan.entities if each.source == "tagger")
    assert (zonk.surface, zonk.kind, zonk.values) == ("zonk", "brand", ())
    assert zonk.confidence > 0.9
    likely = plan.categories[0]
    assert likely.category.rpartition(" > ")[2].lower() == "laptops"
    assert "head" in likely.source.split("+")
    assert sum(each.probability for each in plan.categories) <= 1


def test_without_the_encoder_the_plan_is_that_of_the_words(tmp_path: Path) -> None:
    with searching(tmp_path, Headed()) as (pipeline, _):
        plan = understood(pipeline.without("encoder"), "nice zonk laptop")
    assert (plan.intents, plan.sentiment, plan.attributions) == ((), (), ())
    assert not any("tagger" in each.source for each in plan.entities)


def moody() -> Headed:
    """`awful` is worth two to `bad` beside the head of moods."""
    keys, _ = grams_of("awful")
    of = CharacterClasses(keys, np.ones(len(keys)), np.tile([1.0, 0.0], (len(keys), 1)), np.zeros(2))
    encoder = Headed({"mood": of.times(2.0 / of.logits("awful")[0]).arrays()})
    encoder.heads = {**HEADS, "mood": HEADS["mood"].model_copy(update={"share": 0.2})}
    return encoder


def test_characters_are_added_to_what_a_head_says(tmp_path: Path) -> None:
    with searching(tmp_path, moody()) as (pipeline, _):
        plan = understood(pipeline, "awful")
        late = understood(pipeline.without("encoder"), "awful")
    said = {each.sentiment: each.probability for each in plan.sentiment}
    assert said["bad"] == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-3)  # 2 of the head, 2 of the word
    alone = {each.sentiment: each.probability for each in late.sentiment}
    assert alone["bad"] == pytest.approx(1 / (1 + np.exp(-2.5)), abs=1e-3)  # 2, which is 0.8 of what it says alone
    assert late.intents == ()


def test_damaged_characters_leave_the_head_alone(tmp_path: Path) -> None:
    with searching(tmp_path, Headed({"mood": {"keys": np.zeros(1, np.uint64)}})) as (pipeline, _):
        plan = understood(pipeline, "nice")
    assert (plan.sentiment[0].sentiment, plan.sentiment[0].probability) == ("good", 0.8807)


def test_the_default_head_tells_the_intent(tmp_path: Path) -> None:
    with searching(tmp_path, HashEncoder()) as (pipeline, heads):
        assert understood(pipeline, "how much is the laptop").intents == (), "not learned yet"
        heads.learn(pipeline._encoder.encoder if pipeline._encoder else None)
        intents = understood(pipeline, "how much is the laptop").intents
        kept = list((tmp_path / "heads").iterdir())
        assert len(kept) == 1
    assert intents[0].intent == "ask_price"
    assert {each.source for each in intents} == {"built-in"}
    assert {each.intent for each in intents} <= set(INTENTS)
    assert sum(each.probability for each in intents) <= 1
    with searching(tmp_path, HashEncoder()) as (pipeline, _):
        assert understood(pipeline, "how much is the laptop").intents == intents, "read from the folder"


def test_a_label_overrules_at_once_and_is_learned_from(tmp_path: Path) -> None:
    with searching(tmp_path, HashEncoder()) as (pipeline, heads):
        labels = QueryLabels(tmp_path / "labels.jsonl")
        labels.add(new_label("flibber", intent="after_sales", category="Computers"))
        for number in range(30):
            labels.add(new_label(f"flibber{number}", intent="after_sales"))
        assert pipeline._understanding is not None
        pipeline._understanding.refresh()
        plan = understood(pipeline, "Flibber")
        assert [(each.intent, each.source) for each in plan.intents] == [("after_sales", "merchandiser")]
        assert [(each.category, each.source) for each in plan.categories] == [("Computers", "merchandiser")]
        heads.learn(HashEncoder())
        assert understood(pipeline, "flibber99").intents[0].intent == "after_sales"


def test_a_label_that_nothing_is_named_holds_against_the_tagger(tmp_path: Path) -> None:
    with searching(tmp_path, Headed()) as (pipeline, _):
        assert any(each.source == "tagger" for each in understood(pipeline, "zonk").entities)
        QueryLabels(tmp_path / "labels.jsonl").add(new_label("zonk", entities=[]))
        assert pipeline._understanding is not None
        pipeline._understanding.refresh()
        assert understood(pipeline, "zonk").entities == ()


def test_one_word_is_explained_too(tmp_path: Path) -> None:
    with searching(tmp_path, Headed()) as (pipeline, _):
        plan = pipeline.understand("nice", explain=True)
    assert plan is not None
    assert [each.surface for each in plan.attributions] == ["nice", "nice"]


def test_rules_are_evidence_with_a_source(tmp_path: Path) -> None:
    with searching(tmp_path, Headed(), rules=intent_cues) as (pipeline, _):
        (belief,) = understood(pipeline.without("encoder"), "how much is the laptop").intents
    assert (belief.intent, belief.probability, belief.source) == ("ask_price", 0.8, "cues")


def test_words_are_explained_by_leaving_them_out(tmp_path: Path) -> None:
    with searching(tmp_path, Headed()) as (pipeline, _):
        plan = pipeline.understand("nice red laptop", explain=True)
    assert plan is not None
    assert {(each.head, each.label) for each in plan.attributions} == {("sentiment", "good"), ("category", "laptops")}
    changes = {(each.head, each.surface): each.change for each in plan.attributions}
    assert changes["sentiment", "nice"] == pytest.approx(0.8808 - 0.1192, abs=1e-3)
    assert changes["sentiment", "red"] == 0
    assert changes["category", "laptop"] == pytest.approx(0.9526 - 0.0474, abs=1e-3)
    assert {each.surface for each in plan.attributions} == {"nice", "red", "laptop"}
    assert all(plan.text[each.start : each.end] == each.surface for each in plan.attributions)


def test_a_fit_is_calibrated_and_the_same_again() -> None:
    rng = np.random.default_rng(0)
    lines = ["a", "b", "c"] * 60
    centres = {name: rng.normal(size=8) for name in "abc"}
    vectors = np.array([centres[name] + rng.normal(size=8) * 0.8 for name in lines], np.float32)
    head = fit_head(vectors, lines)
    assert head.labels == ("a", "b", "c")
    chances = head.probabilities(vectors)
    right = chances.argmax(1) == np.array([head.labels.index(name) for name in lines])
    assert right.mean() > 0.85
    assert chances.max(1).mean() == pytest.approx(right.mean(), abs=0.08)
    again: ClassHead = fit_head(vectors, lines)
    assert np.array_equal(head.linear.weight, again.linear.weight)


def test_a_head_of_other_lines_or_half_a_file_is_not_taken(tmp_path: Path) -> None:
    encoder, lines = (
        HashEncoder(),
        [("find", f"red thing {n}") for n in range(8)] + [("browse", f"b{n}") for n in "abc"],
    )
    first = learn_head(tmp_path, encoder, lines)
    known = known_head(tmp_path, encoder, lines)
    assert known is not None
    assert np.array_equal(known.linear.weight, first.linear.weight)
    assert known_head(tmp_path, encoder, lines[1:]) is None
    assert known_head(tmp_path, HashEncoder(32), lines) is None
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:40])
    assert known_head(tmp_path, encoder, lines) is None
    learn_head(tmp_path, encoder, lines[1:])
    assert len(list(tmp_path.iterdir())) == 1, "the old one is gone"
