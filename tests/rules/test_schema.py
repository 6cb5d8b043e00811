"""What a rule may say, and what an error about it says."""

import json
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lingsou.core.errors import InputError
from lingsou.rules.schema import Audience, Pattern, Rule, TimeWindow, parse_rules
from lingsou.rules.store import rules_as_json

PIN: list[dict[str, Any]] = [{"do": "pin", "ids": ["p1"]}]


@pytest.mark.parametrize(
    ("raw", "field", "message"),
    [
        ({"id": "a b", "then": PIN}, "id", "Rule 'a b'"),
        ({"id": "a", "then": []}, "then", "Rule 'a'"),
        ({"then": PIN}, "id", "without an id"),
        ({"id": "a", "then": [{"do": "explode"}]}, "then.0", "explode"),
        ({"id": "a", "then": [{"do": "boost", "filter": {"brand": "x"}, "weight": 7}]}, "then.0.boost.weight", "less"),
        ({"id": "a", "then": [{"do": "boost", "filter": {}}]}, "then.0.boost.filter", "at least 1"),
        ({"id": "a", "then": [{"do": "synonyms", "words": ["x"]}]}, "then.0.synonyms", "two words"),
        ({"id": "a", "then": [{"do": "hide"}]}, "then.0.hide", "`ids` or `filter`"),
        ({"id": "a", "then": [{"do": "redirect", "url": "javascript:alert(1)"}]}, "then.0.redirect.url", "pattern"),
        ({"id": "a", "then": [{"do": "redirect", "url": "//evil.example"}]}, "then.0.redirect.url", "pattern"),
        ({"id": "a", "then": [{"do": "redirect", "url": "/\\evil.example"}]}, "then.0.redirect.url", "pattern"),
        ({"id": "a", "then": PIN, "when": {"queries": ["!?"]}}, "when.queries.0.words", "no letter"),
        (
            {"id": "a", "then": PIN, "when": {"queries": [{"exact": "x", "prefix": "y"}]}},
            "when.queries.0",
            "exactly one",
        ),
        ({"id": "a", "then": PIN, "when": {"queries": [{"regex": "(a+)+$"}]}}, "when.queries.0.regex", "not permitted"),
        ({"id": "a", "then": PIN, "when": {"time": {"timezone": "Mars/Base"}}}, "when.time.timezone", "no time zone"),
        (
            {"id": "a", "then": PIN, "when": {"time": {"starts": "2026-02-01", "ends": "2026-01-01"}}},
            "when.time",
            "ends",
        ),
        ({"id": "a", "then": PIN, "when": {"time": {"hours": ["09:00", "09:00"]}}}, "when.time", "begin when they end"),
        ({"id": "a", "then": PIN, "when": {"time": {"hours": ["09:00Z", "10:00"]}}}, "when.time.hours.0", "offset"),
        ({"id": "a", "then": PIN, "colour": "red"}, "colour", "not permitted"),
        ("a", None, "without an id"),
    ],
)
def test_errors_name_rule_field_and_cure(raw: Any, field: str | None, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_rules([{"id": "fine", "then": PIN}, raw])
    assert (caught.value.field, caught.value.row) == (field, 2)
    assert message in caught.value.message
    assert caught.value.cure


@pytest.mark.parametrize("raw", ["rules", {"id": "a"}, 7, None])
def test_rules_are_a_list(raw: Any) -> None:
    with pytest.raises(InputError, match="list"):
        parse_rules(raw)


def test_an_id_stands_once() -> None:
    with pytest.raises(InputError, match="'a' stands there twice"):
        parse_rules([{"id": "a", "then": PIN}] * 2)


def test_what_is_written_is_what_was_read() -> None:
    raw = {
        "id": "a",
        "when": {
            "queries": ["T恤 男", {"exact": "tee"}],
            "time": {"starts": "2026-11-11T00:00:00", "hours": ["22:00", "02:00"], "timezone": "Asia/Shanghai"},
            "audience": {"locales": ["zh"]},
        },
        "then": [{"do": "boost", "filter": {"price": {"gte": 1}}, "weight": 0.1}, {"do": "hide", "ids": ["x"]}],
    }
    (rule,) = parse_rules([raw])
    written = rules_as_json([rule])
    assert parse_rules(json.loads(written)) == (rule,)
    assert rules_as_json(parse_rules(json.loads(written))) == written


def test_stronger_rules_sort_first() -> None:
    rules = parse_rules([{"id": each, "priority": high, "then": PIN} for each, high in [("b", 0), ("a", 0), ("z", 5)]])
    assert [rule.id for rule in sorted(rules, key=lambda rule: rule.strength)] == ["z", "a", "b"]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ({"starts": "2026-11-11T00:00:00Z"}, ["2026-11-11T00:00:00"], ["2026-11-10T23:59:59.999999"]),
        ({"ends": "2026-11-12T00:00:00Z"}, ["2026-11-11T23:59:59"], ["2026-11-12T00:00:00"]),
        # Midnight in Shanghai is four in the afternoon of the day before in UTC.
        (
            {"starts": "2026-11-11T00:00:00", "ends": "2026-11-12T00:00:00", "timezone": "Asia/Shanghai"},
            ["2026-11-10T16:00:00", "2026-11-11T15:59:59"],
            ["2026-11-10T15:59:59", "2026-11-11T16:00:00"],
        ),
        # 2026-11-14 is a Saturday; in Shanghai it has begun at 16:00 UTC on Friday.
        ({"days": ["sat"], "timezone": "Asia/Shanghai"}, ["2026-11-13T16:00:00"], ["2026-11-13T15:00:00"]),
        ({"hours": ["09:00", "18:00"]}, ["2026-11-11T09:00:00"], ["2026-11-11T08:59:59", "2026-11-11T18:00:00"]),
        ({"hours": ["22:00", "02:00"]}, ["2026-11-11T22:00:00", "2026-11-11T01:59:00"], ["2026-11-11T02:00:00"]),
        # Summer time: 09:00 in Berlin is 07:00 UTC in July and 08:00 in January.
        (
            {"hours": ["09:00", "10:00"], "timezone": "Europe/Berlin"},
            ["2026-07-01T07:30:00", "2026-01-01T08:30:00"],
            ["2026-07-01T08:30:00", "2026-01-01T07:30:00"],
        ),
    ],
)
def test_time_windows(window: dict[str, Any], inside: list[str], outside: list[str]) -> None:
    made = TimeWindow.model_validate(window)
    assert all(made.holds(moment(each)) for each in inside)
    assert not any(made.holds(moment(each)) for each in outside)


def test_a_filter_is_kept_as_json() -> None:
    rule = Rule.model_validate(
        {"id": "a", "then": [{"do": "filter", "filter": {"created_at": {"gte": datetime(2026, 1, 1, tzinfo=UTC)}}}]}
    )
    assert b"2026-01-01T00:00:00+00:00" in rules_as_json([rule])
    with pytest.raises(InputError, match="JSON cannot"):
        parse_rules([{"id": "a", "then": [{"do": "filter", "filter": {"brand": object()}}]}])


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"when": {"lists": ["similar"], "queries": ["shoes"]}}, "have no words"),
        ({"when": {"lists": ["search", "similar"]}, "then": [{"do": "redirect", "url": "/x"}]}, "hide, filter, boost"),
        ({"when": {"lists": ["cart"]}}, "search"),
        ({"when": {"lists": []}}, "at least 1"),
    ],
)
def test_what_recommendations_cannot_follow_is_refused(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_rules([{"id": "a", "then": [{"do": "hide", "ids": ["x"]}], **rule}])


def test_the_documented_rules_are_rules() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    example, of_lists = re.findall(r"<!-- rules -->\n```toml\n(.*?)```", page, re.DOTALL)
    assert [rule.when.lists for rule in parse_rules(tomllib.loads(of_lists)["rules"])] == [
        ("search", "recommend"),
        ("bought-together",),
        ("for-you", "trending"),
    ]
    rules = parse_rules(tomllib.loads(example)["rules"])
    assert [rule.id for rule in rules] == [
        "tee-words",
        "double-11-shoes",
        "sold-out-last",
        "gift-cards",
        "recall-2026-03",
    ]
    assert {action.do for rule in rules for action in rule.then} == {
        *("synonyms", "pin", "boost", "banner", "bury", "redirect", "hide")
    }
    for field in (*Rule.model_fields, *TimeWindow.model_fields, *Audience.model_fields, *Pattern.model_fields):
        assert field in page, field
