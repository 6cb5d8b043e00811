"""The report of `lingsou check`."""

import json
import time
from collections.abc import Iterator

import pytest

from lingsou.core import plugins
from lingsou.core.errors import FeedError, ProductError
from lingsou.core.types import Attribute, Product
from lingsou.quality.check import SEVERITIES
from lingsou.quality.report import CheckReport, run_checks
from lingsou.quality.tally import MAX_KINDS, OTHER_FIELDS, Problem, Tally
from lingsou.testing.check import defective_products, healthy_products


def test_a_healthy_catalogue_is_clean() -> None:
    report = run_checks(enumerate(healthy_products(), start=1))
    assert (report.rows, report.rejected) == (200, 0)
    assert [check.id for check in report.checks] == ["schema", *plugins.names("check")]
    assert (report.exit_code("error"), report.exit_code("warning")) == (0, 0)


def test_refused_rows_stand_under_schema() -> None:
    rows: list[tuple[int, Product | ProductError]] = [
        (1, Product(id="a", title="t", price=5)),
        (2, ProductError("'abc' is not a price", row=2, field="price", cure="Write a number.")),
        (3, ProductError("the id is missing", row=3, field="id")),
        (4, ProductError("'x\x07' is not a price", row=4, field="price")),
    ]
    report = run_checks(rows, examples=1)
    schema = report.checks[0]
    assert (report.rows, report.rejected) == (4, 3)
    assert schema.counts == {"error": 3, "warning": 0, "info": 0}
    assert [(kind.field, kind.count) for kind in schema.problems] == [("price", 2), ("id", 1)]
    price, missing = schema.examples
    assert (price.row, price.field, price.evidence, price.repair) == (
        2,
        "price",
        "'abc' is not a price",
        "Write a number.",
    )
    assert missing.repair
    assert report.exit_code() == 1


@pytest.mark.parametrize(
    ("titles", "codes"),
    [
        (["plain"], (0, 0, 0)),
        (["a &amp; b"], (0, 1, 0)),
        (["锟斤拷"], (1, 1, 0)),
    ],
)
def test_exit_code_follows_the_gravest_finding(titles: list[str], codes: tuple[int, int, int]) -> None:
    report = run_checks([(n, Product(id=str(n), title=title)) for n, title in enumerate(titles, start=1)])
    assert (report.exit_code("error"), report.exit_code("warning"), report.exit_code("never")) == codes


def test_an_empty_feed_is_not_clean() -> None:
    report = run_checks([])
    assert report.exit_code() == 1
    assert report.count("error") == 1


def test_the_json_form_returns_the_same_report() -> None:
    report = run_checks(enumerate(defective_products(), start=1))
    assert report.exit_code() == 1
    assert CheckReport.model_validate(json.loads(json.dumps(report.as_dict(), allow_nan=False))) == report


def test_problems_come_gravest_first_and_examples_in_their_order() -> None:
    for check in run_checks(enumerate(defective_products(), start=1)).checks:
        grades = [SEVERITIES.index(kind.severity) for kind in check.problems]
        assert grades == sorted(grades)
        assert [SEVERITIES.index(each.severity) for each in check.examples] == sorted(
            SEVERITIES.index(each.severity) for each in check.examples
        )
        assert sum(check.counts.values()) == sum(kind.count for kind in check.problems)


def test_what_the_feed_raises_goes_through() -> None:
    def rows() -> Iterator[tuple[int, Product]]:
        yield 1, Product(id="a", title="t")
        raise FeedError("the file ends in the middle", cure="Fetch it again.")

    with pytest.raises(FeedError):
        run_checks(rows())


def test_memory_stays_bounded_however_many_fields_there_are() -> None:
    tally = Tally("c", examples=1)
    problem = Problem("info", "p", "r")
    for number in range(MAX_KINDS + 50):
        tally.add(problem, f"attributes.{number}", "e", row=number, product_id="x")
    counts = tally.counts()
    assert len(counts) == MAX_KINDS + 1
    assert sum(counts.values()) == MAX_KINDS + 50
    assert list(counts)[-1].field == OTHER_FIELDS


def test_all_checks_together_keep_pace_with_an_import() -> None:
    extra = {f"属性{n}": Attribute(value="一些文字 some words", unit="cm") for n in range(15)}
    products = [product.model_copy(update={"attributes": extra}) for product in healthy_products(2_000)]
    best = 1e9
    for _ in range(3):
        start = time.process_time()
        run_checks(enumerate(products, start=1))
        best = min(best, time.process_time() - start)
    assert len(products) / best > 5_000  # about 8,000 on an idle core
