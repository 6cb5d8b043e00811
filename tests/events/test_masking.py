"""Masking over written cases: personal data goes, product text stays."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.events.masking import PLACEHOLDERS, mask
from lingsou.events.numerals import is_card, is_gtin, is_iban, is_mainland_id

CASES = Path(__file__).parent / "cases"
RECALL, FALSE_ALARMS = 0.99, 0.01


def lines(name: str) -> list[list[str]]:
    rows = (CASES / name).read_text(encoding="utf-8").splitlines()
    return [row.split("\t") for row in rows if not row.startswith("#")]


def is_gone(secret: str, masked: str) -> bool:
    """No run of two fifths of it is left; five characters at least, so that common words do not count."""
    left = re.sub("|".join(map(re.escape, PLACEHOLDERS)), "|", masked)
    size = max(5, 2 * len(secret) // 5)
    return not any(secret[start : start + size] in left for start in range(len(secret) - size + 1))


def missed(name: str) -> list[str]:
    return [text for _, text, secret in lines(name) if not is_gone(secret, mask(text))]


def false_alarms(name: str) -> list[str]:
    return [text for (text,) in lines(name) if mask(text) != text]


def test_personal_data_goes() -> None:
    cases = lines("personal.tsv")
    assert len(cases) >= 500
    assert {kind for kind, _, _ in cases} == {each.strip("[]") for each in PLACEHOLDERS}
    assert len(missed("personal.tsv")) <= (1 - RECALL) * len(cases), missed("personal.tsv")


def test_product_text_stays() -> None:
    cases = lines("product.tsv")
    assert len(cases) >= 300
    assert len(false_alarms("product.tsv")) <= FALSE_ALARMS * len(cases), false_alarms("product.tsv")


def test_cases_kept_aside() -> None:
    """The rules were never changed for them, so these are the honest figures; held where they were at first."""
    assert len(missed("held_personal.tsv")) <= 7
    assert false_alarms("held_product.tsv") == []


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("打１３８００１３８０００找我", "打[phone]找我"),
        ("send it to anna@example.com today", "send it to [email] today"),
        ("13800138000 13900139000", "[phone] [phone]"),
        ("EAN 6901234567892", "EAN 6901234567892"),
        ("", ""),
        ("[phone]", "[phone]"),
    ],
)
def test_by_hand(text: str, masked: str) -> None:
    assert mask(text) == masked


PIECES = st.sampled_from(
    [
        "13800138000",
        "a@b.co",
        " ",
        "地址：",
        "北京市朝阳区建国路88号",
        "ſ",
        "\u212a",
        "İ",
        "١٢٣",
        "(",
        ")",
        "+",
        "-",
        "４",
    ]
) | st.sampled_from(
    ["[phone]", "护照", "12 Main Street, ", "passport ", "4111111111111111", "tel: ", "7", "x", "\n", "\0"]
)


@given(st.text() | st.lists(PIECES, max_size=14).map("".join))
def test_masking_never_raises_and_is_idempotent(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


def test_masking_takes_linear_time_on_hostile_text() -> None:
    import time

    for piece in ("1", "a.", "街", "1 a ", "路1", "@", "市", "(", "+1 ", "3栋", "a@"):
        start = time.thread_time()
        mask(piece * (4_000 // len(piece)))
        assert time.thread_time() - start < 5, piece


@pytest.mark.parametrize(
    ("check", "valid", "wrong"),
    [
        (is_card, "4111 1111 1111 1111", "4111 1111 1111 1112"),
        (is_mainland_id, "11010519491231002X", "110105194912310021"),
        (is_iban, "GB82WEST12345698765432", "GB83WEST12345698765432"),
    ],
)
def test_check_digits(check, valid: str, wrong: str) -> None:  # type: ignore[no-untyped-def]
    """The examples of ISO/IEC 7812, GB 11643 and ISO 13616."""
    assert check(valid)
    assert not check(wrong)


def test_a_trade_item_number_is_no_card() -> None:
    assert is_gtin([int(each) for each in "4006381333931"])
    assert not is_card("4006381333931")
