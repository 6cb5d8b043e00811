"""Getting raw values out of rows: columns, paths into nested objects, and what counts as missing."""

from collections.abc import Callable, Iterable
from collections.abc import Mapping as AbstractMapping
from typing import Any

Row = AbstractMapping[str, Any]


class Missing:
    """Which values mean that there is none."""

    def __init__(self, words: Iterable[str]):
        self.words = frozenset({"", *(word.casefold() for word in words)})
        self.longest = max(map(len, self.words))

    def word(self, text: str) -> bool:
        """Whether a text, already stripped, means: no value."""
        return len(text) <= self.longest and text.casefold() in self.words

    def value(self, value: Any) -> bool:
        """Whether any value means: no value."""
        if isinstance(value, str):
            text = value.strip()
            return len(text) <= self.longest and text.casefold() in self.words
        if value is None:
            return True
        if isinstance(value, list | tuple | dict):
            return not value
        return bool(value != value)  # NaN


def getter(sources: tuple[str, ...], missing: Missing, *, every: bool = False) -> Callable[[Row], Any]:
    """The first value of several columns that is not missing; with `every`, all of them as one flat list."""
    lone = [_one(source) for source in sources]

    def first(row: Row) -> Any:
        for get in lone:
            value = get(row)
            if not missing.value(value):
                return value
        return None

    def combined(row: Row) -> Any:
        found: list[Any] = []
        for get in lone:
            value = get(row)
            if not missing.value(value):
                found += value if isinstance(value, list | tuple) else [value]
        return found or None

    if every:
        return combined
    return first


def _one(source: str) -> Callable[[Row], Any]:
    if "." not in source:
        return lambda row: row.get(source)
    parts = source.split(".")
    return lambda row: row[source] if source in row else walk(row, parts)


def walk(value: Any, parts: list[str]) -> Any:
    """Follow a path into nested objects; through a list it gathers what each member has."""
    for place, part in enumerate(parts):
        if isinstance(value, AbstractMapping):
            value = value.get(part)
        elif isinstance(value, list | tuple):
            if part.isdigit() and int(part) < len(value):
                value = value[int(part)]
            else:
                found = (walk(member, parts[place:]) for member in value)
                return [member for member in found if member is not None]
        else:
            return None
    return value


def cut(text: str, separators: tuple[str, ...]) -> list[str]:
    """The parts between any of the separators, stripped; empty ones are left out."""
    pieces = [text]
    for separator in separators:
        pieces = [part for piece in pieces for part in piece.split(separator)] if separator in text else pieces
    return [stripped for piece in pieces if (stripped := piece.strip())]
