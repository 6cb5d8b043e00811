"""What comes next in a session: a blend that is taught by prefixes of the latest sessions."""

from dataclasses import dataclass

import numpy as np

from lingsou.recommend.blend import Blend
from lingsou.recommend.interactions import Interactions, Ints, Items
from lingsou.recommend.learning import Learned, learn

HELD_OUT = 0.08
"""Share of the sessions, the latest, that teaches; the sources that are asked then know those before them alone."""
TAUGHT = 12_000
"""Prefixes that the blend learns from, drawn at random."""
LEAST = 50
"""With fewer prefixes the blend learns nothing."""


@dataclass(frozen=True)
class Prefixes:
    """Sessions as they were before one of their clicks."""

    histories: Interactions
    """What came before, [m]."""
    targets: Ints
    """The click, [m]."""

    def of(self, chosen: Ints) -> "Prefixes":
        """Some of them, in that order."""
        return Prefixes(self.histories.of(chosen), self.targets[chosen])


def prefixes_of(sessions: Interactions) -> Prefixes:
    """Every click but the first of each session."""
    targets = np.flatnonzero(sessions.ages < np.repeat(sessions.lengths, sessions.lengths) - 1)
    rows = sessions.of(sessions.users[targets])
    later = np.repeat(sessions.ages[targets], rows.lengths)
    return Prefixes(rows.where(rows.ages > later), sessions.items[targets])


def by_end(sessions: Interactions) -> Interactions:
    """The sessions that are not empty, in the order in which they ended."""
    some = np.flatnonzero(sessions.lengths)
    ends = sessions.times[sessions.starts[some + 1] - 1]
    return sessions.of(some[np.argsort(ends, kind="stable")])


def teach(
    blend: Blend, sessions: Interactions, items: Items, *, aside: float = 0.0, seed: int = 1
) -> tuple[Learned | None, Prefixes]:
    """Cut the sessions by time, fit the blend's sources on the earlier ones and learn its model from the later ones.

    The sources stay fitted on the earlier sessions: measure what is put aside, then fit them on all.

    Args:
        blend: gets its model; none where there are fewer than `LEAST` prefixes or nobody took a candidate.
        sessions: a row each (`lingsou.recommend.sessions`), in any order.
        items: as for a fit.
        aside: share of the later sessions that takes no part in learning.
        seed: of all that is drawn by chance.

    Returns:
        What was learnt, and the prefixes put aside.

    Raises:
        MissingExtraError: LightGBM is not installed.
    """
    ordered = by_end(sessions)
    cut = int(len(ordered) * (1 - HELD_OUT))
    earlier, late = ordered.block(0, cut), ordered.block(cut, len(ordered))
    blend.fit(earlier, items)
    kept_aside = np.zeros(len(late), np.bool_)
    kept_aside[np.random.default_rng(seed).permutation(len(late))[: int(len(late) * aside)]] = True
    lessons = prefixes_of(late.of(np.flatnonzero(~kept_aside)))
    lessons = lessons.of(np.sort(np.random.default_rng(seed).permutation(len(lessons.targets))[:TAUGHT]))
    measured = prefixes_of(late.of(np.flatnonzero(kept_aside)))
    blend.model = None
    if len(lessons.targets) < LEAST:
        return None, measured
    choices = blend.choices(lessons.histories, lessons.targets)
    if not len(choices.decided):
        return None, measured
    found = learn(choices, seed=seed)
    blend.model = found.model
    return found, measured
