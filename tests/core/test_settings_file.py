"""One setting changed in the file, everything else left as it stands."""

import stat
from pathlib import Path

import pytest

from lingsou.core.errors import ConfigurationError
from lingsou.core.settings import DataFolder, load_settings
from lingsou.core.settings_file import change_setting, settings_toml

NAME = "search.lexical_weight"


def changed(folder: Path, text: str, value: float = 0.7) -> str:
    path = folder / "lingsou.toml"
    path.write_text(text, encoding="utf-8")
    change_setting(path, NAME, value)
    assert load_settings(DataFolder(folder)).search.lexical_weight == value
    return path.read_text(encoding="utf-8")


def test_the_file_of_init_changes_in_one_line(tmp_path: Path) -> None:
    before = settings_toml(currency="EUR", store_url=None)
    after = changed(tmp_path, before)
    pairs = list(zip(before.splitlines(), after.splitlines(), strict=True))
    assert [pair for pair in pairs if pair[0] != pair[1]] == [("# lexical_weight = 0.4", "lexical_weight = 0.7")]
    assert changed(tmp_path, after, 0.5) == after.replace("\nlexical_weight = 0.7", "\nlexical_weight = 0.5")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "\n[search]\nlexical_weight = 0.7\n"),
        ("[search]\n", "[search]\nlexical_weight = 0.7\n"),
        ("[search] # ours\nk1 = 1.0\n", "[search] # ours\nlexical_weight = 0.7\nk1 = 1.0\n"),
        (
            "[server]\nport = 1\n\n[search]\nlexical_weight=2\n[search.weights]\ntitle = 1\n",
            "[server]\nport = 1\n\n[search]\nlexical_weight = 0.7\n[search.weights]\ntitle = 1\n",
        ),
        (
            "[search.weights]\ntitle = 1\n",
            "[search.weights]\ntitle = 1\n\n[search]\nlexical_weight = 0.7\n",
        ),
    ],
)
def test_other_files_keep_what_they_say(before: str, after: str, tmp_path: Path) -> None:
    assert changed(tmp_path, before) == after


def test_the_file_stays_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "lingsou.toml"
    path.touch(mode=0o600)
    change_setting(path, NAME, 0.7)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["lingsou.toml"], "no draft is left"


@pytest.mark.parametrize("text", ["search = { k1 = 1.0 }\n", "search.k1 = 1.0\n", "[search\n"])
def test_what_cannot_be_changed_by_lines_is_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "lingsou.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as told:
        change_setting(path, NAME, 0.7)
    assert "lexical_weight = 0.7" in str(told.value.cure)
    assert path.read_text(encoding="utf-8") == text
