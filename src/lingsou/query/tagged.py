"""Spans that a learned tagger found, linked to the catalogue's values and merged with what the lexicon found."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from lingsou.core.plan import Entity, EntityKind
from lingsou.query.lexicon import CatalogLexicon, Meaning
from lingsou.query.tokens import Token, tokenise
from lingsou.query.vocabulary import ATTRIBUTE_PREFIX
from lingsou.text.segment import Segmenter

SOURCE = "tagger"
_LEAST_CONFIDENCE = 0.3
_RIVALLED = 0.5
"""What a sure tagger leaves of the confidence of another reading of the same words: a catalogue knows what it has."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """Characters `start` to `end` (exclusive) of a text mean something, with a probability.

    `meaning` is `brand`, `category`, `product`, `model`, or the field of an attribute.
    """

    start: int
    end: int
    meaning: str
    probability: float


def meaning_of(label: str) -> str:
    """What a tagger's label means where nothing says so: a kind of that name, else the attribute of that name."""
    name = label.lower()
    if (name in get_args(EntityKind) and name != "attribute") or name.startswith(ATTRIBUTE_PREFIX):
        return name
    return ATTRIBUTE_PREFIX + label


def kind_of(meaning: str) -> EntityKind:
    """The kind of entity that a meaning is."""
    for kind in get_args(EntityKind):
        if meaning == kind:
            return kind  # type: ignore[no-any-return]
    return "attribute"


def in_text(spans: Iterable[Tagged], text: str, read: str) -> Iterator[Tagged]:
    """Spans of `text`, what a query left for retrieval, as spans of `read`, which it was cut from.

    Pieces that were cut out move the places; a span over a cut, whose words do not stand together in `read`, is left
    out.
    """
    place = 0
    for span in sorted(spans, key=lambda each: each.start):
        surface = text[span.start : span.end]
        found = read.find(surface, place if text != read else span.start)
        if found >= 0:
            place = found + len(surface)
            yield Tagged(found, place, span.meaning, span.probability)


def merged(
    read: str, entities: Sequence[Entity], spans: Iterable[Tagged], lexicon: CatalogLexicon, segmenter: Segmenter
) -> tuple[Entity, ...]:
    """Entities of both, in order.

    Where both find the same words: the reading that they agree on is believed as much as two independent witnesses
    are, 1 − (1 − a)(1 − b), other readings less. Words that name a value of the field are linked to it. Words that
    the catalogue does not know are entities without values: an unseen brand is found by its context.

    Args:
        read: the words of the plan, which all spans are into.
        entities: those of the lexicon.
        spans: those of the tagger.
        lexicon: the catalogue's names.
        segmenter: the shop's.
    """
    kept = list(entities)
    tokens: list[Token] | None = None
    for span in spans:
        if span.probability < _LEAST_CONFIDENCE:
            continue
        touched = [n for n, each in enumerate(kept) if each.start < span.end and span.start < each.end]
        if any(kept[n].negated or kept[n].source == "field-syntax" for n in touched):
            continue  # the shopper was explicit
        same = [n for n in touched if (kept[n].start, kept[n].end) == (span.start, span.end)]
        agreed = [n for n in touched if _agrees(kept[n], span)]
        for n in same:
            kept[n] = _raised(kept[n], span) if n in agreed else _lowered(kept[n], span)
        if agreed:
            continue
        tokens = tokenise(read, segmenter) if tokens is None else tokens
        kept.append(_linked(read, span, tokens, lexicon))
    return tuple(sorted(kept, key=lambda e: (e.start, e.end, -e.confidence, e.field)))


def _agrees(entity: Entity, span: Tagged) -> bool:
    if span.meaning in ("product", "category"):
        return entity.kind in ("product", "category") or entity.field.endswith("type")
    return span.meaning in (entity.kind, entity.field)


def _raised(entity: Entity, span: Tagged) -> Entity:
    sure = 1 - (1 - entity.confidence) * (1 - span.probability)
    return entity.model_copy(update={"confidence": round(sure, 4), "source": f"{entity.source}+{SOURCE}"})


def _lowered(entity: Entity, span: Tagged) -> Entity:
    return entity.model_copy(update={"confidence": round(entity.confidence * (1 - _RIVALLED * span.probability), 4)})


def _linked(read: str, span: Tagged, tokens: Sequence[Token], lexicon: CatalogLexicon) -> Entity:
    """The span as an entity, with the values that its words name in the catalogue, if any."""
    kind = kind_of(span.meaning)
    field = {"product": "category", "model": "mpn"}.get(span.meaning, span.meaning)
    meaning = _named(span, field, tokens, lexicon)
    if meaning is not None:
        kind, field = meaning.kind, meaning.field
    return Entity(
        start=span.start,
        end=span.end,
        surface=read[span.start : span.end],
        kind=kind,
        field=field,
        values=meaning.values if meaning else (),
        negated=False,
        source=SOURCE,
        confidence=round(span.probability, 4),
    )


def _named(span: Tagged, field: str, tokens: Sequence[Token], lexicon: CatalogLexicon) -> Meaning | None:
    first = next((n for n, token in enumerate(tokens) if token.start == span.start), None)
    if first is None:
        return None
    fields = [field]
    if field == "category":
        fields += sorted(each for each in lexicon.fields if each.endswith("type"))
    for each in fields:
        found = lexicon.named(tokens, first, each)
        if found and tokens[found[0] - 1].end == span.end:
            return found[1]
    return None
