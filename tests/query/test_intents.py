"""The package's own lines of intent, and rules beside a learned head."""

from collections import Counter

import pytest

from lingsou.core.errors import ConfigurationError
from lingsou.core.plan import IntentBelief, QueryPlan
from lingsou.query.intents import INTENTS, intent_cues, intent_lines, intent_rules, with_rules
from lingsou.query.tables import rows_of
from lingsou.text.normalise import normalise


def plan(raw: str) -> QueryPlan:
    return QueryPlan(raw=raw, language="en", text=raw, tokens=())


def belief(intent: str, probability: float, source: str = "built-in") -> IntentBelief:
    return IntentBelief(intent=intent, probability=probability, source=source)


def test_every_intent_has_sixty_lines_in_each_language() -> None:
    counts = Counter((intent, language) for intent, language, _ in rows_of("intents.tsv"))
    assert set(counts) == {(intent, language) for intent in INTENTS for language in ("en", "zh")}
    assert min(counts.values()) >= 60


def test_no_line_stands_for_two_intents() -> None:
    lines = [normalise(line) for _, line in intent_lines()]
    assert [line for line, count in Counter(lines).items() if count > 1] == []


@pytest.mark.parametrize(
    ("words", "intent"),
    [
        ("how much is the blue one", "ask_price"),
        ("蓝色那款多少钱", "ask_price"),
        ("mini vs pro", "compare"),
        ("mini和pro哪个好", "compare"),
        ("我要退货", "after_sales"),
        ("reorder the soap", "buy_again"),
        ("这个锅值得买吗", "ask_reviews"),
    ],
)
def test_cues(words: str, intent: str) -> None:
    assert [each.intent for each in intent_cues(plan(words))] == [intent]


def test_plain_words_have_no_cue() -> None:
    assert intent_cues(plan("red summer dress")) == []
    assert intent_cues(plan("红色连衣裙")) == []


def test_a_rule_takes_its_probability_of_the_mass() -> None:
    """0.6 and 0.4 shrink to a fifth, 0.12 and 0.08; the rule's 0.8 goes to the second."""
    found = with_rules([belief("find", 0.6), belief("compare", 0.4)], [belief("compare", 0.8, "cues")])
    assert [(each.intent, each.probability, each.source) for each in found] == [
        ("compare", 0.88, "built-in+cues"),
        ("find", 0.12, "built-in"),
    ]


def test_a_rule_alone_leaves_the_rest_open() -> None:
    assert with_rules([], [belief("compare", 0.8, "cues")]) == (belief("compare", 0.8, "cues"),)


def test_rules_are_off_by_default_and_found_by_name() -> None:
    assert intent_rules("") is None
    assert intent_rules("cues") is intent_cues
    with pytest.raises(ConfigurationError, match="no intent-rules named 'guess'"):
        intent_rules("guess")
