"""`lingsou rules`: files in JSON and TOML, publish, history, undo, export and back; errors with their place."""

import json
from pathlib import Path

import pytest

from .conftest import Run, prepare

TOML = """
[[rules]]
id = "cards"
name = "礼品卡优先"
when.queries = ["laptop", { exact = "电脑" }]
when.time = { starts = 2026-01-01T00:00:00, timezone = "Asia/Shanghai" }
then = [{ do = "pin", ids = ["s3"] }, { do = "banner", text = "新品" }]

[[rules]]
id = "words"
then = [{ do = "synonyms", words = ["sneakers", "running shoes"] }]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An indexed shop that the test may change."""
    root = tmp_path / "shop"
    feed = tmp_path / "feed.csv"
    feed.write_text("id,title,brand\nl1,Orbit laptop,Orbit\ns3,Kestrel running shoes,Kestrel\n", encoding="utf-8")
    prepare("init", "--data", root)
    prepare("import", feed, "--data", root)
    prepare("index", "--data", root)
    return root


def test_a_file_goes_in_is_published_and_undone(own: Path, tmp_path: Path, lingsou_here: Run) -> None:
    def rules(*arguments: str | Path, code: int = 0) -> str:
        return lingsou_here("rules", *arguments, "--data", own, code=code).out

    def found(q: str) -> list[str]:
        answer = lingsou_here("search", q, "--data", own, "--json").json
        return [hit["id"] for hit in answer["hits"]]

    assert "No rules yet" in rules("list")
    file = tmp_path / "rules.toml"
    file.write_text(TOML, encoding="utf-8")
    listed = rules("put", file)
    assert "礼品卡优先" in listed
    assert "2 changes wait for: lingsou rules publish" in listed
    assert found("laptop") == ["l1"], "a draft is not in force"
    assert "cards added, words added" in rules("publish", "--note", "opening")
    assert found("laptop") == ["s3", "l1"]
    assert found("sneakers") == ["s3"]

    exported = tmp_path / "rules.json"
    exported.write_text(rules("export"), encoding="utf-8")
    assert [rule["id"] for rule in json.loads(exported.read_text())["rules"]] == ["cards", "words"]
    only = tmp_path / "one.json"
    only.write_text(json.dumps([{"id": "one", "then": [{"do": "hide", "ids": ["l1"]}]}]), encoding="utf-8")
    assert "removed" in rules("import", only)
    assert json.loads(rules("export", "--draft"))["rules"][0]["id"] == "one"
    rules("publish")
    assert found("laptop") == []
    assert "undo: version 1 again" in rules("undo")
    assert found("laptop") == ["s3", "l1"]
    versions = json.loads(rules("history", "--json"))["versions"]
    assert [(each["version"], each["restores"], each["note"]) for each in versions] == [
        (3, 1, ""),
        (2, None, ""),
        (1, None, "opening"),
    ]
    rules("import", exported)
    assert json.loads(rules("list", "--json"))["changes"] == [], "what was exported is what is in force"
    assert "removed" in rules("remove", "words")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("r.json", "{", "cannot be read"),
        ("r.toml", "[[rules]", "cannot be read"),
        ("r.json", '{"rule": []}', "no list `rules`"),
        ("r.json", '[{"id": "a"}]', "row 1, field 'then': Rule 'a': Field required"),
        ("r.toml", '[[rules]]\nid = "a"\nthen = [{do = "pin"}]', "field 'then.0.pin.ids': Rule 'a'"),
        ("r.json", '[{"id": "a", "then": [{"do": "filter", "filter": {"colr": 1}}]}]', "Rule 'a': There is no field"),
        ("missing.json", None, "No such file"),
    ],
)
def test_a_wrong_file_says_where_and_what_to_do(
    shop: Path, tmp_path: Path, lingsou_here: Run, name: str, content: str | None, words: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_text(content, encoding="utf-8")
    refused = lingsou_here("rules", "put", file, "--data", shop, code=2)
    assert words in refused.err
    assert "cure: " in refused.err


def test_nothing_to_publish_or_to_undo_is_said(shop: Path, lingsou_here: Run) -> None:
    assert "same as what is published" in lingsou_here("rules", "publish", "--data", shop, code=2).err
    assert "nothing to undo" in lingsou_here("rules", "undo", "--data", shop, code=2).err
    assert "Nothing was published yet" in lingsou_here("rules", "history", "--data", shop).out
