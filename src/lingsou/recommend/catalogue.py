"""A shop's products as items with numbered attributes."""

from collections.abc import Iterable

from lingsou.core.types import Product
from lingsou.recommend.interactions import Floats, IdMap, Items, items_of


def items_of_products(products: Iterable[Product], attributes: IdMap, vectors: Floats | None = None) -> Items:
    """Brand, each step of the category, every value of a text attribute, and tags, as numbered attributes.

    Args:
        products: by number.
        attributes: numbers what is new; known ones keep their numbers.
        vectors: of the texts, [products, d].
    """
    rows = [attributes.add(attributes_of(product)).tolist() for product in products]
    items = items_of(rows, vectors)
    return Items(items.starts, items.attributes, len(attributes), vectors)


def attributes_of(product: Product) -> list[str]:
    """What a product is, as words that equal ones of another product have too; each once."""
    found = [f"brand\0{product.brand.casefold()}"] if product.brand else []
    found += ["\0".join(("category", *product.category[: end + 1])) for end in range(len(product.category))]
    for name, attribute in product.attributes.items():
        values = attribute.value if isinstance(attribute.value, tuple) else (attribute.value,)
        # Of numbers hardly two products have the same one.
        found += [f"{name.casefold()}\0{value.casefold()}" for value in values if isinstance(value, str)]
    found += [f"tag\0{tag.casefold()}" for tag in product.tags]
    return list(dict.fromkeys(found))
