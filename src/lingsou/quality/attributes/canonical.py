"""Different ways of writing one value of an attribute, and the one that most products use."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from lingsou.core.types import Attribute, AttributeValue
from lingsou.quality.attributes.lexicon import kind_of, meaning_of, meanings
from lingsou.quality.attributes.vocabulary import is_number, key_of
from lingsou.text.normalise import has_han, normalise
from lingsou.text.numbers import read_number
from lingsou.text.quantities import to_base
from lingsou.text.units import unit_of_spelling, units

Reason = Literal["spelling", "unit", "language"]

_MEASURE = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s?-?\s?(\D+)")
_DIGITS = 9
"""Significant digits that two measures share to be one: a foot is 0.3048 m, and 30.48 cm."""
_CONFIDENCE: Mapping[Reason, float] = {"spelling": 0.95, "unit": 0.95, "language": 0.8}
_USUAL_SHARE = 0.8
"""So many of an attribute's numbers must be in one unit for it to be the attribute's unit."""


@dataclass(frozen=True)
class Rewrite:
    """A product's value, and how most others write it."""

    place: int
    given: Attribute
    usual: Attribute
    reason: Reason
    confidence: float
    """That the value should be written so; each reason has its own, and what goes to another script is less sure."""


def rewrites(attributes: Sequence[Mapping[str, Attribute]], name: str) -> list[Rewrite]:
    """Values of one attribute that most products write otherwise, by place.

    One value are: texts that differ in case, width, spaces, signs or a plural s (`Navy Blue`, `navy-blue`); measures
    of the same size (`1000 g`, `1 kg`; `17in`, `17 inch`); the two languages of one colour, material, gender or
    pattern (`黑色`, `Black`). Of several ways, the one on most products stays; of equals, the first in the catalogue.
    Numbers with a unit of their own go to the unit that at least 80 % of them have. Lists of the same parts stay.

    Args:
        attributes: of N products.
        name: of the attribute.
    """
    held = [(place, attribute) for place, each in enumerate(attributes) if (attribute := each.get(name)) is not None]
    forms: Counter[tuple[AttributeValue, str | None]] = Counter(
        (each.value, each.unit) for _, each in held if not isinstance(each.value, bool)
    )
    kind = kind_of(name, (each.value for _, each in held if isinstance(each.value, str)))
    usual = _usual_forms(forms, kind) | _in_usual_unit(forms)
    found = []
    for place, attribute in held:
        if isinstance(attribute.value, bool):
            continue
        better = usual.get((attribute.value, attribute.unit))
        if better is not None:
            form, reason = better
            sure = _CONFIDENCE["language" if _in_han(attribute) != _in_han(form) else reason]
            found.append(Rewrite(place, attribute, form, reason, sure))
    return found


_Form = tuple[AttributeValue, str | None]


def _usual_forms(forms: Mapping[_Form, int], kind: str) -> dict[_Form, tuple[Attribute, Reason]]:
    groups: dict[str, list[_Form]] = {}
    for form in forms:
        groups.setdefault(_key(form, kind), []).append(form)
    found: dict[_Form, tuple[Attribute, Reason]] = {}
    for alike in groups.values():
        if len(alike) > 1:
            best = max(alike, key=lambda form: forms[form])
            for form in alike:
                if form != best and not _same_parts(form[0], best[0]):
                    found[form] = Attribute(value=best[0], unit=best[1]), _reason(form, best)
    return found


def _in_han(attribute: Attribute) -> bool:
    """Whether a value is written in Chinese: products of one shop in two languages rightly differ there."""
    value = attribute.value
    return has_han(" ".join(value) if isinstance(value, tuple) else f"{value} {attribute.unit or ''}")


def _same_parts(one: AttributeValue, other: AttributeValue) -> bool:
    """Lists whose order alone differs say the same, and nothing is won by another order."""
    return isinstance(one, tuple) and isinstance(other, tuple) and sorted(one) == sorted(other)


def _key(form: _Form, kind: str) -> str:
    value, unit = form
    if is_number(value):
        return f"{key_of(value)} {_unit_name(unit)}"  # numbers of other units are the business of `_in_usual_unit`
    if isinstance(value, str):
        measure = _measure(value if unit is None else f"{value} {unit}")
        if measure:
            return measure
        meaning = meaning_of(kind, value) if kind else ""
        # A meaning has shades: only a first spelling, such as `black` or `黑色`, is the value itself.
        if meaning and key_of(value) in {
            key_of(spellings[0]) for spellings in (meanings(kind)[meaning].english, meanings(kind)[meaning].chinese)
        }:
            return f"meaning {meaning}"
    return key_of(value, unit)


def _reason(form: _Form, best: _Form) -> Reason:
    if key_of(*form) == key_of(*best):
        return "spelling"
    texts = [value for value, unit in (form, best) if isinstance(value, str) and not _measure(value)]
    return "language" if len(texts) == 2 else "unit"


def _measure(text: str) -> str:
    """A text that is one number and its unit, and nothing else, in the base unit."""
    found = _MEASURE.fullmatch(normalise(text))
    unit = unit_of_spelling().get(found[2]) if found else None
    value = read_number(found[1]) if found else None
    if unit is None or value is None:
        return ""
    return f"{unit.dimension} {float(to_base(value, unit.name)):.{_DIGITS}g}"


def _in_usual_unit(forms: Mapping[_Form, int]) -> dict[_Form, tuple[Attribute, Reason]]:
    numbers = {form: count for form, count in forms.items() if is_number(form[0]) and form[1]}
    spelt: Counter[str] = Counter()
    for (_, unit), count in numbers.items():
        spelt[unit or ""] += count
    if len(spelt) < 2:
        return {}
    named: Counter[str] = Counter()
    for unit, count in spelt.items():
        named[_unit_name(unit)] += count
    name, most = named.most_common(1)[0]
    if name not in units() or units()[name].dimension == "temperature" or most < _USUAL_SHARE * named.total():
        return {}
    written = max((unit for unit in spelt if _unit_name(unit) == name), key=lambda unit: spelt[unit])
    found: dict[_Form, tuple[Attribute, Reason]] = {}
    for form in numbers:
        value, unit = form
        other = units().get(_unit_name(unit))
        if unit == written or other is None or other.dimension != units()[name].dimension:
            continue
        converted = to_base(Decimal(str(value)), other.name) / units()[name].factor
        found[form] = Attribute(value=_number(converted), unit=written), "unit"
    return found


def _unit_name(unit: str | None) -> str:
    folded = normalise(unit or "")
    known = unit_of_spelling().get(folded)
    return known.name if known else folded


def _number(value: Decimal) -> int | float:
    rounded = float(f"{value:.{_DIGITS}g}")
    return int(rounded) if rounded.is_integer() else rounded
