"""The values of one attribute in a catalogue, as codes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Attribute, AttributeValue
from lingsou.quality.attributes.mentions import phrase
from lingsou.text.normalise import normalise

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Vocabulary:
    """V different values, however they are written."""

    codes: Ints
    """Value of each product, −1 where there is none, [N]."""
    keys: Sequence[str]
    forms: Sequence[Attribute]
    """The commonest way of writing each, V of them."""
    counts: Ints
    """Products with each, [V]."""
    of_key: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def numeric(self) -> bool:
        """More products have a number than have something else."""
        numbers = np.array([is_number(form.value) for form in self.forms], bool)
        return bool(self.counts[numbers].sum() * 2 > self.counts.sum())


def vocabulary_of(attributes: Sequence[Mapping[str, Attribute]], name: str) -> Vocabulary:
    """The values that products have for an attribute."""
    of_key: dict[str, int] = {}
    written: list[Counter[tuple[type, AttributeValue, str | None]]] = []
    # The type tells 1 from true, which Python holds to be equal.
    seen: dict[tuple[type, AttributeValue, str | None], int] = {}
    codes = np.full(len(attributes), -1, np.int64)
    for place, each in enumerate(attributes):
        attribute = each.get(name)
        if attribute is None or attribute.value == "":
            continue
        exact = (type(attribute.value), attribute.value, attribute.unit)
        code = seen.get(exact)
        if code is None:
            code = of_key.setdefault(key_of(attribute.value, attribute.unit), len(of_key))
            seen[exact] = code
            if code == len(written):
                written.append(Counter())
        written[code][exact] += 1
        codes[place] = code
    commonest = [min(counts.items(), key=lambda item: (-item[1], str(item[0][1])))[0] for counts in written]
    forms = [Attribute(value=value, unit=unit) for _, value, unit in commonest]
    counts = np.bincount(codes[codes >= 0], minlength=len(of_key)).astype(np.int64)
    return Vocabulary(codes, list(of_key), forms, counts, of_key)


def key_of(value: AttributeValue, unit: str | None = None) -> str:
    """One key for all ways of writing a value: case, width, spaces, the order of several and, without digits, signs."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        # All digits count: two long numbers that differ in the last are two values, such as codes.
        return (str(value) if isinstance(value, int) else f"{value:.15g}") + (f" {normalise(unit)}" if unit else "")
    if isinstance(value, tuple):
        return " + ".join(sorted(key_of(part) for part in value))
    # Between numbers signs have a meaning, and a plus always has: `-20 - 60`, `S20+`, `DVD+R`.
    signs_count = any(letter.isdigit() or letter == "+" for letter in value)
    written = "".join(normalise(value).split()) if signs_count else " ".join(phrase(value)) or normalise(value)
    return written + (f" {normalise(unit)}" if unit else "")


def is_number(value: AttributeValue) -> bool:
    """Whether it is a number; truth values are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def shown(attribute: Attribute) -> str:
    """As a person would read it."""
    value = attribute.value
    if isinstance(value, tuple):
        text = ", ".join(value)
    elif isinstance(value, float):
        text = f"{value:,.15g}"
    else:
        text = f"{value:,}" if is_number(value) else str(value)
    return f"{text} {attribute.unit}" if attribute.unit else text
