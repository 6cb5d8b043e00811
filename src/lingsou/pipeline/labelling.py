"""What a merchandiser says of a query, checked against the shop before it is kept."""

from collections.abc import Callable, Mapping
from typing import Any

from lingsou.core.errors import InputError, NotFoundError, StorageError
from lingsou.query.intents import INTENTS
from lingsou.query.labels import QueryLabel, new_label
from lingsou.retrieval.engine import SearchEngine


def checked_label(
    categories: Callable[[], Mapping[str, int]],
    query: str,
    *,
    intent: str | None = None,
    category: str | None = None,
    sentiment: str | None = None,
    entities: Any = None,
) -> QueryLabel:
    """A label of this moment.

    Args:
        categories: gives the paths that can be meant, with their products; asked only if `category` is given.
        query: as shoppers type it.
        intent: one of `INTENTS`.
        category: its path.
        sentiment: as the labels of the shop's head.
        entities: each with `start`, `end` and `kind`; in order, all of the query; none at all: nothing is named.

    Raises:
        InputError: nothing is said, no such intent, or a span that makes no sense.
        NotFoundError: no product is in the category.
        StorageError: the index is empty.
    """
    settled = {"intent": intent, "category": category, "sentiment": sentiment, "entities": entities}
    said = {name: value for name, value in settled.items() if value is not None}
    if not said:
        raise InputError(
            "There is nothing to say of the query.", cure="Give an intent, a category, a sentiment or entities."
        )
    if intent is not None and intent not in INTENTS:
        raise InputError(f"There is no intent '{intent}'.", field="intent", cure=f"One of: {', '.join(INTENTS)}.")
    if category is not None:
        _require(category, categories())
    return new_label(query, **said)


def _require(category: str, known: Mapping[str, int]) -> None:
    paths = sorted(known)
    if not paths:
        raise StorageError("The index is empty.", cure="lingsou index")
    if category not in known:
        alike = [path for path in paths if path.rpartition(" > ")[2].casefold() == category.casefold()]
        raise NotFoundError(
            f"No product is in the category '{category}'.",
            field="category",
            cure=f"Its path, such as {(alike or paths)[0]}",
        )


def categories_of(engine: SearchEngine) -> Mapping[str, int]:
    """The category paths of an index, with the number of products of each."""
    return engine.contents().values.get("category", {})
