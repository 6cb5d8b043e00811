"""Where the marks of a training's curves stand. The page draws them as SVG; a sentence says the same in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WIDTH, HEIGHT = 340.0, 180.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 10.0, 12.0, 26.0
MOST_POINTS = 200
"""More are averaged over neighbours: there are not many more pixels."""
_DOTS = 25


@dataclass(frozen=True)
class Curve:
    """One line over the steps of a training."""

    title: str
    points: tuple[tuple[float, float], ...]
    dots: bool
    """Few enough to be told from each other."""
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    marks: tuple[float, ...]
    """Where the weights that were kept stand."""
    text: str


def curve(title: str, points: Sequence[tuple[int, float]], kept: Sequence[int] = ()) -> Curve | None:
    """(step, value) as a line; none where no value is finite.

    Args:
        title: what the values are.
        points: in the order of their steps.
        kept: steps to be marked.
    """
    told = np.array([point for point in points if np.isfinite(point[1])], np.float64).reshape(-1, 2)
    if not len(told):
        return None
    text = _words(told)
    if len(told) > MOST_POINTS:
        told = np.array([part.mean(axis=0) for part in np.array_split(told, MOST_POINTS)])
        text += f" Each of the {MOST_POINTS} points is the mean of its neighbours."
    last = max(float(told[-1, 0]), *kept) if kept else float(told[-1, 0])
    low, high = float(told[:, 1].min()), float(told[:, 1].max())
    if low == high:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2

    def x(step: float) -> float:
        return round(LEFT + step / max(last, 1.0) * (WIDTH - LEFT - RIGHT), 2)

    def y(value: float) -> float:
        return round(TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM), 2)

    return Curve(
        title,
        tuple((x(step), y(value)) for step, value in told.tolist()),
        len(told) <= _DOTS,
        tuple((x(step), f"{step:,.0f}") for step in (0.0, last / 2, last)),
        tuple((y(value), _short(value)) for value in (low, (low + high) / 2, high)),
        tuple(x(step) for step in kept),
        text,
    )


def _short(value: float) -> str:
    """At most seven characters: there is no room for more beside the plot."""
    return f"{value:.1e}".replace("e-0", "e-") if 0 < abs(value) < 0.001 else f"{value:.3g}"


def _words(told: np.ndarray) -> str:
    if len(told) == 1:
        return f"{told[0, 1]:.4g} at step {told[0, 0]:,.0f}, the only point."
    low, high = told[told[:, 1].argmin()], told[told[:, 1].argmax()]
    return (
        f"From {told[0, 1]:.4g} at step {told[0, 0]:,.0f} to {told[-1, 1]:.4g} at step {told[-1, 0]:,.0f}; "
        f"lowest {low[1]:.4g} at step {low[0]:,.0f}, highest {high[1]:.4g} at step {high[0]:,.0f}."
    )
