"""Logged clicks under another order: what a configuration would keep of them, as far as a log can tell.

A log tells of what was shown alone. A product that nobody was shown has no clicks, so every figure here favours orders
that resemble the logged one; all are for a first look, and none replaces judgements or an experiment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lingsou.evaluation.metrics import Floats
from lingsou.evaluation.significance import Interval, bootstrap_interval

RANKS = 10
"""Places that are counted."""

Ranking = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class LoggedSearch:
    """One search: what was seen, at which place from 1, and whether it was clicked. The three run parallel."""

    text: str
    shown: tuple[str, ...]
    places: tuple[int, ...]
    clicked: tuple[bool, ...]


@dataclass(frozen=True)
class Two:
    """A figure of both configurations, and b − a."""

    a: Interval
    b: Interval
    difference: Interval


@dataclass(frozen=True)
class Replayed:
    """The logged searches whose text was asked again. Only the first `RANKS` places count."""

    searches: int
    texts: int
    clicks: int
    logged: Interval
    """Clicks a search, as logged."""
    kept: Two
    """Share of these clicks that is on products which stand within the first places now."""
    estimate: Two
    """Clicks a search by inverse propensity under the position-based model: θ(place now) / θ(place then) a click."""
    heaviest: float
    """The largest of these weights: far above 1, single clicks from far down carry the estimate."""


@dataclass(frozen=True)
class Exposure:
    """How often each pair of text and product was shown and clicked at each place: [pairs, RANKS] both."""

    shown: Floats
    clicked: Floats

    @property
    def moved(self) -> int:
        """Pairs that were shown at more than one place: only these tell examination from attraction."""
        return int(((self.shown > 0).sum(axis=1) > 1).sum())


def exposure(searches: Sequence[LoggedSearch]) -> Exposure:
    """Count the log."""
    pairs: dict[tuple[str, str], int] = {}
    cells: list[tuple[int, int, bool]] = []
    for search in searches:
        for id_, place, clicked in zip(search.shown, search.places, search.clicked, strict=True):
            if place <= RANKS:
                cells.append((pairs.setdefault((search.text, id_), len(pairs)), place - 1, clicked))
    shown, hits = np.zeros((len(pairs), RANKS)), np.zeros((len(pairs), RANKS))
    for pair, rank, clicked in cells:
        shown[pair, rank] += 1
        hits[pair, rank] += clicked
    return Exposure(shown, hits)


def replay(
    searches: Sequence[LoggedSearch], a: Ranking, b: Ranking, examination: Floats, seed: int = 7
) -> Replayed | None:
    """Replay the searches whose text both rankings answer; none where there is no click.

    Intervals treat texts, not searches, as the sample: searches of one text are alike.

    Source: Li et al., "Offline evaluation of ranking policies with click models", KDD 2018, the item-position
    estimator for the position-based model.

    Args:
        searches: the log.
        a: text → product ids, best first.
        b: the other configuration's.
        examination: θ [RANKS], the probability of a look at each place.
        seed: of the intervals.
    """
    places = [
        {text: {id_: place for place, id_ in enumerate(ids[:RANKS])} for text, ids in side.items()} for side in (a, b)
    ]
    sums: dict[str, Floats] = {}
    heaviest = 0.0
    for search in searches:
        if any(search.text not in side for side in places):
            continue
        total = sums.setdefault(search.text, np.zeros(6))
        total[0] += 1
        for id_, then, clicked in zip(search.shown, search.places, search.clicked, strict=True):
            if not clicked or then > RANKS:
                continue
            total[1] += 1
            for side, of_text in enumerate(places):
                now = of_text[search.text].get(id_)
                if now is not None:
                    total[2 + side] += 1
                    weight = float(examination[now] / examination[then - 1])
                    total[4 + side] += weight
                    heaviest = max(heaviest, weight)
    table = np.array(list(sums.values())).reshape(-1, 6)
    if not table[:, 1].sum():
        return None
    count, clicks, kept_a, kept_b, moved_a, moved_b = table.T

    def two(first: Floats, second: Floats, whole: Floats) -> Two:
        return Two(*(_ratio(part, whole, seed) for part in (first, second, second - first)))

    return Replayed(
        searches=int(count.sum()),
        texts=len(table),
        clicks=int(clicks.sum()),
        logged=_ratio(clicks, count, seed),
        kept=two(kept_a, kept_b, clicks),
        estimate=two(moved_a, moved_b, count),
        heaviest=heaviest,
    )


def _ratio(part: Floats, whole: Floats, seed: int) -> Interval:
    """Σ part / Σ whole with an interval over the texts, by the bootstrap of its linear form."""
    value = float(part.sum() / whole.sum())
    spread = bootstrap_interval((part - value * whole) / whole.mean(), seed=seed)
    return Interval(value, value + spread.low, value + spread.high)
