"""The ten commonest attributes, each hidden on a fifth of the products that have it, and completed from the rest."""

import dataclasses
from collections import Counter
from typing import Any

import numpy as np

from benchmarks.damage.shops import Shop
from lingsou.quality.attributes.completion import complete_in
from lingsou.quality.attributes.elsewhere import Catalogue
from lingsou.quality.attributes.neighbours import neighbours
from lingsou.quality.attributes.vocabulary import key_of, vocabulary_of
from lingsou.quality.columns import columns_of

_ATTRIBUTES = 10
_TEST_SHARE = 0.2
_SURE = 0.9
_CLOSE = 0.1


def run(shop: Shop, seed: int) -> dict[str, Any] | None:
    """Accuracy over all hidden values; baselines: the commonest of category or catalogue, the nearest product's."""
    if not shop.products:
        return None
    counts = Counter(name for product in shop.products for name in product.attributes)
    names = [name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_ATTRIBUTES]]
    if not names:
        return {"not_scored": "there are no attributes"}
    columns = columns_of(enumerate(shop.products, 1))
    like = neighbours(columns)
    rng = np.random.default_rng(seed)
    tests = {}
    left = [dict(each) for each in columns.attributes]
    for name in names:
        places = [place for place, each in enumerate(columns.attributes) if name in each]
        tests[name] = np.sort(rng.permutation(places)[: round(_TEST_SHARE * len(places))])
        for place in tests[name].tolist():
            del left[place][name]
    catalogue = Catalogue(dataclasses.replace(columns, attributes=left), like)
    found = {}
    for name, test in tests.items():
        codes = vocabulary_of(columns.attributes, name).codes
        known = codes.copy()
        known[test] = -1
        completed = complete_in(catalogue, name, test)
        keys = [key_of(columns.attributes[place][name].value) for place in test.tolist()]
        given = [None if value is None else key_of(value) for value in completed.values]
        right = np.array([a == b for a, b in zip(given, keys, strict=True)])
        sure = completed.confidence >= _SURE
        half = np.argsort(-completed.confidence, kind="stable")[: len(test) // 2]
        commonest = _commonest(columns.categories, known)
        nearest = _nearest(like.places, known, commonest)
        found[name] = {
            "hidden": len(test),
            "commonest": float(np.mean(commonest[test] == codes[test])),
            "nearest": float(np.mean(nearest[test] == codes[test])),
            "accuracy": float(right.mean()),
            "accuracy_of_surer_half": float(right[half].mean()),
            "coverage_at_0.9": float(sure.mean()),
            "accuracy_at_0.9": float(right[sure].mean()) if sure.any() else 0.0,
            "within_10_percent": float(np.mean([_close(a, b) for a, b in zip(given, keys, strict=True)])),
            "mean_confidence": float(completed.confidence.mean()),
        }
    return found


def _commonest(categories: Any, known: Any) -> Any:
    """The commonest value of each product's category, or of the catalogue where it has none, [N]."""
    overall = Counter(known[known >= 0].tolist()).most_common(1)[0][0]
    of: dict[Any, Counter[int]] = {}
    for category, code in zip(categories, known.tolist(), strict=True):
        if code >= 0:
            of.setdefault(category, Counter())[code] += 1
    tops = {category: counts.most_common(1)[0][0] for category, counts in of.items()}
    return np.array([tops.get(category, overall) for category in categories])


def _nearest(places: Any, known: Any, otherwise: Any) -> Any:
    """The value of the most similar product that has one, [N]."""
    codes = np.where(places >= 0, known[places], -1)
    first = np.argmax(codes >= 0, axis=1)
    return np.where((codes >= 0).any(axis=1), codes[np.arange(len(codes)), first], otherwise)


def _close(given: str | None, own: str) -> bool:
    """The same, or a number within 10 %."""
    if given is None or given == own:
        return given is not None
    try:
        return abs(float(given) - float(own)) <= _CLOSE * abs(float(own))
    except ValueError:
        return False
