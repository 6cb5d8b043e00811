"""Which format a file has, by its first bytes and its name."""

from pathlib import Path
from typing import cast

from lingsou.catalog.feeds.base import Feed, unreadable
from lingsou.catalog.feeds.source import chunks, peek
from lingsou.core.errors import FeedError
from lingsou.core.plugins import resolve

SUFFIXES = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xml": "google",
    ".rss": "google",
    ".atom": "google",
}


def open_feed(path: Path, format: str | None = None) -> Feed:  # noqa: A002 (the name that a caller expects)
    """The reader for `path`: the one named, else the one its content and suffix call for.

    Raises:
        FeedError: no such file, empty, or a format that no feed reads.
        ConfigurationError: no feed of the name given.
    """
    return cast("Feed", resolve("feed", format or feed_name(path))())


def feed_name(path: Path) -> str:
    """The registered name of the format of `path`.

    Raises:
        FeedError: no such file, empty, or a format that no feed reads.
    """
    try:
        head, rest = peek(chunks(path), 1)
        if not head:
            next(rest, None)  # says so if the file is damaged rather than empty
            raise FeedError(f"'{path.name}' is empty.", cure="Export it again, or leave this load out.")
    except OSError as error:
        raise unreadable(path, error) from error
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"PAR1"):
        return "parquet"
    if start.startswith((b"<?xml", b"<rss", b"<feed", b"<!DOCTYPE")):
        return "google"
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise FeedError(f"'{path.name}' is a spreadsheet or an archive.", cure="Save it as CSV (UTF-8).")
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    if suffixes and suffixes[-1] in SUFFIXES:
        return SUFFIXES[suffixes[-1]]
    if start.startswith((b"{", b"[")):
        return "jsonl"
    if b"<" in start[:1]:
        return "google"
    return "tsv" if start.split(b"\n", 1)[0].count(b"\t") else "csv"
