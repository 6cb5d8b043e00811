"""Plain texts: one a line of a text file, or one column of a table."""

from collections.abc import Iterator
from pathlib import Path

from lingsou.catalog.feeds import RowProblem
from lingsou.catalog.feeds.source import text_lines
from lingsou.core.errors import FeedError
from lingsou.training.data.pairs import columns_of
from lingsou.training.data.rejects import Tally
from lingsou.training.data.table import TEXT_NAMES, Column, Table, UnusableError, open_table, plain, text
from lingsou.training.examples import TextSet
from lingsou.training.recipe import DataSpec

_COLUMNS = (Column("text", TEXT_NAMES),)


def read(path: Path, spec: DataSpec, tally: Tally) -> TextSet:
    """The texts of a file: each line of a `.txt`, blank ones left out, else the column `text` of a table.

    Raises:
        FeedError: the file cannot be read, is empty, or lacks the column.
        InputError: more than a tenth of its rows cannot be used.
    """
    if path.name.removesuffix(".gz").endswith(".txt") and not spec.columns:
        lines = tuple(_lines(path, tally))
        tally.close()
        return TextSet(lines)
    return of_table(open_table(path, _COLUMNS, spec.columns), tally)


def of_table(table: Table, tally: Tally) -> TextSet:
    """The column `text` of a table that was opened, with its slices; errors as in `read`."""
    texts: list[str] = []
    slices: list[dict[str, str]] = []
    for place, values in table.rows(tally):
        try:
            texts.append(text(values, "text"))
        except UnusableError as error:
            tally.reject(place, error.kind, error.reason, field=error.field, cure=error.cure)
        else:
            slices.append(table.slices(values))
            tally.take()
    tally.close()
    return TextSet(tuple(texts), slices=columns_of(slices))


def _lines(path: Path, tally: Tally) -> Iterator[str]:
    for place, line in numbered_lines(path):
        if isinstance(line, RowProblem):
            tally.reject(place, line.kind, line.reason, cure="Mend that line.")
        elif found := plain(line):
            tally.take()
            yield found


def numbered_lines(path: Path) -> Iterator[tuple[int, str | RowProblem]]:
    """The lines of a text file with their numbers, from 1.

    Raises:
        FeedError: it does not exist, is damaged, or is not UTF-8.
    """
    try:
        yield from enumerate(text_lines(path, None), start=1)
    except OSError as error:
        raise FeedError(f"'{path}' cannot be read: {error.strerror}.", cure="Check the path.") from error
    except FeedError as error:
        raise FeedError(error.message, cure="Save the file as UTF-8, or transfer it again.") from error
