"""Pairs: query, text and grade in each row of a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lingsou.evaluation.judgements import PAIR_COLUMNS
from lingsou.training.data.rejects import Tally
from lingsou.training.data.table import TEXT_NAMES, Column, Table, UnusableError, number, open_table, text
from lingsou.training.examples import PairSet
from lingsou.training.recipe import DataSpec

QUERY = Column("query", ("query", "search_term", "q", "keyword", "search_query", "term", "question", "查询", "搜索词"))
GRADE = Column("grade", ("grade", "relevance", "rating", "score", "label", "relevance_score", "gain", "等级", "相关性"))
_COLUMNS = (QUERY, Column("text", TEXT_NAMES), GRADE)


def read(path: Path, spec: DataSpec, tally: Tally) -> PairSet:
    """The pairs of a file. In the Home Depot form (`search_term`, `product_title`, `relevance` from 1 to 3) the grade
    is relevance − 1, so that 0 means not relevant; in all others the grade as it stands, of at least 0.

    Raises:
        FeedError: the file cannot be read, is empty, or lacks a column.
        InputError: more than a tenth of its rows cannot be used.
    """
    table = open_table(path, _COLUMNS, spec.columns)
    least = lowest_grade(table)
    rows: list[tuple[str, str, float]] = []
    slices: list[dict[str, str]] = []
    for place, values in table.rows(tally):
        try:
            rows.append((text(values, "query"), text(values, "text"), number(values, "grade", least) - least))
        except UnusableError as error:
            tally.reject(place, error.kind, error.reason, field=error.field, cure=error.cure)
        else:
            slices.append(table.slices(values))
            tally.take()
    tally.close()
    return PairSet.of(rows, columns_of(slices))


def lowest_grade(table: Table) -> float:
    """What a file calls not relevant: 1 in the Home Depot form, else 0."""
    return 1.0 if set(PAIR_COLUMNS) <= set(table.header) and table.bound["grade"] == PAIR_COLUMNS[-1] else 0.0


def columns_of(slices: list[dict[str, str]]) -> Mapping[str, list[Any]]:
    """Rows of slice values, which all have the same names, as columns."""
    return {name: [row[name] for row in slices] for name in (slices[0] if slices else {})}
