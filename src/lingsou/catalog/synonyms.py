"""What shops call the fields of a product; the table itself is `synonyms.txt`."""

from functools import cache
from importlib.resources import files


@cache
def field_names() -> dict[str, tuple[str, ...]]:
    """Field → names of columns, as `profile.key_of` writes them, the likelier first."""
    return {name: words for name, words in _table().items() if name not in ("-", "sizes")}


@cache
def ignored() -> frozenset[str]:
    """Columns that describe no product; they become neither fields nor attributes."""
    return frozenset(_table()["-"])


def size_order() -> tuple[str, ...]:
    """Words for sizes of one picture, the best first."""
    return _table()["sizes"]


@cache
def _table() -> dict[str, tuple[str, ...]]:
    table: dict[str, list[str]] = {}
    field = ""
    for line in files("lingsou.catalog").joinpath("synonyms.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if not line.startswith(" "):
            field, _, line = line.partition(":")
        table.setdefault(field, []).extend(name.strip() for name in line.split(",") if name.strip())
    return {name: tuple(words) for name, words in table.items()}
