"""The products most like each product by what its texts say."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.quality.columns import Columns
from lingsou.quality.matching.terms import TermSpace, nearest
from lingsou.text.normalise import normalise

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NEIGHBOURS = 20
_TOGETHER = 20_000
"""Products of a larger catalogue are compared within parts of this size, so that the cost grows with their number."""
_TEXT_CHARACTERS = 600
_WORD = re.compile(r"[^\W_\u3400-\u4dbf\u4e00-\u9fff]+(?:\.\d+)?")
_HAN_PAIR = re.compile(r"(?=([\u3400-\u4dbf\u4e00-\u9fff]{2}))")


@dataclass(frozen=True)
class Neighbours:
    """The products most like each, best first: [N, k]; −1 and 0 where there are fewer."""

    places: Ints
    cosines: Floats


def neighbours(columns: Columns, k: int = NEIGHBOURS) -> Neighbours:
    """The products with the most words in common, by inverse document frequency.

    Titles, the first 600 characters of the texts, brands and categories count; attributes do not, so that a product's
    own value says nothing of who its neighbours are. The same catalogue gives the same neighbours.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    n = len(columns)
    texts = [_document(columns, place) for place in range(n)]
    places, cosines = np.full((n, k), -1, np.int64), np.zeros((n, k))
    parts = np.array_split(np.random.default_rng(0).permutation(n), max(1, -(-n // _TOGETHER)))
    for part in parts:
        part = np.sort(part)
        space = TermSpace([texts[place] for place in part.tolist()], str.split)
        found = nearest(space.units(), k)
        places[part] = np.where(found.records >= 0, part[found.records], -1)
        cosines[part] = found.cosines
    return Neighbours(places, cosines)


def _document(columns: Columns, place: int) -> str:
    """Words of the title count apart from those of the texts."""
    title = _terms(columns.titles[place])
    text = [f"text:{term}" for term in _terms(columns.texts[place][:_TEXT_CHARACTERS])]
    brand = [f"brand:{_solid(columns.brands[place])}"] if columns.brands[place] else []
    category = [f"category:{_solid(name)}" for name in columns.categories[place]]
    return " ".join([*title, *text, *brand, *category])


def _terms(text: str) -> list[str]:
    folded = normalise(text)
    return _WORD.findall(folded) + _HAN_PAIR.findall(folded)


def _solid(text: str) -> str:
    return normalise(text).replace(" ", "_")
