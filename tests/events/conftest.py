"""Behaviour over both databases, each with a secret of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lingsou.core.settings import SETTINGS_FILE, DataFolder, EventSettings, Settings, load_settings
from lingsou.events.behaviour import Behaviour, open_behaviour


def make(root: Path) -> DataFolder:
    root.mkdir(parents=True, exist_ok=True)
    (root / SETTINGS_FILE).write_text("", encoding="utf-8")
    return DataFolder(root)


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return make(tmp_path / "shop")


@pytest.fixture(params=["sqlite", "postgres"])
def behaviour(request: pytest.FixtureRequest, folder: DataFolder) -> Iterator[Behaviour]:
    settings = load_settings(folder)
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        settings = Settings(events=EventSettings(url=url))
    with open_behaviour(folder, settings) as opened:
        yield opened
