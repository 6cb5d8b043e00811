"""Audit `attributes`: values that are missing, contradict the title, are unlikely, far off, or written otherwise."""

from collections.abc import Sequence
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from lingsou.core.types import Attribute
from lingsou.quality.attributes.canonical import rewrites
from lingsou.quality.attributes.completion import LEAST_LABELLED, Suggestions, complete_in
from lingsou.quality.attributes.elsewhere import Catalogue
from lingsou.quality.attributes.neighbours import Neighbours, neighbours
from lingsou.quality.attributes.usual import expected, outliers
from lingsou.quality.attributes.vocabulary import shown, vocabulary_of
from lingsou.quality.audit import Flags
from lingsou.quality.check import Edit, Severity
from lingsou.quality.columns import Columns
from lingsou.quality.fields import excerpt
from lingsou.quality.tally import Problem

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_MISSING = Problem("warning", "missing, though most products of its kind have it", "Fill it in.")
_CONTRADICTS = Problem("error", "the title says otherwise", "Put the attribute or the title right.")
_UNLIKELY = Problem("warning", "an unlikely value for such a product", "Look at it, and put it right if it is wrong.")
_RANGE = Problem("warning", "ten times and more away from its category", "Check the number and its unit.")
_SPELLING = Problem("info", "most products write the same value otherwise", "Write it as most products do.")

_MOST_ATTRIBUTES = 12
"""The commonest ones are learned; spellings and ranges are looked at in all of them."""
_MOST_DIFFERENT = 0.3
"""An attribute with more different values to its products than this is free text or a measurement of its own."""
_LEAST_SURE = 0.7
_LEAST_EDIT = 0.5
_MOSTLY_NAMED = 0.8
_UNLIKELY_CHANCE = 0.02
_FEWEST_PRODUCTS = 5
_SLIP, _FAR = 0.6, 0.4
"""Of ten times too much or too little; and of other distances, which are as often right."""
_SHOWN = 16
_ALL_KINDS = 0.5
"""And of a number that only the whole catalogue could judge, lamps and heaters alike."""
T = TypeVar("T")


class AttributesAudit:
    """Learns each common attribute from the products that have it, and judges every product by the others."""

    id: ClassVar[str] = "attributes"
    severity: ClassVar[Severity] = "error"
    cost: ClassVar[str] = "Products without the right value are missing under its filter, and stand under wrong ones."

    def judge(self, columns: Columns) -> list[Flags]:
        """Flags by attribute and problem."""
        having: dict[str, list[int]] = {}
        for place, each in enumerate(columns.attributes):
            for name in each:
                having.setdefault(name, []).append(place)
        names = sorted(having, key=lambda name: (-len(having[name]), name))
        flags = []
        for name in names:
            if len(having[name]) >= _FEWEST_PRODUCTS:
                flags += [_written(columns, name, having[name]), _out_of_range(columns, name, having[name])]
        learned = [name for name in names if len(having[name]) >= LEAST_LABELLED][:_MOST_ATTRIBUTES]
        if learned:
            like = neighbours(columns)
            catalogue = Catalogue(columns, like)
            for name in learned:
                flags += _judged(catalogue, like, name)
        return [each for each in flags if len(each)]


def _judged(catalogue: Catalogue, like: Neighbours, name: str) -> list[Flags]:
    columns = catalogue.columns
    has = np.array([name in each for each in columns.attributes], bool)
    values = {(each[name].value, each[name].unit) for each in columns.attributes if name in each}
    chance = expected(like, has)
    lacking = np.flatnonzero(~has & (chance >= _LEAST_SURE))
    if len(values) > _MOST_DIFFERENT * has.sum():
        return [_missing(columns, name, lacking, chance[lacking], None, np.zeros(len(lacking), bool))]
    rows = np.sort(np.concatenate([np.flatnonzero(has), lacking]))
    found = complete_in(catalogue, name, rows)
    # Of numbers only the far ones are doubted, by their range.
    numeric = vocabulary_of(columns.attributes, name).numeric
    doubted = has[rows] & (not numeric) & ~found.same & (found.confidence >= _LEAST_SURE)
    # Where texts nearly always name the value, one that they do not name is a guess, whatever its chance was elsewhere:
    # the labelled products without a named value are exceptions, and teach nothing of those that lack it.
    usually_named = float(found.given_named[has[rows]].mean()) >= _MOSTLY_NAMED
    told = found.named if usually_named else np.ones(len(rows), bool)
    unlikely = found.given <= _UNLIKELY_CHANCE
    contradicts = doubted & found.named & ~found.given_named & (unlikely | usually_named)
    doubted &= told & unlikely
    at = np.searchsorted(rows, lacking)
    return [
        _missing(columns, name, lacking, chance[lacking], found.of(at), told[at]),
        _doubts(_CONTRADICTS, columns, name, rows[contradicts], found.of(np.flatnonzero(contradicts))),
        _doubts(
            _UNLIKELY, columns, name, rows[doubted & ~contradicts], found.of(np.flatnonzero(doubted & ~contradicts))
        ),
    ]


def _missing(
    columns: Columns, name: str, places: Ints, chance: Floats, found: Suggestions | None, told: Bools
) -> Flags:
    edits: list[Edit | None] = [None] * len(places)
    evidence = [excerpt(columns.titles[place], 0, 60) for place in places.tolist()]
    if found is not None:
        for number, (suggested, sure) in enumerate(zip(found.attributes(), found.confidence.tolist(), strict=True)):
            if suggested is not None and told[number] and sure >= _LEAST_EDIT:
                edits[number] = _edit(name, suggested)
                # Repairs go by the confidence of the flag: it is no higher than that of the value.
                chance[number] = min(chance[number], sure)
                evidence[number] += f"; likely {_short(suggested)} ({sure:.0%} sure)"
    order = np.lexsort((places, -chance))
    return _flags(_MISSING, name, places[order], chance[order], _in(evidence, order), _in(edits, order))


def _doubts(problem: Problem, columns: Columns, name: str, places: Ints, found: Suggestions) -> Flags:
    order = np.lexsort((places, -found.confidence))
    evidence, edits = [], []
    for place, suggested in zip(places.tolist(), found.attributes(), strict=True):
        assert suggested is not None  # `found.confidence` is 0 without one
        given = _short(columns.attributes[place][name])
        evidence.append(f"{given}; likely {_short(suggested)}: {excerpt(columns.titles[place], 0, 60)}")
        edits.append(_edit(name, suggested))
    return _flags(problem, name, places[order], found.confidence[order], _in(evidence, order), _in(edits, order))


def _written(columns: Columns, name: str, having: Sequence[int]) -> Flags:
    found = rewrites([columns.attributes[place] for place in having], name)
    found.sort(key=lambda each: (-each.confidence, each.place))
    return _flags(
        _SPELLING,
        name,
        np.array([having[each.place] for each in found], np.int64),
        np.array([each.confidence for each in found], np.float64),
        [f"{_short(each.given)}; usually {_short(each.usual)}" for each in found],
        [_edit(name, each.usual) for each in found],
    )


def _out_of_range(columns: Columns, name: str, having: Sequence[int]) -> Flags:
    attributes = [columns.attributes[place] for place in having]
    found = outliers(attributes, name, [columns.categories[place] for place in having])
    sure = np.array(
        [(_SLIP if each.factor else _FAR) * (1.0 if each.category else _ALL_KINDS) for each in found], np.float64
    )
    order = np.argsort(-sure, kind="stable")
    evidence = [
        f"{_short(each.given)}; the median of {each.products:,} products is {each.median:g}"
        + (f"; a slip by {each.factor}?" if each.factor else "")
        for each in found
    ]
    return _flags(
        _RANGE,
        name,
        np.array([having[each.place] for each in found], np.int64)[order],
        sure[order],
        _in(evidence, order),
        [None] * len(found),
    )


def _flags(
    problem: Problem, name: str, places: Ints, sure: Floats, evidence: Sequence[str], edits: Sequence[Edit | None]
) -> Flags:
    return Flags(problem, f"attributes.{name}", places, sure, evidence, edits)


def _edit(name: str, attribute: Attribute) -> Edit:
    value = attribute.value
    plain: JsonValue = list(value) if isinstance(value, tuple) else value
    return Edit(field=f"attributes.{name}", value={"value": plain, "unit": attribute.unit} if attribute.unit else plain)


def _short(attribute: Attribute) -> str:
    return excerpt(shown(attribute), 0, _SHOWN)


def _in(items: Sequence[T], order: Ints) -> list[T]:
    return [items[place] for place in order.tolist()]
