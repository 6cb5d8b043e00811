"""Products listed twice, 5 % and 1 % of the catalogue, with noise: the audit `near-duplicate` and two baselines.

Counted are pairs of one cluster with at least one copy that was put in. Right is a copy with the product that it was
made from; `f1`, `precision` and `recall` are of these. The catalogue has second listings of its own: a copy with a
product that the same method finds to be its original's twin in the clean catalogue is left out (`left_out`).

Pairs of two of the shop's own products have no truth: `own_before` of them are found in the clean catalogue too,
`own_new` only in the damaged one. `f1_everything` takes everything but the right pairs for wrong.

    same_words    the share of words in common of the ten products most like each, above the line that is best for it
                  in hindsight
    same_title    the same title after normalising
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.damage.inject import Damaged, duplicated
from benchmarks.damage.shops import Shop
from lingsou.core.types import Product
from lingsou.quality.audits.duplicates import second_listings
from lingsou.quality.columns import columns_of
from lingsou.quality.matching.records import words
from lingsou.quality.matching.terms import TermSpace, nearest
from lingsou.text.normalise import normalise

RATES = (0.05, 0.01)
LINES = (0.5, 0.6, 0.7, 0.8, 0.9)
CANDIDATES = 10
Pair = tuple[str, str]


@dataclass(frozen=True)
class Found:
    """Pairs of ids that count as one product, by each method."""

    audit: frozenset[Pair]
    words: Mapping[float, frozenset[Pair]]
    """By line."""
    titles: frozenset[Pair]


_in_clean: dict[Path, Found] = {}
"""What is found in the folder as it is; it is looked for once."""


def run(shop: Shop, seed: int) -> dict[str, Any] | None:
    """By rate: the audit, and the baselines."""
    if not shop.products:
        return None
    if shop.folder not in _in_clean:
        _in_clean[shop.folder] = found_in(shop.products)
    known = _in_clean[shop.folder]
    return {f"{rate:.0%}": measured(known, duplicated(shop.products, rate, seed)) for rate in RATES}


def on_clean(shop: Shop) -> list[str]:
    """What the audit flags, surest first."""
    columns = columns_of(enumerate(shop.products, start=1))
    return [f"{columns.titles[e.product]} | {columns.titles[e.kept]}" for e in second_listings(columns)]


def found_in(products: Sequence[Product]) -> Found:
    """By the audit, and by the baselines."""
    return Found(_audited(products), _same_words(products), _same_title(products))


def measured(known: Found, damaged: Damaged) -> dict[str, Any]:
    """The scores of each method; `known` is what it finds in the clean catalogue."""
    origin = {product.id: product.id for product in damaged.products}
    for place, original in zip(damaged.truth.tolist(), damaged.originals, strict=True):
        origin[damaged.products[place].id] = original.id
    found = found_in(damaged.products)
    by_words = [_scored(found.words[line], known.words[line], origin) for line in LINES]
    return {
        "near-duplicate": _scored(found.audit, known.audit, origin),
        "same_words": max(by_words, key=lambda each: each["f1"]),
        "same_title": _scored(found.titles, known.titles, origin),
    }


def _scored(pairs: frozenset[Pair], known: frozenset[Pair], origin: Mapping[str, str]) -> dict[str, float]:
    truth = {_pair(copy, original) for copy, original in origin.items() if copy != original}
    right = len(pairs & truth)
    own = {pair for pair in pairs if all(origin[id_] == id_ for id_ in pair)}
    left_out = {pair for pair in pairs - truth - own if _pair(origin[pair[0]], origin[pair[1]]) in known}
    counted = len(pairs) - len(own) - len(left_out)
    return {
        "precision": right / max(counted, 1),
        "recall": right / len(truth),
        "f1": 2 * right / (counted + len(truth)),
        "f1_everything": 2 * right / (len(pairs) + len(truth)),
        "left_out": float(len(left_out)),
        "own_before": float(len(own & known)),
        "own_new": float(len(own - known)),
        "copies": float(len(truth)),
    }


def _audited(products: Sequence[Product]) -> frozenset[Pair]:
    """All pairs of each cluster."""
    members: dict[int, list[str]] = {}
    for each in second_listings(columns_of(enumerate(products, start=1))):
        members.setdefault(each.kept, [products[each.kept].id]).append(products[each.product].id)
    return _within(members.values())


def _same_title(products: Sequence[Product]) -> frozenset[Pair]:
    members: dict[str, list[str]] = {}
    for product in products:
        members.setdefault(normalise(product.title), []).append(product.id)
    return _within(members.values())


def _same_words(products: Sequence[Product]) -> dict[float, frozenset[Pair]]:
    """Pairs of candidates whose titles have so large a share of their words in common, by line."""
    titles = [normalise(product.title) for product in products]
    found = nearest(TermSpace(titles, words).units(), CANDIDATES).records
    left, place = np.nonzero(found >= 0)
    sets = [frozenset(words(title)) for title in titles]
    pairs: dict[float, set[Pair]] = {line: set() for line in LINES}
    for one, other in zip(left.tolist(), found[left, place].tolist(), strict=True):
        share = len(sets[one] & sets[other]) / len(sets[one] | sets[other])
        for line in LINES:
            if share >= line:
                pairs[line].add(_pair(products[one].id, products[other].id))
    return {line: frozenset(each) for line, each in pairs.items()}


def _within(groups: Iterable[list[str]]) -> frozenset[Pair]:
    return frozenset(_pair(one, other) for members in groups for one, other in combinations(members, 2))


def _pair(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)
