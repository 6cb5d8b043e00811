"""A product in the making, and the words it lends to titles and descriptions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from lingsou.demo.titles import Sentence, patterns, say, sentences, title, title_case
from lingsou.demo.vocabulary import Audience, Brand, Colour, Kind, Spec, Term, vocabulary

_BEFORE_NOUN = ("origin", "roast", "animal", "theme", "flavour", "plant", "scent", "finish", "ingredient")
_AFTER_NOUN = (
    *("bed_size", "skin_type", "hair_type", "ball_size", "diaper_size"),
    *("paper_size", "age", "ink", "shade", "pet_age"),
)
_FOR_WHOM = {"skin_type", "hair_type", "pet_age"}
_PARTS = ("short", "open", "facts", "detail", "close")
_FEATURES = ("feature", "feature2", "feature3")
_WHOM = ("audience", "whose", "who")
_CHILD_WORDS = ("kid", "child", "girl", "bab", "women", "school")


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything decided about one product; variants are copies of it that differ in `varied`."""

    kind: Kind
    brand: Brand
    language: str
    nouns: tuple[str, str]
    terms: Mapping[str, Term]
    features: tuple[Term, ...]
    scene: Term
    audience: Audience | None
    audience_zh: str
    colour: Colour | None
    size: str
    series: Term
    model: str
    specs: tuple[tuple[Spec, int], ...]
    price: float
    flags: int
    picks: tuple[int, ...]
    varied: str

    def but(self, **changes: Any) -> "Draft":
        """A copy with some fields changed."""
        return replace(self, **changes)

    @property
    def size_unit(self) -> str | None:
        """Children's clothes are sized by height, shoes by EU number."""
        if self.kind.sizes in ("clothes", "baby") and self.size.isdigit():
            return "cm"
        return {"shoes": "EU", "waist": "inch"}.get(self.kind.sizes)

    def measure(self, spec: Spec, level: int) -> tuple[float, Term]:
        """Value and unit; a thousand gigabytes are called a terabyte."""
        value = spec.values[level]
        return (value / 1024, Term("TB", "TB")) if spec.unit.en == "GB" and value >= 1024 else (value, spec.unit)

    def words(self, side: int) -> dict[str, str]:
        """Slot → text in Chinese (0) or English (1); empty where the product has none."""
        terms, features = self.terms, self.features
        found = {name: term[side] for name, term in terms.items()}
        found["brand"] = self.brand.latin if side else self.brand.zh or self.brand.latin
        found["noun"] = self.nouns[side]
        for place, slot in enumerate(_FEATURES):
            found[slot] = features[place][side] if place < len(features) else ""
        found["scene"] = self.scene[side]
        found["series"] = self.series[side]
        found["model"] = self.model
        found["colour"] = self.colour.term[side] if self.colour else ""
        found["size"] = self._size(side) if self.size else ""
        found["spec"] = (", " if side else " ").join(filter(None, self._measures(side)))
        found["pre"] = (" " if side else "").join([terms[name][side] for name in _BEFORE_NOUN if name in terms])
        found["post"] = (", " if side else " ").join([self._after(name, side) for name in _AFTER_NOUN if name in terms])
        for slot in _WHOM:
            found[slot] = self._whom(slot, side) if self.audience else ""
        return found

    def _size(self, side: int) -> str:
        match self.size_unit:
            case "cm":
                return f"{self.size} cm" if side else f"{self.size}cm"
            case "EU":
                return f"EU {self.size}" if side else f"{self.size}码"
            case "inch":
                return f"Waist {self.size}" if side else f"{self.size}码"
        return f"Size {self.size}" if side else f"{self.size}码"

    def _measures(self, side: int) -> list[str]:
        return [
            self._titled(spec, level, side) for spec, level in self.specs if spec.in_title or spec.name == self.varied
        ]

    def _titled(self, spec: Spec, level: int, side: int) -> str:
        value, unit = self.measure(spec, level)
        if spec.unit.en in ("pack", "cans") and value == 1:
            return ""
        text = spec.titles[side].format(f"{value:g}")
        text = text.replace(spec.unit[side], unit[side]) if unit != spec.unit else text
        return title_case(text) if side else text

    def _after(self, name: str, side: int) -> str:
        text = self.terms[name][side]
        return f"for {text}" if side and name in _FOR_WHOM else text

    def _whom(self, slot: str, side: int) -> str:
        if not self.audience:
            return ""
        noun = self.nouns[side]
        if not side:
            return "" if "女" in noun and self.audience.key == "women" else self.audience_zh
        if any(word in noun for word in _CHILD_WORDS):
            return self.audience.who if slot == "who" and self.audience.key in ("boys", "girls", "students") else ""
        return self.audience.whose if slot == "whose" else self.audience.who


def texts_of(draft: Draft) -> tuple[str, str, str]:
    """Title, short description (one sentence) and description (five to eight, with the product's facts)."""
    side = int(draft.language == "en")
    words = draft.words(side)
    other = draft.words(1) if draft.language == "mixed" else words
    choices = patterns(draft.kind.family, draft.language)
    forced = "spec" if any(spec.name == draft.varied for spec in draft.kind.specs) else draft.varied
    heading = title(
        choices[draft.picks[1] % len(choices)],
        (other if side else words, other),
        side=side,
        flags=draft.flags,
        forced=forced,
    )
    if draft.audience:  # sentences name the audience in full, also where the title left it out
        words["audience"] = draft.audience.term[side]
        words["who"] = other["who"] = draft.audience.who
    text = _description(draft, words, side)
    if draft.language == "mixed":
        text = f"{text} {_sentence(draft, 'short', draft.picks[3] >> 3, other, 1)}"
    return heading, _sentence(draft, "short", draft.picks[2], words, side), text


def _description(draft: Draft, words: Mapping[str, str], side: int) -> str:
    points, picks = draft.kind.points, draft.picks
    first = picks[4] % len(points)
    second = (first + 1 + picks[5] % max(1, len(points) - 1)) % len(points)
    parts = [
        _sentence(draft, "open", picks[3], words, side),
        points[first][side],
        _sentence(draft, "facts", picks[6], words, side),
        points[second][side] if second != first else "",
        _sentence(draft, "detail", picks[7], words, side),
        _parameters(draft, side),
        _sentence(draft, "close", picks[2] >> 3, words, side),
    ]
    return (" " if side else "").join([part for part in parts if part])


@cache
def _choices(kind: Kind) -> dict[str, tuple[Sentence, ...]]:
    """By part, the sentences whose slots every product of the kind can fill."""
    available = {"brand", "noun", "scene", "pre", *kind.slots, *_FEATURES[: len(kind.slots["feature"])]}
    available |= {"audience", "who"} if kind.audiences else set()
    return {part: tuple(s for s in sentences(kind.family, part) if s.slots <= available) for part in _PARTS}


def _sentence(draft: Draft, part: str, pick: int, words: Mapping[str, str], side: int) -> str:
    choices = _choices(draft.kind)[part]
    return say(choices[pick % len(choices)], words, side) if choices else ""


def _parameters(draft: Draft, side: int) -> str:
    labels = vocabulary().labels
    facts = []
    if draft.colour:
        facts.append((labels["colour"][side], draft.colour.term[side]))
    if draft.size:
        facts.append((labels["size"][side], draft._size(side).removeprefix("Size ")))
    facts += [
        (labels[name][side], draft.terms[name][side]) for name in (*_BEFORE_NOUN, *_AFTER_NOUN) if name in draft.terms
    ]
    for spec, level in draft.specs:
        value, unit = draft.measure(spec, level)
        space = " " if side and unit.en else ""
        facts.append((labels[spec.name][side], f"{value:g}{space}{unit[side]}"))
    if not facts:
        return ""
    if side:
        return "Specifications: " + ", ".join(f"{name} {value}" for name, value in facts) + "."
    return "规格参数：" + "，".join(f"{name}{value}" for name, value in facts) + "。"
