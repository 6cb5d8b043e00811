"""What could not be used of a source: counted by reason, the first ones kept, and too many of them an error."""

from collections import Counter
from collections.abc import Mapping

from pydantic import Field

from lingsou.core.errors import InputError
from lingsou.core.types import Frozen

MOST_LISTED = 20
MOST_REJECTED = 0.1
"""A source of which more is bad is not what its recipe takes it for."""


class Rejected(Frozen):
    """One row that was left out."""

    source: str
    row: int = Field(description="line or record number in its file, from 1")
    reason: str
    field: str = ""
    cure: str = ""


class Tally:
    """Counts the rows of one source. A rejected row never ends the reading; `close` judges of all of them."""

    def __init__(self, source: str, *, most: float = MOST_REJECTED):
        """Of nothing yet; more than the share `most` of bad rows is an error."""
        self.source = source
        self._most = most
        self.rows = 0
        """Read, whether used or not."""
        self.reasons: Counter[str] = Counter()
        self.listed: list[Rejected] = []

    def take(self) -> None:
        """Count a row that is used."""
        self.rows += 1

    def reject(self, row: int, kind: str, reason: str, *, field: str = "", cure: str = "") -> None:
        """Count a row that is not; `kind` is the reason without the row's own values."""
        self.rows += 1
        self.reasons[kind] += 1
        if len(self.listed) < MOST_LISTED:
            self.listed.append(Rejected(source=self.source, row=row, reason=reason, field=field, cure=cure))

    @property
    def counts(self) -> Mapping[str, int]:
        """Reason → rows, most frequent first."""
        return dict(self.reasons.most_common())

    def close(self) -> None:
        """Nothing more comes.

        Raises:
            InputError: no row can be used, or more than allowed (a tenth) cannot; it names the first of them.
        """
        bad = self.reasons.total()
        if not self.rows:
            raise InputError(f"{self.source} has no rows.", cure="Export it again, or name another source.")
        if bad == self.rows or bad > self._most * self.rows:
            kind, count = self.reasons.most_common(1)[0]
            first = self.listed[0]
            raise InputError(
                f"{bad:,} of {self.rows:,} rows of {self.source} cannot be used, {count:,} of them because: {kind}. "
                f"The first: {first.reason}.",
                row=first.row,
                field=first.field or None,
                cure=first.cure or "Mend or delete those rows.",
            )
