"""`lingsou quality`: run, list, show, apply, refuse, undo, trend, over a store whose titles hold markup."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lingsou.catalog.store import Store
from lingsou.catalog.suggestions import Proposal, SuggestionStore
from lingsou.core.builtins import BUILTINS
from lingsou.core.database import sqlite_url
from lingsou.core.settings import DataFolder

from .conftest import Outcome, Run, prepare

FEED = "id,title,brand\na,BIG LAMP,Lux\nb,SMALL LAMP,Lux\nc,Lamp,Lux\n"
Call = Callable[..., Outcome]


@pytest.fixture
def quality(tmp_path: Path, lingsou_here: Run, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The verb over a shop of its own, whose only check finds titles in capitals."""
    monkeypatch.setitem(BUILTINS, "check", {"shouting": "tests.pipeline.test_quality:Shouting"})
    monkeypatch.setitem(BUILTINS, "audit", {"absent": "tests.pipeline.test_quality:Absent"})
    (tmp_path / "own.toml").write_text("about = 'no exceptions'", encoding="utf-8")
    monkeypatch.setenv("LINGSOU_QUALITY__PROFILE", str(tmp_path / "own.toml"))
    root, feed = tmp_path / "shop", tmp_path / "feed.csv"
    feed.write_text(FEED, encoding="utf-8")
    prepare("init", "--data", root)
    prepare("import", feed, "--data", root)

    def call(*arguments: str, code: int = 0) -> Outcome:
        return lingsou_here("quality", *arguments, "--data", root, code=code)

    return call


def suggestions(quality: Call, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = quality("list", "--json", *options).json["suggestions"]
    return found


def test_from_a_run_to_an_undo(quality: Call) -> None:
    assert "No run yet" in quality("trend").out
    told = quality("run", "--deep").out
    assert "run 1: 3 products, score 90.5" in told, "two titles of three lose 0.15 · 0.95 of 100"
    assert "skipped: absent. The package 'scikit-learn' is not installed. pip install 'lingsou[quality]'" in told
    first, second = suggestions(quality)
    listed = quality("list", "--page-size", "1").out
    assert first["id"] in listed
    assert "1 of 2; more with --page 2" in listed
    assert quality("apply", first["id"]).out == f"{first['id']}: applied\n"
    shown = quality("show", first["id"]).out
    assert f'old: "{first["old"]}"\nnew: "{first["new"]}"\n' in shown
    assert "UTC: applied, command line" in shown
    assert quality("apply", "--all", "--min-confidence", "0.99").out == "No such suggestions are open.\n"
    assert quality("refuse", "--all", "--check", "shouting", "--json").json == {"applied": 0, "refused": 1, "stale": 0}
    assert suggestions(quality) == []
    assert {each["state"] for each in suggestions(quality, "--state", "all")} == {"applied", "refused"}
    assert quality("undo", first["id"], second["id"], "--json").json["suggestions"][0]["state"] == "undone"
    assert [each["id"] for each in suggestions(quality)] == [second["id"]]
    again = quality("run", "--json").json
    assert (again["number"], again["compared_with"], again["checks"][0]["new"]) == (2, 1, 0)
    assert [each["number"] for each in quality("trend", "--json").json["runs"]] == [2, 1]
    assert "deep" in quality("trend").out


def test_mistakes_name_the_cure(quality: Call) -> None:
    assert "Name ids, or give --all" in quality("apply", code=2).err
    assert "Name ids, or give --all" in quality("refuse", "x", "--all", code=2).err
    assert "no suggestion 'x'" in quality("show", "x", code=2).err
    assert "no state 'shut'" in quality("list", "--state", "shut", code=2).err
    assert "no quality profile 'none'" in quality("run", "--profile", "none", code=2).err


def test_each_of_several_ids_is_decided_by_itself(quality: Call) -> None:
    quality("run")
    first, second = (each["id"] for each in suggestions(quality))
    quality("apply", first)
    told = quality("apply", first, second, "nil", code=1)
    assert told.out == f"{second}: applied\n"
    assert f"{first}: The suggestion is applied already." in told.err
    assert "nil: There is no suggestion" in told.err
    undone = quality("undo", second, "nil", "--json", code=1).json
    assert [each["state"] for each in undone["suggestions"]] == ["undone"]
    assert [(each["id"], bool(each["cure"])) for each in undone["problems"]] == [("nil", True)]


def test_the_last_page_names_no_next_one(quality: Call) -> None:
    quality("run")
    assert "1 of 2; more with --page 2" in quality("list", "--page-size", "1").out
    last = quality("list", "--page-size", "1", "--page", "2").out
    assert "1 of 2\n" in last
    assert "more with" not in last


def test_brackets_in_names_of_attributes(quality: Call, tmp_path: Path) -> None:
    with Store.open(sqlite_url(DataFolder(tmp_path / "shop").database)) as store:
        kept = {"check": "c", "severity": "info", "problem": "p", "evidence": "e", "confidence": 1.0}
        found = Proposal(product_id="a", field="attributes.size [/cm]", old=None, new="5", **kept)
        SuggestionStore(store).record(1, [found], datetime.now(UTC))
    assert "attributes.size [/cm]" in quality("list").out
