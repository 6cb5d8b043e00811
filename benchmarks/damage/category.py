"""Wrong main categories, 5 % and 1 %: the audit `category` and the obvious baseline.

The whole path is swapped: main category and what stands below come from another product. `audit` reads the shelves
below the main categories too; `one_level` is the same audit where every path ends at the main category.

Baseline: tf-idf of words, logistic regression out of five folds, one minus the probability of the given main category.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.damage.inject import Damaged, wrong_category
from benchmarks.damage.scoring import FIRST, ranked, scored
from benchmarks.damage.shops import Shop
from lingsou.core.types import Product
from lingsou.encoders.optional import require
from lingsou.quality.audit import Flags, findings
from lingsou.quality.audits.category import WrongCategory, flags, judgement
from lingsou.quality.columns import columns_of
from lingsou.quality.folds import EXTRA

RATES = (0.05, 0.01)
FOLDS = 5


def run(shop: Shop, seed: int) -> dict[str, Any] | None:
    """Average precision of the whole order, and what is flagged, by rate."""
    if not shop.products:
        return None
    if not shop.has_category:
        return {"not_scored": "there is no category column"}
    return {f"{rate:.0%}": _measured(shop.products, rate, seed) for rate in RATES}


def _measured(products: Sequence[Product], rate: float, seed: int) -> dict[str, Any]:
    damaged = wrong_category(products, rate, seed)
    columns = columns_of(enumerate(damaged.products, 1))
    found = judgement(columns)
    if found is None:
        return {"not_scored": "too few products"}
    flagged = [each for each in flags(columns, found) if each.places.size and found.wrong[each.places[0]] > 0]
    places = flagged[0].places.tolist() if flagged else []
    baseline = ranked(_baseline(damaged.products), damaged.truth)
    audit = ranked(found.doubts, damaged.truth)
    depth = len(found.names[0])
    cut = [product.model_copy(update={"category": product.category[:depth]}) for product in damaged.products]
    flat = judgement(columns_of(enumerate(cut, 1)))
    assert flat is not None
    return {
        "audit": audit,
        "one_level": ranked(flat.doubts, damaged.truth),
        "tf_idf": baseline,
        "lead": audit["average_precision"] - baseline["average_precision"],
        "flags": scored(places, damaged.truth),
        "repair": _repair(flagged[0], damaged) if flagged else {},
    }


def _repair(flags_: Flags, damaged: Damaged) -> dict[str, float]:
    """Of the faults that are flagged: how often the main category, and the whole path, are put right."""
    were = {place: product.category for place, product in zip(damaged.truth.tolist(), damaged.originals, strict=True)}
    pairs = [
        (tuple(edit.value), were[place])
        for place, edit in zip(flags_.places.tolist(), flags_.edits, strict=True)
        if place in were and edit is not None and isinstance(edit.value, list)
    ]
    return {
        "main": sum(new[:1] == old[:1] for new, old in pairs) / max(1, len(pairs)),
        "path": sum(new == old for new, old in pairs) / max(1, len(pairs)),
    }


def _baseline(products: Sequence[Product]) -> NDArray[np.float64]:
    """Doubt of each product; those of categories with fewer products than folds are not judged."""
    _, labels = np.unique(["".join(product.category[:1]) for product in products], return_inverse=True)
    kept = np.nonzero(np.bincount(labels)[labels] >= FOLDS)[0]
    text, linear, selection = (
        require("scikit-learn", EXTRA, f"sklearn.{part}")
        for part in ("feature_extraction.text", "linear_model", "model_selection")
    )
    table = text.TfidfVectorizer(sublinear_tf=True).fit_transform([products[place].title for place in kept.tolist()])
    model = linear.LogisticRegression(max_iter=200)
    parts = selection.StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    found = selection.cross_val_predict(model, table, labels[kept], cv=parts, method="predict_proba")
    doubts = np.full(len(products), np.nan)
    doubts[kept] = 1 - found[np.arange(len(kept)), np.searchsorted(np.unique(labels[kept]), labels[kept])]
    return doubts


def on_clean(shop: Shop) -> list[str]:
    """The first flags on the catalogue as it is, one a line."""
    if not shop.has_category:
        return []
    columns = columns_of(enumerate(shop.products, 1))
    return [
        f"{finding.confidence:.2f} {finding.evidence} | {finding.repair}"
        for each in WrongCategory().judge(columns)
        for finding in islice(findings(WrongCategory(), columns, each), FIRST)
    ]
