"""Texts as other shoppers would have written them: for training on more than was collected, and to test robustness.

| name | what it does to a text |
|---|---|
| `synonym` | one thing gets another of its names: the shop's synonyms, and the package's bilingual tables |
| `keyboard` | one letter is the neighbouring key's, doubled, or missing |
| `pinyin` | one Chinese word is written in pinyin, or one character is another that sounds the same |
| `swap` | two neighbouring words change places |
| `case-width` | all letters in capitals, in small letters, or in full width |
| `entity` | a tagged span becomes another one of its kind; changes rows of tags alone |
| `translation` | there and back through another language, by an LLM; leaves rows of tags alone |

Everything is decided by the given generator. A perturbation is a list of edits, so tagged spans move with the text.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np

from lingsou.core.errors import ConfigurationError
from lingsou.query.phrases import PhraseTable, longest_matches
from lingsou.query.tables import concepts
from lingsou.query.tokens import NameTokeniser, key_of, segment_borders, tokenise
from lingsou.retrieval.suggest.romanise import cut, squashed, words
from lingsou.rules.schema import Rule, Synonyms
from lingsou.text.normalise import HAN, has_han
from lingsou.text.segment import Segmenter
from lingsou.training.examples import ExampleSet, HistorySet, LabelSet, PairSet, Span, TagSet, TextSet

S = TypeVar("S", bound=ExampleSet)
Generator = np.random.Generator
PERTURBATIONS = ("synonym", "keyboard", "pinyin", "swap", "case-width")
"""Those that need nothing but the text."""

AUGMENTATIONS = (*PERTURBATIONS, "entity", "translation")
_NEIGHBOURS = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok", "o": "ipl",
    "p": "ol", "a": "qsz", "s": "awdx", "d": "sefc", "f": "drgv", "g": "fthb", "h": "gyjn", "j": "hukm", "k": "jil",
    "l": "kop", "z": "asx", "x": "zsdc", "c": "xdfv", "v": "cfgb", "b": "vghn", "n": "bhjm", "m": "njk",
}  # fmt: skip
_WIDE = {place: place + 0xFEE0 for place in range(0x21, 0x7F)} | {0x20: 0x3000}


class Edit(NamedTuple):
    """The characters `start` to `end` (exclusive) of a text become `text`."""

    start: int
    end: int
    text: str


Perturbation = Callable[[str, Generator], Sequence[Edit]]
"""Edits that do not overlap, in order; none where the text has nothing to change."""


def perturb(text: str, kind: str, rng: Generator) -> str:
    """The text changed by one of `PERTURBATIONS`, or as it is where there is nothing to change.

    Raises:
        ConfigurationError: there is no such perturbation.
    """
    perturbation = _package_synonyms() if kind == "synonym" else _PLAIN.get(kind)
    if perturbation is None:
        raise _unknown(kind, PERTURBATIONS)
    return edited(text, perturbation(text, rng))


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The text after the edits; as it was where they would leave nothing of it."""
    pieces: list[str] = []
    done = 0
    for edit in edits:
        pieces += [text[done : edit.start], edit.text]
        done = edit.end
    changed = "".join([*pieces, text[done:]])
    return changed if changed.strip() else text


def moved(spans: Sequence[Span], edits: Sequence[Edit]) -> tuple[Span, ...] | None:
    """Where the spans are after the edits; none if an edit reaches over the border of a span or leaves one empty."""
    found: list[Span] = []
    for span in spans:
        start, end = span.start, span.end
        for edit in edits:
            by = len(edit.text) - (edit.end - edit.start)
            if edit.end <= span.start:
                start, end = start + by, end + by
            elif span.start <= edit.start and edit.end <= span.end:
                end += by
            elif edit.start < span.end:
                return None
        if start >= end:
            return None
        found.append(Span(start, end, span.kind))
    return tuple(found)


class Augmenter:
    """Changes a share of the rows of a set, each time it is asked."""

    def __init__(
        self,
        shares: Mapping[str, float],
        *,
        rules: Iterable[Rule] = (),
        translate: Callable[[Sequence[str]], Sequence[str]] | None = None,
    ):
        """Make one.

        Args:
            shares: of `AUGMENTATIONS`, the share of rows that each changes.
            rules: the shop's, for its synonyms.
            translate: texts there and back through another language.

        Raises:
            ConfigurationError: an unknown name, or `translation` without an LLM.
        """
        for name in shares:
            if name not in AUGMENTATIONS:
                raise _unknown(name, AUGMENTATIONS)
        if "translation" in shares and translate is None:
            raise ConfigurationError(
                "The augmentation 'translation' needs an LLM, and there is none.",
                field="train.augment.translation",
                cure="Set llm.url and llm.model and name the shop (--data), or remove it from [train.augment].",
            )
        self._shares = dict(shares)
        self._translate = translate or list
        own = [names for rule in rules if rule.enabled for names in _shop_names(rule)]
        self._perturbations: dict[str, Perturbation] = dict(_PLAIN)
        if "synonym" in shares:
            self._perturbations["synonym"] = SynonymTable(_segmenter(), own) if own else _package_synonyms()

    def __call__(self, examples: S, rng: Generator) -> S:
        """The set with some of its texts changed: of pairs the queries, of histories the products' texts.

        Rows, labels, grades and slices stay; tagged spans are where their words are.
        """
        if not self._shares:
            return examples
        changed: ExampleSet = examples
        if isinstance(examples, PairSet):
            changed = replace(examples, queries=self._texts(examples.queries, rng))
        elif isinstance(examples, TagSet):
            changed = self._tagged(examples, rng)
        elif isinstance(examples, LabelSet | TextSet | HistorySet):
            changed = replace(examples, texts=self._texts(examples.texts, rng))
        assert isinstance(changed, type(examples))
        return changed

    def _texts(self, texts: Sequence[str], rng: Generator) -> tuple[str, ...]:
        found = list(texts)
        for name, share in self._shares.items():
            rows = np.flatnonzero(rng.random(len(found)) < share).tolist()
            if name == "translation":
                for row, text in zip(rows, self._translate([found[row] for row in rows]), strict=True):
                    found[row] = text.strip() or found[row]
            elif name != "entity":
                for row in rows:
                    found[row] = edited(found[row], self._perturbations[name](found[row], rng))
        return tuple(found)

    def _tagged(self, examples: TagSet, rng: Generator) -> TagSet:
        phrases: dict[str, list[str]] = defaultdict(list)
        for text, spans in zip(examples.texts, examples.spans, strict=True):
            for span in spans:
                phrases[span.kind].append(text[span.start : span.end])
        rows = [
            self._row(text, spans, phrases, rng) for text, spans in zip(examples.texts, examples.spans, strict=True)
        ]
        return replace(examples, texts=tuple(text for text, _ in rows), spans=tuple(spans for _, spans in rows))

    def _row(
        self, text: str, spans: tuple[Span, ...], phrases: Mapping[str, Sequence[str]], rng: Generator
    ) -> tuple[str, tuple[Span, ...]]:
        for name, share in self._shares.items():
            if rng.random() >= share or name == "translation":
                continue
            edits = (
                _other_entity(text, spans, phrases, rng) if name == "entity" else self._perturbations[name](text, rng)
            )
            places = moved(spans, edits)
            if places is not None and edits:
                text, spans = edited(text, edits), places
        return text, spans


class SynonymTable:
    """Other names of the things that a text names, by the package's tables and the shop's synonyms."""

    def __init__(self, segmenter: Segmenter, own: Iterable[tuple[Sequence[str], Sequence[str]]] = ()):
        """Make one of the tables, and of the shop's (words, what else they may be called)."""
        self._segmenter = segmenter
        self._table: PhraseTable[list[str]] = PhraseTable()
        terms = NameTokeniser(segmenter)
        tables = [(concept.names, concept.names) for concept in concepts()]
        for named, others in [*own, *tables]:
            for name in named:
                # A name of two things (`notebook`) keeps the first: the shop's own come before all.
                self._table.setdefault(key_of(terms(name)), [other for other in others if other != name])
        self._table.freeze()

    def __call__(self, text: str, rng: Generator) -> list[Edit]:
        """One of the text's things under another name."""
        tokens = tokenise(text, self._segmenter)
        borders = segment_borders(text, self._segmenter)
        found: list[tuple[int, int, list[str]]] = []
        for first, last, others in longest_matches(self._table, tokens):
            start, end = tokens[first].start, tokens[last - 1].end
            # `包` inside `面包` is no bag.
            if others and (not tokens[first].han or {start, end} <= borders):
                found.append((start, end, others))
        if not found:
            return []
        start, end, others = found[int(rng.integers(len(found)))]
        return [Edit(start, end, others[int(rng.integers(len(others)))])]


def _keyboard(text: str, rng: Generator) -> list[Edit]:
    letters = [place for place, letter in enumerate(text) if letter.lower() in _NEIGHBOURS]
    places = letters or [place for place, letter in enumerate(text) if HAN.match(letter)]
    if len(places) < 2:
        return []
    place = places[int(rng.integers(len(places)))]
    letter = text[place]
    # Characters have no neighbours on a keyboard; what sounds alike is `pinyin`.
    choices = ["", letter * 2]
    if letters:
        near = _NEIGHBOURS[letter.lower()]
        slip = near[int(rng.integers(len(near)))]
        choices += [slip.upper() if letter.isupper() else slip] * 2
    return [Edit(place, place + 1, choices[int(rng.integers(len(choices)))])]


def _pinyin(text: str, rng: Generator) -> list[Edit]:
    found = [(start, end) for start, end in _words(text) if all(map(HAN.match, text[start:end]))]
    if not found:
        return []
    start, end = found[int(rng.integers(len(found)))]
    word = text[start:end]
    if rng.random() < 0.5:
        return [Edit(start, end, squashed(word))]
    place = start + int(rng.integers(len(word)))
    alike = [other for other in _homophones().get(squashed(text[place]), ()) if other != text[place]]
    return [Edit(place, place + 1, alike[int(rng.integers(len(alike)))])] if alike else []


def _swap(text: str, rng: Generator) -> list[Edit]:
    found: list[Edit] = []
    for (start, middle), (next_, end) in pairwise(_words(text)):
        one, between, two = text[start:middle], text[middle:next_], text[next_:end]
        apart = not _is_latin(text[start - 1 : start] + two[0]) and not _is_latin(one[-1] + text[end : end + 1])
        if apart and not between.strip() and one != two:
            found.append(Edit(start, end, two + between + one))
    return [found[int(rng.integers(len(found)))]] if found else []


def _is_latin(border: str) -> bool:
    """Whether two characters beside each other would make one word of two."""
    return len(border) == 2 and border.isascii() and border.isalnum()


def _case_width(text: str, rng: Generator) -> list[Edit]:
    forms = [
        [Edit(place, place + 1, form(letter)) for place, letter in enumerate(text) if form(letter) != letter]
        for form in (str.upper, str.lower, _wide)
    ]
    changing = [edits for edits in forms if edits]
    return changing[int(rng.integers(len(changing)))] if changing else []


def _wide(letter: str) -> str:
    return letter.translate(_WIDE)


def _other_entity(text: str, spans: Sequence[Span], phrases: Mapping[str, Sequence[str]], rng: Generator) -> list[Edit]:
    """One of the spans under another phrase of its kind, as often as that occurs, in the same script."""
    if not spans:
        return []
    span = spans[int(rng.integers(len(spans)))]
    own = text[span.start : span.end]
    others = [each for each in phrases[span.kind] if each != own and has_han(each) == has_han(own)]
    return [Edit(span.start, span.end, others[int(rng.integers(len(others)))])] if others else []


_PLAIN: Mapping[str, Perturbation] = {
    "keyboard": _keyboard,
    "pinyin": _pinyin,
    "swap": _swap,
    "case-width": _case_width,
}


def _words(text: str) -> list[tuple[int, int]]:
    return words(cut(text, _segmenter()))


@cache
def _segmenter() -> Segmenter:
    return Segmenter()


@cache
def _package_synonyms() -> SynonymTable:
    return SynonymTable(_segmenter())


@cache
def _homophones() -> Mapping[str, Sequence[str]]:
    """Pinyin without tones → the common characters that sound so: level 1 of GB 2312, 3,755 of them."""
    found: dict[str, list[str]] = defaultdict(list)
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            character = bytes((high, low)).decode("gb2312", "ignore")
            if character:
                found[squashed(character)].append(character)
    return dict(found)


def _shop_names(rule: Rule) -> list[tuple[Sequence[str], Sequence[str]]]:
    return [(each.words, each.to or each.words) for each in rule.then if isinstance(each, Synonyms)]


def _unknown(name: str, known: Sequence[str]) -> ConfigurationError:
    return ConfigurationError(
        f"There is no augmentation '{name}'.", field="train.augment", cure=f"Use any of: {', '.join(known)}."
    )
