"""The report's page: everything is there, and nothing of it can run."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from lingsou.evaluation.comparison import METRICS, PRIMARY, compare_runs
from lingsou.evaluation.comparison_page import Judged, Report, Shown, Side, SideBySide, page, verdict
from lingsou.evaluation.judgements import Judgements
from lingsou.evaluation.runs import Run
from lingsou.evaluation.slices import Slice

HOSTILE = "<script>alert(1)</script>"
ATTRIBUTE = '"\' onmouseover=alert(1) x="'
QUERIES = (HOSTILE, *(f"q{n}" for n in range(6)))


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def report(**changes: tuple[str, ...]) -> Report:
    judged = Judgements({query: {"good": 2.0, "bad": 0.0} for query in QUERIES})
    a, b = (Run(dict.fromkeys(QUERIES, ids)) for ids in (("bad", "good"), ("good", "bad")))
    found = compare_runs(a, b, judged, [Slice("category", HOSTILE, tuple(range(6))), Slice("category", "few", (6,))])
    lists = (Shown("bad", HOSTILE, 0.0), Shown("good", "Good", 2.0), Shown("new", "Unseen", None))
    beside = (SideBySide(HOSTILE, 0.63, 1.0, lists, lists),)
    sides = [Side(name, {"rules": "none"}, 1.0, 2.0, 0) for name in ("live", ATTRIBUTE)]
    part = Judged(14, 13, "the log", found, beside, ())
    return replace(
        Report(sides[0], sides[1], {"sha256 of " + HOSTILE: "0f"}, (HOSTILE,), part, None),
        **changes,  # type: ignore[arg-type]
    )


def test_nothing_hostile_is_markup() -> None:
    reader = read(page(report()))
    assert reader.text.count(HOSTILE) >= 5, "query, title, slice, warning and file are shown as they are"
    assert not reader.tags & {"script", "img", "iframe", "link", "object", "embed", "form", "a"}
    assert not {name for name in reader.attributes if name.startswith("on")} | reader.attributes & {"src", "href"}


def test_it_needs_no_other_host_and_forbids_scripts() -> None:
    html = page(report())
    assert "default-src 'none'" in html
    assert "http://" not in html
    assert "https://" not in html
    assert "url(" not in html


def test_all_parts_are_there() -> None:
    reader = read(page(report()))
    for name in (*METRICS, "Slices", "Largest gains", "Largest losses", "Holm", "too few queries", "Made from"):
        assert name in reader.text
    assert "7 of 7 queries gain, 0 lose, 0 stay the same." in reader.text
    assert {"svg", "title", "desc"} <= reader.tags
    assert "aria-labelledby" in reader.attributes
    assert "13 of 14 judgements" in reader.text


def test_the_verdict_is_careful() -> None:
    assert verdict(report()).startswith("b is better than a by +0.3691 ndcg@10")
    assert "the log tells how much differs" in verdict(report(judged=None))  # type: ignore[arg-type]
    first = report()
    assert first.judged
    comparison = first.judged.comparison
    row = next(row for row in comparison.metrics if row.name == PRIMARY)
    unsure = replace(comparison, metrics=(replace(row, p=0.2),))
    told = verdict(replace(first, judged=replace(first.judged, comparison=unsure)))
    assert "not surely better" in told
    assert "may be chance" in told


@pytest.mark.parametrize("sign", [1, -1])
def test_bars_and_whiskers_stand_on_the_right_side(sign: int) -> None:
    from lingsou.evaluation import plots

    made = plots.bars([sign * 0.5, 0.0])
    moved = next(bar for bar in made.bars if bar.height)
    assert moved.gain == (sign > 0)
    assert (moved.y < made.zero) == (sign > 0)
    found = report().judged
    assert found
    whisker = plots.whiskers(found.comparison.slices).rows[0]
    assert whisker.low <= whisker.x <= whisker.high
    assert whisker.x > plots.whiskers(found.comparison.slices).zero, "b gains here"
