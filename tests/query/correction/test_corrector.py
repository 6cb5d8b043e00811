"""Several correctors as one, and what none of them may touch."""

from collections.abc import Sequence

import pytest

from lingsou.core.plan import Correction
from lingsou.query.correction import Correctors, corrected
from lingsou.query.correction.guard import protected
from lingsou.query.places import Piece


def correction(query: str, surface: str, replacement: str, confidence: float, *, applied: bool = True) -> Correction:
    start = query.index(surface)
    return Correction(
        start=start,
        end=start + len(surface),
        surface=surface,
        replacement=replacement,
        source="spelling",
        confidence=confidence,
        applied=applied,
    )


class Fixed:
    """Says the same of every query."""

    def __init__(self, *corrections: Correction):
        self.corrections = corrections
        self.closed: Sequence[Piece] = ()

    def correct(self, raw: str, closed: Sequence[Piece]) -> Sequence[Correction]:
        self.closed = closed
        return self.corrections


def test_of_corrections_that_overlap_the_more_probable_one_is_kept() -> None:
    query = "shouji kase blu"
    english = Fixed(correction(query, "kase", "case", 0.9), correction(query, "blu", "blue", 0.8))
    pinyin = Fixed(correction(query, "shouji kase", "手机壳", 0.7), correction(query, "shouji", "手机", 0.95))
    found = Correctors([english, pinyin]).correct(query)
    assert [each.replacement for each in found] == ["手机", "case", "blue"]
    assert corrected(query, found) == "手机 case blue"


def test_equal_ones_go_by_place() -> None:
    query = "ab"
    found = Correctors([Fixed(correction(query, "ab", "x", 0.5)), Fixed(correction(query, "b", "y", 0.5))]).correct(
        query
    )
    assert [each.replacement for each in found] == ["x"]


def test_correctors_are_told_what_is_closed() -> None:
    seen = Fixed()
    Correctors([seen]).correct("lamp 12v brand:Umbra", [(0, 4)])
    assert set(seen.closed) == {(0, 4), (5, 8), (9, 15)}


@pytest.mark.parametrize(
    ("query", "pieces"),
    [
        ("nice lamp", []),
        ("EX-VS45/2 toner", ["EX-VS45/2"]),
        ("15.6in laptop 500ml", ["15.6in", "500ml"]),
        ("me@example.com", ["me@example.com"]),
        ("see www.example.com or https://example.com/a", ["www.example.com", "https://example.com/a"]),
        ("-brand:HP", ["brand:"]),
        ("颜色：黑色 衬杉", ["颜色："]),
        ("iphone15手机壳", ["iphone15"]),
        ("note: lamp", []),
    ],
)
def test_what_is_never_corrected(query: str, pieces: list[str]) -> None:
    found = protected(query)
    assert {query[start:end].strip("-") for start, end in found} >= set(pieces)
    if not pieces:
        assert not found
