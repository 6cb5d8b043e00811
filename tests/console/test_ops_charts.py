"""Charts are drawn where their numbers say, with round marks at the side."""

import pytest

from lingsou.console.ops.charts import HEIGHT, WIDTH, lines, stacked_bars
from lingsou.console.ops.preview import lines as compared
from lingsou.core.types import Explanation, Hit, Product, SearchResponse

DAYS = ["2026-05-01", "2026-05-02", "2026-05-03"]


def test_bars_stand_on_each_other_and_end_at_their_value() -> None:
    chart = stacked_bars(DAYS, [("found", "With", [80, 40, 0]), ("zero", "Without", [20, 0, 0])])
    assert [tick.text for tick in chart.y] == ["0", "20", "40", "60", "80", "100"]
    assert [tick.text for tick in chart.x] == ["05-01", "05-02", "05-03"]
    lower, upper = chart.bars[0], chart.bars[1]
    top, bottom = chart.y[-1].at, chart.bottom
    assert lower.y + lower.height == pytest.approx(bottom)
    assert upper.y + upper.height == pytest.approx(lower.y)
    assert upper.y == pytest.approx(top)
    assert lower.height == pytest.approx(0.8 * (bottom - top))
    assert upper.title == "2026-05-01 · Without: 20"
    assert chart.bars[4].height == 0


@pytest.mark.parametrize("most", [0.004, 0.7, 1, 3, 7, 10, 11, 49, 50, 51, 99, 100, 101, 1_234, 99_999, 10**7])
def test_marks_are_round_few_and_reach_the_top(most: float) -> None:
    chart = lines(["2026-05-01"], [("p50", "p50", [most])])
    assert 3 <= len(chart.y) <= 6
    assert chart.y[0].text == "0"
    assert 12 <= chart.y[-1].at <= 12.01
    (x, y, _) = chart.lines[0].dots[0]
    assert 11.9 <= y <= HEIGHT
    assert 0 < x < WIDTH
    assert all(len(tick.text) <= 10 for tick in chart.y)


def test_nothing_and_many() -> None:
    assert stacked_bars([], [("found", "With", [])]).bars == ()
    assert stacked_bars(DAYS, [("found", "With", [0, 0, 0])]).y[-1].text == "1"
    many = lines([f"2026-01-{day:02}" for day in range(1, 32)], [("p50", "p50", [1.0] * 31)], " ms")
    assert len(many.x) <= 7
    assert many.x[-1].text == "01-31"
    assert many.lines[0].dots[-1][2] == "2026-01-31 · p50: 1 ms"


def answer(*ids: str, **explained: str) -> SearchResponse:
    hits = tuple(
        Hit(
            id=id_,
            score=1.0,
            product=Product(id=id_, title=id_),
            explanation=Explanation(name="position", value=1, detail=explained.get(id_, "")),
        )
        for id_ in ids
    )
    rules = [{"id": "r1", "name": "", "did": ["pin"]}]
    return SearchResponse.model_validate(
        {"query_id": "q", "total": len(ids), "hits": hits, "page": 1, "page_size": 100, "took_ms": 1, "rules": rules}
    )


def moves(live: str, draft: str) -> tuple[str, str]:
    """Moves as letters, of the live and of the draft column."""
    left = compared(answer(*live), answer(*draft), leaving=True)
    right = compared(answer(*draft), answer(*live), leaving=False)
    return "".join(each.move[0] for each in left), "".join(each.move[0] for each in right)


@pytest.mark.parametrize(
    ("live", "draft", "expected"),
    [
        ("abc", "abc", ("sss", "sss")),
        ("abcdef", "fabcde", ("ssssss", "usssss")),  # one leapt; the others are where they were
        ("abcdef", "bcdefa", ("ssssss", "sssssd")),
        ("ab", "ba", ("ss", "us")),
        ("abc", "xabc", ("sss", "nsss")),
        ("abc", "bc", ("gss", "ss")),
        ("abc", "", ("ggg", "")),
        ("", "ab", ("", "nn")),
    ],
)
def test_differences_are_what_really_moved(live: str, draft: str, expected: tuple[str, str]) -> None:
    assert moves(live, draft) == expected


def test_a_product_names_the_rules_that_acted_on_it_and_no_others() -> None:
    (line,) = compared(answer("a", a="rule r1: Pin it; rule r2: other"), answer("a"), leaving=False)
    assert line.rules == ("r1",)
