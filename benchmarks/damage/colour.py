"""The colour: read from texts on held-out products, and filled in where it was dropped."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.damage.inject import dropped_attribute
from benchmarks.damage.scoring import scored
from benchmarks.damage.shops import Shop
from lingsou.core.types import Product
from lingsou.encoders.optional import require
from lingsou.quality.attributes.completion import Suggestions, complete, extract
from lingsou.quality.attributes.vocabulary import key_of
from lingsou.quality.audits.attributes import AttributesAudit
from lingsou.quality.columns import Columns, columns_of

Ints = NDArray[np.int64]

_TEST_SHARE = 0.2
_DROPPED = 0.03
_SURE = 0.5
_RESAMPLES = 1_000


def run(shop: Shop, seed: int) -> dict[str, Any] | None:
    """Accuracy over all held-out products that have a colour, answered or not; recall and precision of dropped ones."""
    if not shop.products:
        return None
    if shop.colour is None:
        return {"not_scored": "there is no attribute of colour"}
    return {"read": _read(shop, shop.colour, seed), "dropped": _filled(shop, shop.colour, seed)}


def on_clean(shop: Shop) -> list[str]:
    """What the audit of attributes flags of the colour when nothing was put in."""
    if shop.colour is None:
        return []
    columns = columns_of(enumerate(shop.products, 1))
    field = f"attributes.{shop.colour}"
    return [
        f"{sure:.2f} {flags.problem.text}, {columns.ids[place]}: {evidence}"
        for flags in AttributesAudit().judge(columns)
        if flags.field == field
        for place, sure, evidence in zip(flags.places.tolist(), flags.confidence.tolist(), flags.evidence, strict=True)
    ]


def _read(shop: Shop, name: str, seed: int) -> dict[str, Any]:
    columns = columns_of(enumerate(shop.products, 1))
    labelled = [place for place, product in enumerate(shop.products) if _text(product, name)]
    order = np.random.default_rng(seed).permutation(labelled)
    test = np.sort(order[: round(_TEST_SHARE * len(order))])
    hidden = _without(columns, name, set(test.tolist()))
    own = [_text(shop.products[place], name) for place in test.tolist()]
    known = sorted({_text(shop.products[place], name) for place in order[len(test) :].tolist()})
    first = [_first_word(shop.products[place], known) for place in test.tolist()]
    few = _without(columns, name, set(labelled))
    found = extract(hidden, name).of(test)
    read = _keys(found)
    peer = _classified(columns, order[len(test) :], test, name)
    completed = complete(hidden, name).of(test)
    return {
        "held_out": len(test),
        "first_colour_word": _accuracy(first, own),
        "tf_idf_logistic": _accuracy(peer, own),
        "without_labels": _accuracy(_keys(extract(few, name).of(test)), own),
        "extract": _accuracy(read, own) | _honesty(found, own),
        "complete": _accuracy(_keys(completed), own) | _honesty(completed, own),
        "where_the_value_is_a_word_of_the_text": _where_named(
            shop, name, test, {"first_colour_word": first, "tf_idf_logistic": peer, "extract": read}
        ),
    }


def _filled(shop: Shop, name: str, seed: int) -> dict[str, Any]:
    damaged = dropped_attribute(shop.products, name, _DROPPED, seed)
    columns = columns_of(enumerate(damaged.products, 1))
    found = complete(columns, name)
    own = [key_of(product.attributes[name].value) for product in damaged.originals]
    given = _keys(found.of(damaged.truth))
    sure = found.confidence[damaged.truth] >= _SURE
    right = np.array([a == b for a, b in zip(given, own, strict=True)])
    flags = [
        place
        for each in AttributesAudit().judge(columns)
        if each.field == f"attributes.{name}" and each.problem.text.startswith("missing")
        for place in each.places.tolist()
    ]
    # Products that never had a colour are no mistake of ours or of the shop's that could be told here.
    dropped = set(damaged.truth.tolist())
    bare = {place for place, product in enumerate(damaged.products) if name not in product.attributes} - dropped
    return {
        "dropped": len(own),
        "filled_recall": float((right & sure).sum() / len(own)),
        "filled_precision": float((right & sure).sum() / max(1, sure.sum())),
        "flagged": scored([place for place in flags if place not in bare], dropped),
        "flagged_that_never_had_one": float(len(bare & set(flags)) / max(1, len(bare))),
    }


def _accuracy(answers: Sequence[str | None], own: Sequence[str]) -> dict[str, float]:
    """Coverage, accuracy over all with its 95 % interval (bootstrap), and over the answered ones."""
    right = np.array([a == b for a, b in zip(answers, own, strict=True)])
    answered = np.array([each is not None for each in answers])
    draws = np.random.default_rng(0).integers(len(right), size=(_RESAMPLES, len(right)))
    low, high = np.percentile(right[draws].mean(axis=1), [2.5, 97.5])
    return {
        "coverage": float(answered.mean()),
        "accuracy": float(right.mean()),
        "low": float(low),
        "high": float(high),
        "accuracy_of_answered": float(right[answered].mean()) if answered.any() else 0.0,
    }


def _honesty(found: Suggestions, own: Sequence[str]) -> dict[str, float]:
    """Mean distance of confidence from accuracy over ten bins of it (expected calibration error)."""
    right = np.array([a == b for a, b in zip(_keys(found), own, strict=True)])
    bins = np.minimum((found.confidence * 10).astype(int), 9)
    gaps = [abs(float((right - found.confidence)[bins == each].sum())) for each in range(10)]
    return {"calibration_error": sum(gaps) / len(right)}


def _keys(found: Suggestions) -> list[str | None]:
    return [None if value is None else key_of(value) for value in found.values]


def _text(product: Product, name: str) -> str:
    attribute = product.attributes.get(name)
    return key_of(attribute.value) if attribute is not None and isinstance(attribute.value, str) else ""


def _first_word(product: Product, known: Sequence[str]) -> str | None:
    """The baseline: the first word of title and description that is a colour of the catalogue."""
    text = f"{product.title} {product.short_description} {product.description}".lower()
    found = re.search(rf"\b(?:{'|'.join(map(re.escape, sorted(known, key=len, reverse=True)))})\b", text)
    return found.group() if found else None


def _where_named(shop: Shop, name: str, test: Ints, answers: Mapping[str, Sequence[str | None]]) -> dict[str, float]:
    """Some shops' colours were made by looking for letters, so that `textured` is red: here such rows are left out."""
    kept = [number for number, place in enumerate(test.tolist()) if _named(shop.products[place], name)]
    own = [_text(shop.products[test[number]], name) for number in kept]
    accuracy = {
        method: float(np.mean([given[number] == each for number, each in zip(kept, own, strict=True)]))
        for method, given in answers.items()
    }
    return {"share": len(kept) / len(test)} | accuracy


def _classified(columns: Columns, train: Ints, test: Ints, name: str) -> list[str | None]:
    """The peer: words and pairs of words, logistic regression (scikit-learn); it answers always."""
    text = require("scikit-learn", "quality", "sklearn.feature_extraction.text")
    linear = require("scikit-learn", "quality", "sklearn.linear_model")
    texts = [f"{title} {rest}" for title, rest in zip(columns.titles, columns.texts, strict=True)]
    vectors = text.TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model = linear.LogisticRegression(C=100.0, max_iter=200)
    model.fit(
        vectors.fit_transform([texts[place] for place in train.tolist()]),
        [key_of(columns.attributes[place][name].value) for place in train.tolist()],
    )
    return list(model.predict(vectors.transform([texts[place] for place in test.tolist()])))


def _named(product: Product, name: str) -> bool:
    text = f"{product.title} {product.short_description} {product.description}".lower()
    return re.search(rf"\b{re.escape(_text(product, name))}\b", text) is not None


def _without(columns: Columns, name: str, places: set[int]) -> Columns:
    left = [
        {key: value for key, value in each.items() if key != name} if place in places else each
        for place, each in enumerate(columns.attributes)
    ]
    return dataclasses.replace(columns, attributes=left)
