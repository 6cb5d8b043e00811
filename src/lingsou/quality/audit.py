"""What an audit is: a check that judges each product by the whole catalogue, which it learns from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from lingsou.core import plugins
from lingsou.quality.check import Edit, Finding, Severity
from lingsou.quality.columns import Columns
from lingsou.quality.tally import Problem


@dataclass(frozen=True)
class Flags:
    """Products with one problem, the surest first."""

    problem: Problem
    field: str
    places: NDArray[np.int64]
    """Positions in the columns, [n]."""
    confidence: NDArray[np.float64]
    """That the product has the problem, 0 to 1, descending, [n]."""
    evidence: Sequence[str]
    """A short excerpt each, n of them."""
    edits: Sequence[Edit | None]
    """What would put each right, n of them."""
    repairs: Sequence[str] = ()
    """What the shop can do, in words, n of them; empty: the problem's own words for all."""

    def __len__(self) -> int:
        return len(self.places)


class Audit(Protocol):
    """Learns what is usual in a catalogue, without labels, and flags what is not.

    Implementations take no argument. Nothing is flagged in a catalogue that is too small to learn from.
    """

    id: ClassVar[str]
    """The name under which it is registered."""
    severity: ClassVar[Severity]
    """The gravest that it reports."""
    cost: ClassVar[str]
    """What the problem costs the shop, in one sentence."""

    def judge(self, columns: Columns) -> list[Flags]:
        """Flags by problem. The same columns give the same flags.

        Raises:
            MissingExtraError: the packages that it learns with are not installed.
        """
        ...


def registered_audits() -> list[Audit]:
    """A new instance of every registered audit, by name."""
    return [plugins.resolve("audit", name)() for name in plugins.names("audit")]


def findings(audit: Audit, columns: Columns, flags: Flags) -> Iterator[Finding]:
    """Each flag as a finding."""
    for number, place in enumerate(flags.places.tolist()):
        yield Finding(
            check=audit.id,
            severity=flags.problem.severity,
            problem=flags.problem.text,
            product_id=columns.ids[place],
            row=int(columns.rows[place]),
            field=flags.field,
            evidence=flags.evidence[number],
            repair=flags.repairs[number] if flags.repairs else flags.problem.repair,
            confidence=float(flags.confidence[number]),
            edit=flags.edits[number],
        )
