"""The rejects file: one JSON line for each row that was not loaded, with the reason and the cure."""

import errno
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import orjson

from lingsou.catalog.feeds.base import RowProblem
from lingsou.core.errors import StorageError, StorageFullError

MAX_DATA_BYTES = 2_048
TOP_REASONS = 20


class Rejects:
    """Counts problems and writes them to `folder`; the file appears with the first one."""

    def __init__(self, folder: Path, feed: str):
        self.folder = folder
        self.feed = re.sub(r"[^\w.-]+", "_", feed)[:100] or "feed"
        self.path: Path | None = None
        self.count = 0
        self.kinds: Counter[str] = Counter()
        self._file: BinaryIO | None = None

    def __enter__(self) -> "Rejects":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def add(self, row: int, problem: RowProblem, id: str | None = None) -> None:  # noqa: A002 (the key in the file)
        """Write one problem.

        Raises:
            StorageFullError: no space is left.
            StorageError: the folder cannot be written.
        """
        self.count += 1
        self.kinds[problem.kind] += 1
        record: dict[str, Any] = {
            "row": row,
            "field": problem.field or None,
            "reason": problem.reason,
            "cure": problem.cure,
        }
        if id is not None:
            record["id"] = id
        record["data"] = _short(problem.data)
        try:
            if self._file is None:
                self._file = self._open()
            self._file.write(_json(record) + b"\n")
        except OSError as error:
            kind = StorageFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else StorageError
            raise kind(
                f"The rejects file in '{self.folder}' cannot be written: {error.strerror}.",
                cure="Make room, then load again.",
            ) from error

    def top(self) -> dict[str, int]:
        """The most frequent kinds of problem and their counts."""
        return dict(self.kinds.most_common(TOP_REASONS))

    def _open(self) -> BinaryIO:
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = f"{self.feed}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        for attempt in range(1, 1_000):
            path = self.folder / (f"{stem}.jsonl" if attempt == 1 else f"{stem}-{attempt}.jsonl")
            try:
                file = path.open("xb")
            except FileExistsError:
                continue
            self.path = path
            return file
        raise FileExistsError(errno.EEXIST, "a thousand files of this second exist", str(self.folder))


def _short(data: Any) -> Any:
    """The row itself where it is small, else the beginning of its text."""
    if isinstance(data, Mapping):
        text = _json(dict(data))
        return orjson.Fragment(text) if len(text) <= MAX_DATA_BYTES else _begin(text.decode("utf-8", errors="replace"))
    return _begin(data) if isinstance(data, str) else None


def _begin(text: str) -> str:
    head = text[:MAX_DATA_BYTES].encode("utf-8", errors="replace")
    if len(head) <= MAX_DATA_BYTES and len(text) <= MAX_DATA_BYTES:
        return head.decode()
    return head[: MAX_DATA_BYTES - 3].decode("utf-8", errors="ignore") + "…"


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # half a character, or an integer of more than 64 bits
        return orjson.dumps(str(value).encode("utf-8", errors="replace").decode())
