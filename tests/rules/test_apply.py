"""What a set of rules asks of one search, and who wins where two disagree."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lingsou.core.plan import Expansion
from lingsou.retrieval.fusion import EXACT_BONUS
from lingsou.rules.apply import MOST_LIFT, Effects, effects_of
from lingsou.rules.match import RuleIndex, Situation
from lingsou.rules.schema import parse_rules
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()


def asked(*rules: dict[str, Any], q: str = "mug") -> Effects:
    index = RuleIndex(parse_rules(list(rules)), SEGMENTER)
    return effects_of(index.match(Situation(q=q, moment=datetime(2026, 11, 11, tzinfo=UTC))), SEGMENTER)


def rule(id_: str, *then: dict[str, Any], priority: int = 0) -> dict[str, Any]:
    return {"id": id_, "name": id_.upper(), "priority": priority, "then": list(then)}


def test_nothing_asks_nothing() -> None:
    assert asked() == Effects()


def test_two_way_synonyms_name_each_other() -> None:
    cups = rule("s", {"do": "synonyms", "words": ["mug", "coffee cup"], "weight": 0.5})
    (expansion,) = asked(cups, q="red mugs").expansions
    assert expansion == Expansion(term="coffe cup", weight=0.5, source="rule s", of="mug")
    (back,) = asked(cups, q="coffee cups").expansions
    assert (back.term, back.of) == ("mug", "coffee cup")
    assert asked(cups, q="mug or coffee cup").expansions == (), "both are typed already"
    assert asked(cups, q="red mugs").applied[0].did == ("synonyms of mug: coffee cup",)


def test_one_way_synonyms_do_not_lead_back() -> None:
    phones = rule("s", {"do": "synonyms", "words": ["爱疯"], "to": ["iPhone"]})
    assert [each.term for each in asked(phones, q="爱疯 手机").expansions] == ["iphon"]
    assert asked(phones, q="iphone").expansions == ()


def test_the_stronger_weight_of_a_synonym_counts() -> None:
    weak = rule("a", {"do": "synonyms", "words": ["mug", "cup"], "weight": 0.2})
    strong = rule("b", {"do": "synonyms", "words": ["mug", "cup"], "weight": 0.9})
    assert [(each.weight, each.source) for each in asked(weak, strong).expansions] == [(0.9, "rule b")]


def test_boosts_and_buryings_are_bounded_apart() -> None:
    up = [{"do": "boost", "filter": {"brand": str(n)}, "weight": 1} for n in range(5)]
    effects = asked(rule("r", *up, {"do": "bury", "filter": {"stock": 0}, "weight": 0.3}))
    lifts = [lift.weight for lift in effects.lifts]
    assert sum(weight for weight in lifts if weight > 0) == pytest.approx(MOST_LIFT)
    assert len(set(lifts[:5])) == 1
    assert lifts[5] == -0.3
    # An exact identifier that is buried stands before the best of words and meaning that is lifted.
    assert EXACT_BONUS - MOST_LIFT > 1.4 + MOST_LIFT


def test_pins_settle_places_and_products() -> None:
    effects = asked(
        rule("weak", {"do": "pin", "ids": ["a", "x", "y"], "position": 1}),
        rule("strong", {"do": "pin", "ids": ["a", "b"], "position": 2}, priority=5),
    )
    # a and b stand where the stronger rule wants them; x takes 1, y the next free place.
    assert [(pin.id, pin.position) for pin in effects.pins] == [("x", 1), ("a", 2), ("b", 3), ("y", 4)]
    assert [each.did for each in effects.applied] == [("pin a at 2, b at 3",), ("pin x at 1, y at 4",)]


def test_pins_that_others_took_did_nothing() -> None:
    effects = asked(rule("a", {"do": "pin", "ids": ["p"]}), rule("b", {"do": "pin", "ids": ["p"]}))
    assert [each.did for each in effects.applied] == [("pin p at 1",), ()]


def test_the_strongest_redirect_wins_and_all_banners_show() -> None:
    effects = asked(
        rule("a", {"do": "redirect", "url": "/a"}, {"do": "banner", "text": "A"}),
        rule("b", {"do": "redirect", "url": "https://shop.example/b"}, {"do": "banner", "text": "B"}, priority=1),
    )
    assert effects.redirect == "https://shop.example/b"
    assert [banner.text for banner in effects.banners] == ["B", "A"]
    assert effects.banners[0].rule == "b"


def test_hiding_and_filtering_restrict() -> None:
    effects = asked(
        rule(
            "a",
            {"do": "hide", "ids": ["x"], "filter": {"brand": "No"}},
            {"do": "filter", "filter": {"stock": {"gt": 0}}},
        )
    )
    assert [each.filter for each in effects.restrictions] == [
        {"id": {"not": ["x"]}},
        {"not": {"brand": "No"}},
        {"stock": {"gt": 0}},
    ]
    assert effects.applied[0].did == ('hide x, {"brand":"No"}', 'filter {"stock":{"gt":0}}')
