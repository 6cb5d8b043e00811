"""Charts as SVG, laid out on the server: no script, nothing to load, and the numbers stand in a table beneath."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

WIDTH, HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 28
_LABELS = 7
_MOST_BARS_WIDTH = 36.0


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, in pixels, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Bar:
    """One bar: a box in pixels, the style's name, and what it stands for."""

    x: float
    y: float
    width: float
    height: float
    style: str
    title: str


@dataclass(frozen=True)
class Line:
    """One line: `points` as SVG wants them, and each point with its title."""

    style: str
    points: str
    dots: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class Chart:
    """Everything that the template draws."""

    x: tuple[Tick, ...]
    y: tuple[Tick, ...]
    bars: tuple[Bar, ...] = ()
    lines: tuple[Line, ...] = ()
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM


def stacked_bars(names: Sequence[str], parts: Sequence[tuple[str, str, Sequence[float]]]) -> Chart:
    """Bars of parts on top of each other.

    Args:
        names: of the bars, from left to right.
        parts: (style, shown name, value for each bar), the lowest first.
    """
    top, y = _scale(max((sum(values) for values in zip(*(part[2] for part in parts), strict=True)), default=0))
    step = _span() / max(len(names), 1)
    width = min(step * 0.7, _MOST_BARS_WIDTH)
    bars = []
    for place, name in enumerate(names):
        base = float(HEIGHT - _BOTTOM)
        for style, shown, values in parts:
            height = values[place] / top * _rise()
            base -= height
            left = _LEFT + step * (place + 0.5) - width / 2
            bars.append(Bar(left, base, width, height, style, f"{name} · {shown}: {_plain(values[place])}"))
    return Chart(_days(names, step), y, bars=tuple(bars))


def lines(names: Sequence[str], parts: Sequence[tuple[str, str, Sequence[float]]], unit: str = "") -> Chart:
    """Lines over the same names; `parts` as for bars."""
    top, y = _scale(max((max(values, default=0) for _, _, values in parts), default=0))
    step = _span() / max(len(names), 1)
    drawn = []
    for style, shown, values in parts:
        places = [
            (_LEFT + step * (place + 0.5), HEIGHT - _BOTTOM - value / top * _rise())
            for place, value in enumerate(values)
        ]
        titles = (f"{name} · {shown}: {_plain(value)}{unit}" for name, value in zip(names, values, strict=True))
        dots = tuple((x, y_, title) for (x, y_), title in zip(places, titles, strict=True))
        drawn.append(Line(style, " ".join(f"{x:.1f},{y_:.1f}" for x, y_ in places), dots))
    return Chart(_days(names, step), y, lines=tuple(drawn))


def _span() -> float:
    return WIDTH - _LEFT - _RIGHT


def _rise() -> float:
    return HEIGHT - _TOP - _BOTTOM


def _scale(most: float) -> tuple[float, tuple[Tick, ...]]:
    """The value at the top, and four or five round marks from 0 up to it."""
    most = most or 1
    size = 10.0 ** floor(log10(most))
    step = next(size * each for each in (0.2, 0.25, 0.5, 1, 2) if most <= 5 * size * each)
    count = ceil(most / step)
    marks = (Tick(HEIGHT - _BOTTOM - place / count * _rise(), _plain(place * step)) for place in range(count + 1))
    return step * count, tuple(marks)


def _days(names: Sequence[str], step: float) -> tuple[Tick, ...]:
    every = max(1, ceil(len(names) / _LABELS))
    return tuple(
        Tick(_LEFT + step * (place + 0.5), name.removeprefix("20").partition("-")[2] or name)
        for place, name in enumerate(names)
        if (len(names) - 1 - place) % every == 0
    )


def _plain(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() or value >= 100 else f"{value:.3g}"
