"""What the event log tells of shoppers and products, as interactions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lingsou.events.columns import EventColumns
from lingsou.recommend.interactions import KINDS, IdMap, Interactions, Ints, interactions

_COUNTED = ("click", "detail", "cart", "purchase")
"""Actions of a shopper's own will; being shown something is none."""


@dataclass(frozen=True)
class ShopperLog:
    """Interactions of persons, and who they are."""

    interactions: Interactions
    people: Sequence[str]
    """By user; a signed-in user, else a browser, else a session."""


def shopper_log(columns: EventColumns, products: IdMap) -> ShopperLog:
    """The deliberate actions of everybody but robots on products that are known.

    Args:
        columns: of the event log.
        products: their numbers; events of others are left out.
    """
    numbers = products.find(list(columns.object_id))
    kept = np.flatnonzero((numbers >= 0) & np.isin(columns.action.astype(str), _COUNTED) & ~columns.bot)
    people = IdMap()
    rows = zip(columns.user_id[kept], columns.client_id[kept], columns.session_id[kept], strict=True)
    names = [f"u{user}" if user else f"c{client}" if client else f"s{session}" for user, client, session in rows]
    known = np.array([name != "sNone" for name in names], np.bool_)
    users = people.add([name for name in names if name != "sNone"])
    chosen = kept[known]
    return ShopperLog(
        interactions(
            users,
            numbers[chosen],
            columns.time[chosen],
            kinds_of(list(columns.action[chosen])),
            n_users=len(people),
            n_items=len(products),
        ),
        [str(name) for name in people.names],
    )


def kinds_of(actions: Sequence[str]) -> "np.ndarray[tuple[int], np.dtype[np.int8]]":
    """Places in `KINDS`."""
    places = {kind: place for place, kind in enumerate(KINDS)}
    return np.array([places[action] for action in actions], np.int8)


def steps(log: Interactions) -> Interactions:
    """Each visit to a product once: of interactions with the same item in a row, the first.

    A click, the product's page and the cart are one step of a shopper, and three events.
    """
    repeated = np.zeros(len(log.items), np.bool_)
    repeated[1:] = (np.diff(log.items) == 0) & (np.diff(log.users) == 0)
    return log.where(~repeated)


def answers(log: Interactions) -> tuple[Interactions, Interactions, Ints]:
    """The last product that was new to each shopper as the answer, for those with two interactions before it.

    Returns:
        What sources may be fitted on: of these shoppers what came before their answers, of others everything; the
        histories of the shoppers who have an answer, [U]; and the answers, [U].
    """
    _, first = np.unique(log.users * log.n_items + log.items, return_index=True)
    ends = np.zeros(len(log), np.int64)
    np.maximum.at(ends, log.users[first], first)  # by user in order of items: the last is not the latest
    chosen = np.flatnonzero((log.lengths > 0) & (ends - log.starts[:-1] >= 2))
    limit = log.starts[1:].copy()
    limit[chosen] = ends[chosen]
    before = log.where(np.arange(len(log.items)) < limit[log.users])
    return before, before.of(chosen), log.items[ends[chosen]]
