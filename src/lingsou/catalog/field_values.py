"""One field of a product by name: reading it as JSON, and writing it into a new product."""

from decimal import Decimal
from typing import Any

from pydantic import JsonValue, ValidationError

from lingsou.core.errors import ProductError
from lingsou.core.types import Product

ATTRIBUTES = "attributes."
_EDITABLE = frozenset(Product.model_fields) - {"id", "attributes"}
_DEFAULTS: dict[str, Any] = {
    name: None if field.is_required() else field.get_default(call_default_factory=True)
    for name, field in Product.model_fields.items()
}


def value_of(product: Product, field: str) -> JsonValue:
    """The value as in a product's JSON; none where the product has none.

    Args:
        product: whose.
        field: `title`, `category`, … or `attributes.NAME`. An attribute with a unit is an object, money is text.

    Raises:
        ProductError: products have no such field, or it cannot be edited.
    """
    if field.startswith(ATTRIBUTES):
        attribute = product.attributes.get(field.removeprefix(ATTRIBUTES))
        if attribute is None:
            return None
        value: JsonValue = list(attribute.value) if isinstance(attribute.value, tuple) else attribute.value
        return value if attribute.unit is None else {"value": value, "unit": attribute.unit}
    _require(field)
    own = getattr(product, field)
    if own == _DEFAULTS[field]:
        return None
    if isinstance(own, Decimal):
        return f"{own.normalize():f}"
    if isinstance(own, tuple):
        return list(own)
    return own.isoformat() if hasattr(own, "isoformat") else own  # type: ignore[no-any-return]


def with_value(product: Product, field: str, value: JsonValue) -> Product:
    """The product with that value in place of its own; `None` clears the field.

    Raises:
        ProductError: there is no such field, it cannot be edited, or the value does not fit it.
    """
    values = dict(product)
    if field.startswith(ATTRIBUTES):
        attributes: dict[str, Any] = dict(product.attributes)
        name = field.removeprefix(ATTRIBUTES)
        if value is None:
            attributes.pop(name, None)
        else:
            attributes[name] = value
        values["attributes"] = attributes
    else:
        _require(field)
        values[field] = _DEFAULTS[field] if value is None else value
    try:
        return Product.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise ProductError(
            f"Product '{product.id}' cannot have this value: {first['msg']}.",
            field=field,
            cure="Give a value that the field takes: see the schema of a product.",
        ) from error


def _require(field: str) -> None:
    if field not in _EDITABLE:
        raise ProductError(
            f"The field '{field}' cannot be edited.",
            field=field,
            cure=f"Use attributes.NAME or one of: {', '.join(sorted(_EDITABLE))}.",
        )
