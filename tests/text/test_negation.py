import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.text.negation import find_negations
from lingsou.text.units import read_table

QUICK = settings(max_examples=150, deadline=None, derandomize=True)
CASES = Path(__file__).parent / "cases"
WORDS = [
    *"不要非除了没有和或的、 ,.黑色红无线免",
    "不要",
    "logo",
    "without ",
    "no ",
    "non-",
    "not ",
    " or ",
    "except ",
    "free",
    "500元",
]


def compact(text: str) -> str:
    return "; ".join(negation.surface.lower() for negation in find_negations(text)) or "-"


@pytest.mark.parametrize("name", ["negation", "negation_heldout"])
def test_written_cases(name: str) -> None:
    lines = (CASES / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    failures = [f"{text}: expected {wanted}, found {compact(text)}" for text, wanted in rows if compact(text) != wanted]
    sys.stderr.write("\n".join(failures))
    assert len(failures) <= 0.01 * len(rows), failures


def test_the_cases_are_many_and_hold_enough_that_is_nothing() -> None:
    rows = [
        line.split("\t")[1]
        for name in ("prices", "quantities", "negation")
        for line in (CASES / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    assert len(rows) >= 340
    assert rows.count("-") >= 80


def test_phrase_and_cue_have_their_places() -> None:
    first, second = find_negations("连衣裙 不要黑色和红色")
    assert (first.start, first.end, first.surface, first.cue_start, first.cue) == (6, 8, "黑色", 4, "不要")
    assert (second.start, second.end, second.surface, second.cue_start) == (9, 11, "红色", 4)


@pytest.mark.parametrize("row", read_table("negation_exceptions.tsv"), ids=lambda row: row[0])
def test_the_examples_of_the_exceptions_are_no_negations(row: list[str]) -> None:
    for example in row[2:]:
        assert find_negations(example) == []


@QUICK
@given(
    st.sampled_from(["不要{}的", "不带{}", "没有{}的外套", "除了{}都行", "不想要{} 500以下"]),
    st.sampled_from(["黑色", "条纹", "帽子", "拉链", "碎花", "蕾丝"]),
)
def test_chinese_phrases_round_trip(form: str, phrase: str) -> None:
    assert compact("外套 " + form.format(phrase)) == phrase


@QUICK
@given(
    st.sampled_from(["without {}", "no {}", "not {}", "non-{}", "except {}", "anything but {}", "without {}, cheap"]),
    st.sampled_from(["black", "leather", "logo", "zipper", "hood", "velvet"]),
)
def test_english_phrases_round_trip(form: str, phrase: str) -> None:
    assert compact("jacket " + form.format(phrase)) == phrase


@QUICK
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=25).map("".join)))
def test_any_text_gives_valid_spans_apart(text: str) -> None:
    last = 0
    for negation in find_negations(text):
        assert last <= negation.start < negation.end <= len(text)
        assert negation.cue_start < negation.start
        assert negation.surface == text[negation.start : negation.end]
        assert negation.surface.strip()
        last = negation.end


@pytest.mark.parametrize("unit", ["非", "不要", "no ", "not ", "non-", "without a ", "不要黑色和", "except red and "])
def test_hostile_texts_take_no_time(unit: str) -> None:
    started = time.thread_time()
    find_negations(unit * 50_000)
    assert time.thread_time() - started < 1
