"""Mined names in a query: where they apply, beside what the tables know, and what a merchandiser dropped."""

from collections.abc import Sequence

import pytest

from lingsou.core.plan import Expansion
from lingsou.core.settings import ExpansionSource
from lingsou.query import CatalogLexicon, Understander, Vocabulary
from lingsou.query.expansion import MINED_SOURCES, MinedName, NameLookup
from lingsou.query.expansion.lookup import MOST_NAMES
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
LEXICON = CatalogLexicon(Vocabulary({"category": {"Shoes > Running Shoes": 5}}), SEGMENTER)
ALL = (*MINED_SOURCES, "bilingual", "synonym")


def name(phrase: str, other: str, weight: float = 0.4, source: str = "searches") -> MinedName:
    return MinedName.model_validate(
        {"phrase": phrase, "name": other, "weight": weight, "source": source, "evidence": 5}
    )


def expansions(
    query: str,
    *names: MinedName,
    dropped: Sequence[tuple[str, str]] = (),
    sources: Sequence[ExpansionSource | str] = ALL,
) -> dict[tuple[str, str], Expansion]:
    lookup = NameLookup(names, SEGMENTER, dropped, sources)
    found = Understander(LEXICON, SEGMENTER, names=lambda: lookup).understand(query).expansions
    return {(each.of, each.term): each for each in found}


def test_a_phrase_is_found_in_any_form_with_its_source_and_weight() -> None:
    found = expansions("cheap Whirly-Gigs", name("whirly gig", "wind vanes", 0.3))
    assert found == {
        ("Whirly-Gigs", "wind vane"): Expansion(term="wind vane", weight=0.3, source="searches", of="Whirly-Gigs")
    }


def test_a_chinese_phrase_counts_only_as_a_word() -> None:
    known = name("包", "手袋")
    assert ("包", "手袋") in expansions("红色 包", known)
    assert ("包", "手袋") not in expansions("面包", known)


def test_what_is_refused_or_already_asked_for_is_no_other_name() -> None:
    known = name("lace", "crochet")
    assert ("lace", "crochet") in expansions("lace curtain", known)
    assert ("lace", "crochet") not in expansions("curtain without lace", known)
    assert ("lace", "crochet") not in expansions("lace crochet curtain", known)


def test_a_piece_that_the_tables_read_otherwise_is_left_to_them() -> None:
    """The tables know `running shoes`; a name of `shoes` alone must not stand for both words."""
    found = expansions("running shoes", name("shoes", "footgear"), name("running shoes", "joggers"))
    assert ("shoes", "footgear") not in found
    assert ("running shoes", "jogger") in found


def test_only_the_sources_that_are_set_speak() -> None:
    known = name("sofa", "chesterfield", source="clicks")
    assert ("sofa", "chesterfield") in expansions("sofa", known, sources=("clicks",))
    assert {each.source for each in expansions("sofa", known, sources=("clicks",)).values()} == {"clicks"}
    assert ("sofa", "chesterfield") not in expansions("sofa", known, sources=("bilingual", "synonym"))
    assert expansions("sofa", known, sources=()) == {}


def test_a_name_is_dropped_whatever_its_source() -> None:
    tables = expansions("running shoes")
    assert ("running shoes", "跑鞋") in tables
    assert ("running shoes", "跑鞋") not in expansions("running shoes", dropped=[("running shoe", "跑鞋")])
    known = name("sofa", "couches")
    assert ("sofa", "couch") in expansions("sofa", known, sources=("searches",))
    assert expansions("sofa", known, dropped=[("sofas", "couch")], sources=("searches",)) == {}


def test_the_weightiest_of_many_names_are_taken_and_of_two_weights_the_larger() -> None:
    many = [name("gadget", f"thing{letter}", 0.1 + n / 100) for n, letter in enumerate("abcdefgh")]
    found = expansions("gadget", *many)
    assert len(found) == MOST_NAMES
    assert min(each.weight for each in found.values()) == pytest.approx(0.1 + (8 - MOST_NAMES) / 100)
    twice = expansions("gadget", name("gadget", "thing", 0.2), name("gadget", "things", 0.5, "clicks"))
    assert [(each.weight, each.source) for each in twice.values()] == [(0.5, "clicks")]
