"""`lingsou events` and `lingsou analytics`, and events in a backup."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lingsou.catalog.store import Store
from lingsou.cli.app import app
from lingsou.core.settings import DataFolder, Settings, load_settings
from lingsou.core.types import Context, SearchRequest, SearchResponse
from lingsou.events.behaviour import open_behaviour
from lingsou.testing.events import ALL, click


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    run("init", "--data", tmp_path / "shop")
    folder = DataFolder(tmp_path / "shop")
    fill(folder, load_settings(folder))
    return folder


def fill(folder: DataFolder, settings: Settings) -> None:
    with open_behaviour(folder, settings) as behaviour:
        behaviour.events.append([click(n, user_id=f"u{n % 2}", query_id=f"q{n}") for n in range(10)])
        for n in range(20):
            answer = SearchResponse(query_id=f"q{n}", total=n % 2, hits=(), page=1, page_size=20, took_ms=3.0)
            behaviour.searches.record(SearchRequest(q="mouse", context=Context(user_id="u1")), answer)


def run(*words: Any, fails: bool = False) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert bool(done.exit_code) is fails, done.output
    return done.stdout


def test_export_import_show_and_erase(folder: DataFolder, tmp_path: Path) -> None:
    data = ("--data", folder.root)
    file = tmp_path / "e.csv"
    assert json.loads(run("events", "export", file, *data, "--json"))["events"] == 10
    assert json.loads(run("events", "import", file, *data, "--json"))["duplicates"] == 10
    shown = json.loads(run("events", "show", "--user", "u1", *data))
    assert (len(shown["events"]), len(shown["searches"])) == (5, 20)
    assert json.loads(run("events", "erase", "--user", "u1", *data, "--json")) == {"events": 5, "searches": 20}
    assert json.loads(run("events", "show", "--user", "u1", *data)) == {"events": [], "searches": []}
    assert "5 events" in run("events", "export", tmp_path / "rest.jsonl", *data)
    run("events", "erase", "--user", " ", *data, fails=True)


def test_reports(folder: DataFolder) -> None:
    data = ("--data", folder.root)
    (top,) = json.loads(run("analytics", "top", *data, "--json"))["rows"]
    assert (top["text"], top["searches"]) == ("mouse", 20)
    assert run("analytics", "zero", *data, "--csv").splitlines() == ["text,searches,zero,relaxed", "mouse,20,10,0"]
    (low,) = json.loads(run("analytics", "low-click", *data, "--days", 3, "--json"))["rows"]
    assert (low["searches"], low["clicked"]) == (10, 5)
    assert "mouse" in run("analytics", "top", *data)
    assert "p95" in run("analytics", "latency", *data)
    assert run("analytics", "rising", *data, "--csv") == ""
    (none,) = json.loads(run("analytics", "supply", *data, "--json"))["rows"]
    assert (none["text"], none["failed"], none["cause"]) == ("mouse", 15, "product")


@pytest.mark.parametrize("where", ["files", "the store's database", "a database of their own"])
def test_a_backup_takes_events_and_their_secret_along(tmp_path: Path, postgres_url: str, where: str) -> None:
    source, target = DataFolder(tmp_path / "shop"), DataFolder(tmp_path / "again")
    if where == "the store's database":
        run("init", "--data", source.root, "--store-url", postgres_url)
    else:
        run("init", "--data", source.root)
    if where == "a database of their own":
        text = source.settings_file.read_text(encoding="utf-8").replace(
            "[events]\n", f'[events]\nurl = "{postgres_url}"\n'
        )
        source.settings_file.write_text(text, encoding="utf-8")
    fill(source, load_settings(source))
    with Store.of(source, load_settings(source)) as store:
        identity = store.identity()
    run("backup", tmp_path / "b.tar.gz", "--data", source.root)
    run("restore", tmp_path / "b.tar.gz", "--data", target.root, *(["--force"] if where != "files" else []))
    with open_behaviour(target, load_settings(target)) as behaviour:
        assert len(behaviour.events.read(ALL)) == 10
        assert behaviour.searches.recent("u1", 5) == ["mouse"], "the secret came along"
        assert target.events.exists() is (where == "files")
        behaviour.events.append([click(99)])
    with Store.of(target, load_settings(target)) as store:
        assert store.identity() != identity, "the store was renewed, not the events"
        assert store.count() == 0


def test_events_move_to_another_database_with_the_store(folder: DataFolder, tmp_path: Path, postgres_url: str) -> None:
    run("backup", tmp_path / "b.tar.gz", "--data", folder.root)
    run("restore", tmp_path / "b.tar.gz", "--data", tmp_path / "new", "--store-url", postgres_url)
    new = DataFolder(tmp_path / "new")
    settings = Settings(store={"url": postgres_url})
    with open_behaviour(new, settings) as behaviour:
        assert len(behaviour.events.read(ALL)) == 10
    assert not new.events.exists()
    run("restore", tmp_path / "b.tar.gz", "--data", tmp_path / "newer", "--store-url", postgres_url, fails=True)
