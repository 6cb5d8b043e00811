"""Bytes, lines and text out of a file that may be gzip, truncated, in another encoding, or one endless line."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from itertools import chain, pairwise
from pathlib import Path

from lingsou.catalog.feeds.base import MAX_ROW_BYTES, OnBytes, RowProblem
from lingsou.core.errors import FeedError

GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 256 * 1024
HEAD = 64 * 1024
SAMPLE_LINES = 50
_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def chunks(path: Path, on_bytes: OnBytes | None = None) -> Iterator[bytes]:
    """The file's bytes, unzipped where it is gzip.

    Raises:
        FeedError: the gzip stream ends early or is damaged.
        OSError: the file cannot be opened or read.
    """
    with path.open("rb") as raw:
        zipped = raw.peek(2)[:2] == GZIP_MAGIC
        stream = gzip.GzipFile(fileobj=raw) if zipped else raw
        while True:
            try:
                block = stream.read1(CHUNK)
            except EOFError as error:
                raise FeedError(
                    f"'{path.name}' is truncated: its gzip data ends early.", cure="Transfer the file again."
                ) from error
            except (gzip.BadGzipFile, zlib.error) as error:
                raise FeedError(f"'{path.name}' is damaged gzip: {error}.", cure="Transfer the file again.") from error
            if not block:
                return
            if on_bytes and raw.seekable():
                on_bytes(raw.tell())
            yield block


def peek(blocks: Iterator[bytes], size: int = HEAD) -> tuple[bytes, Iterator[bytes]]:
    """The first `size` bytes or somewhat more, and what follows them. Damage inside them shows when that is read."""
    taken: list[bytes] = []
    total = 0
    while total < size:
        try:
            block = next(blocks, None)
        except FeedError as error:
            return b"".join(taken), _raising(error)
        if block is None:
            break
        taken.append(block)
        total += len(block)
    return b"".join(taken), blocks


def _raising(error: FeedError) -> Iterator[bytes]:
    yield b""
    raise error


def lines(blocks: Iterator[bytes], limit: int = MAX_ROW_BYTES) -> Iterator[bytes | None]:
    """Lines without their line feed; `None` stands for one longer than `limit`, which was skipped unread."""
    parts: list[bytes] = []
    size = 0
    for block in blocks:
        pieces = block.split(b"\n")
        last = pieces.pop()
        if pieces:
            first = pieces[0]
            size += len(first)
            if size > limit:
                yield None
            elif parts:
                parts.append(first)
                yield b"".join(parts)
            else:
                yield first
            for piece in pieces[1:]:
                yield piece if len(piece) <= limit else None
            parts, size = [], 0
        size += len(last)
        if size > limit:
            parts = []
        elif last:
            parts.append(last)
    if size > limit:
        yield None
    elif parts:
        yield b"".join(parts)


def text_lines(
    path: Path, encoding: str | None, on_bytes: OnBytes | None = None, limit: int = MAX_ROW_BYTES
) -> Iterator[str | RowProblem]:
    """Decoded lines in order. A line that cannot be decoded, or is too long, is a problem; the next goes on.

    Raises:
        FeedError: unknown encoding; or the beginning of the file is plainly in another encoding than said.
    """
    wanted = known_encoding(encoding)
    head, rest = peek(chunks(path, on_bytes))
    if wanted.startswith(("utf-16", "utf-32")):
        head, rest = peek(transcoded(chain((head,), rest), wanted))
        wanted = "utf-8"
    elif encoding is None:
        check_utf8(head, path)
    if wanted == "utf-8":
        head = head.removeprefix(codecs.BOM_UTF8)
    for number, line in enumerate(lines(chain((head,), rest), limit), start=1):
        if line is None:
            reason = f"line {number} is longer than {limit:,} bytes"
            yield RowProblem("line too long", reason, "Shorten the row, or look for a missing line break.")
            continue
        try:
            yield line.decode(wanted)
        except UnicodeDecodeError as error:
            yield RowProblem(
                f"not valid {wanted}",
                f"line {number} is not valid {wanted} at byte {error.start + 1}",
                f"Mend it; if the whole feed is in another encoding, name it: --encoding {likely_encoding(line)}.",
                data=line.decode(wanted, errors="replace"),
            )


def known_encoding(encoding: str | None) -> str:
    """The canonical name of an encoding whose line breaks are readable.

    Raises:
        FeedError: Python knows no such encoding, or it is not one of text.
    """
    if encoding is None:
        return "utf-8"
    try:
        name = codecs.lookup(encoding).name
        name = "utf-8" if name == "utf-8-sig" else name
        if name.startswith(("utf-16", "utf-32")) or b"a,\n".decode(name) == "a,\n":
            return name
    except (LookupError, ValueError):
        pass
    raise FeedError(
        f"There is no text encoding '{encoding}'.", cure="Use for example: --encoding gb18030, utf-8 or big5."
    )


def transcoded(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The same text in UTF-8; what cannot be decoded becomes U+FFFD, as such a stream has no lines to resume at."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    try:
        for block in blocks:
            yield decoder.decode(block).encode("utf-8", errors="replace")
        yield decoder.decode(b"", final=True).encode("utf-8", errors="replace")
    except UnicodeError as error:  # UTF-16 without the mark that says which byte comes first
        raise FeedError(f"The feed is not {encoding}: {error}.", cure="Try --encoding utf-16-le, or utf-8.") from error


def check_utf8(head: bytes, path: Path) -> None:
    """Raise `FeedError` when most of the first lines with foreign letters are not UTF-8: then no line will be right."""
    for bom, name in _BOMS:
        if head.startswith(bom):
            raise FeedError(f"'{path.name}' is in {name}, not UTF-8.", cure=f"Name it: --encoding {name}.")
    if head.count(0) > len(head) // 5:
        raise FeedError(f"'{path.name}' is not UTF-8 text.", cure="If it is a text file: --encoding utf-16-le.")
    body = head[: head.rfind(b"\n") + 1] or head[: len(head) - 8]
    foreign = [line for line in body.split(b"\n") if not line.isascii()][:SAMPLE_LINES]
    wrong = [number for number, line in enumerate(foreign) if not _decodes(line, "utf-8")]
    if foreign and len(wrong) > len(foreign) // 2 and (len(foreign) > 1 or body.count(b"\n") <= 2):
        guess = likely_encoding(b"\n".join(foreign[number] for number in wrong))
        raise FeedError(f"'{path.name}' is not UTF-8; it looks like {guess}.", cure=f"Name it: --encoding {guess}.")


def likely_encoding(data: bytes) -> str:
    """GB18030 where high bytes come in pairs and decode, as Chinese does; else Windows-1252, where they stand alone."""
    high = sum(byte >= 0x80 for byte in data)
    paired = sum(a >= 0x80 and b >= 0x80 for a, b in pairwise(data))
    return "gb18030" if paired * 2 >= high and _decodes(data, "gb18030") else "cp1252"


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
