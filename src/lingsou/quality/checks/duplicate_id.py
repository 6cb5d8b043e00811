"""Check `duplicate-id`: two rows that claim the same product."""

from collections.abc import Mapping
from typing import ClassVar

from lingsou.core.types import Product
from lingsou.quality.check import EXAMPLES, Finding, Kind, Severity, Sink
from lingsou.quality.fields import excerpt
from lingsou.quality.tally import Problem, Tally

_SAME = Problem(
    "error",
    "two rows have the same id",
    "Delete one of the rows, or give each variant its own id and a common group_id.",
)
_ALIKE = Problem(
    "info",
    "two ids differ only in the case of letters",
    "Write the id in one way everywhere, if both rows mean the same product.",
    0.6,
)


class DuplicateIdCheck:
    """Finds ids that come twice, exactly or but for the case of letters.

    Memory: one dictionary entry for each product, about 130 bytes, and a second one for ids with capitals.
    """

    id: ClassVar[str] = "duplicate-id"
    severity: ClassVar[Severity] = "error"
    cost: ClassVar[str] = (
        "The later row overwrites the earlier one, so one of the two products disappears from the shop."
    )

    def __init__(self, examples: int = EXAMPLES, sink: Sink | None = None):
        self._tally = Tally(self.id, examples, sink)
        self._rows: dict[str, int] = {}
        self._written: dict[str, str] = {}  # folded id → the id as it was first written, where the two differ

    def observe(self, row: int, product: Product) -> None:
        """Remember the id and the row that it first came in."""
        name = product.id
        first = self._rows.get(name)
        if first is not None:
            self._report(_SAME, row, name, f"'{excerpt(name, 0, 0)}' is also the id of row {first}")
            return
        folded = name.casefold()
        other = folded if folded in self._rows else self._written.get(folded, name)
        if other != name:
            self._report(
                _ALIKE, row, name, f"'{excerpt(name, 0, 0)}', in row {self._rows[other]} '{excerpt(other, 0, 0)}'"
            )
        elif folded != name:
            self._written[folded] = name
        self._rows[name] = row

    def finish(self) -> list[Finding]:
        """The first findings of each kind."""
        return self._tally.findings()

    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind."""
        return self._tally.counts()

    def _report(self, problem: Problem, row: int, name: str, evidence: str) -> None:
        self._tally.add(problem, "id", evidence, row=row, product_id=name)
