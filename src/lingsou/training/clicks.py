"""Groups for the ranker from the log: each search that was clicked in, with the features as they were at its moment."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np

from lingsou.core.types import Context, Product
from lingsou.events.arrivals import Follower
from lingsou.events.behaviour import Behaviour
from lingsou.events.columns import EventColumns
from lingsou.events.joins import Journeys, journeys
from lingsou.events.log import Selection
from lingsou.features import Feature, matrix
from lingsou.features.aggregates import Aggregates, Moment, replay
from lingsou.pipeline.candidates import CandidateFeatures
from lingsou.pipeline.planned import PlannedSearch
from lingsou.ranking.clicks import DEPTH, Objective, estimate, pairs_of
from lingsou.ranking.dataset import Floats, Group, group

MOST_WEIGHT = 20.0
"""An action far down, where few look, counts at most so many times: a bound on the variance."""

_PLANNED = 64
"""Queries that stay matched while the log is walked through: those that are searched again and again."""


def read_log(behaviour: Behaviour, days: float) -> tuple[EventColumns, dict[str, str]]:
    """The events of the last days, and query id → words of the searches that they belong to.

    Raises:
        StorageError: the log cannot be read.
    """
    since = datetime.now(UTC) - timedelta(days=days)
    behaviour.searches.flush()
    columns = behaviour.events.read(Selection(since=since))
    named = sorted({name for name in columns.query_id.tolist() if name is not None})
    return columns, Follower(behaviour.database, since).texts(named)


@dataclass(frozen=True)
class Search:
    """One search of the log: the products that it showed, and the weighted worth of what each led to."""

    moment: Moment
    worth: tuple[float, ...]


def searches_of(
    columns: EventColumns,
    texts: Mapping[str, str],
    objective: Objective = Objective(),  # noqa: B008 - frozen
    margins: Mapping[str, float] | None = None,
) -> list[Search]:
    """The searches of the log in which something was clicked or bought, in order of time.

    What happened at a place counts 1 / examination, which is estimated from the same log (inverse propensity scoring).

    Args:
        columns: the events, in order of time.
        texts: query id → words.
        objective: the worth of each action.
        margins: product id → what one sold unit earns.
    """
    found = journeys(columns)
    examination = estimate(pairs_of(found, texts)).examination
    worth = _worth(found, objective, margins or {})
    place = np.clip(found.ordinal, 1, DEPTH) - 1
    weighted = worth * np.minimum(1.0 / examination[place], MOST_WEIGHT)
    people = {
        query_id: (user, session)
        for query_id, user, session in zip(columns.query_id, columns.user_id, columns.session_id, strict=True)
        if query_id is not None
    }
    rows: dict[str, list[int]] = defaultdict(list)
    for row in np.flatnonzero(found.ordinal > 0).tolist():
        rows[found.query_id[row]].append(row)
    searches = []
    for query_id, own in rows.items():
        if query_id in texts and len(own) > 1 and weighted[own].any():
            user, session = people[query_id]
            ids = tuple(found.object_id[own].tolist())
            moment = Moment(int(found.time[own].min()), texts[query_id], ids, user, session)
            searches.append(Search(moment, tuple(weighted[own].tolist())))
    return sorted(searches, key=lambda search: search.moment.time)


def click_groups(
    columns: EventColumns,
    texts: Mapping[str, str],
    searches: Sequence[Search],
    search: PlannedSearch,
    products: Callable[[Sequence[str]], Mapping[str, Product]],
    candidates: CandidateFeatures,
    features: Sequence[Feature],
) -> Iterator[Group]:
    """One group for each search, of the products that it showed and the catalogue still has.

    Features of events, the shopper's own among them, are those just before the search.

    Args:
        columns: the events, in order of time.
        texts: query id → words.
        searches: as `searches_of` finds them.
        search: understands and scores.
        products: the store.
        candidates: makes the batches.
        features: the columns of the groups.
    """
    views = replay(columns, texts, [each.moment for each in searches], Aggregates(products))
    matched = lru_cache(_PLANNED)(search.matched)
    for each, (moment, view) in zip(searches, views, strict=True):
        planned = matched(moment.query)
        result = planned.of(moment.ids)
        found = products(result.candidates.ids)
        known = [found[id_] for id_ in result.candidates.ids]
        rows = [moment.ids.index(id_) for id_ in result.candidates.ids]
        batch = candidates.batch(
            planned.query.text,
            planned.matched,
            result,
            known,
            time=datetime.fromtimestamp(moment.time / 1_000, UTC),
            plan=planned.plan,
            context=Context(user_id=moment.user_id, session_id=moment.session_id),
            events=view.only(rows),
        )
        # LambdaMART's gain is 2^grade − 1: so it is in proportion to the worth.
        grades = {id_: float(np.log2(1 + worth)) for id_, worth in zip(moment.ids, each.worth, strict=True)}
        yield group(moment.query, result.candidates.ids, matrix(features, batch), result.candidates.scores, grades)


def _worth(found: Journeys, objective: Objective, margins: Mapping[str, float]) -> Floats:
    earned = np.asarray([margins.get(id_, 0.0) for id_ in found.object_id], np.float64)
    sold = (objective.purchase + objective.margin * earned) * found.purchases
    return np.asarray(objective.click * (found.clicks > 0) + objective.cart * (found.carts > 0) + sold, np.float64)
