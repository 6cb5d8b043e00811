"""The gate: every product passes the streaming checks, and one with a finding over the profile's line is held back."""

from collections.abc import Callable, Sequence
from functools import partial

from lingsou.catalog.quarantine import Reason
from lingsou.core.types import Product
from lingsou.quality.check import EXAMPLES, SEVERITIES, Check, Finding, Severity
from lingsou.quality.profile import Profile
from lingsou.quality.report import CheckReport, result_of

FROM_SEVERITY: Severity = "error"
FROM_CONFIDENCE = 0.8


class Gate:
    """Judges the products of one load in their order, and sums up at the end what else the checks found.

    What a check can tell from a product alone, or from those before it, decides on the product. What it tells at the
    end is reported; by then the product is loaded.
    """

    def __init__(
        self, profile: Profile, examples: int = EXAMPLES, makers: Sequence[Callable[..., Check]] | None = None
    ):
        """Args: `makers`, of the checks to run; by default all that the profile wants."""
        self._profile = profile
        self._lines: dict[tuple[str, str], _Line | None] = {}
        self._found: list[Finding] = []
        made = profile.makers() if makers is None else makers
        self._checks = [make(examples=examples, sink=self._found.append) for make in made]
        self._observers = [check.observe for check in self._checks]
        self._rows = 0

    @classmethod
    def of_requests(cls, profile: Profile) -> "Callable[[], Gate]":
        """What makes a gate for each request of a service: nobody reads its report, so only those checks run that may
        hold a product back. Looking for plug-ins, which takes a tenth of a second, is done once.
        """
        return partial(cls, profile, 0, profile.makers(holding=True))

    def __call__(self, row: int, product: Product) -> tuple[Reason, ...]:
        """Why the product in `row` must not pass; empty: it may."""
        self._rows += 1
        for observe in self._observers:
            observe(row, product)
        if not self._found:
            return ()
        reasons = tuple(_reason(each) for each in self._found if each.row == row and self._over_the_line(each))
        self._found.clear()
        return reasons

    def finish(self) -> CheckReport:
        """What the checks found in all products, in the severities of the profile. Called once, at the end."""
        results = tuple(result_of(check) for check in self._checks)
        self._found.clear()
        return self._profile.applied(CheckReport(rows=self._rows, rejected=0, checks=results))

    def _over_the_line(self, finding: Finding) -> bool:
        kind = finding.check, finding.problem
        if kind not in self._lines:
            self._lines[kind] = _line(self._profile, finding)
        line = self._lines[kind]
        return line is not None and line.crossed_by(finding)


class _Line:
    """From where on findings of one problem hold a product back."""

    def __init__(self, confidence: float, fields: tuple[str, ...] | None):
        self._confidence = confidence
        self._fields = fields

    def crossed_by(self, finding: Finding) -> bool:
        if finding.confidence < self._confidence:
            return False
        return self._fields is None or finding.field in self._fields or finding.field.split(".")[0] in self._fields


def _line(profile: Profile, finding: Finding) -> _Line | None:
    """None where no finding of this problem holds anything back."""
    how = profile.treatment(finding.check, finding.problem)
    gravity = SEVERITIES.index(how.severity or finding.severity)
    if not how.quarantine or how.on is False or gravity > SEVERITIES.index(how.from_severity or FROM_SEVERITY):
        return None
    return _Line(FROM_CONFIDENCE if how.from_confidence is None else how.from_confidence, how.fields)


def _reason(finding: Finding) -> Reason:
    return Reason(
        check=finding.check,
        severity=finding.severity,
        problem=finding.problem,
        field=finding.field,
        evidence=finding.evidence,
        repair=finding.repair,
        confidence=finding.confidence,
    )
