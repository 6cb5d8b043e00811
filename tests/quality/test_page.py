"""The HTML report: every number in it, the change since an earlier one, and nothing of a feed that could run."""

import re

from lingsou.core.types import Product
from lingsou.quality.page import LABELS, WIDTH, bars, page, problems
from lingsou.quality.report import CheckReport, run_checks
from lingsou.testing.check import defective_products, healthy_products


def of(products: list[Product]) -> CheckReport:
    return run_checks(enumerate(products, start=1), examples=2)


def test_every_problem_and_example_is_shown_escaped() -> None:
    report = of(defective_products())
    text = page(report, "feed <a>.csv")
    assert "Quality of feed &lt;a&gt;.csv" in text
    assert "<script" not in text
    for check in report.checks:
        for problem in check.problems:
            assert f'<td class="n">{problem.count:,}</td>' in text
    assert len(re.findall("<h3>", text)) == sum(len(check.problems) for check in report.checks)


def test_a_clean_catalogue_says_so() -> None:
    report = CheckReport(rows=2, rejected=0, checks=tuple(c for c in of(healthy_products()).checks if not c.problems))
    text = page(report, "shop")
    assert "Nothing found" in text
    assert "<svg" not in text


def test_changes_since_an_earlier_report() -> None:
    earlier = of([Product(id="1", title="<b>x</b>"), Product(id="2", title="锟斤拷锟斤拷")])
    now = of([Product(id=str(n), title="<b>x</b>") for n in range(3)])
    lines = {(line.check, line.problem): line for line in problems(now, earlier)}
    tag = next(line for (check, _), line in lines.items() if check == "html")
    assert (tag.count, tag.before) == (3, 1)
    gone = next(line for (check, _), line in lines.items() if check == "encoding")
    assert (gone.count, gone.before) == (0, 1)
    text = page(now, "shop", earlier)
    assert "+2" in text
    assert "Gone since" in text
    assert all(line.before is None for line in problems(now))


def test_bars_stay_inside_and_the_longest_comes_first() -> None:
    drawn = bars(of(defective_products()))
    assert [bar.count for bar in drawn] == sorted((bar.count for bar in drawn), reverse=True)
    for bar in drawn:
        assert sum(piece.count for piece in bar.pieces) == bar.count
        assert bar.pieces[0].x == LABELS
        assert bar.pieces[-1].x + bar.pieces[-1].width <= WIDTH
