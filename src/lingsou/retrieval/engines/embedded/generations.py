"""Generations of the index side by side, and the pointer that says which one is published.

Each is a folder with segments and a manifest of its own. `current.json` names the published one and the one before it
and is replaced atomically; others are being built, or were left by a killed build, and nobody reads them.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from lingsou.core.errors import ConflictError, CorruptIndexError, LockedError
from lingsou.retrieval.engines.embedded.storage import corrupt, replace_file

_POINTER, _LOCK = "current.json", "building.lock"


@dataclass(frozen=True)
class Published:
    """Names of the published generation and of the one before it, empty where there is none."""

    current: str
    previous: str = ""


class Generations:
    """The generations in one index folder. Whoever adds or publishes one holds a lock, which readers need not."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._pointer = folder / _POINTER

    def folder(self, name: str) -> Path:
        """Where a generation's files lie."""
        return self._folder / name

    def published(self) -> Published | None:
        """What is published; none where no index was built.

        Raises:
            CorruptIndexError: the pointer is there and cannot be understood.
        """
        try:
            raw = json.loads(self._pointer.read_text(encoding="utf-8"))
            return Published(raw["current"], raw["previous"])
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise corrupt(self._pointer) from error

    @contextmanager
    def building(self, *, forget: bool = False) -> Iterator[str]:
        """The name of a new, empty generation, to be filled within the block and published at its end.

        It is removed if the block fails. One left by a killed process is removed first, the generation before the
        previous one last. With `forget`, the one published so far does not become the previous one.

        Raises:
            LockedError: another process builds one.
        """
        with self._locked():
            try:
                before = self.published()
            except CorruptIndexError:
                before = None
            numbers = [int(path.name[1:]) for path in self._folder.glob("g[0-9]*")]
            self._keep(before)
            name = f"g{max(numbers, default=0) + 1:06}"
            self.folder(name).mkdir()
            after = Published(name, before.current if before and not forget else "")
            try:
                yield name
                self._publish(after)
            except BaseException:
                shutil.rmtree(self.folder(name), ignore_errors=True)
                raise
            self._keep(after)

    def roll_back(self) -> Published:
        """Publish the previous generation again; the published one becomes the previous one.

        Raises:
            ConflictError: there is none.
            LockedError: another process builds one.
        """
        with self._locked():
            before = self.published()
            if before is None or not before.previous:
                raise ConflictError("There is no generation to go back to.", cure="lingsou index --rebuild")
            after = Published(before.previous, before.current)
            self._publish(after)
            return after

    def _publish(self, published: Published) -> None:
        replace_file(self._pointer, json.dumps(asdict(published)).encode())

    def _keep(self, published: Published | None) -> None:
        names = {_POINTER, _LOCK, *((published.current, published.previous) if published else ())}
        for path in self._folder.iterdir():
            if path.name in names:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / _LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise LockedError(
                f"Another process is building an index in '{self._folder}'.", cure="Wait until it is done."
            ) from error
        try:
            yield
        finally:
            lock.release()
