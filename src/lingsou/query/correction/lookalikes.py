"""Characters that one mistakes for another when reading, writing or recognising them: our own table."""

from functools import cache
from pathlib import Path

_TABLE = Path(__file__).parents[1] / "data" / "lookalikes.txt"


@cache
def lookalikes() -> dict[str, str]:
    """Character → the characters that look like it, in the order of the table.

    The table's groups stand between blanks: each character of a group looks like each other one.
    """
    found: dict[str, dict[str, None]] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        for group in line.partition("#")[0].split():
            for character in group:
                found.setdefault(character, {}).update(dict.fromkeys(each for each in group if each != character))
    return {character: "".join(alike) for character, alike in found.items()}
