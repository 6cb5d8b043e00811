"""How far a load of the catalogue has moved from the one before, told from small profiles instead of the data.

Sources: the population stability index (PSI) of credit scoring, with its usual lines 0.1 and 0.25; the two-sample test
of Kolmogorov and Smirnov; the standardised distance of means, for vectors.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lingsou.core.types import Frozen
from lingsou.quality.check import Finding, Severity
from lingsou.quality.columns import Columns

CHECK = "drift"
COST = "What was learned from the old data, models and habits of the shop alike, may no longer hold."
MODERATE, STRONG = 0.1, 0.25
"""Lines of the PSI: below the first nothing has changed, above the second the population is another one."""
KS_STRONG = 0.2
"""Distance of two price distributions; with many rows far smaller ones are significant and mean nothing."""
MEAN_MODERATE, MEAN_STRONG = 0.1, 0.3
MIN_ROWS = 100
LEVEL = 0.01
_QUANTILES = 100
_NAMES = 100
_OTHER = ""
"""Stands for all names beyond the most frequent. No real name is empty."""
_LEAST = 1e-4

Floats = NDArray[np.float64]


class Numbers(Frozen):
    """What numbers were like."""

    count: int
    missing: int
    quantiles: tuple[float, ...] = Field(description="0 %, 1 %, … 100 %; empty without numbers")


class Names(Frozen):
    """How often each name came; the 100 most frequent, all others under the empty name."""

    counts: Mapping[str, int]
    missing: int = Field(description="products without any")


class Vectors(Frozen):
    """Mean and mean squared distance from it, of unit vectors."""

    encoder: str = Field(description="fingerprint; vectors of two encoders cannot be compared")
    count: int
    mean: tuple[float, ...]
    variance: float


class Snapshot(Frozen):
    """A load in about 10 kB, kept as JSON."""

    rows: int
    numbers: Mapping[str, Numbers]
    names: Mapping[str, Names]
    vectors: Vectors | None = None


class VectorSum:
    """Adds up unit vectors as they stream by."""

    def __init__(self) -> None:
        self.count, self._squares = 0, 0.0
        self._sum: Floats | None = None

    def add(self, vectors: NDArray[np.floating]) -> None:
        """Take vectors in, [n, d], of the same d every time."""
        self.count += len(vectors)
        own = vectors.sum(axis=0, dtype=np.float64)
        self._sum = own if self._sum is None else self._sum + own
        self._squares += float(np.square(vectors, dtype=np.float64).sum())

    def profile(self, encoder: str) -> Vectors | None:
        """What they were like; none if there were none."""
        if self._sum is None or not self.count:
            return None
        mean = self._sum / self.count
        variance = self._squares / self.count - float(np.square(mean).sum())
        return Vectors(
            encoder=encoder, count=self.count, mean=tuple(np.round(mean, 6).tolist()), variance=max(variance, 0.0)
        )


def snapshot(columns: Columns, vectors: Vectors | None = None) -> Snapshot:
    """The profile of a load: price, lengths of texts, category, brand, currency, attributes that are filled.

    Args:
        columns: the load.
        vectors: those of its products, if they were encoded.
    """
    rows = len(columns)
    numbers = {
        "price": _numbers(columns.prices),
        "title": _numbers(np.array([len(text) for text in columns.titles], np.float64)),
        "description": _numbers(np.array([len(text) or np.nan for text in columns.texts], np.float64)),
        "images": _numbers(np.array([len(each) or np.nan for each in columns.images], np.float64)),
    }
    names = {
        "category": _names([path[0] if path else "" for path in columns.categories]),
        "brand": _names(columns.brands),
        "currency": _names(columns.currencies),
        "attributes": _names([name for each in columns.attributes for name in each or ("",)]),
    }
    return Snapshot(rows=rows, numbers=numbers, names=names, vectors=vectors)


def compare(old: Snapshot, new: Snapshot) -> list[Finding]:
    """What has moved beyond the lines, the most first by field; nothing where either load has under 100 rows."""
    if min(old.rows, new.rows) < MIN_ROWS:
        return []
    found = [*_sizes(old, new)]
    for field in old.numbers.keys() & new.numbers.keys():
        found += _compare_numbers(field, old.numbers[field], new.numbers[field])
    for field in old.names.keys() & new.names.keys():
        found += _compare_names(field, old.names[field], new.names[field], old.rows, new.rows)
    if old.vectors and new.vectors and old.vectors.encoder == new.vectors.encoder:
        moved = mean_distance(old.vectors, new.vectors)
        if moved >= MEAN_MODERATE:
            evidence = f"distance of means {moved:.2f} standard deviations"
            found.append(_finding("vectors", "the meaning of texts has moved", evidence, moved >= MEAN_STRONG))
    return sorted(found, key=lambda each: (each.severity != "warning", each.field, each.problem))


def psi(old: Floats, new: Floats) -> float:
    """Population stability index of two distributions over the same bins, [k] counts or shares each.

    Σ (new − old) · ln(new / old) over shares; an empty bin counts as 0.0001.
    """
    first = np.maximum(old / max(old.sum(), 1e-300), _LEAST)
    second = np.maximum(new / max(new.sum(), 1e-300), _LEAST)
    return float(((second - first) * np.log(second / first)).sum())


def ks(old: Sequence[float], new: Sequence[float]) -> float:
    """Largest distance of two distribution functions, each given by its quantiles at equal steps, 0 to 1.

    Right up to one step, a hundredth here.
    """
    places = np.union1d(old, new)
    if not len(old) or not len(new):
        return 0.0
    return float(np.abs(_share_at_most(old, places) - _share_at_most(new, places)).max())


def ks_chance(distance: float, old_count: int, new_count: int) -> float:
    """Chance of such a distance between two samples of one distribution (Kolmogorov's limit, Stephens' correction)."""
    size = old_count * new_count / (old_count + new_count)
    at = (math.sqrt(size) + 0.12 + 0.11 / math.sqrt(size)) * distance
    if at < 0.3:
        return 1.0
    series = sum(math.copysign(math.exp(-2 * k * k * at * at), k % 2 - 0.5) for k in range(1, 101))
    return min(1.0, max(0.0, 2 * series))


def mean_distance(old: Vectors, new: Vectors) -> float:
    """Distance of the means over the pooled standard deviation: Cohen's d for vectors, 0 for the same population.

    The part that chance alone adds, variance · (1/n + 1/m), is taken off the square.
    """
    apart = float(np.square(np.array(old.mean) - np.array(new.mean)).sum())
    pooled = (old.variance * old.count + new.variance * new.count) / (old.count + new.count)
    apart -= pooled * (1 / old.count + 1 / new.count)
    return math.sqrt(max(apart, 0.0) / pooled) if pooled > 0 else math.inf if apart > 0 else 0.0


def _numbers(values: Floats) -> Numbers:
    known = values[np.isfinite(values)]
    cuts = np.quantile(known, np.linspace(0, 1, _QUANTILES + 1)).tolist() if len(known) else []
    return Numbers(count=len(known), missing=len(values) - len(known), quantiles=tuple(cuts))


def _names(values: Iterable[str]) -> Names:
    counts = Counter(values)
    missing = counts.pop("", 0)
    first = dict(sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:_NAMES])
    other = counts.total() - sum(first.values())
    return Names(counts={**first, **({_OTHER: other} if other else {})}, missing=missing)


def _sizes(old: Snapshot, new: Snapshot) -> Iterable[Finding]:
    change = new.rows / old.rows
    if not 0.5 < change < 2:
        yield _finding("", "the load is far smaller or larger", f"{old.rows:,} rows before, {new.rows:,} now", True)


def _compare_numbers(field: str, old: Numbers, new: Numbers) -> Iterable[Finding]:
    yield from _missing(field, old.missing, old.count + old.missing, new.missing, new.count + new.missing)
    if min(old.count, new.count) < MIN_ROWS:
        return
    # Ten bins of equal content in the old load. Equal quantiles make one bin of that value alone: what falls below it
    # has moved.
    cuts, times = np.unique(old.quantiles[10:-1:10], return_counts=True)
    cuts = np.union1d(cuts, np.nextafter(cuts[times > 1], -np.inf))
    moved = psi(*(np.diff(_share_at_most(each.quantiles, cuts), prepend=0.0, append=1.0) for each in (old, new)))
    apart = ks(old.quantiles, new.quantiles)
    far = field == "price" and apart >= KS_STRONG and ks_chance(apart, old.count, new.count) < LEVEL
    if moved >= MODERATE or far:
        middle = f"median {old.quantiles[_QUANTILES // 2]:,.5g} before, {new.quantiles[_QUANTILES // 2]:,.5g} now"
        evidence = f"PSI {moved:.2f}, KS {apart:.2f}; {middle}"
        yield _finding(field, "numbers have moved", evidence, moved >= STRONG or far)


def _compare_names(field: str, old: Names, new: Names, old_rows: int, new_rows: int) -> Iterable[Finding]:
    yield from _missing(field, old.missing, old_rows, new.missing, new_rows)
    # What one profile names and the other counts among the rest is unknown there, so it joins the rest in both.
    shared = sorted((old.counts.keys() & new.counts.keys()) - {_OTHER})
    if _OTHER not in old.counts and _OTHER not in new.counts:
        shared = sorted(old.counts.keys() | new.counts.keys())
    tables = []
    for each in (old.counts, new.counts):
        known = [each.get(name, 0) for name in shared]
        tables.append(np.array([*known, sum(each.values()) - sum(known)], np.float64))
    if min(table.sum() for table in tables) < MIN_ROWS:
        return
    moved = psi(*tables)
    if moved >= MODERATE:
        shares = [table / table.sum() for table in tables]
        place = int(np.abs(shares[1] - shares[0]).argmax())
        most = f"“{shared[place]}”" if place < len(shared) else "the rest"
        evidence = f"PSI {moved:.2f}; most of all {most}: {shares[0][place]:.1%} before, {shares[1][place]:.1%} now"
        yield _finding(field, "names are distributed otherwise", evidence, moved >= STRONG)


def _missing(field: str, old: int, old_rows: int, new: int, new_rows: int) -> Iterable[Finding]:
    before, now = old / max(old_rows, 1), new / max(new_rows, 1)
    if now - before >= MODERATE:
        evidence = f"missing on {before:.1%} before, on {now:.1%} now"
        yield _finding(field, "values are missing that were there before", evidence, now - before >= STRONG)


def _finding(field: str, problem: str, evidence: str, strong: bool) -> Finding:
    severity: Severity = "warning" if strong else "info"
    repair = "See whether the feed or its mapping has changed; if the shop has, there is nothing to do."
    return Finding(
        check=CHECK,
        severity=severity,
        problem=problem,
        product_id="",
        row=None,
        field=field,
        evidence=evidence,
        repair=repair,
        confidence=0.8 if strong else 0.5,
    )


def _share_at_most(quantiles: Sequence[float], places: Floats) -> Floats:
    """Share of the values that are at most each place: linear between quantiles, a jump where several are one value."""
    values, last = np.array(quantiles), len(quantiles) - 1
    left = np.searchsorted(values, places, side="right") - 1
    low, high = np.clip(left, 0, last), np.clip(left + 1, 0, last)
    gap = values[high] - values[low]
    part = np.divide(places - values[low], gap, out=np.zeros(len(places)), where=gap > 0)
    return np.where(left < 0, 0.0, np.minimum((low + part) / last, 1.0))
