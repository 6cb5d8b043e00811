"""Labels: a text and its class, or its labels, in each row of a table."""

from pathlib import Path
from typing import Any

from lingsou.catalog.columns import cut
from lingsou.training.data.pairs import columns_of
from lingsou.training.data.rejects import Tally
from lingsou.training.data.table import TEXT_NAMES, Column, UnusableError, open_table, plain, text
from lingsou.training.examples import LabelSet
from lingsou.training.recipe import DataSpec

SEPARATORS = ("|", ";", "；", "、")
"""Between several labels. No comma: names of categories have commas."""

_ENGLISH = ("label", "labels", "class", "category", "intent", "sentiment", "target", "cat", "main_category", "tags")
_CHINESE = ("标签", "类别", "分类", "情感")
_COLUMNS = (Column("text", TEXT_NAMES), Column("label", _ENGLISH + _CHINESE))
_NOT_A_LABEL = frozenset({"", "nan"})


def read(path: Path, spec: DataSpec, tally: Tally, *, multiple: bool = False) -> LabelSet:
    """The labelled texts of a file.

    Args:
        path: the file.
        spec: its columns.
        tally: counts its rows.
        multiple: a row may have any number of labels, as a list or with `|`, `;` or `、` between them; else one.

    Raises:
        FeedError: the file cannot be read, is empty, or lacks a column.
        InputError: more than a tenth of its rows cannot be used.
    """
    table = open_table(path, _COLUMNS, spec.columns)
    texts: list[str] = []
    given: list[tuple[str, ...]] = []
    slices: list[dict[str, str]] = []
    for place, values in table.rows(tally):
        try:
            labels = _several(values["label"]) if multiple else (_one(values["label"]),)
            texts.append(text(values, "text"))
        except UnusableError as error:
            tally.reject(place, error.kind, error.reason, field=error.field, cure=error.cure)
        else:
            given.append(labels)
            slices.append(table.slices(values))
            tally.take()
    tally.close()
    return LabelSet(tuple(texts), tuple(given), multiple, slices=columns_of(slices))


def _one(value: Any) -> str:
    if isinstance(value, list | tuple):
        value = value[0] if len(value) == 1 else None
    label = plain(value)
    if label.casefold() in _NOT_A_LABEL:
        reason = "there is no label, or not one alone"
        cure = 'Fill it in or delete the row; for several labels a row: kind = "labels".'
        raise UnusableError("label", "there is no label", reason, cure)
    return label


def _several(value: Any) -> tuple[str, ...]:
    parts = [plain(each) for each in value] if isinstance(value, list | tuple) else cut(plain(value), SEPARATORS)
    return tuple(dict.fromkeys(part for part in parts if part.casefold() not in _NOT_A_LABEL))
