"""The tree of everything Lingsou raises on purpose.

Each error says what was wrong, where, and the cure, and carries the slug and HTTP status under which
the service reports it (RFC 9457 problem details).

    LingsouError
    ├── InputError                 the caller's data or request is wrong
    │   ├── RequestError           a search request: unknown field, malformed filter, bad page
    │   ├── ProductError           one product or one row of a feed
    │   └── FeedError              a whole feed cannot be read
    ├── NotFoundError              no such product, task, load, backup …
    ├── ConflictError              refused to protect data, such as a full load that would empty the shop
    ├── AuthenticationError        no key, or a wrong one
    ├── ConfigurationError         settings, schema versions, plug-in names
    │   └── MissingExtraError      an optional dependency is not installed
    ├── LockedError                another process holds what this one needs
    └── StorageError               the store or the index cannot be read or written
        ├── StorageFullError       no space is left on the device
        └── CorruptIndexError      an index file is damaged; the index can be rebuilt from the store
"""

from typing import Any, ClassVar


class LingsouError(Exception):
    """The root. `message` says what was wrong; `cure` what to do; `field` and `row` where it was."""

    slug: ClassVar[str] = "internal-error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, cure: str | None = None, field: str | None = None, row: int | None = None):
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.field = field
        self.row = row

    def __str__(self) -> str:
        """The whole story on one line: where, what, cure."""
        where = [f"row {self.row}"] if self.row is not None else []
        where += [f"field '{self.field}'"] if self.field else []
        text = f"{', '.join(where)}: {self.message}" if where else self.message
        return f"{text} Cure: {self.cure}" if self.cure else text

    def as_dict(self) -> dict[str, Any]:
        """The parts that are set, for reports and problem details."""
        parts = {"row": self.row, "field": self.field, "reason": self.message, "cure": self.cure}
        return {name: value for name, value in parts.items() if value is not None}


class InputError(LingsouError):
    """The caller's data or request is wrong."""

    slug = "invalid-input"
    status = 422


class RequestError(InputError):
    """A request cannot be understood: an unknown field, a malformed filter, an impossible page."""

    slug = "invalid-request"
    status = 400


class ProductError(InputError):
    """One product, or one row of a feed, is not acceptable."""

    slug = "invalid-product"


class FeedError(InputError):
    """A feed as a whole cannot be read: empty, wrong encoding, not the format its name says."""

    slug = "invalid-feed"


class NotFoundError(LingsouError):
    """What was asked for does not exist."""

    slug = "not-found"
    status = 404


class ConflictError(LingsouError):
    """Refused, because doing it would lose data or contradict what is stored."""

    slug = "conflict"
    status = 409


class AuthenticationError(LingsouError):
    """The request carries no API key, or one that is not valid."""

    slug = "unauthenticated"
    status = 401


class ConfigurationError(LingsouError):
    """Settings, schema versions or plug-in names do not fit."""

    slug = "configuration"


class MissingExtraError(ConfigurationError):
    """An optional dependency is not installed; the cure names the exact command."""

    def __init__(self, package: str, extra: str | None):
        what = f"lingsou[{extra}]" if extra else "lingsou"
        super().__init__(f"The package '{package}' is not installed.", cure=f"pip install '{what}'")


class LockedError(LingsouError):
    """Another process holds the lock that this one needs."""

    slug = "locked"
    status = 409


class StorageError(LingsouError):
    """The store or the index cannot be read or written."""

    slug = "storage"
    status = 503


class StorageFullError(StorageError):
    """No space is left; nothing of the refused write was kept."""

    slug = "storage-full"
    status = 507


class CorruptIndexError(StorageError):
    """An index file is damaged. The index is a derived view: rebuild it from the store."""

    slug = "corrupt-index"
