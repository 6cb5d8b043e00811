"""CSV and its kin: a header line, then one record a row; quotes may hold delimiters and line breaks."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from lingsou.catalog.feeds.base import MAX_ROW_BYTES, OnBytes, Row, RowProblem, Rows, guarded
from lingsou.catalog.feeds.source import text_lines
from lingsou.core.errors import FeedError

DELIMITERS = ",;\t|"
MAX_RECORD_LINES = 1_000
"""A quoted field that runs over more lines was never closed."""


@dataclass(frozen=True)
class CsvFeed:
    """Rows with the columns of the header; the delimiter is sniffed among comma, semicolon, tab and bar."""

    name: str = "csv"
    delimiter: str | None = None

    @guarded
    def rows(self, path: Path, *, encoding: str | None = None, on_bytes: OnBytes | None = None) -> Rows:
        """See `Feed.rows`."""
        # The limit is one per process and starts at 128 KiB, less than a description may have.
        csv.field_size_limit(max(csv.field_size_limit(), MAX_ROW_BYTES))
        lines = _Lines(text_lines(path, encoding, on_bytes))
        delimiter = self.delimiter or _sniff(lines.peek(20))
        records = _records(lines, delimiter)
        header: list[str] | None = None
        for number, record in records:
            if header is None:
                if isinstance(record, RowProblem):
                    raise FeedError(f"The header of '{path.name}': {record.reason}.", cure=record.cure or None)
                header, problem = _header(record)
                if problem:
                    yield number, problem
                continue
            yield number, _row(header, record, lines)


@dataclass(frozen=True)
class TsvFeed(CsvFeed):
    """The same with tabs."""

    name: str = "tsv"
    delimiter: str | None = "\t"


class _UnclosedQuoteError(Exception):
    """The reader asks for ever more lines of one record."""


class _Lines:
    """Hands lines to `csv.reader`, and remembers those of the current record so that they can be read anew."""

    def __init__(self, source: Iterator[str | RowProblem]):
        self.source = enumerate(source, start=1)
        self.waiting: deque[tuple[int, str | RowProblem]] = deque()
        self.record: list[tuple[int, str]] = []
        self.problem: RowProblem | None = None
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        item = self.waiting.popleft() if self.waiting else next(self.source, None)
        if item is None:
            if self.record:
                raise _UnclosedQuoteError
            raise StopIteration
        number, line = item
        if isinstance(line, RowProblem):
            self.problem = self.problem or line
            line = line.data if isinstance(line.data, str) else ""
        self.record.append((number, line))
        self.size += len(line)
        if len(self.record) > MAX_RECORD_LINES or self.size > MAX_ROW_BYTES:
            raise _UnclosedQuoteError
        return line + "\n"

    def begin(self) -> None:
        self.record, self.problem, self.size = [], None, 0

    def read_again(self) -> None:
        """Put back all lines of the current record but its first."""
        self.waiting.extendleft(reversed(self.record[1:]))

    def peek(self, count: int) -> list[str]:
        self.waiting.extend(islice(self.source, count))
        return [line for _, line in self.waiting if isinstance(line, str)]


def _records(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str] | RowProblem]]:
    """Records with the number of the line where each begins; blank lines are passed over."""
    # Strict, because a stray quote that a later one closes would else swallow the rows between.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        try:
            record: list[str] | RowProblem | None = next(reader, None)
        except (_UnclosedQuoteError, csv.Error) as error:
            record = _mended(lines, delimiter, error)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
        if record is None:
            return
        if record or lines.problem:
            yield lines.record[0][0], record


def _mended(lines: _Lines, delimiter: str, error: Exception) -> list[str] | RowProblem:
    """What to make of a record that breaks the rules of quoting; the lines after its first are read anew."""
    number, text = lines.record[0]
    if isinstance(error, csv.Error) and len(lines.record) == 1:
        try:
            return next(csv.reader([text], delimiter=delimiter), [])  # `"so"called` is understood all the same
        except csv.Error:
            reason = f"line {number} is not valid CSV: {error}"
            return RowProblem("not valid CSV", reason, "Mend the quotes and line breaks of that line.", data=text)
    lines.read_again()
    reason = f'a quote (") that opens in line {number} is not closed'
    cure = 'Close it, or write a quote inside a field twice ("").'
    return RowProblem("unclosed quote", reason, cure, data=text)


def _row(header: list[str], record: list[str] | RowProblem, lines: _Lines) -> Row | RowProblem:
    if isinstance(record, RowProblem):
        return lines.problem or record
    row = dict(zip(header, record, strict=False))
    if lines.problem:
        problem = lines.problem
        return RowProblem(problem.kind, problem.reason, problem.cure, data=row if record else None)
    if len(record) == len(header):
        return row
    if len(lines.record) > 1 and _looks_whole(lines.record[1][1], header):
        # A stray quote swallowed the rows that follow: only the first is lost.
        lines.read_again()
    kind = "too few fields" if len(record) < len(header) else "too many fields"
    cure = "Quote fields that hold the delimiter, a quote or a line break."
    return RowProblem(kind, f"the row has {len(record)} fields, the header has {len(header)}", cure, data=row)


def _looks_whole(line: str, header: list[str]) -> bool:
    best = _sniff([line])
    return len(next(csv.reader([line], delimiter=best), [])) == len(header)


def _header(record: list[str]) -> tuple[list[str], RowProblem | None]:
    """Unique column names: a blank one is called by its position, a repeated one gets a number."""
    names: list[str] = []
    twice: list[str] = []
    for position, cell in enumerate(record, start=1):
        name = cell.strip() or f"column {position}"
        if name in names:
            twice.append(name)
            name = next(f"{name} ({n})" for n in range(2, len(record) + 2) if f"{name} ({n})" not in names)
        names.append(name)
    if not twice:
        return names, None
    return names, RowProblem(
        "column named twice",
        f"the header names '{twice[0]}' more than once; the later is read as '{twice[0]} (2)'",
        "Give each column its own name.",
        field=twice[0],
    )


def _sniff(sample: list[str]) -> str:
    """The delimiter that cuts the first lines into the most equal number of fields, more than one."""
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            widths = [
                len(record) for record in csv.reader((f"{line}\n" for line in sample), delimiter=delimiter) if record
            ]
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            score = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
            best, best_score = (delimiter, score) if score > best_score else (best, best_score)
    return best
