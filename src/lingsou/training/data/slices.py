"""Slices: what reports and the gate look at apart, so that an average hides nothing."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from lingsou.evaluation.slices import head_and_tail
from lingsou.text.language import detect
from lingsou.training.data.content import texts_of
from lingsou.training.examples import ExampleSet, HistorySet, PairSet

MOST_VALUES = 12
OTHER, NONE = "other", "none"
_LENGTHS = ((10, "to 10 characters"), (30, "11 to 30 characters"), (100, "31 to 100 characters"))
_PLAIN_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_AUDIENCES = {
    "women": r"女(?!童|孩|婴)|\b(?:for her|wom[ae]n|ladies|lady|female)(?:'?s)?\b",
    "men": r"男(?!童|孩|婴)|\b(?:for him|m[ae]n|gentlem[ae]n|male)(?:'?s)?\b",
    "children": r"儿童|孩|童|宝宝|婴|学生|\b(?:kid|child|children|boy|girl|baby|babies|infant|toddler)(?:'?s)?'?\b",
    "seniors": r"老人|老年|长辈|\b(?:senior|elderly)(?:s|'s)?\b",
}
_AUDIENCE = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _AUDIENCES.items()}


def slices_of(examples: ExampleSet) -> Mapping[str, Sequence[str]]:
    """Dimension → value of each row. A dimension in which all rows are alike is left out.

    Always language and length of the text (of pairs: the query; of histories: what is to be predicted) and whom it is
    for; of pairs and histories `frequency`: whether their query or product is among the head, which makes half of all
    rows; and what the set has of its own: price bands, brand, category, the rarer ones together as `other`.
    """
    texts = texts_of(examples)
    own = examples.slices
    found: dict[str, Sequence[str]] = {
        "language": list(own.get("language") or [str(detect(text)) for text in texts]),
        "length": [_length(text) for text in texts],
        "audience": [_audience(text) for text in texts],
    }
    if isinstance(examples, PairSet | HistorySet):
        found["frequency"] = _frequency(texts)
    for name, values in own.items():
        if name == "price":
            found[name] = [price_band(value) for value in values]
        elif name not in found:
            found[name] = _frequent(values)
    return {name: values for name, values in found.items() if len(set(values)) > 1}


def price_band(price: str) -> str:
    """Two bands for each power of ten (`10 to 30`, `30 to 100`), the same in every set and currency."""
    match = _PLAIN_NUMBER.search(price)
    value = float(match.group().replace(",", "")) if match else 0.0
    if value <= 0:
        return NONE
    low = 10.0 ** math.floor(math.log10(value))
    return f"{low:g} to {3 * low:g}" if value < 3 * low else f"{3 * low:g} to {10 * low:g}"


def _length(text: str) -> str:
    return next((name for most, name in _LENGTHS if len(text) <= most), "over 100 characters")


def _audience(text: str) -> str:
    found = [name for name, pattern in _AUDIENCE.items() if pattern.search(text)]
    return found[0] if len(found) == 1 else "several" if found else NONE


def _frequency(texts: Sequence[str]) -> list[str]:
    counts = Counter(texts)
    named = dict(zip(counts, head_and_tail([float(count) for count in counts.values()]), strict=True))
    return [named[text] for text in texts]


def _frequent(values: Sequence[str]) -> list[str]:
    counts = Counter(value for value in values if value)
    named = set(sorted(counts, key=lambda name: (-counts[name], name))[:MOST_VALUES])
    return [value if value in named else OTHER if value else NONE for value in values]
