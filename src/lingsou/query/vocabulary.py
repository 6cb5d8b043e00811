"""What understanding knows of a catalogue: which values its fields hold, and how many products hold each."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lingsou.core.types import Product

CATEGORY_SEPARATOR = " > "
ATTRIBUTE_PREFIX = "attributes."

_UNASKED = re.compile(
    r"pack(?:age|aging|ed|ing)_|^package$|pallet|carton|outer__?case|shipping|harmoni[sz]ed|oem|ean|gtin|upc|barcode|"
    r"certifi|country|warranty_|^status$|storage_temp|operating_|humidity|intrastat|imperial|条码|包装|毛重|产地国|认证"
)


@dataclass(frozen=True, slots=True)
class NumberField:
    """One number attribute. Everything but `count` may be left out; what is given makes the choice of field better.

    `units` are the units of its labels with the number of products (a missing unit is ""), `low` and `high` the
    least and the greatest value, `categories` the number of products by category path.
    """

    count: int
    units: Mapping[str, int] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    categories: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The values of a catalogue.

    `fields` maps a keyword field (`brand`, `category`, `attributes.*`) to its values, spelled as the index spells
    them, and the number of products of each; category values are paths joined by ` > `, ancestors included.
    """

    fields: Mapping[str, Mapping[str, int]]
    numbers: Mapping[str, NumberField] = field(default_factory=dict)
    has_price: bool = True


def is_asked_for(name: str) -> bool:
    """Whether shoppers search by this attribute; nobody means the size of a pallet or a customs code."""
    return _UNASKED.search(name.lower().removeprefix(ATTRIBUTE_PREFIX)) is None


def vocabulary_of(products: Iterable[Product]) -> Vocabulary:
    """The vocabulary of products, as their index spells it; one pass, nothing kept but counts."""
    fields: dict[str, Counter[str]] = defaultdict(Counter)
    units: dict[str, Counter[str]] = defaultdict(Counter)
    categories: dict[str, Counter[str]] = defaultdict(Counter)
    bounds: dict[str, tuple[float, float]] = {}
    has_price = False
    for product in products:
        has_price = has_price or product.price is not None
        path = CATEGORY_SEPARATOR.join(product.category)
        for depth in range(1, len(product.category) + 1):
            fields["category"][CATEGORY_SEPARATOR.join(product.category[:depth])] += 1
        if product.brand:
            fields["brand"][product.brand] += 1
        for name, attribute in product.attributes.items():
            key, value, unit = ATTRIBUTE_PREFIX + name, attribute.value, attribute.unit or ""
            if isinstance(value, bool):
                fields[key]["true" if value else "false"] += 1
            elif isinstance(value, int | float):
                low, high = bounds.get(key, (value, value))
                bounds[key] = min(low, value), max(high, value)
                units[key][unit] += 1
                categories[key][path] += 1
                fields[key][f"{value:.12g} {unit}".rstrip()] += 1
            else:
                for text in {value} if isinstance(value, str) else set(value):
                    if text:
                        fields[key][f"{text} {unit}" if unit else text] += 1
    numbers = {
        name: NumberField(found.total(), dict(found), *bounds[name], categories=dict(categories[name]))
        for name, found in units.items()
    }
    return Vocabulary({name: dict(counts) for name, counts in fields.items()}, numbers, has_price)
