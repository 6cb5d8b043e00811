"""Histories cut into sessions, where a shopper paused."""

from dataclasses import replace

import numpy as np

from lingsou.recommend.interactions import Interactions, Ints

PAUSE_MS = 1_800_000
"""Half an hour without an event ends a session, as in web analytics everywhere."""


def sessions_of(interactions: Interactions, pause_ms: int = PAUSE_MS) -> Interactions:
    """A row for each session instead of each user, by user and time; a longer pause than `pause_ms` begins another."""
    begins = np.ones(len(interactions.items), np.bool_)
    same = np.diff(interactions.users) == 0
    begins[1:] = ~same | (np.diff(interactions.times) > pause_ms)
    starts = np.append(np.flatnonzero(begins), len(begins)).astype(np.int64)
    return replace(interactions, starts=starts)


def new_in_sessions(interactions: Interactions, new: Ints, pause_ms: int = PAUSE_MS) -> tuple[Interactions, Ints]:
    """The sessions, and how many of the last interactions of each are new, when `new` [U] says it of each user."""
    fresh = interactions.ages < np.repeat(new, interactions.lengths)
    sessions = sessions_of(interactions, pause_ms)
    return sessions, np.bincount(sessions.users[fresh], minlength=len(sessions))
