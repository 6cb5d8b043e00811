"""Which words and which columns a product contributes to the index."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator

from lingsou.core.settings import FieldWeights
from lingsou.core.types import Product
from lingsou.retrieval.filters import FieldKind
from lingsou.text.normalise import squash
from lingsou.text.segment import Segmenter

FORMAT_VERSION = 3
"""Raise when segments written before cannot be read or mean something else; indexes are then rebuilt."""

IDENTIFIER = "\x1f"
"""Prefix of exact identifiers in the term dictionary; no word can start with it."""

NUMBER_FIELDS = ("price", "stock", "rating", "review_count", "sales", "created_at", "updated_at")
"""Columns that every product has, as float64 (NaN: missing); times in epoch seconds. Volatile ones come first."""

KEYWORD_FIELDS = (
    "id", "brand", "category", "currency", "language", "tags", "group_id", "sku", "mpn", "ean"
)  # fmt: skip
TIME_FIELDS = frozenset({"created_at", "updated_at"})
CATEGORY_SEPARATOR = " > "
ATTRIBUTE_PREFIX = "attributes."

BASE_FIELDS: dict[str, FieldKind] = {
    **dict.fromkeys(KEYWORD_FIELDS, "keyword"),
    **{name: "time" if name in TIME_FIELDS else "number" for name in NUMBER_FIELDS},
}


class Analyser:
    """Turns products into weighted terms with one segmenter and one set of field weights."""

    def __init__(self, segmenter: Segmenter, weights: FieldWeights):
        self.segmenter = segmenter
        self.weights = weights

    @property
    def fingerprint(self) -> str:
        """Changes when an index built before would hold other terms."""
        parts = f"{FORMAT_VERSION} {self.segmenter.fingerprint} {self.weights.model_dump_json()}"
        return hashlib.sha256(parts.encode()).hexdigest()[:16]

    def texts(self, product: Product) -> Iterator[tuple[str, int, str]]:
        """(field, weight, text) of every field that counts and is not empty."""
        for field, weight in self.weights:
            text = _text_of(product, field) if weight else ""
            if text:
                yield field, weight, text

    def terms(self, product: Product) -> dict[str, float]:
        """Term → weighted frequency Σ_f w_f · tf_f: the simple BM25 extension to weighted fields."""
        counts: dict[str, float] = defaultdict(float)
        for _, weight, text in self.texts(product):
            for term in self.segmenter.terms(text):
                counts[term] += weight
        return counts

    def identifiers(self, product: Product) -> set[str]:
        """The product's exact identifiers as dictionary entries."""
        squashed = {squash(name) for name in (product.id, product.sku, product.mpn, *product.ean)}
        return {IDENTIFIER + name for name in squashed if name}


def _text_of(product: Product, field: str) -> str:
    if field == "identifiers":
        return " ".join(name for name in (product.id, product.sku, product.mpn, *product.ean) if name)
    if field == "category":
        return " ".join(product.category)
    if field == "attributes":
        values = (value for attribute in product.attributes.values() for value in _as_tuple(attribute.value))
        return " ".join((*(value for value in values if isinstance(value, str)), *product.tags))
    return str(getattr(product, field))


def numbers(product: Product) -> list[float | None]:
    """The product's `NUMBER_FIELDS`, in that order."""
    return [
        None if product.price is None else float(product.price),
        product.stock,
        product.rating,
        product.review_count,
        product.sales,
        product.created_at.timestamp() if product.created_at else None,
        product.updated_at.timestamp() if product.updated_at else None,
    ]


def keywords(product: Product) -> Iterator[tuple[str, str]]:
    """(field, value) pairs of the product; a category counts for each of its ancestors too."""
    yield "id", product.id
    for depth in range(1, len(product.category) + 1):
        yield "category", CATEGORY_SEPARATOR.join(product.category[:depth])
    for field in ("brand", "currency", "language", "group_id", "sku", "mpn"):
        value = getattr(product, field)
        if value:
            yield field, value
    yield from (("tags", tag) for tag in dict.fromkeys(product.tags))
    yield from (("ean", code) for code in dict.fromkeys(product.ean))
    for name, attribute in product.attributes.items():
        for value in dict.fromkeys(_as_tuple(attribute.value)):
            text = label(value, attribute.unit)
            if text:
                yield ATTRIBUTE_PREFIX + name, text


def attribute_numbers(product: Product) -> Iterator[tuple[str, float]]:
    """(field, value) of attributes that are numbers, without their unit."""
    for name, attribute in product.attributes.items():
        if isinstance(attribute.value, int | float) and not isinstance(attribute.value, bool):
            yield ATTRIBUTE_PREFIX + name, float(attribute.value)


def label(value: bool | float | str, unit: str | None) -> str:
    """An attribute value as a facet shows it: `17 inch`, `true`, `black`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"{value:.12g}" if isinstance(value, int | float) else value
    return f"{text} {unit}" if unit else text


def _as_tuple(value: bool | float | str | tuple[str, ...]) -> tuple[bool | float | str, ...]:
    return value if isinstance(value, tuple) else (value,)
