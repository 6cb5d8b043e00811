"""Whether the features say anything on a shop's own data: constant, missing, infinite and doubled columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Problem = Literal["infinite", "missing", "constant", "same as"]


@dataclass(frozen=True)
class Finding:
    """One feature that says nothing, or nothing new. `other` is the feature that says the same."""

    feature: str
    problem: Problem
    other: str = ""


def check(names: Sequence[str], table: NDArray[np.float64]) -> list[Finding]:
    """Look at all columns of [n, f]; only `infinite` is a mistake in the feature itself."""
    findings: list[Finding] = []
    seen: dict[bytes, str] = {}
    for name, column in zip(names, table.T, strict=True):
        known = column[~np.isnan(column)]
        if np.isinf(known).any():
            findings.append(Finding(name, "infinite"))
        elif not len(known):
            findings.append(Finding(name, "missing"))
        elif len(known) == len(column) and (known == known[0]).all():
            findings.append(Finding(name, "constant"))
        else:
            content = (column + 0.0).tobytes()  # + 0.0: −0 is 0
            if content in seen:
                findings.append(Finding(name, "same as", seen[content]))
            seen.setdefault(content, name)
    return findings
