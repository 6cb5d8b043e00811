"""Events as columns: what analytics, joins and training read."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Texts = NDArray[np.object_]
"""Strings, or none."""


@dataclass(frozen=True)
class EventColumns:
    """N events in order of time. Every array has N entries; ids of people are pseudonyms."""

    time: NDArray[np.int64]
    """Milliseconds since 1970, UTC."""
    action: Texts
    query_id: Texts
    user_id: Texts
    client_id: Texts
    session_id: Texts
    object_id: Texts
    ordinal: NDArray[np.int64]
    """Place in the list, from 1; −1 where none was told."""
    rating: NDArray[np.float64]
    """0 to 5; NaN for none."""
    quantity: NDArray[np.int64]
    """1 where none was told."""
    price: NDArray[np.float64]
    """Of one unit; NaN for none."""
    bot: NDArray[np.bool_]
    """Sent by what called itself a robot."""

    def __len__(self) -> int:
        return len(self.time)

    @property
    def visitor(self) -> Texts:
        """Who it was, as far as is known: session, else client, else user, else the empty string."""
        return np.array(
            [a or b or c or "" for a, b, c in zip(self.session_id, self.client_id, self.user_id, strict=True)], object
        )

    def where(self, chosen: NDArray[Any]) -> "EventColumns":
        """The events of a mask [N] or of indices [M], in that order."""
        return EventColumns(*(getattr(self, field.name)[chosen] for field in fields(self)))


COLUMNS = tuple(field.name for field in fields(EventColumns))


def columns_of(rows: Sequence[Sequence[Any]]) -> EventColumns:
    """Rows in the order of `COLUMNS`, as columns."""
    parts = list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS)
    values: dict[str, Any] = {}
    for name, part in zip(COLUMNS, parts, strict=True):
        if name in {"time", "ordinal", "quantity"}:
            missing = 1 if name == "quantity" else -1
            values[name] = np.array([missing if each is None else each for each in part], np.int64)
        elif name in {"rating", "price"}:
            values[name] = np.array([np.nan if each is None else each for each in part], np.float64)
        elif name == "bot":
            values[name] = np.array(part, np.bool_)
        else:
            values[name] = np.empty(len(part), object)
            values[name][:] = part
    return EventColumns(**values)
