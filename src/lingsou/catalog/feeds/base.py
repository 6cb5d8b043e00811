"""What a feed is: a file format that yields numbered rows, or the reason why one cannot be read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Protocol

from lingsou.core.errors import FeedError, ProductError

MAX_ROW_BYTES = 8 * 1024 * 1024
"""A line, record or XML item longer than this is rejected unread, so that memory stays bounded."""


@dataclass(frozen=True)
class RowProblem:
    """Why one row is not usable. Rejects and reports are made of these."""

    kind: str
    """a short phrase without the row's own values, under which reports count alike problems"""
    reason: str
    cure: str = ""
    field: str = ""
    data: Any = None
    """what could be read of the row: a dict where it has columns, else the beginning of its text"""
    fatal: bool = False
    """nothing after this could be read: the feed is damaged from here on"""

    def error(self, row: int | None = None) -> ProductError:
        """The same as an exception."""
        return ProductError(self.reason, cure=self.cure or None, field=self.field or None, row=row)


Row = dict[str, Any]
Rows = Iterator[tuple[int, Row | RowProblem]]
OnBytes = Callable[[int], None]
"""Called with the position in the (compressed) file each time more of it has been read."""


class Feed(Protocol):
    """One file format."""

    name: str

    def rows(self, path: Path, *, encoding: str | None = None, on_bytes: OnBytes | None = None) -> Rows:
        """Stream the rows of `path`, gzip or not, in bounded memory.

        Yields the row's number, counted from 1 (the line where it begins in a text file, the ordinal elsewhere), and
        its columns or its problem. A damaged file yields what precedes the damage, then one `fatal` problem.

        Raises:
            FeedError: the file does not exist, is empty, or nothing of it can be read.
        """
        ...


def guarded(read: Callable[..., Rows]) -> Callable[..., Rows]:
    """Give `rows` the manners that `Feed` promises: an empty feed is an error, late damage is one fatal problem."""

    @wraps(read)
    def rows(self: Any, path: Path, *, encoding: str | None = None, on_bytes: OnBytes | None = None) -> Rows:
        number, seen = 0, False
        try:
            for number, row in read(self, path, encoding=encoding, on_bytes=on_bytes):
                seen = True
                yield number, row
        except (FeedError, OSError) as error:
            damage = error if isinstance(error, FeedError) else unreadable(path, error)
            if not seen:
                raise damage from error
            cure = damage.cure or "Transfer the file again."
            yield number + 1, RowProblem("the feed is damaged", damage.message, cure, fatal=True)
            return
        if not seen:
            raise FeedError(f"'{path.name}' is empty: it has no rows.", cure="Export it again, or leave this load out.")

    return rows


def unreadable(path: Path, error: OSError) -> FeedError:
    """An operating-system error in plain words."""
    if isinstance(error, FileNotFoundError):
        return FeedError(f"There is no file '{path}'.", cure="Check the path.")
    if isinstance(error, IsADirectoryError):
        return FeedError(f"'{path}' is a folder, not a file.", cure="Name one file in it.")
    return FeedError(f"'{path}' cannot be read: {error.strerror or error}.", cure="Check its permissions and the disk.")
