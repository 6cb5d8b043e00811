"""Where the marks of a report's plots stand. The page draws them as SVG; a sentence says the same in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from lingsou.evaluation.comparison import SliceRow

WIDTH, HEIGHT, ROW = 720.0, 200.0, 24.0
LABELS = 260.0
"""Room for the names of an interval plot."""

_MARGIN = 36.0
_LEAST_BAR = 0.5


@dataclass(frozen=True)
class Bar:
    """One query's difference."""

    x: float
    y: float
    width: float
    height: float
    gain: bool


@dataclass(frozen=True)
class Bars:
    """Every query's difference, the largest gain on the left."""

    bars: tuple[Bar, ...]
    zero: float
    largest: float
    """What the full height on one side stands for."""
    text: str


@dataclass(frozen=True)
class Whisker:
    """One slice's difference with its interval."""

    label: str
    y: float
    low: float
    x: float
    high: float
    sure: bool
    """The corrected p is below 0.05."""


@dataclass(frozen=True)
class Whiskers:
    """The slices that have enough queries."""

    rows: tuple[Whisker, ...]
    height: float
    zero: float
    ticks: tuple[tuple[float, str], ...]
    text: str


def bars(differences: Sequence[float]) -> Bars:
    """The distribution of differences, one bar a query."""
    ordered = sorted(differences, reverse=True)
    gains, losses = (sum(1 for each in ordered if sign * each > 1e-9) for sign in (1, -1))
    largest = max(map(abs, ordered), default=0.0) or 1.0
    step, zero = (WIDTH - _MARGIN) / max(1, len(ordered)), HEIGHT / 2
    placed = []
    for place, value in enumerate(ordered):
        height = abs(value) / largest * (zero - 8)
        top = zero - height if value > 0 else zero
        placed.append(Bar(_MARGIN + place * step, top, max(step * 0.9, _LEAST_BAR), height, value > 0))
    text = (
        f"{gains} of {len(ordered)} queries gain, {losses} lose, {len(ordered) - gains - losses} stay the same. "
        f"The differences reach from {ordered[-1]:+.3f} to {ordered[0]:+.3f}."
        if ordered
        else "There are no queries."
    )
    return Bars(tuple(placed), zero, largest, text)


def whiskers(slices: Sequence[SliceRow]) -> Whiskers:
    """Differences of slices with their 95 % intervals, on one scale."""
    rows = [(each, each.row) for each in slices if each.row]
    reach = max((abs(end) for _, row in rows for end in (row.difference.low, row.difference.high)), default=0.0) or 1.0
    zero = LABELS + (WIDTH - LABELS) / 2
    scale = (WIDTH - LABELS) / 2 / reach * 0.92

    def x(value: float) -> float:
        return zero + value * scale

    placed = tuple(
        Whisker(
            label=f"{each.dimension}: {each.name}",
            y=ROW * (number + 0.5),
            low=x(row.difference.low),
            x=x(row.difference.value),
            high=x(row.difference.high),
            sure=row.corrected_p < 0.05,
        )
        for number, (each, row) in enumerate(rows)
    )
    sure = [row.label for row in placed if row.sure]
    said = f"Different from 0 after Holm's correction: {', '.join(sure)}." if sure else "None differs from 0 surely."
    ticks = tuple((x(value), f"{value:+.2f}") for value in (-reach, -reach / 2, 0.0, reach / 2, reach))
    text = f"{len(placed)} slices with 95 % intervals; the table has the figures. {said}"
    return Whiskers(placed, ROW * len(placed), zero, ticks, text)
