"""Words of the English language at large and how frequent they are."""

import math
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_PACKAGE, _FILE = "symspellpy", "frequency_dictionary_en_82_765.txt"


@cache
def general_words() -> Mapping[str, float]:
    """Word → natural logarithm of its count in some billions of words of books.

    The list is that of SymSpell (82,765 words, MIT), read from the file that `symspellpy` ships; none of its code runs.
    """
    package = find_spec(_PACKAGE)
    assert package is not None
    assert package.submodule_search_locations is not None
    path = Path(next(iter(package.submodule_search_locations))) / _FILE
    found: dict[str, float] = {}
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        word, _, count = line.partition(" ")
        if word.isascii() and word.isalpha():
            found[word] = math.log(max(int(count), 1))
    return found
