"""What a check of the catalogue is, and what it finds."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal, NamedTuple, Protocol

from pydantic import Field, JsonValue

from lingsou.core import plugins
from lingsou.core.types import Frozen, Product

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""Gravest first: an error loses sales or misleads shoppers, a warning harms search, an info is worth knowing."""

EXAMPLES = 5


class Edit(Frozen):
    """The value that would put one field of a product right."""

    field: str = Field(description="field of the product, e.g. `category` or `attributes.colour`")
    value: JsonValue = Field(description="as in a product's JSON; `null` clears the field")


class Finding(Frozen):
    """One thing wrong at one place. Reports hold the first few of each kind; the rest are only counted."""

    check: str = Field(description="id of the check")
    severity: Severity
    problem: str = Field(description="what is wrong, in words that are the same for all findings of this kind")
    product_id: str = Field(description="empty: the catalogue as a whole, or a row whose id could not be read")
    row: int | None = Field(description="row of the feed, counted from 1; none: the catalogue as a whole")
    field: str = Field(description="field of the product, e.g. `title` or `attributes.colour`")
    evidence: str = Field(description="short excerpt; invisible characters are shown escaped")
    repair: str = Field(description="what the shop can do")
    confidence: float = Field(ge=0, le=1, description="how sure it is that this is wrong, 1 is certain")
    edit: Edit | None = Field(None, description="what a repair would write, where the check knows it")


Sink = Callable[[Finding], None]
"""Takes every finding that names a product as it is made, also those beyond the examples of a report."""


class Kind(NamedTuple):
    """What findings are counted by, within one check."""

    severity: Severity
    field: str
    problem: str


class Check(Protocol):
    """A streaming check of a catalogue: it sees each product once, in feed order, and keeps none of them.

    Implementations take two keyword arguments: `examples`, the number of findings kept of each kind, and `sink`, which
    is given every finding about a product. What can be told from the product alone is told to it within `observe`, so
    that a gate can hold the product back; verdicts that wait for the end may come as examples only.
    """

    id: ClassVar[str]
    """The name under which it is registered."""
    severity: ClassVar[Severity]
    """The gravest that it reports."""
    cost: ClassVar[str]
    """What the problem costs the shop, in one sentence."""

    def observe(self, row: int, product: Product) -> None:
        """Look at the product in `row` (from 1) of the feed. Never raises for a valid product."""
        ...

    def finish(self) -> list[Finding]:
        """The first findings of each kind. Called once, after the last product."""
        ...

    def counts(self) -> Mapping[Kind, int]:
        """How many findings of each kind there were, examples or not. Read after `finish`."""
        ...


def registered_checks(examples: int = EXAMPLES, sink: Sink | None = None) -> list[Check]:
    """A new instance of every registered check, by name."""
    return [plugins.resolve("check", name)(examples=examples, sink=sink) for name in plugins.names("check")]
