"""Spans of a learned tagger beside the lexicon's: agreed, rivalled, linked, and of words that nobody knew."""

from lingsou.core.plan import Entity, QueryPlan
from lingsou.query import CatalogLexicon, Understander, Vocabulary
from lingsou.query.tagged import Tagged, in_text, kind_of, meaning_of, merged
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
LEXICON = CatalogLexicon(
    Vocabulary(
        {
            "brand": {"Apple": 5, "Orbit": 30},
            "category": {"Phones": 9, "Phones > Cases": 5},
            "attributes.colour": {"red": 20, "orbit": 2},
        }
    ),
    SEGMENTER,
)


def plan(words: str) -> QueryPlan:
    return Understander(LEXICON, SEGMENTER).understand(words)


def both(words: str, *spans: Tagged) -> tuple[Entity, ...]:
    found = plan(words)
    return merged(found.read, found.entities, spans, LEXICON, SEGMENTER)


def test_two_witnesses_are_believed_more_and_the_other_reading_less() -> None:
    before = {each.field: each.confidence for each in plan("orbit").entities}
    after = {each.field: each for each in both("orbit", Tagged(0, 5, "brand", 0.8))}
    assert after["brand"].confidence == round(1 - (1 - before["brand"]) * 0.2, 4)
    assert after["brand"].source.endswith("+tagger")
    assert after["attributes.colour"].confidence == round(before["attributes.colour"] * 0.6, 4)


def test_an_unseen_brand_is_an_entity_without_values() -> None:
    (zonk, *_), found = both("zonk phones", Tagged(0, 4, "brand", 0.9)), both("zonk phones", Tagged(0, 4, "brand", 0.9))
    assert (zonk.surface, zonk.kind, zonk.values, zonk.source, zonk.confidence) == ("zonk", "brand", (), "tagger", 0.9)
    assert any(each.values == ("Phones",) for each in found)


def test_a_weak_span_says_nothing() -> None:
    assert both("zonk phones", Tagged(0, 4, "brand", 0.2)) == plan("zonk phones").entities


def test_a_refused_name_stays_refused() -> None:
    words = "phones without orbit"
    spans = (Tagged(words.index("orbit"), len(words), "brand", 0.99),)
    assert both(words, *spans) == plan(words).entities


def test_a_product_agrees_with_a_category() -> None:
    (found,) = (each for each in both("phones", Tagged(0, 6, "product", 0.9)) if each.values)
    assert (found.kind, found.source) == ("category", "catalogue+tagger")


def test_places_move_with_what_was_cut_out() -> None:
    found = plan("red under 50 orbit")
    start = found.text.index("orbit")
    (span,) = in_text([Tagged(start, start + 5, "brand", 0.9)], found.text, found.read)
    assert found.read[span.start : span.end] == "orbit"
    assert list(in_text([Tagged(0, len(found.text), "brand", 0.9)], found.text, found.read)) == []


def test_meanings_of_labels() -> None:
    assert [meaning_of(label) for label in ("Brand", "product", "colour", "attributes.size", "attribute")] == [
        "brand",
        "product",
        "attributes.colour",
        "attributes.size",
        "attributes.attribute",
    ]
    assert [kind_of(each) for each in ("brand", "attributes.colour", "model")] == ["brand", "attribute", "model"]
