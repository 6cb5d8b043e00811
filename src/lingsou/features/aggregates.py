"""Aggregates over the event log, kept up event by event: the same code offline, for training, and online."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from lingsou.core.types import Product
from lingsou.events.columns import EventColumns
from lingsou.features.decay import DecayedCounts
from lingsou.features.events_view import COUNTED, DAYS, RANKS, WORTH, EventView, Floats
from lingsou.features.trails import Lookup, Trails
from lingsou.models.click_models import position_based, power_law
from lingsou.text.normalise import normalise

_COLUMN = {action: number for number, action in enumerate(COUNTED)}
_LONG = len(DAYS) - 1
_FITTED_PAIRS = 5_000

_PRIOR_CLICKS, _PRIOR_LOOKS = 1.0, 20.0
"""What the shop's mean click rate is before anything happened, and how soon it gives way."""


def query_key(text: str) -> str:
    """What makes two searches the same: width, case and script aside."""
    return normalise(text)


def rank_column(ordinal: int) -> int:
    """The column of `EventView.shown` for a place from 1."""
    return min(ordinal, 10) - 1 if ordinal <= 10 else 10 if ordinal <= 20 else 11


_RANK_COLUMN = np.asarray([-1, *(rank_column(ordinal) for ordinal in range(1, 22))])


class Aggregates:
    """What the log tells of products, queries and shoppers. Safe to share between threads.

    Memory is bounded: about 0.4 kB for each of `products` and of `pairs` (query and product) and 0.1 kB for each of
    `actions` in shoppers' trails. Beyond that, what is smallest or oldest goes.

    Args:
        lookup: products by id, for the brand, category and price of what shoppers acted on.
        examination: how likely a shopper looks at each place [RANKS]; `fit_examination` replaces it.
    """

    def __init__(
        self,
        lookup: Lookup | None = None,
        *,
        examination: Floats | None = None,
        products: int = 1_000_000,
        pairs: int = 200_000,
        actions: int = 500_000,
    ):
        self.examination = power_law(RANKS, 0.5) if examination is None else examination
        self._popular = DecayedCounts(len(COUNTED), DAYS, products)
        self._searched = DecayedCounts(2 * RANKS, DAYS[_LONG:], products)
        self._paired = DecayedCounts(2 * RANKS, DAYS[_LONG:], pairs)
        self._trails = Trails(lookup or _nothing, actions)
        self._lock = threading.Lock()

    def add(self, events: EventColumns, texts: Mapping[str, str] | None = None) -> None:
        """Take up new events, in any order; of robots, none.

        Args:
            events: not seen before.
            texts: query id → words, of the searches that these events belong to.
        """
        keys = {query_id: query_key(text) for query_id, text in (texts or {}).items()}
        if len(events):
            with self._lock:
                self._count(events, keys)

    def view(
        self,
        ids: Sequence[str],
        query: str,
        time: datetime,
        *,
        user_id: str | None = None,
        session_id: str | None = None,
    ) -> EventView:
        """The log just before `time`, of what was added. Cost: about 0.5 ms for 200 candidates.

        Args:
            ids: external ids of the candidates [n].
            query: the shopper's words.
            time: of the request.
            user_id: as the log spells it (a pseudonym).
            session_id: likewise; neither of them: without a trail.
        """
        return self.at(ids, query_key(query), milliseconds(time), user_id, session_id)

    def at(
        self, ids: Sequence[str], query: str, time: int, user_id: str | None = None, session_id: str | None = None
    ) -> EventView:
        """The same for a query's key and a time in milliseconds; nothing later than that may have been added."""
        people = [f"{kind}{name}" for kind, name in (("u", user_id), ("s", session_id)) if name]
        with self._lock:
            counts = self._popular.at(ids, time)
            searched = self._searched.at(ids, time)[:, :, 0]
            paired = self._paired.at([(query, id_) for id_ in ids], time)[:, :, 0]
            totals, actions = self._searched.total(time)[:, 0], self._popular.total(time)[:, _LONG]
            trail = self._trails.of(people, time) if people else None
        examination = self.examination
        looks = float(totals[:RANKS] @ examination)
        clicks, bought = actions[_COLUMN["click"]], actions[_COLUMN["purchase"]]
        return EventView(
            counts=counts,
            shown=searched[:, :RANKS],
            clicked=searched[:, RANKS:],
            query_shown=paired[:, :RANKS],
            query_clicked=paired[:, RANKS:],
            examination=examination,
            base_ctr=float(totals[RANKS:].sum() + _PRIOR_CLICKS) / (looks + _PRIOR_LOOKS),
            base_conversion=float(bought + _PRIOR_CLICKS) / (float(clicks) + _PRIOR_LOOKS),
            trail=trail,
        )

    def fit_examination(self) -> Floats:
        """Estimate from all that was added how likely each place is looked at, and go by it from now on.

        Only pairs of query and product that stood at several places tell of it; the most seen are enough.
        """
        with self._lock:
            pairs = self._paired.everything(self._paired.latest)[:, :, 0]
        shown = pairs[:, :RANKS]
        telling = np.flatnonzero((shown > 0).sum(axis=1) > 1)
        telling = telling[np.argsort(-shown[telling].sum(axis=1), kind="stable")[:_FITTED_PAIRS]]
        if len(telling):
            fitted = position_based(shown[telling], pairs[telling, RANKS:], start=self.examination, tolerance=1e-3)
            self.examination = fitted.examination
        return self.examination

    def _count(self, events: EventColumns, keys: Mapping[str, str]) -> None:
        chosen = [
            (place, name, object_id)
            for place, (name, object_id) in enumerate(
                zip(events.action.tolist(), events.object_id.tolist(), strict=True)
            )
            if object_id is not None and (name in _COLUMN or name in WORTH)
        ]
        bots = events.bot
        if bots.any():
            chosen = [each for each in chosen if not bots[each[0]]]
        popular = [each for each in chosen if each[1] in _COLUMN]
        self._popular.add(
            [id_ for _, _, id_ in popular],
            np.asarray([_COLUMN[name] for _, name, _ in popular], np.int64),
            events.time[[place for place, _, _ in popular]],
        )
        self._count_searches(events, keys, [each for each in popular if each[1] in ("impression", "click")])
        users, sessions, times = events.user_id, events.session_id, events.time
        self._trails.add(
            (f"{kind}{person}", int(times[place]), name, id_)
            for place, name, id_ in chosen
            if name in WORTH
            # Who is known by name is found again by that name, in whatever session.
            for kind, person in [("u", users[place]) if users[place] else ("s", sessions[place])]
            if person
        )

    def _count_searches(self, events: EventColumns, keys: Mapping[str, str], rows: list[tuple[int, str, str]]) -> None:
        queries, ordinals = events.query_id, events.ordinal
        rows = [each for each in rows if queries[each[0]] is not None and ordinals[each[0]] > 0]
        places = np.asarray([place for place, _, _ in rows], np.int64)
        clicked = np.asarray([name == "click" for _, name, _ in rows], np.int64)
        columns = _RANK_COLUMN[np.minimum(ordinals[places], 21)] + RANKS * clicked
        self._searched.add([id_ for _, _, id_ in rows], columns, events.time[places])
        known = [number for number, (place, _, _) in enumerate(rows) if queries[place] in keys]
        paired = [(keys[queries[rows[number][0]]], rows[number][2]) for number in known]
        self._paired.add(paired, columns[known], events.time[places[known]])


def milliseconds(time: datetime) -> int:
    """Since 1970."""
    return round(time.timestamp() * 1_000)


def _nothing(ids: Sequence[str]) -> Mapping[str, Product]:
    return {}


@dataclass(frozen=True)
class Moment:
    """One request of the past, for which the log is wanted as it was."""

    time: int
    """Milliseconds since 1970."""
    query: str
    ids: tuple[str, ...]
    user_id: str | None = None
    session_id: str | None = None


_REFIT_MS = 7 * 86_400_000


def replay(
    events: EventColumns,
    texts: Mapping[str, str],
    moments: Sequence[Moment],
    aggregates: Aggregates,
    *,
    refit: bool = True,
) -> Iterator[tuple[Moment, EventView]]:
    """Each moment with the log as it was just before: nothing that happened at that time or later is in it.

    Cost: about 50 µs for each event.

    Args:
        events: in order of time, as a log reads them.
        texts: query id → words.
        moments: in order of time.
        aggregates: empty ones.
        refit: estimate position bias anew at each week's first moment, from what was before.
    """
    stop = 0
    week = int(events.time[0]) // _REFIT_MS if len(events) else 0
    for moment in moments:
        start, stop = stop, int(np.searchsorted(events.time, moment.time, side="left"))
        if stop > start:
            block = events.where(slice(start, stop))  # type: ignore[arg-type]  # a slice copies nothing
            names = {name for name in block.query_id if name is not None}
            aggregates.add(block, {name: texts[name] for name in names if name in texts})
        if refit and moment.time // _REFIT_MS > week:
            week = moment.time // _REFIT_MS
            aggregates.fit_examination()
        yield (
            moment,
            aggregates.at(moment.ids, query_key(moment.query), moment.time, moment.user_id, moment.session_id),
        )
