"""What learned heads say of a query: intent, category, sentiment and named spans, from the pass that gives its vector.

The heads of the encoder in production are read by their role; where none tells the intent, the default head does, from
the vector. Without a vector in time there is nothing to read, and the plan stays what words and rules make of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from lingsou.core.errors import LingsouError
from lingsou.core.plan import Attribution, IntentBelief, QueryPlan, SentimentBelief
from lingsou.encoders import Encoder, HeadedEncoder, HeadOutputs, read_heads
from lingsou.encoders.manifest import HeadManifest, HeadRole
from lingsou.models.character_classes import CharacterClasses
from lingsou.models.logistic import softmax
from lingsou.pipeline.intents import ClassHead, known_head, learn_head
from lingsou.pipeline.tagging import Tagger
from lingsou.query.intents import IntentRules, intent_lines, with_rules
from lingsou.query.labels import QueryLabels, overruled
from lingsou.query.lexicon import CatalogLexicon
from lingsou.query.tagged import Tagged, in_text, merged
from lingsou.text.segment import Segmenter

BUILT_IN, HEAD = "built-in", "head"
_KINDS: Mapping[HeadRole, str] = {
    "intent": "classes",
    "category": "classes",
    "sentiment": "classes",
    "entities": "tags",
}
_LEAST_PROBABILITY = 0.001
_LEAST_SHARE = 0.1
"""Of characters beside an encoder, where they are to decide alone."""
_MOST_WORDS = 32
"""Words of one query that are left out in turn for an explanation; each costs a forward pass."""

Probabilities = Mapping[str, float]


@dataclass(frozen=True)
class Said:
    """What heads say of one text. Distributions are by meaning; spans are into the text."""

    beliefs: Mapping[str, Probabilities] = field(default_factory=dict)
    """Role (`intent`, `category`, `sentiment`) → what it may be → probability."""
    spans: tuple[Tagged, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    """Role → `head` or `built-in`."""


NOTHING_SAID = Said()


@dataclass(frozen=True)
class _Classes:
    """A head of kind `classes`, and what decides by characters beside it."""

    name: str
    head: HeadManifest
    characters: CharacterClasses | None

    def beliefs(self, text: str, outputs: HeadOutputs | None) -> Probabilities | None:
        """By meaning; without the encoder's outputs, as far as characters know."""
        if self.characters is None:
            return None if outputs is None else _by_meaning(self.head, softmax(outputs.logits[self.name]))
        logits = self.characters.logits(text)
        if outputs is None:
            return _by_meaning(self.head, softmax(logits / max(1.0 - self.head.share, _LEAST_SHARE)))
        return _by_meaning(self.head, softmax(outputs.logits[self.name] + logits))


@dataclass(frozen=True)
class _Opened:
    """The heads of one encoder, ready to be read."""

    classes: Mapping[str, _Classes]
    """By role."""
    tagger: Tagger | None
    intents: ClassHead | None


class Heads:
    """Reads heads. Says nothing before `open`; safe to share between threads.

    Args:
        folder: keeps the default intent head where the package has none for the encoder.
        labels: the shop's own, from which the default intent head learns too.
        rules: evidence of intent beside the heads.
    """

    def __init__(self, folder: Path, labels: QueryLabels, rules: IntentRules | None = None):
        self._folder = folder
        self._labels = labels
        self._rules = rules
        self._opened: _Opened | None = None
        self._learned_of = -1

    def open(self, encoder: Encoder) -> None:
        """Take up the heads of an encoder; the default intent head too, where it has none and one is known."""
        found: dict[str, _Classes] = {}
        tagger = None
        if isinstance(encoder, HeadedEncoder):
            for name, head in encoder.heads.items():
                role = role_of(name, head)
                if role is None or role in found or head.kind != _KINDS[role]:
                    continue
                if role == "entities":
                    tagger = tagger or _tagger(encoder, name, head)
                else:
                    found[role] = _Classes(name, head, _characters(encoder, name))
        intents = None
        if "intent" not in found:
            own = self._lines()
            intents = known_head(self._folder, encoder, own) or known_head(self._folder, encoder, intent_lines())
        self._opened = _Opened(found, tagger, intents)

    def learn(self, encoder: Encoder | None) -> None:
        """Fit the default intent head, if it is needed and not known, or the shop's labels changed: takes seconds.

        To be called again and again, by one thread; does nothing before `open`.
        """
        opened, version = self._opened, self._labels.version
        if encoder is None or opened is None or "intent" in opened.classes or version == self._learned_of:
            return
        intents = learn_head(self._folder, encoder, self._lines())
        self._opened, self._learned_of = replace(opened, intents=intents), version

    def say(self, text: str, outputs: HeadOutputs | None) -> Said:
        """What the heads make of the forward pass of `text`; without one, what can be told by its characters."""
        opened = self._opened
        if opened is None or not text:
            return NOTHING_SAID
        spans = tuple(opened.tagger.spans(text, outputs)) if opened.tagger else ()
        beliefs: dict[str, Probabilities] = {}
        sources: dict[str, str] = {}
        for role, classes in opened.classes.items():
            found = classes.beliefs(text, outputs)
            if found is not None:
                beliefs[role], sources[role] = found, HEAD
        if outputs is not None and "intent" not in beliefs and opened.intents is not None:
            chances = opened.intents.probabilities(outputs.sentence)
            beliefs["intent"] = dict(zip(opened.intents.labels, chances.tolist(), strict=True))
            sources["intent"] = BUILT_IN
        return Said(beliefs, spans, sources)

    def read(self, plan: QueryPlan, said: Said, lexicon: CatalogLexicon, segmenter: Segmenter) -> QueryPlan:
        """The plan with intents, sentiment and entities; the category is blended later, with what a search finds."""
        update: dict[str, object] = {}
        if not overruled(plan.intents):
            intents = _intents(said)
            rules = self._rules(plan) if self._rules else ()
            if rules:
                intents = with_rules(intents, rules)
            update["intents"] = intents
        if not overruled(plan.sentiment) and "sentiment" in said.beliefs:
            update["sentiment"] = tuple(
                SentimentBelief(sentiment=name, probability=chance, source=said.sources["sentiment"])
                for name, chance in _ranked(said.beliefs["sentiment"])
            )
        label = self._labels.of(plan.raw)
        if said.spans and (label is None or label.entities is None):
            spans = list(in_text(said.spans, plan.text, plan.read))
            update["entities"] = merged(plan.read, plan.entities, spans, lexicon, segmenter)
        return plan.model_copy(update=update)

    def attributions(self, text: str, encoder: Encoder, segmenter: Segmenter) -> tuple[Attribution, ...]:
        """What each word does for the likeliest belief of each head, by what the head says without the word.

        Source: occlusion; Zeiler & Fergus, "Visualizing and understanding convolutional networks", ECCV 2014. Costs
        a forward pass a word.
        """
        words = list(_words(text, segmenter))[:_MOST_WORDS]
        without = [f"{text[:start]} {text[end:]}".strip() for start, end in words]
        texts = [text, *without]
        whole, *rest = map(self.say, texts, read_heads(encoder, texts))
        found = []
        for role, chances in whole.beliefs.items():
            label, chance = max(chances.items(), key=lambda item: item[1])
            for (start, end), said in zip(words, rest, strict=True):
                change = round(chance - said.beliefs.get(role, {}).get(label, 0.0), 4)
                found.append(
                    Attribution(start=start, end=end, surface=text[start:end], head=role, label=label, change=change)
                )
        return tuple(found)

    def _lines(self) -> list[tuple[str, str]]:
        own = [(label.intent, label.query) for label in self._labels.all() if label.intent is not None]
        told = {line for _, line in own}
        return [*((intent, line) for intent, line in intent_lines() if line not in told), *own]


def role_of(name: str, head: HeadManifest) -> HeadRole | None:
    """What understanding reads a head as; none: nothing of its own."""
    if head.role is not None:
        return head.role
    return next((role for role in _KINDS if role == name), None)


def _characters(encoder: HeadedEncoder, name: str) -> CharacterClasses | None:
    """What stands beside a head of classes; the head alone decides where that cannot be read."""
    try:
        arrays = encoder.characters(name)
        return CharacterClasses.load(arrays) if arrays else None
    except LingsouError as error:
        structlog.get_logger("lingsou.heads").error("words beside a head are not used", head=name, error=str(error))
        return None


def _tagger(encoder: HeadedEncoder, name: str, head: HeadManifest) -> Tagger | None:
    try:
        return Tagger.of(encoder, name, head)
    except LingsouError as error:
        structlog.get_logger("lingsou.heads").error("a tagger is not used", head=name, error=str(error))
        return None


def _by_meaning(head: HeadManifest, chances: NDArray[np.float64]) -> Probabilities:
    """Labels of one meaning are one; what means nothing is left out."""
    found: dict[str, float] = {}
    for label, chance in zip(head.labels, chances.tolist(), strict=True):
        meaning = head.meanings.get(label, label)
        if meaning:
            found[meaning] = found.get(meaning, 0.0) + chance
    return found


def _intents(said: Said) -> tuple[IntentBelief, ...]:
    source = said.sources.get("intent", "")
    return tuple(
        IntentBelief(intent=name, probability=chance, source=source)
        for name, chance in _ranked(said.beliefs.get("intent", {}))
    )


def _ranked(chances: Probabilities) -> list[tuple[str, float]]:
    """The likeliest first; rounding down keeps the sum at most 1."""
    ranked = sorted(chances.items(), key=lambda item: (-item[1], item[0]))
    return [(name, int(chance * 10_000) / 10_000) for name, chance in ranked if chance >= _LEAST_PROBABILITY]


def _words(text: str, segmenter: Segmenter) -> Sequence[tuple[int, int]]:
    """The words of a text; of overlapping ones the shorter ones, as the segmenter cuts them."""
    found: list[tuple[int, int]] = []
    for span in sorted(segmenter.spans(text), key=lambda each: (each.end - each.start, each.start)):
        if all(span.end <= start or end <= span.start for start, end in found):
            found.append((span.start, span.end))
    return sorted(found)
