"""Another product's brand on 3 % of the products: what the audit of brands finds, and if it knows the right one."""

from typing import Any

import numpy as np

from benchmarks.damage.inject import swapped_brand
from benchmarks.damage.scoring import scored
from benchmarks.damage.shops import Shop
from lingsou.core.types import Product
from lingsou.quality.audits.brand import BrandAudit
from lingsou.quality.columns import columns_of

_RATE = 0.03
_WRONG = "the title names another brand"
_MISSING = "no brand, though the title names one"


def run(shop: Shop, seed: int) -> dict[str, Any] | None:
    """Swapped and dropped brands; the baseline flags titles that do not begin with their brand."""
    if not shop.products:
        return None
    if not shop.has_brand:
        return {"not_scored": "there is no column of brands"}
    damaged = swapped_brand(shop.products, _RATE, seed)
    columns = columns_of(enumerate(damaged.products, 1))
    flags = {each.problem.text: each for each in BrandAudit().judge(columns)}
    own = {int(place): product.brand for place, product in zip(damaged.truth, damaged.originals, strict=True)}
    found = flags.get(_WRONG)
    places = found.places.tolist() if found else []
    edits = [
        edit is not None and edit.value == own[place]
        for place, edit in zip(places, found.edits if found else [], strict=True)
        if place in own
    ]
    begins = [place for place, product in enumerate(damaged.products) if product.brand and not _begins(product)]
    return {
        "swapped": scored(places, own),
        "edit_right": float(np.mean(edits)) if edits else 0.0,
        "title_does_not_begin_with_it": scored(begins, own),
        "dropped": _dropped(shop, seed),
    }


def on_clean(shop: Shop) -> list[str]:
    """What the audit flags when nothing was put in."""
    columns = columns_of(enumerate(shop.products, 1))
    return [
        f"{sure:.2f} {flags.problem.text}, {columns.ids[place]}: {evidence}"
        for flags in BrandAudit().judge(columns)
        for place, sure, evidence in zip(flags.places.tolist(), flags.confidence.tolist(), flags.evidence, strict=True)
    ]


def _dropped(shop: Shop, seed: int) -> dict[str, float]:
    places = np.flatnonzero([bool(product.brand) for product in shop.products])
    chosen = np.random.default_rng(seed).permutation(places)[: round(_RATE * len(places))]
    gone = set(chosen.tolist())
    products = [
        product.model_copy(update={"brand": ""}) if place in gone else product
        for place, product in enumerate(shop.products)
    ]
    flags = [each for each in BrandAudit().judge(columns_of(enumerate(products, 1))) if each.problem.text == _MISSING]
    filled = [
        edit is not None and edit.value == shop.products[place].brand
        for each in flags
        for place, edit in zip(each.places.tolist(), each.edits, strict=True)
        if place in gone
    ]
    return {
        "filled_recall": sum(filled) / max(1, len(gone)),
        "filled_precision": sum(filled) / max(1, len(filled)),
    }


def _begins(product: Product) -> bool:
    return product.title.lower().startswith(product.brand.lower())
