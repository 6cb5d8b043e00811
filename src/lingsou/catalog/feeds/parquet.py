"""Parquet, read batch by batch."""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from lingsou.catalog.feeds.base import OnBytes, Row, RowProblem, Rows, guarded
from lingsou.catalog.feeds.source import GZIP_MAGIC
from lingsou.core.errors import FeedError

BATCH = 1_000


@dataclass(frozen=True)
class ParquetFeed:
    """Rows keep the types of their columns; lists, structs and maps become lists and dicts."""

    name: str = "parquet"

    @guarded
    def rows(self, path: Path, *, encoding: str | None = None, on_bytes: OnBytes | None = None) -> Rows:
        """See `Feed.rows`. The encoding is always UTF-8; a zipped file is first unzipped to a temporary one."""
        pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
        with _plain(path) as source:
            try:
                file = pq.ParquetFile(source)
                total, size, number = file.metadata.num_rows, path.stat().st_size, 0
                for batch in file.iter_batches(batch_size=BATCH):
                    for row in _rows(_readable(batch)):
                        number += 1
                        yield number, row
                    if on_bytes:
                        on_bytes(size * number // max(total, 1))
            except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
                message = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise FeedError(
                    f"'{path.name}' cannot be read as Parquet: {message}", cure="Export it again, or transfer it again."
                ) from error


@contextmanager
def _plain(path: Path) -> Iterator[Any]:
    """The file itself, or its unzipped copy: Parquet is read from its end, which a stream does not allow."""
    with path.open("rb") as raw:
        if raw.peek(2)[:2] != GZIP_MAGIC:
            yield raw
            return
        with tempfile.TemporaryFile() as copy:
            try:
                shutil.copyfileobj(gzip.GzipFile(fileobj=raw), copy)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise FeedError(
                    f"'{path.name}' is truncated or damaged gzip: {error}.", cure="Transfer the file again."
                ) from error
            copy.seek(0)
            yield copy


def _readable(batch: Any) -> Any:
    """Nanoseconds, which Python's datetime lacks, cut to microseconds."""
    pa = import_module("pyarrow")
    for place, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            column = batch.column(place).cast(pa.timestamp("us", tz=field.type.tz), safe=False)
            batch = batch.set_column(place, field.name, column)
    return batch


def _rows(batch: Any) -> Iterator[Row | RowProblem]:
    names = _unique(batch.schema.names)
    try:
        columns = [column.to_pylist() for column in batch.columns]
    except (ValueError, OverflowError):
        # One value that Python cannot hold (a date in the year 40,000, text that is not UTF-8): find its row.
        for place in range(batch.num_rows):
            yield _row_alone(batch, place, names)
        return
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def _row_alone(batch: Any, place: int, names: list[str]) -> Row | RowProblem:
    row: Row = {}
    bad = ""
    for name, column in zip(names, batch.columns, strict=True):
        try:
            row[name] = column[place].as_py()
        except (ValueError, OverflowError):
            bad = bad or name
    if not bad:
        return row
    return RowProblem("unreadable value", f"the value of column '{bad}' cannot be read", "Mend that value.", bad, row)


def _unique(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique
