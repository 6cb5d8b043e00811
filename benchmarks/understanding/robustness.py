"""Section `robustness`: what typing badly, or otherwise, costs intent, category and entities, in points.

A folder is one that the section `intent`, `category` or `entities` runs on, and is read as there. The classifier or
tagger is the one that stands in that section's figures, trained once and then asked for a part of its test texts, as
they are and changed in one way each:

    typos    one letter is the neighbouring key's, doubled or missing (`lingsou.training.augment`)
    sound    one Chinese word is written in pinyin, or one character is another that sounds the same
    width    all of it in full width
    case     all of it in capitals
    order    two neighbouring words change places

Texts that a change leaves alone count as they are. A tagger learns from the dev part, to keep this to minutes.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.understanding import category, entities, intent
from benchmarks.understanding.section import Options, Section
from lingsou.training.augment import Edit, Generator, edited, moved, perturb
from lingsou.training.examples import Splits, TagSet
from lingsou.training.robustness import perturbed

SOUND = "sound"
_DRAWN = {"typos": "keyboard", SOUND: "pinyin", "order": "swap"}
"""Changes that chance decides → their names in the training system."""
_WIDE = {place: place + 0xFEE0 for place in range(0x21, 0x7F)} | {0x20: 0x3000}
_FORMS: Mapping[str, Callable[[str], str]] = {"width": lambda text: text.translate(_WIDE), "case": str.upper}
KINDS = ("typos", SOUND, "width", "case", "order")
_MOST = 500
"""Test texts that are changed; as many, drawn by the seed, of a larger part."""
_HELD = 10


class AnyOfThree(Section):
    """Runs where one of the three sections does."""

    def runs_on(self, folder: Path) -> bool:
        """Whether one does."""
        return any(each.runs_on(folder) for each in (intent.SECTION, category.SECTION, entities.SECTION))


def measure(folder: Path, options: Options) -> Mapping[str, Any]:
    """The parts that the folder has the data of."""
    parts = (("intent", intent, of_intent), ("category", category, of_category), ("entities", entities, of_entities))
    return {name: of(folder, options.seeds[0]) for name, module, of in parts if module.SECTION.runs_on(folder)}


def of_intent(folder: Path, seed: int) -> dict[str, Any]:
    """Accuracy of `both` of the setting `full`."""
    parts, full = intent.of_all_rows(folder, seed)
    rows = [parts.test[row] for row in drawn(len(parts.test), seed)]
    expected = intent.numbers(rows, full.labels)

    def accuracy(texts: Sequence[str]) -> float:
        return float((full.chances(texts)["both"].argmax(axis=1) == expected).mean())

    return of_texts([text for text, _ in rows], accuracy, seed)


def of_category(folder: Path, seed: int) -> dict[str, Any]:
    """Accuracy of `both` on the first fold."""
    rows = category.folded(folder, seed)
    read = category.learned(rows, 0, intent.vectors_of())
    held = np.flatnonzero(rows.fold == 0)
    held = held[drawn(len(held), seed)]

    def accuracy(titles: Sequence[str]) -> float:
        found = read(titles)
        return float(((found["tfidf"] + found["head"]).argmax(axis=1) == rows.expected[held]).mean())

    return of_texts([rows.titles[row] for row in held.tolist()], accuracy, seed)


def of_entities(folder: Path, seed: int) -> dict[str, Any]:
    """Span F1 of `together`, trained on the dev part."""
    splits = entities.splits_of(folder)
    rows = np.arange(len(splits.validation))
    held = rows % _HELD == _HELD - 1
    own = Splits(splits.validation.take(rows[~held]), splits.validation.take(rows[held]), splits.test)
    tagger = entities.trained(own, entities.recipe(seed))
    test = splits.test.take(drawn(len(splits.test), seed))

    def span_f1(examples: TagSet) -> float:
        return entities.f1(examples, tagger.spans(examples)["together"])

    changed = {kind: changed_tags(test, kind, seed) for kind in KINDS}
    counts = {kind: share_changed(test.texts, each.texts) for kind, each in changed.items()}
    return losses(span_f1(test), {kind: span_f1(each) for kind, each in changed.items() if counts[kind]}, counts)


def of_texts(texts: Sequence[str], accuracy: Callable[[Sequence[str]], float], seed: int) -> dict[str, Any]:
    """What each change costs."""
    changed = {kind: changed_texts(texts, kind, seed) for kind in KINDS}
    counts = {kind: share_changed(texts, each) for kind, each in changed.items()}
    return losses(accuracy(texts), {kind: accuracy(each) for kind, each in changed.items() if counts[kind]}, counts)


def losses(as_typed: float, found: Mapping[str, float], counts: Mapping[str, float]) -> dict[str, Any]:
    """The figure as typed, and of each change what it costs in points and the share of texts that it changed."""
    told = {kind: {"loss": 100 * (as_typed - value), "changed": counts[kind]} for kind, value in found.items()}
    return {"as_typed": as_typed, **told}


def changed_texts(texts: Sequence[str], kind: str, seed: int) -> list[str]:
    """The texts changed in one way."""
    if kind in _FORMS:
        return [_FORMS[kind](text) for text in texts]
    rng = _chance(kind, seed)
    return [perturb(text, _DRAWN[kind], rng) for text in texts]


def changed_tags(examples: TagSet, kind: str, seed: int) -> TagSet:
    """Texts and their spans changed in one way."""
    if kind not in _FORMS:
        return perturbed(examples, _DRAWN[kind], _chance(kind, seed))
    form = _FORMS[kind]
    texts, spans = [], []
    for text, own in zip(examples.texts, examples.spans, strict=True):
        edits = [Edit(place, place + 1, form(letter)) for place, letter in enumerate(text) if form(letter) != letter]
        places = moved(own, edits)
        assert places is not None  # a single character is never across a border
        texts.append(edited(text, edits))
        spans.append(places)
    return TagSet(tuple(texts), tuple(spans))


def share_changed(before: Sequence[str], after: Sequence[str]) -> float:
    """Of the texts."""
    return sum(old != new for old, new in zip(before, after, strict=True)) / max(len(before), 1)


def drawn(n: int, seed: int) -> Any:
    """Row numbers of at most `_MOST` rows, in order."""
    return np.sort(np.random.default_rng(seed).permutation(n)[:_MOST])


def _chance(kind: str, seed: int) -> Generator:
    return np.random.default_rng([seed, *kind.encode()])


SECTION = AnyOfThree("robustness", ("test texts",), measure)
