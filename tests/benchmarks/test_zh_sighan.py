"""The sentence-level figures of Chinese spelling check, worked by hand."""

from pathlib import Path

import pytest
from benchmarks.understanding.zh_sighan import read, sentence_f1

from lingsou.core.errors import FeedError


def test_five_sentences() -> None:
    wrong = ["我买了手及", "这件依服好看", "今天很冷", "他在家里", "请给我一被水"]
    right = ["我买了手机", "这件衣服好看", "今天很冷", "他在家里", "请给我一杯水"]
    # Right; the right place, but another character; left as it was; a change where none was due; not found.
    corrected = ["我买了手机", "这件医服好看", "今天很冷", "他在加里", "请给我一被水"]
    scores = sentence_f1(wrong, right, corrected)
    # Three sentences were changed, three are wrong; two were found in the right place, one was mended.
    assert scores["detection"] == pytest.approx({"precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3})
    assert scores["correction"] == pytest.approx({"precision": 1 / 3, "recall": 1 / 3, "f1": 1 / 3})


def test_every_error_of_a_sentence_must_be_found_and_nothing_else() -> None:
    wrong, right = ["手及和依服", "手及"], ["手机和衣服", "手机"]
    assert sentence_f1(wrong, right, ["手机和依服", "手机"])["detection"]["precision"] == 0.5
    assert sentence_f1(wrong, right, ["手机或衣服", "手机"])["detection"]["recall"] == 0.5


def test_a_character_that_is_missing_has_a_place() -> None:
    assert sentence_f1(["保杯好用"], ["保温杯好用"], ["保暖杯好用"]) == {
        "detection": {"precision": 1.0, "recall": 1.0, "f1": 1.0},
        "correction": {"precision": 0.0, "recall": 0.0, "f1": 0.0},
    }
    assert sentence_f1(["保杯好用"], ["保温杯好用"], ["保杯很好用"])["detection"]["f1"] == 0.0


def test_width_case_and_traditional_characters_are_no_errors() -> None:
    nothing = {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    assert sentence_f1(["手機ＯＫ"], ["手机ok"], ["手机OK"]) == {"detection": nothing, "correction": nothing}


def test_files_have_two_columns(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text("手及\t手机\n\n衣服\t衣服\n", encoding="utf-8")
    assert read(path) == (["手及", "衣服"], ["手机", "衣服"])
    path.write_text("手及\t手机\n衣服\n", encoding="utf-8")
    with pytest.raises(FeedError, match=r"Line 2 of pairs\.tsv has 1 columns"):
        read(path)
