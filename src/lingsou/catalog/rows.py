"""Products as the store keeps them: a JSON document without defaults, a hash of it, and the volatile values."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from lingsou.core.errors import ProductError
from lingsou.core.frozen import assembled
from lingsou.core.types import VOLATILE_FIELDS, Attribute, AttributeValue, Product

VOLATILE_COLUMNS = ("price_e4", *VOLATILE_FIELDS[1:])
"""Columns of the volatile fields, in the order of `VOLATILE_FIELDS`; money is kept in ten-thousandths."""

Volatile = tuple[int | None, int | None, float | None, int | None, int | None]

_DOCUMENT_DEFAULTS: tuple[tuple[str, Any], ...] = tuple(
    (name, field.get_default(call_default_factory=True))
    for name, field in Product.model_fields.items()
    if name not in {"id", "attributes", "currency", *VOLATILE_FIELDS}
)

_BLANK: dict[str, Any] = dict(Product(id="-", title="-"))
_TUPLES = {name for name, default in _DOCUMENT_DEFAULTS if default == ()}
_INSTANTS = {"created_at", "updated_at"}


class Encoded(NamedTuple):
    """One product, ready to be written."""

    id: str
    document: str
    content_hash: str
    volatile: Volatile


def encode(product: Product, currency: str) -> Encoded:
    """Turn a product into what is stored; `currency` stands in where the product names none.

    Raises:
        ProductError: a value that JSON or the database cannot hold.
    """
    own = product.__dict__
    if "\0" in product.id:
        raise ProductError(f"The id {product.id!r} contains a NUL character.", field="id", cure="Remove it.")
    values: dict[str, Any] = {name: own[name] for name, default in _DOCUMENT_DEFAULTS if own[name] != default}
    values["currency"] = product.currency or currency
    if product.attributes:
        values["attributes"] = {name: _plain(product.id, name, held) for name, held in product.attributes.items()}
    try:
        document = orjson.dumps(values)
    except orjson.JSONEncodeError as error:
        raise ProductError(
            f"Product '{product.id}' cannot be kept: {error}.",
            field="attributes",
            cure="Write integers beyond 64 bits as text.",
        ) from error
    volatile = (price_to_e4(product.price), product.stock, product.rating, product.review_count, product.sales)
    digest = hashlib.blake2b(document, digest_size=16).hexdigest()
    return Encoded(product.id, document.decode(), digest, volatile)


def _plain(product_id: str, name: str, attribute: Attribute) -> Any:
    value = attribute.value
    if isinstance(value, float) and not math.isfinite(value):
        raise ProductError(
            f"Product '{product_id}' has the value {value}.",
            field=f"attributes.{name}",
            cure="Leave it out, or give a finite number.",
        )
    return value if attribute.unit is None else {"value": value, "unit": attribute.unit}


def decode(product_id: str, document: str, volatile: Volatile) -> Product:
    """The product of a stored row. A price has two decimal places, or four where it needs them.

    Only `encode` writes documents, from products that were validated, so their values are not validated again:
    that would cost more than everything else together (measured: 105 µs a product instead of 20).
    """
    values = dict(_content(document))
    values["id"] = product_id
    values["price"] = price_from_e4(volatile[0])
    _, values["stock"], values["rating"], values["review_count"], values["sales"] = volatile
    if len(values) > len(_BLANK):
        return Product.model_validate(values)  # raises: says which key is unknown
    return assembled(Product, values)


@lru_cache(maxsize=4_096)
def _content(document: str) -> dict[str, Any]:
    """What a document says, in the types of `Product`; shared between products, so never to be changed.

    Shoppers see the same products again and again: most pages are made of documents read before.
    """
    values: dict[str, Any] = {**_BLANK, **orjson.loads(document)}
    for name in _TUPLES:
        if values[name]:
            values[name] = tuple(values[name])
    for name in _INSTANTS:
        if values[name]:
            values[name] = datetime.fromisoformat(values[name])
    if attributes := values["attributes"]:
        values["attributes"] = {
            name: _text(held) if type(held) is str else _nested(held) for name, held in attributes.items()
        }
    return values


@lru_cache(maxsize=65_536)
def _text(value: str) -> Attribute:
    # Shops repeat the same few values; attributes are immutable, so products may share them.
    return assembled(Attribute, {"value": value, "unit": None})


def _nested(held: Any) -> Attribute:
    value, unit = (held["value"], held["unit"]) if type(held) is dict else (held, None)
    return _attribute(tuple(value) if type(value) is list else value, unit)


@lru_cache(maxsize=65_536, typed=True)
def _attribute(value: AttributeValue, unit: str | None) -> Attribute:
    return assembled(Attribute, {"value": value, "unit": unit})


def price_to_e4(price: Decimal | None) -> int | None:
    """Money as an integer of ten-thousandths; a price has at most four decimal places, so this is exact."""
    return None if price is None else int(price.scaleb(4))


def price_from_e4(value: int | None) -> Decimal | None:
    """Money from ten-thousandths."""
    if value is None:
        return None
    return Decimal(value // 100).scaleb(-2) if value % 100 == 0 else Decimal(value).scaleb(-4)


def patched(volatile: Volatile, values: Mapping[str, Any]) -> Volatile:
    """The volatile values after a patch's `values` (by field name)."""
    price = price_to_e4(values["price"]) if "price" in values else volatile[0]
    stock, rating, review_count, sales = (
        values.get(name, old) for name, old in zip(VOLATILE_FIELDS[1:], volatile[1:], strict=True)
    )
    return price, stock, rating, review_count, sales


def encode_all(products: Iterable[Product], currency: str) -> dict[str, Encoded]:
    """Encode a batch by id; of several with one id the last wins, at the last one's place.

    Raises:
        ProductError: see `encode`; none of the batch may then be written.
    """
    rows: dict[str, Encoded] = {}
    for product in products:
        rows.pop(product.id, None)
        rows[product.id] = encode(product, currency)
    return rows
