"""Tables of examples (CSV, TSV, JSON Lines, Parquet): which column is which, and which cells can be used."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from lingsou.catalog.feeds import RowProblem, open_feed
from lingsou.catalog.profile import key_of
from lingsou.core.errors import ConfigurationError, FeedError
from lingsou.training.data.rejects import Tally

SLICES = ("brand", "category", "price", "language")
"""Columns that any table may have beside its own, for slices; taken only where `columns` names them."""

_SAMPLE = 100
_UTF8 = "Save the file as UTF-8."


@dataclass(frozen=True)
class Column:
    """A column by our name; `names` are what files call it, as `key_of` writes them, the likelier first."""

    name: str
    names: tuple[str, ...]
    required: bool = True


_ENGLISH = ("text", "title", "review", "sentence", "content", "document", "doc", "name", "passage", "comment", "body")
_CHINESE = ("文本", "标题", "评论", "内容", "正文", "名称", "句子")
TEXT_NAMES: tuple[str, ...] = _ENGLISH + _CHINESE


class UnusableError(Exception):
    """A value of a row cannot be used; the row is rejected."""

    def __init__(self, field: str, kind: str, reason: str, cure: str):
        super().__init__(reason)
        self.field, self.kind, self.reason, self.cure = field, kind, reason, cure


@dataclass(frozen=True)
class Table:
    """A file whose columns are known."""

    path: Path
    bound: Mapping[str, str]
    """Our name → the file's; optional columns that it lacks are left out."""
    header: Sequence[str]

    def rows(self, tally: Tally) -> Iterator[tuple[int, dict[str, Any]]]:
        """Row number and values by our names (none where a row has no such value), streamed.

        Raises:
            FeedError: the file is damaged from some row on.
        """
        for number, row in _rows(self.path):
            if isinstance(row, RowProblem):
                cure = _plain_cure(row.cure)
                if row.fatal:
                    raise FeedError(row.reason, row=number, cure=cure)
                tally.reject(number, row.kind, row.reason, field=row.field, cure=cure)
            else:
                yield number, {ours: row.get(theirs) for ours, theirs in self.bound.items()}

    def slices(self, values: Mapping[str, Any]) -> dict[str, str]:
        """The slice values of one row."""
        return {name: plain(values[name]) for name in SLICES if name in self.bound}


def open_table(path: Path, wanted: Sequence[Column], columns: Mapping[str, str]) -> Table:
    """Bind our columns to those of the file: as `columns` says, else by their usual names.

    Raises:
        FeedError: the file cannot be read or is empty, or a column is missing.
        ConfigurationError: `columns` names one that this format does not have.
    """
    allowed = [each.name for each in wanted] + list(SLICES)
    unknown = sorted(set(columns) - set(allowed))
    if unknown:
        raise ConfigurationError(
            f"There is no column '{unknown[0]}' to map.",
            field="data.columns",
            cure=f"Map any of: {', '.join(allowed)}.",
        )
    header = list(dict.fromkeys(chain.from_iterable(_sample(path))))
    bound = {}
    for name, theirs in columns.items():
        if theirs not in header:
            raise _missing(path, name, f"'{theirs}'", header)
        bound[name] = theirs
    by_key: dict[str, str] = {}
    for theirs in header:
        by_key.setdefault(key_of(theirs), theirs)
    for each in wanted:
        if each.name in bound:
            continue
        known = (by_key[name] for name in each.names if name in by_key and by_key[name] not in bound.values())
        theirs = next(known, "")
        if theirs:
            bound[each.name] = theirs
        elif each.required:
            raise _missing(path, each.name, f"for '{each.name}'", header)
    return Table(path, bound, header)


def text(values: Mapping[str, Any], field: str) -> str:
    """A text that is not empty; white space around it is dropped.

    Raises:
        UnusableError: it is missing or empty.
    """
    found = plain(values.get(field))
    if not found:
        raise UnusableError(field, f"{field} is empty", f"the {field} is empty", "Fill it in or delete the row.")
    return found


def number(values: Mapping[str, Any], field: str, lowest: float = 0.0) -> float:
    """A finite number of at least `lowest`.

    Raises:
        UnusableError: it is something else, such as NaN.
    """
    given = values.get(field)
    try:
        found = float(given)  # type: ignore[arg-type] # whatever the file holds
    except (TypeError, ValueError):
        found = math.nan
    if isinstance(given, bool) or not math.isfinite(found) or found < lowest:
        reason = f"{str(given)[:40]!r} is not a number of at least {lowest:g}"
        raise UnusableError(field, f"{field} is not a usable number", reason, "Write a plain number.")
    return found


def plain(value: Any) -> str:
    """A cell as text: nothing for none and NaN, `1` rather than `1.0`, white space folded."""
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, bool):
        return str(value).lower()
    return re.sub(r"\s+", " ", str(value)).strip()


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | RowProblem]]:
    try:
        yield from open_feed(path).rows(path)
    except FeedError as error:
        raise FeedError(error.message, row=error.row, field=error.field, cure=_plain_cure(error.cure or "")) from error


def _sample(path: Path) -> list[dict[str, Any]]:
    found = [row for _, row in islice(_rows(path), _SAMPLE) if not isinstance(row, RowProblem)]
    if not found:
        raise FeedError(
            f"'{path.name}' has no readable rows.", cure="Check that it is CSV, TSV, JSON Lines or Parquet."
        )
    return found


def _plain_cure(cure: str) -> str:
    # The feeds' own cure is an option of `lingsou import`, which a recipe does not have.
    return _UTF8 if "--encoding" in cure else cure


def _missing(path: Path, ours: str, what: str, header: Sequence[str]) -> FeedError:
    shown = ", ".join(header[:30]) + (" …" if len(header) > 30 else "")
    return FeedError(
        f"'{path.name}' has no column {what}; it has {shown}.",
        field=ours,
        cure=f'Name it in the recipe, below the task\'s data: columns = {{ {ours} = "…" }}',
    )
