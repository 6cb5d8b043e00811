"""The mined names of one shop, in its folder: read anew when they change, replaced by mining, dropped by people."""

import threading
from collections.abc import Collection, Iterable
from pathlib import Path

from filelock import FileLock, Timeout

from lingsou.core.errors import LockedError, NotFoundError
from lingsou.query.expansion.lookup import NameLookup
from lingsou.query.expansion.table import MinedName, read_dropped, read_names, write_dropped, write_names
from lingsou.query.labels import key_of
from lingsou.text.segment import Segmenter

_LOCK_SECONDS = 30.0


class ShopNames:
    """The tables of mined and of dropped names. Readers look for changes at `refresh`; writers hold a lock.

    Args:
        mined: the one table; it need not exist.
        dropped: the other.
        segmenter: the shop's.
        sources: whose names are used.
    """

    def __init__(self, mined: Path, dropped: Path, segmenter: Segmenter, sources: Collection[str]):
        self._mined, self._dropped_file = mined, dropped
        self._segmenter = segmenter
        self._sources = tuple(sources)
        self._refreshing = threading.Lock()
        self._seen: object = None
        self._lookup = NameLookup((), segmenter, (), self._sources)
        self.names: tuple[MinedName, ...] = ()
        """Every row of the table, those that are dropped or of other sources too."""
        self.dropped: frozenset[tuple[str, str]] = frozenset()
        """(phrase, name), folded."""
        self.version = 0
        """Of the table; 0: nothing was mined yet."""

    @property
    def lookup(self) -> NameLookup:
        """What a query is looked up in: the state of the last `refresh`."""
        return self._lookup

    def refresh(self) -> bool:
        """Read the files if one of them changed; whether it did.

        Raises:
            StorageError: a file cannot be read.
            InputError: a line is wrong; what was read before stays.
        """
        with self._refreshing:
            seen = (_state(self._mined), _state(self._dropped_file))
            if seen == self._seen:
                return False
            self._seen = seen  # a wrong line is told once, not every second
            version, names = read_names(self._mined)
            dropped = read_dropped(self._dropped_file)
            self._lookup = NameLookup(names, self._segmenter, dropped, self._sources)
            self.version, self.names, self.dropped = version, names, frozenset(dropped)
            return True

    def replace(self, names: Iterable[MinedName]) -> int:
        """Put newly mined names in place of those before; the new version. What was dropped stays dropped.

        Raises:
            LockedError: another process holds the folder.
            StorageError: it cannot be written.
        """
        with self._held():
            version = read_names(self._mined)[0] + 1
            write_names(self._mined, version, names)
        self.refresh()
        return version

    def drop(self, phrase: str, name: str) -> bool:
        """Use a name for a phrase never again, whatever its source; whether that is new.

        Raises:
            LockedError, StorageError, InputError: as `replace` and `refresh`.
        """
        pair = key_of(phrase), key_of(name)
        with self._held():
            dropped = set(read_dropped(self._dropped_file))
            if pair in dropped:
                return False
            write_dropped(self._dropped_file, [*dropped, pair])
        self.refresh()
        return True

    def restore(self, phrase: str, name: str) -> None:
        """Take a drop back.

        Raises:
            NotFoundError: it was not dropped.
            LockedError, StorageError, InputError: as `drop`.
        """
        pair = key_of(phrase), key_of(name)
        with self._held():
            dropped = set(read_dropped(self._dropped_file))
            if pair not in dropped:
                raise NotFoundError(
                    f"'{name}' was not dropped for '{phrase}'.", cure="lingsou query expansions list --dropped"
                )
            write_dropped(self._dropped_file, sorted(dropped - {pair}))
        self.refresh()

    def is_dropped(self, name: MinedName) -> bool:
        """Whether a row of the table is out of use."""
        return (key_of(name.phrase), key_of(name.name)) in self.dropped

    def _held(self) -> "_Held":
        return _Held(self._mined.with_suffix(".lock"))


class _Held:
    """The lock of the folder, made if need be."""

    def __init__(self, path: Path):
        self._path = path

    def __enter__(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self._path, timeout=_LOCK_SECONDS)
        try:
            self._lock.acquire()
        except Timeout as error:
            raise LockedError(
                f"Another process writes in {self._path.parent}.", cure="Wait until it is done."
            ) from error

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
