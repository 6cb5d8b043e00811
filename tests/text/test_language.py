"""Language by script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.text.language import detect


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "other"),
        ("12.5 — 100%", "other"),
        ("Привет", "other"),
        ("running shoes", "en"),
        ("École élan", "en"),
        ("Ünïcödé", "en"),
        ("跑步鞋", "zh"),
        ("無線充電器", "zh"),
        ("疾风 男士跑步鞋 透气网面 XL", "zh"),  # 12 characters, 1 word: 0.92
        ("HP 打印机", "mixed"),  # 3 characters, 1 word: 0.75
        ("T恤", "mixed"),
        ("Orbit Book wireless mouse 鼠", "en"),  # 1 character, 4 words: 0.2
        ("Orbit Book mouse 鼠标", "mixed"),  # 2 characters, 3 words: 0.4
    ],
)
def test_worked_cases(text: str, expected: str) -> None:
    assert detect(text) == expected


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert detect(text) in ("zh", "en", "mixed", "other")
