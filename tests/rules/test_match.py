"""Which rules hold: by hand, and against a matcher that asks every rule by itself."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.rules.match import RuleIndex, Situation, tokens_of
from lingsou.rules.schema import Rule, Synonyms, parse_rules
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
NOON = datetime(2026, 11, 11, 12, tzinfo=UTC)  # a Wednesday
PIN: dict[str, Any] = {"do": "pin", "ids": ["p1"]}


def held(rules: list[dict[str, Any]], q: str = "", **more: Any) -> list[str]:
    """Ids of the rules that hold, strongest first."""
    index = RuleIndex(parse_rules([{"then": [PIN], **rule} for rule in rules]), SEGMENTER)
    return [each.rule.id for each in index.match(Situation(q=q, moment=more.pop("moment", NOON), **more))]


@pytest.mark.parametrize(
    ("pattern", "queries", "others"),
    [
        ({"exact": "T恤"}, ["T恤", "t恤", "Ｔ恤", " T恤! "], ["T恤 男", "蓝T恤", ""]),
        ({"exact": "running shoes"}, ["Running Shoes", "running shoe"], ["running shoes men", "shoes running"]),
        ({"prefix": "蓝色"}, ["蓝色", "蓝色T恤", "藍色T恤"], ["深蓝色T恤", "T恤 蓝色"]),
        ({"prefix": "run"}, ["run fast", "running fast"], ["runway", "fast run"]),
        (
            {"phrase": "running shoes"},
            ["red running shoes", "running-shoes"],
            ["shoes for running", "running red shoes"],
        ),
        ({"phrase": "T恤"}, ["蓝色T恤衫", "男士 t恤"], ["t 和 恤", "恤T"]),
        ({"words": "男 T恤"}, ["男士T恤", "T恤 蓝色 男"], ["T恤", "男"]),
        ({"words": "café"}, ["CAFE latte", "café"], ["caf"]),
        ("laptop sleeve", ["sleeve for laptops"], ["laptop"]),
    ],
)
def test_patterns(pattern: Any, queries: list[str], others: list[str]) -> None:
    rule = {"id": "r", "when": {"queries": [pattern]}}
    assert [q for q in queries if held([rule], q)] == queries
    assert [q for q in others if held([rule], q)] == []


def test_a_rule_holds_for_the_lists_that_it_names() -> None:
    rules: list[dict[str, Any]] = [
        {"id": "a"},
        {"id": "b", "when": {"lists": ["search", "recommend"]}},
        {"id": "c", "when": {"lists": ["similar", "trending"], "categories": ["Shoes"]}},
    ]
    assert held(rules) == ["a", "b"]
    assert held(rules, list="similar") == ["b"]
    assert held(rules, list="similar", categories=("Shoes > Boots",)) == ["b", "c"]
    assert held(rules, list="for-you", categories=("Shoes",)) == ["b"]
    index = RuleIndex(parse_rules([{"then": [PIN], **rule} for rule in rules[::2]]), SEGMENTER)
    assert [index.act_on(name) for name in ("search", "similar", "for-you")] == [True, True, False]


def test_one_of_several_patterns_is_enough() -> None:
    rule = {"id": "r", "when": {"queries": [{"exact": "mug"}, {"exact": "cup"}]}}
    assert held([rule], "cup")
    assert held([rule], "cups")
    assert not held([rule], "bowl")


def test_categories_hold_for_what_lies_below_them() -> None:
    rule = {"id": "r", "when": {"categories": ["Clothing > Shoes"]}}
    assert held([rule], categories=("clothing > shoes",))
    assert held([rule], categories=("Food", "Clothing > Shoes > Running"))
    assert not held([rule], categories=("Clothing",))
    assert not held([rule], categories=("Clothing > Shoestrings",))
    both = {"id": "r", "when": {"categories": ["Clothing"], "queries": ["red"]}}
    assert held([both], "red", categories=("Clothing",))
    assert not held([both], "red")
    assert not held([both], "blue", categories=("Clothing",))


def test_time_and_audience() -> None:
    assert held([{"id": "r", "when": {"time": {"days": ["wed"]}}}])
    assert not held([{"id": "r", "when": {"time": {"days": ["thu"]}}}])
    chinese = {"id": "r", "when": {"audience": {"locales": ["zh"]}}}
    assert held([chinese], locale="zh")
    assert held([chinese], locale="zh-Hans-CN")
    assert not held([chinese], locale="zhx")
    assert not held([chinese]), "nobody said who asks"
    phones = {"id": "r", "when": {"audience": {"devices": ["Mobile"], "segments": ["vip", "staff"]}}}
    assert held([phones], device="mobile", segments=("vip",))
    assert not held([phones], device="mobile", segments=("new",))
    assert not held([phones], device="desktop", segments=("vip",))


def test_order_and_switched_off_rules() -> None:
    rules: list[dict[str, Any]] = [
        {"id": "b"},
        {"id": "a"},
        {"id": "z", "priority": 1},
        {"id": "off", "enabled": False},
    ]
    assert held(rules, "anything") == ["z", "a", "b"]


def test_synonyms_are_their_own_pattern() -> None:
    synonyms = {"do": "synonyms", "words": ["mug", "cup"]}
    assert held([{"id": "s", "then": [synonyms]}], "red cups") == ["s"]
    assert held([{"id": "s", "then": [synonyms]}], "red") == []
    # Beside another action, or with patterns, the synonyms do not decide whether the rule holds.
    assert held([{"id": "s", "then": [synonyms, PIN]}], "red") == ["s"]
    assert held([{"id": "s", "then": [synonyms], "when": {"queries": ["red"]}}], "cup") == []
    assert held([{"id": "s", "then": [synonyms], "when": {"queries": ["red"]}}], "red cup") == ["s"]
    assert held([{"id": "s", "then": [synonyms], "when": {"queries": ["red"]}}], "red") == []


WORDS = ["t", "恤", "男", "红", "shoe", "shoes", "mug", "a1", "a1 b2"]
text = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).flatmap(
    lambda words: st.sampled_from([" ".join(words), "".join(words)])
)
patterns = st.builds(lambda kind, words: {kind: words}, st.sampled_from(["exact", "prefix", "phrase", "words"]), text)
categories = st.sampled_from(["A", "A > B", "A > B > C", "D"])
conditions = st.fixed_dictionaries(
    {},
    optional={
        "queries": st.lists(patterns, max_size=3),
        "categories": st.lists(categories, max_size=2),
        "time": st.fixed_dictionaries({"days": st.lists(st.sampled_from(["tue", "wed"]), min_size=1, max_size=2)}),
        "audience": st.fixed_dictionaries({"segments": st.lists(st.sampled_from(["vip", "new"]), max_size=2)}),
    },
)
actions = st.lists(
    st.just(PIN) | st.builds(lambda words: {"do": "synonyms", "words": words}, st.lists(text, min_size=2, max_size=3)),
    min_size=1,
    max_size=2,
)


def naive_contains(tokens: list[str], wanted: list[str]) -> bool:
    return any(tokens[start : start + len(wanted)] == wanted for start in range(len(tokens) - len(wanted) + 1))


def naive_holds(rule: Rule, situation: Situation) -> bool:
    tokens = tokens_of(situation.q, SEGMENTER)

    def reads(kind: str, pattern: str) -> bool:
        wanted = tokens_of(pattern, SEGMENTER)
        if kind == "exact":
            return tokens == wanted
        if kind == "prefix":
            return tokens[: len(wanted)] == wanted
        parts = pattern.split() if kind == "words" else [pattern]
        return all(naive_contains(tokens, tokens_of(part, SEGMENTER)) for part in parts)

    when = rule.when
    if when.queries and not any(reads(pattern.kind, pattern.text) for pattern in when.queries):
        return False
    if when.categories and not any(
        f"{asked} > ".startswith(f"{category} > ") for category in when.categories for asked in situation.categories
    ):
        return False
    if when.time and "wed" not in when.time.days:
        return False
    if when.audience and when.audience.segments and not set(when.audience.segments) & set(situation.segments):
        return False
    if all(isinstance(action, Synonyms) for action in rule.then):
        words = [word for action in rule.then if isinstance(action, Synonyms) for word in action.words]
        return any(naive_contains(tokens, tokens_of(word, SEGMENTER)) for word in words)
    return True


@given(
    rules=st.lists(st.tuples(conditions, actions, st.integers(-1, 1)), max_size=8),
    q=st.just("") | text,
    asked=st.lists(categories, max_size=2),
    segments=st.lists(st.sampled_from(["vip", "new"]), max_size=1),
)
def test_the_index_finds_what_asking_every_rule_finds(
    rules: list[Any], q: str, asked: list[str], segments: list[str]
) -> None:
    made = parse_rules([{"id": f"r{n}", "when": w, "then": t, "priority": p} for n, (w, t, p) in enumerate(rules)])
    situation = Situation(q=q, moment=NOON, categories=tuple(asked), segments=tuple(segments))
    expected = sorted((rule for rule in made if naive_holds(rule, situation)), key=lambda rule: rule.strength)
    found = RuleIndex(made, SEGMENTER).match(situation)
    assert [each.rule.id for each in found] == [rule.id for rule in expected]
    tokens = tokens_of(q, SEGMENTER)
    for each in found:
        for place, action in enumerate(each.rule.then):
            if isinstance(action, Synonyms):
                heard = [n for n, w in enumerate(action.words) if naive_contains(tokens, tokens_of(w, SEGMENTER))]
                assert list(each.heard.get(place, ())) == heard


@given(st.text(max_size=512))
def test_any_query_can_be_matched(q: str) -> None:
    held([{"id": "a", "when": {"queries": [{"words": "a b"}]}}, {"id": "b"}], q)
