"""`lingsou init`, `--version` and `--help`."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import lingsou
from lingsou.catalog.store import Store
from lingsou.cli.app import app
from lingsou.core.keys import verify_key
from lingsou.core.settings import DataFolder, load_settings

from .conftest import Run
from .conftest import lingsou as run


def _verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every verb that does something: `("init",)`, `("models", "pull")`, `("query", "expansions", "mine")`, …"""
    parts = getattr(command, "commands", None)
    if not parts:
        yield path
        return
    for name, part in parts.items():
        yield from _verbs(part, (*path, name))


VERBS = list(_verbs(typer.main.get_command(app)))
WITHOUT_A_SHOP = {
    ("models", "pull"),
    ("models", "list"),
    ("models", "show"),
    ("train", "recipes"),
    ("features", "list"),
    ("features", "show"),
    ("quality", "images"),
    ("quality", "reviews"),
}


def test_init_makes_a_folder_and_prints_its_key_once(tmp_path: Path, lingsou_here: Run) -> None:
    root = tmp_path / "new" / "shop"
    first = run("init", "--data", root, "--currency", "EUR")
    folder = DataFolder(root)
    assert stat.S_IMODE(folder.settings_file.stat().st_mode) == 0o600
    assert load_settings(folder).currency == "EUR"
    key = first.out.strip()
    assert key not in first.err, "the key alone is on standard output"
    with Store.of(folder, load_settings(folder)) as store:
        assert verify_key(store.database, key)
        assert key not in folder.settings_file.read_text(encoding="utf-8")

    refused = run("init", "--data", root, code=2)
    assert "is initialised already" in refused.err
    assert "cure: For one more key: lingsou keys create" in refused.err
    assert refused.out == ""


def test_version(lingsou_here: Run) -> None:
    assert lingsou_here("--version").out == f"{lingsou.__version__}\n"


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_has_help(verb: tuple[str, ...], lingsou_here: Run) -> None:
    text = lingsou_here(*verb, "--help").out
    assert "Usage:" in text
    assert ("--data" in text) == (verb not in WITHOUT_A_SHOP)
    assert verb[-1] in lingsou_here(*verb[:-1], "--help").out


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("--currency", "eur", "currency"),
        ("--store-url", "nonsense", "store.url"),
        ("--store-url", "postgresql+psycopg://nobody@127.0.0.1:1/x", "cannot be reached"),
    ],
)
def test_a_failed_init_can_be_tried_again(
    option: str, value: str, named: str, tmp_path: Path, lingsou_here: Run
) -> None:
    failed = lingsou_here("init", "--data", tmp_path / "s", option, value, code=2)
    assert named in failed.err
    assert "cure:" in failed.err
    assert not DataFolder(tmp_path / "s").exists(), "nothing passes for initialised whose key nobody has seen"
    assert lingsou_here("init", "--data", tmp_path / "s").out.startswith("ls_")


def test_a_file_is_no_data_folder(tmp_path: Path, lingsou_here: Run) -> None:
    (tmp_path / "file").write_text("x")
    failed = lingsou_here("init", "--data", tmp_path / "file", code=2)
    assert f"error: '{tmp_path / 'file'}': " in failed.err
    assert "cure:" in failed.err


def test_the_data_folder_may_come_from_the_environment(
    tmp_path: Path, lingsou_here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINGSOU_DATA_DIR", str(tmp_path / "named"))
    assert lingsou_here("init", "--json").json["data"] == str(tmp_path / "named")
    monkeypatch.setenv("LINGSOU_DATA_DIR", "")
    monkeypatch.chdir(tmp_path)
    assert lingsou_here("init", "--json").json["data"] == "lingsou-data"
