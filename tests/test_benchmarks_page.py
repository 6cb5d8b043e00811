"""docs/benchmarks.md is what its results generate."""

from benchmarks import report


def test_the_page_is_generated_from_the_results() -> None:
    assert report.PAGE.read_text(encoding="utf-8") == report.page(), "run: python -m benchmarks.report"
