"""From a rule to the form and back, and what is wrong said at its field."""

from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.datastructures import ImmutableMultiDict

from lingsou.console.ops.conditions import OPERATORS, Condition, filter_of, rows_of
from lingsou.console.ops.form_errors import problem_lines
from lingsou.console.ops.forms import MAX_BYTES, Form, read_form
from lingsou.console.ops.rule_form import RuleForm, form_of_fields, form_of_rule, rule_of
from lingsou.console.ops.texts import TEXTS
from lingsou.console.texts import LANGUAGES, Texts
from lingsou.core.errors import InputError
from lingsou.retrieval.filters import FieldKind
from lingsou.rules.schema import Rule, parse_rules

FIELDS: dict[str, FieldKind] = {
    "brand": "keyword",
    "price": "number",
    "stock": "number",
    "attributes.size": "both",
    "created_at": "time",
}

FILTERS: list[tuple[dict[str, Any], list[Condition]]] = [
    ({"brand": "HP"}, [Condition("brand", "is", "HP")]),
    ({"brand": ["HP", "疾风"]}, [Condition("brand", "is", "HP|疾风")]),
    ({"stock": 0}, [Condition("stock", "is", "0")]),
    ({"price": {"gte": 9.5, "lt": 100}}, [Condition("price", "gte", "9.5"), Condition("price", "lt", "100")]),
    ({"brand": {"not": ["HP", "Dell"]}}, [Condition("brand", "not", "HP|Dell")]),
    ({"a": {"exists": True}, "b": {"exists": False}}, [Condition("a", "exists"), Condition("b", "missing")]),
    ({"attributes.size": [42, "XL"]}, [Condition("attributes.size", "is", "42|XL")]),
    ({"created_at": {"gte": "2026-01-01"}}, [Condition("created_at", "gte", "2026-01-01")]),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "rows"), FILTERS)
def test_a_filter_and_its_rows_say_the_same(condition: dict[str, Any], rows: list[Condition]) -> None:
    assert rows_of(condition) == rows
    assert filter_of(rows, FIELDS) == condition


@pytest.mark.parametrize(
    "condition",
    [
        {"any": [{"brand": "HP"}]},
        {"not": {"brand": "HP"}},
        {"brand": "a|b"},
        {"brand": {"like": "x"}},
        {"price": [[1]]},
    ],
)
def test_what_rows_cannot_say_stays_json(condition: dict[str, Any]) -> None:
    assert rows_of(condition) is None


@pytest.mark.parametrize(
    ("rows", "kind", "place"),
    [
        ([Condition("brand", "is", "")], "missing", "0"),
        ([Condition(), Condition("", "is", "HP")], "missing", "1"),
        ([Condition("brand", "is", "HP"), Condition("brand", "is", "Dell")], "twice", "1"),
        ([Condition("price", "gte", "1"), Condition("price", "is", "2")], "twice", "1"),
    ],
)
def test_rows_that_make_no_filter(rows: list[Condition], kind: str, place: str) -> None:
    with pytest.raises(InputError) as raised:
        filter_of(rows, FIELDS)
    assert (raised.value.message, raised.value.field) == (kind, place)


EVERYTHING: dict[str, Any] = {
    "id": "all-of-it",
    "name": "双十一",
    "priority": 7,
    "enabled": False,
    "when": {
        "queries": [{"exact": "T恤"}, {"prefix": "蓝色"}, {"phrase": "running shoes"}, {"words": "男 T恤"}],
        "categories": ["Clothing > Shoes", "Home"],
        "time": {
            "starts": "2026-11-11T00:00:00", "ends": "2026-11-12T00:00:30", "days": ["mon", "sun"],
            "hours": ["22:00", "02:00"], "timezone": "Asia/Shanghai",
        },
        "audience": {"locales": ["zh"], "devices": ["phone", "tablet"], "segments": ["vip"]},
    },
    "then": [
        {"do": "synonyms", "words": ["T恤", "文化衫"], "weight": 0.5},
        {"do": "synonyms", "words": ["筋膜枪"], "to": ["按摩仪", "massager"]},
        {"do": "boost", "filter": {"brand": ["HP", "疾风"]}, "weight": 0.3},
        {"do": "bury", "filter": {"stock": 0}},
        {"do": "pin", "ids": ["s3", "with space"], "position": 2},
        {"do": "hide", "ids": ["x-1"], "filter": {"any": [{"brand": "HP"}, {"price": {"lt": 1}}]}},
        {"do": "hide", "ids": ["x-2"]},
        {"do": "filter", "filter": {"price": {"gte": 5, "lte": 10}}},
        {"do": "redirect", "url": "/gift-cards"},
        {"do": "banner", "text": "满 300 减 50", "url": "https://shop.example/a", "image": "/b.png"},
    ],
}  # fmt: skip


def sent_by(form: RuleForm, **more: str) -> Form:
    """As a browser sends the form."""
    pairs: list[tuple[str, str]] = [(name, value.replace("\n", "\r\n")) for name, value in form.values.items()]
    pairs += [("days", day) for day in form.days] + [("enabled", "1")] * form.enabled
    pairs += [("lists", each) for each in form.lists]
    for place, (kind, text) in enumerate(form.queries):
        pairs += [(f"q.{place}.kind", kind), (f"q.{place}.text", text)]
    for place, action in enumerate(form.actions):
        pairs += [(f"a.{place}.do", action.do), (f"a.{place}.json", action.json)]
        pairs += [(f"a.{place}.{name}", value) for name, value in action.values.items()]
        for row, each in enumerate((*action.conditions, Condition())):
            start = f"a.{place}.c.{row}"
            pairs += [(f"{start}.field", each.field), (f"{start}.op", each.operator), (f"{start}.value", each.value)]
    return ImmutableMultiDict([*pairs, *more.items()])


def test_every_rule_survives_the_form() -> None:
    (rule,) = parse_rules([EVERYTHING])
    again, errors = rule_of(form_of_fields(sent_by(form_of_rule(rule))), FIELDS)
    assert errors == {}
    assert again == rule


def test_a_rule_of_recommendations_survives_the_form_too() -> None:
    when = {"lists": ["search", "bought-together"], "categories": ["Shoes"]}
    (rule,) = parse_rules([{"id": "r", "when": when, "then": [{"do": "hide", "ids": ["x"]}]}])
    again, errors = rule_of(form_of_fields(sent_by(form_of_rule(rule))), FIELDS)
    assert (again, errors) == (rule, {})


def test_times_with_an_offset_are_shown_in_the_rules_zone() -> None:
    time = {"starts": "2026-11-10T16:00:00+00:00", "timezone": "Asia/Shanghai"}
    (rule,) = parse_rules([{"id": "r", "when": {"time": time}, "then": [{"do": "redirect", "url": "/x"}]}])
    form = form_of_rule(rule)
    assert form.values["starts"] == "2026-11-11T00:00:00"
    again, _ = rule_of(form, FIELDS)
    assert again is not None
    assert again.when.time is not None
    assert rule.when.time is not None
    assert again.when.time.starts
    assert rule.when.time.starts
    assert again.when.time.moment(again.when.time.starts) == rule.when.time.starts


ACTION = {"a.0.do": "redirect", "a.0.url": "/x"}
BOOST = {"a.0.do": "boost", "a.0.c.0.field": "brand", "a.0.c.0.op": "is", "a.0.c.0.value": "HP"}
WRONG: list[tuple[dict[str, str], str, str]] = [
    ({**ACTION, "id": ""}, "id", "Fill this in."),
    ({**ACTION, "id": "with space"}, "id", "Use letters, digits"),
    ({**ACTION, "priority": "high"}, "priority", "Write a number."),
    ({**ACTION, "priority": "5000"}, "priority", "−1000 to 1000"),
    ({**ACTION, "q.0.kind": "exact", "q.0.text": "!!"}, "q.0", "a letter, a digit or a Chinese character"),
    ({**ACTION, "starts": "tomorrow"}, "starts", "such as 2026-11-11T08:00"),
    ({**ACTION, "starts": "2026-11-12T00:00", "ends": "2026-11-11T00:00"}, "ends", "after the start"),
    ({**ACTION, "from": "09:00"}, "until", "Fill this in."),
    ({**ACTION, "from": "9 o'clock", "until": "10:00"}, "from", "times such as 09:00"),
    ({**ACTION, "timezone": "Mars/Base", "days": "mon"}, "timezone", "No such time zone"),
    ({**ACTION, "locales": "z"}, "locales", "as zh or en-GB"),
    ({**ACTION, "lists": "similar"}, "lists", "have no synonyms"),
    ({"a.0.do": "hide", "a.0.ids": "x", "lists": "recommend", "q.0.text": "tea"}, "lists", "have no query"),
    ({}, "actions", "at least one action"),
    ({"a.0.do": "redirect", "a.0.url": ""}, "a.0.url", "Fill this in."),
    ({"a.0.do": "redirect", "a.0.url": "javascript:alert(1)"}, "a.0.url", "Begin with https://"),
    ({"a.0.do": "banner", "a.0.text": "", "a.0.url": "/x"}, "a.0.text", "Fill this in."),
    ({"a.0.do": "synonyms", "a.0.words": "one"}, "a.0.words", "two words"),
    ({"a.0.do": "pin", "a.0.ids": ""}, "a.0.ids", "Fill this in."),
    ({"a.0.do": "pin", "a.0.ids": "s1", "a.0.position": "0"}, "a.0.position", "from 1 to 1000"),
    ({"a.0.do": "hide"}, "a.0.ids", "product ids or conditions"),
    ({"a.0.do": "filter"}, "a.0.filter", "Fill this in."),
    ({**BOOST, "a.0.weight": "7"}, "a.0.weight", "above 0 and up to 1"),
    ({**BOOST, "a.0.weight": "much"}, "a.0.weight", "Write a number."),
    ({**BOOST, "a.0.c.0.value": ""}, "a.0.filter", "Fill this in."),
    ({**BOOST, "a.0.json": "{brand}"}, "a.0.filter", "not a JSON object"),
    ({**BOOST, "a.0.json": "[1]"}, "a.0.filter", "not a JSON object"),
    ({**ACTION, "a.1.do": "boost"}, "a.1.filter", "Fill this in."),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "where", "words"), WRONG)
def test_what_is_wrong_is_said_at_its_field(fields: dict[str, str], where: str, words: str) -> None:
    form = form_of_fields(ImmutableMultiDict({"id": "r", **fields}))
    rule, errors = rule_of(form, FIELDS)
    assert rule is None
    assert list(errors) == [where]
    said = {lang: problem_lines(errors, Texts(lang, TEXTS))[where] for lang in LANGUAGES}
    assert words.casefold() in said["en"].casefold()
    assert said["zh"] != said["en"]


def test_all_that_is_wrong_is_said_at_once() -> None:
    fields = {"id": "", "priority": "x", "a.0.do": "redirect", "a.0.url": "x y", "a.1.do": "boost"}
    _, errors = rule_of(form_of_fields(ImmutableMultiDict(fields)), FIELDS)
    assert set(errors) == {"id", "priority", "a.0.url", "a.1.filter"}


def test_every_operator_has_its_name() -> None:
    for operator in OPERATORS:
        assert {f"op_{operator}", f"row_{operator}"} <= TEXTS.keys()


def test_forms_are_bounded() -> None:
    app = FastAPI()

    @app.post("/")
    async def echo(request: Request) -> dict[str, str]:
        try:
            return dict(await read_form(request))
        except InputError as error:
            return {"refused": error.message}

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    with TestClient(app) as client:

        def send(content: bytes, **headers: str) -> Any:
            return client.post("/", content=content, headers={**kind, **headers}).json()

        assert send("a=%00b%0D%0Ac&z=&q=跑步+鞋".encode()) == {"a": "b\nc", "z": "", "q": "跑步 鞋"}
        assert send(b"a=\xff%ff") == {"a": "\ufffd\ufffd"}
        assert "1 MiB" in send(b"a=" + b"x" * MAX_BYTES)["refused"]
        assert "5000 fields" in send(urlencode([("a", "b")] * 5_001).encode())["refused"]
        assert "not a form" in client.post("/", json={}).json()["refused"]


def test_a_plain_rule_needs_nothing_but_an_action() -> None:
    rule, errors = rule_of(form_of_fields(ImmutableMultiDict({"id": "r", "enabled": "1", **ACTION})), FIELDS)
    assert errors == {}
    assert rule == Rule.model_validate({"id": "r", "then": [{"do": "redirect", "url": "/x"}]})
