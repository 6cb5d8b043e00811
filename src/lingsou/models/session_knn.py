"""Session-based nearest neighbours: what else was in past sessions that look like this one.

Sources: V-SKNN of Ludewig & Jannach, "Evaluation of Session-based Recommendation Algorithms", UMUAI 2018; the decays
of Garg et al., "Sequence and Time Aware Neighborhood for Session-based Recommendations" (STAN), SIGIR 2019; the bound
on the sessions looked at for each item of Kersbergen et al., "Serenade" (VMIS-kNN), SIGMOD 2022.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PLACES = 1 << 20
"""No session is longer: two places fit into one integer, which orders by the first."""
_DECIMALS = 9
"""Similarities that are alike to so many are equal."""


@dataclass(frozen=True)
class SessionKnnSettings:
    """How neighbours are found, and what they say. The default was best on held-out training sessions of Diginetica."""

    neighbours: int = 200
    """Sessions that vote."""
    recent: int = 1_000
    """Sessions looked at for each item, the latest."""
    position: float | None = 1.5
    """An item d steps before the last weighs exp(−d / position); none: its place / length, as in V-SKNN."""
    match: float = 0.0
    """A neighbour's votes count 1 / (1 + d) ** match, d steps from the last item to the latest one shared."""
    after: float | None = 4.0
    """An item d steps after the shared one in the neighbour counts exp(−d / after); none: 1."""
    before: float | None = 4.0
    """The same of items before it."""
    age: float | None = 1.0
    """A neighbour counts exp(−its age / age), in the unit of the sessions' times; none: 1."""
    length: float = 0.25
    """A similarity is divided by the neighbour's number of items to this power; 0.5 is the cosine."""
    shared_idf: float = 0.5
    """Shared items weigh idf ** shared_idf."""
    item_idf: float = 0.75
    """Votes for an item weigh idf ** item_idf."""


STAN = SessionKnnSettings()
"""The default."""
VSKNN = SessionKnnSettings(
    neighbours=100,
    position=None,
    match=1.0,
    after=None,
    before=None,
    age=None,
    length=0.0,
    shared_idf=0.0,
    item_idf=0.0,
)
"""V-SKNN with the defaults of its authors' package `session-rec`: 100 neighbours, `div` in similarity and score."""


@dataclass(frozen=True)
class Sessions:
    """S past sessions with C clicks, in order of time."""

    starts: Ints
    """[S + 1]: the clicks of session s are `starts[s]` to `starts[s + 1]`."""
    items: Ints
    """[C], oldest first in each session."""
    times: Floats
    """[S], when each was; never falling."""

    def __len__(self) -> int:
        return len(self.times)

    @property
    def owners(self) -> Ints:
        """The session of each click, [C]."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def followed_by(self, others: "Sessions") -> "Sessions":
        """These, then later ones."""
        return Sessions(
            np.concatenate([self.starts, self.starts[-1] + others.starts[1:]]),
            np.concatenate([self.items, others.items]),
            np.concatenate([self.times, others.times]),
        )


@dataclass(frozen=True)
class Found:
    """Items that neighbours name for each query, by query and item."""

    queries: Ints
    """[n]"""
    items: Ints
    """[n]"""
    scores: Floats
    """[n], above 0."""


class _Segment:
    """Some sessions with their inverted lists: the sessions of each item, oldest first, and its last place in each."""

    def __init__(self, sessions: Sessions, n_items: int):
        self.sessions = sessions
        owners = sessions.owners
        key = sessions.items * max(len(sessions), 1) + owners
        order = np.argsort(key, kind="stable")
        # Stable: the last of equal keys is the last click.
        last = order[np.append(np.diff(key[order]) != 0, np.ones(min(len(order), 1), bool))]
        self.starts = _starts(np.bincount(sessions.items[last], minlength=n_items))
        self.lists = owners[last]
        self.places = last - sessions.starts[self.lists]
        self.distinct = np.bincount(self.lists, minlength=len(sessions))


class SessionIndex:
    """Past sessions as they are searched; never changed, so readers may keep one while the next is made.

    It holds segments of falling size, so adding a session costs about the logarithm of the sessions there are.
    """

    def __init__(self, n_items: int = 0, segments: tuple[_Segment, ...] = ()):
        self.n_items = n_items
        self._segments = segments

    def __len__(self) -> int:
        return sum(len(each.sessions) for each in self._segments)

    def extended(self, sessions: Sessions, n_items: int) -> "SessionIndex":
        """The index with later sessions, over items 0 … `n_items` − 1, at least as many as before.

        Raises:
            InputError: the sessions are not in order of time, or begin before the last one known.
        """
        if not len(sessions):
            return SessionIndex(n_items, self._segments)
        known = self._segments[-1].sessions.times[-1:] if self._segments else sessions.times[:1]
        if bool((np.diff(np.concatenate([known, sessions.times])) < 0).any()):
            raise InputError(
                "Sessions are not in order of time.", cure="Sort them by time, oldest first; add later ones."
            )
        kept = list(self._segments)
        while kept and len(kept[-1].sessions) <= 2 * len(sessions):
            sessions = kept.pop().sessions.followed_by(sessions)
        return SessionIndex(n_items, (*kept, _Segment(sessions, n_items)))

    @property
    def sessions(self) -> Sessions:
        """All of them, in order of time."""
        every = Sessions(np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0))
        for segment in self._segments:
            every = every.followed_by(segment.sessions)
        return every

    def vote(self, starts: Ints, items: Ints, settings: SessionKnnSettings, *, now: float | None = None) -> Found:
        """What neighbours name for each of Q running sessions; a session's own items are among it.

        Args:
            starts: where each running session begins and the last ends, [Q + 1].
            items: of all of them, oldest first in each, [clicks].
            settings: how.
            now: the time that ages count from; none: that of the newest session known.

        Cost: Q × (items × `recent` + `neighbours` × their lengths), and sorting as many.
        """
        wanted = _Wanted.of(starts, items, self.n_items, settings)
        queries, sessions, similarities, codes = self._similar(wanted, settings, now)
        near = _best(queries, sessions, similarities, settings.neighbours)
        queries, sessions, codes = queries[near], sessions[near], codes[near]
        steps, place = _PLACES - 1 - codes // _PLACES, codes % _PLACES
        votes = similarities[near] * (1.0 + steps) ** -settings.match
        neighbour, found, offsets = self._clicks(sessions, place)
        weights = votes[neighbour] * _nearness(offsets, settings)
        keys, first, order = _groups(queries[neighbour] * self.n_items + found)
        scores = np.add.reduceat(weights[order], first) if len(first) else np.zeros(0)
        query, item = np.divmod(keys, max(self.n_items, 1))
        if settings.item_idf:
            scores = scores * self._idf[item] ** settings.item_idf
        return Found(query, item, scores)

    @cached_property
    def _idf(self) -> Floats:
        frequencies = np.zeros(self.n_items)
        for each in self._segments:
            frequencies[: len(each.starts) - 1] += np.diff(each.starts)
        # An item of every session still says a little.
        return np.maximum(np.log((len(self) + 1) / (frequencies + 1)), 1e-3)

    def _similar(
        self, wanted: "_Wanted", settings: SessionKnnSettings, now: float | None
    ) -> tuple[Ints, Ints, Floats, Ints]:
        """Each pair of a query and a session that share an item: query, session, similarity, code of the latest shared.

        The code holds the steps of that item from the query's end (fewer are greater) and its place in the session.
        """
        left = np.full(len(wanted.items), settings.recent)
        parts = []
        for first, segment in self._newest_first():
            known = np.flatnonzero(wanted.items < len(segment.starts) - 1)
            own = wanted.items[known]
            taken = np.minimum(segment.starts[own + 1] - segment.starts[own], left[known])
            left[known] -= taken
            places = _ranges(segment.starts[own + 1] - taken, taken)
            parts.append((np.repeat(known, taken), first + segment.lists[places], segment.places[places]))
        which, session, place = _columns(parts)
        weights = wanted.weights[which]
        if settings.shared_idf:
            weights = weights * self._idf[wanted.items[which]] ** settings.shared_idf
        codes = (_PLACES - 1 - wanted.steps[which]) * _PLACES + place
        keys, begins, order = _groups(wanted.queries[which] * max(len(self), 1) + session)
        queries, sessions = np.divmod(keys, max(len(self), 1))
        if not len(begins):
            return queries, sessions, np.zeros(0), keys
        sums = np.add.reduceat(weights[order], begins)
        return queries, sessions, sums * self._trust(sessions, settings, now), np.maximum.reduceat(codes[order], begins)

    def _trust(self, sessions: Ints, settings: SessionKnnSettings, now: float | None) -> Floats:
        """The factor of each session's similarity, by its length and age."""
        factors = np.ones(len(sessions))
        for first, segment in self._newest_first():
            own = np.flatnonzero((sessions >= first) & (sessions < first + len(segment.sessions)))
            local = sessions[own] - first
            factors[own] = segment.distinct[local] ** -settings.length
            if settings.age is not None:
                latest = self._segments[-1].sessions.times[-1] if now is None else now
                factors[own] *= np.exp(-np.maximum(latest - segment.sessions.times[local], 0.0) / settings.age)
        return factors

    def _clicks(self, sessions: Ints, place: Ints) -> tuple[Ints, Ints, Ints]:
        """Every click of some sessions: which of them, its item, its steps after `place`."""
        parts = []
        for first, segment in self._newest_first():
            own = np.flatnonzero((sessions >= first) & (sessions < first + len(segment.sessions)))
            begins = segment.sessions.starts[sessions[own] - first]
            lengths = segment.sessions.starts[sessions[own] - first + 1] - begins
            clicks = _ranges(begins, lengths)
            which = np.repeat(own, lengths)
            parts.append((which, segment.sessions.items[clicks], clicks - np.repeat(begins, lengths) - place[which]))
        return _columns(parts)

    def _newest_first(self) -> Iterator[tuple[int, _Segment]]:
        """Each segment with the number of its first session."""
        first = len(self)
        for segment in reversed(self._segments):
            first -= len(segment.sessions)
            yield first, segment


@dataclass(frozen=True)
class _Wanted:
    """The distinct known items of each query: query, item, weight, steps from the end to its last click."""

    queries: Ints
    items: Ints
    weights: Floats
    steps: Ints

    @classmethod
    def of(cls, starts: Ints, items: Ints, n_items: int, settings: SessionKnnSettings) -> "_Wanted":
        lengths = np.diff(starts)
        query, length = np.repeat(np.arange(len(lengths)), lengths), np.repeat(lengths, lengths)
        steps = np.minimum(np.repeat(starts[1:], lengths) - 1 - np.arange(len(items)), _PLACES - 1)
        known = np.flatnonzero(items < n_items)
        key = query[known] * max(n_items, 1) + items[known]
        # Of an item clicked twice the last click counts.
        _, order = np.unique(key[::-1], return_index=True)
        chosen = known[::-1][order]
        if settings.position is None:
            weights = (length[chosen] - steps[chosen]) / length[chosen]
        else:
            weights = np.exp(-steps[chosen] / settings.position)
        return cls(query[chosen], items[chosen], weights, steps[chosen])


def _nearness(offsets: Ints, settings: SessionKnnSettings) -> Floats:
    """What a click's steps after (or, negative, before) the shared item leave of a vote."""
    after = 0.0 if settings.after is None else 1.0 / settings.after
    before = 0.0 if settings.before is None else 1.0 / settings.before
    return np.asarray(np.exp(-np.abs(offsets) * np.where(offsets > 0, after, before)))


def _best(queries: Ints, sessions: Ints, similarities: Floats, n: int) -> Ints:
    """Places of the n most similar sessions of each query; of equals the latest. `queries` are in order."""
    # Sums of the same weights in another order differ in their last bits, and are equal all the same.
    order = np.lexsort((-sessions, -np.round(similarities, _DECIMALS), queries))
    firsts = np.searchsorted(queries, queries)
    return order[np.arange(len(order)) - firsts < n]


def _groups(keys: Ints) -> tuple[Ints, Ints, Ints]:
    """The distinct keys in order, where each begins in the sorted order, and that order."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.flatnonzero(np.append(np.ones(min(len(keys), 1), bool), np.diff(ordered) != 0))
    return ordered[first], first, order


def _columns(parts: list[tuple[Ints, Ints, Ints]]) -> tuple[Ints, Ints, Ints]:
    one, two, three = zip(*parts, strict=True) if parts else ((), (), ())
    nothing = np.zeros(0, np.int64)
    return np.concatenate([nothing, *one]), np.concatenate([nothing, *two]), np.concatenate([nothing, *three])


def _ranges(starts: Ints, lengths: Ints) -> Ints:
    """start, start + 1, … of each pair, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths)


def _starts(lengths: Ints) -> Ints:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
