"""What every feed must do; run `check_feed` over a feed of your own as the tests do over the built-in ones."""

import gzip
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lingsou.catalog.feeds import Feed, Row, RowProblem
from lingsou.core.errors import FeedError

Write = Callable[[Path, Sequence[Mapping[str, str]]], None]
"""Writes rows of text with the columns id, title, description, brand and price to a path, in the feed's format."""

ROWS: tuple[dict[str, str], ...] = (
    {"id": "1", "title": "红色连衣裙 夏季", "description": "一行\n两行", "brand": "山语", "price": "15.00 USD"},
    {
        "id": "2",
        "title": 'TV 17" <b>wide</b>',
        "description": "a, b; c | d\te",
        "brand": "O'Neil & Söhne",
        "price": "9.90",
    },
    {"id": "003", "title": "emoji 😀 and “quotes”", "description": '{"not": "parsed"}', "brand": "-", "price": "0"},
)


def check_feed(feed_factory: Callable[[], Feed], write: Write, folder: Path) -> None:
    """Hold a feed to `lingsou.catalog.feeds.Feed`. `folder` is an empty one to write to.

    Raises:
        AssertionError: the feed breaks the contract; the message says how.
    """
    assert feed_factory().name, "a feed has a name"
    _reads_what_was_written(feed_factory, write, folder)
    _refuses_what_is_not_there(feed_factory, write, folder)
    _survives_truncation(feed_factory, write, folder)
    _survives_any_bytes(feed_factory, folder)


def _reads_what_was_written(feed_factory: Callable[[], Feed], write: Write, folder: Path) -> None:
    plain, zipped = folder / "plain", folder / "zipped"
    write(plain, ROWS)
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    for path in (plain, zipped):
        seen: list[int] = []
        found = list(feed_factory().rows(path, on_bytes=seen.append))
        assert [row for _, row in found] == list(ROWS), f"{path.name}: rows come back as they were written"
        numbers = [number for number, _ in found]
        assert numbers == sorted(set(numbers)), "row numbers ascend"
        assert numbers[0] >= 1, "row numbers count from 1"
        assert seen == sorted(seen), "the position in the file only grows"
        assert not seen or seen[-1] <= path.stat().st_size, "the position is that in the file on the disk"


def _refuses_what_is_not_there(feed_factory: Callable[[], Feed], write: Write, folder: Path) -> None:
    empty, empty_zipped, no_rows = folder / "empty", folder / "empty.gz", folder / "no_rows"
    empty.write_bytes(b"")
    empty_zipped.write_bytes(gzip.compress(b""))
    write(no_rows, ())
    for path in (empty, empty_zipped, no_rows, folder / "absent", folder):
        error = _read(feed_factory(), path)[1]
        assert error, f"{path.name}: a feed without rows raises FeedError"
        assert error.cure, f"{path.name}: the error names a cure"


def _survives_truncation(feed_factory: Callable[[], Feed], write: Write, folder: Path) -> None:
    dice = random.Random(7)  # noqa: S311 (no secret)
    rows = [{**ROWS[0], "id": str(n), "brand": str(dice.random()), "description": "-"} for n in range(5_000)]
    path = folder / "cut"
    write(path, rows)
    data = gzip.compress(path.read_bytes())
    path.write_bytes(data[: len(data) // 2])
    found, error = _read(feed_factory(), path)
    if error:
        assert error.cure, "the error names a cure"
        return
    last = found.pop()
    assert isinstance(last, RowProblem), "a truncated file ends with a problem"
    assert last.fatal, "and that problem is fatal"
    assert found == rows[: len(found)], "the rows before the cut are whole"


def _survives_any_bytes(feed_factory: Callable[[], Feed], folder: Path) -> None:
    dice = random.Random(7)  # noqa: S311 (no secret)
    path = folder / "noise"
    for size in (1, 2, 10, 1_000, 20_000):
        for beginning in (b"", b"\x1f\x8b", b"PAR1", b"<?xml", b'{"', b"id,title\n"):
            path.write_bytes(beginning + dice.randbytes(size))
            found, _ = _read(feed_factory(), path)
            assert all(isinstance(row, dict | RowProblem) for row in found), "a row is a dict or a problem"


def _read(feed: Feed, path: Path) -> tuple[list[Row | RowProblem], FeedError | None]:
    try:
        return [row for _, row in feed.rows(path)], None
    except FeedError as error:
        return [], error
