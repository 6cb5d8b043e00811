"""The rows that never became a product: reported beside the checks under the id `schema`."""

from lingsou.core.errors import ProductError
from lingsou.quality.check import EXAMPLES, Severity, Sink
from lingsou.quality.fields import MAX_EVIDENCE, visible
from lingsou.quality.tally import Problem, Tally

_REFUSED = Problem("error", "the row is not a valid product", "Correct the row in the feed, or the mapping.")
_EMPTY = Problem("error", "the feed has no rows", "Give a feed with at least one product.")


class SchemaRows:
    """Counts refused rows by field. It sees errors instead of products, so it is no `Check` of its own."""

    id = "schema"
    severity: Severity = "error"
    cost = "A refused row is a product that no shopper can find."

    def __init__(self, examples: int = EXAMPLES, sink: Sink | None = None):
        self.tally = Tally(self.id, examples, sink)

    def observe(self, row: int, error: ProductError) -> None:
        """Take up what the feed or the mapping said about `row`."""
        evidence = visible(error.message[:MAX_EVIDENCE])
        self.tally.add(_REFUSED, error.field or "", evidence, row=row, repair=error.cure)

    def observe_nothing(self) -> None:
        """The feed ended without a row."""
        self.tally.add(_EMPTY, "", "0 rows")
