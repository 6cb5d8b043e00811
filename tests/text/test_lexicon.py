"""The shop's own words."""

from pathlib import Path

import pytest

from lingsou.core.errors import ConfigurationError
from lingsou.text.lexicon import read_lexicon


def test_words_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.txt"
    path.write_text("\ufeff云栖\n\n  冰丝棉   # a fabric\n# only a comment\nOrbit Book\r\n", encoding="utf-8")
    assert read_lexicon(path) == ["云栖", "冰丝棉", "Orbit Book"]


def test_no_file_is_no_words(tmp_path: Path) -> None:
    assert read_lexicon(tmp_path / "lexicon.txt") == []


def test_another_encoding_is_said(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.txt"
    path.write_bytes("云栖".encode("gb18030"))
    with pytest.raises(ConfigurationError, match="not UTF-8") as caught:
        read_lexicon(path)
    assert caught.value.cure
