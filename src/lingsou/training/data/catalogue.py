"""The shop's own catalogue: a text for each product as the encoder is given it, and which category it is in."""

from dataclasses import replace

from lingsou.core.errors import InputError
from lingsou.core.types import Product
from lingsou.pipeline.shop import Shop
from lingsou.retrieval.embedding import document_text
from lingsou.training.data.pairs import columns_of
from lingsou.training.data.rejects import Tally
from lingsou.training.examples import LabelSet, TextSet

_CURE = "Import products first: lingsou import FEED"


def texts(shop: Shop, tally: Tally) -> TextSet:
    """The text of every product.

    Raises:
        InputError: there are no products.
    """
    found: list[str] = []
    slices: list[dict[str, str]] = []
    for batch in shop.store.products():
        for product in batch:
            found.append(document_text(product))
            slices.append(product_slices(product))
            tally.take()
    if not found:
        raise InputError("The catalogue is empty.", cure=_CURE)
    return TextSet(tuple(found), slices=columns_of(slices))


def classes(shop: Shop, tally: Tally) -> LabelSet:
    """Text → category, on the first level of the category paths that tells products apart.

    The text goes without the category, which would give the answer away. Products without a category of that level
    are left out; they are no bad rows.

    Raises:
        InputError: there are no products, or all are in one category or none.
    """
    products = [product for batch in shop.store.products() for product in batch]
    deepest = max((len(product.category) for product in products), default=0)
    level = next((n for n in range(deepest) if len({p.category[n] for p in products if len(p.category) > n}) > 1), -1)
    if level < 0:
        raise InputError("The catalogue has no two categories to tell apart.", cure=_CURE)
    chosen = [product for product in products if len(product.category) > level]
    for _ in chosen:
        tally.take()
    bare = tuple(document_text(product.model_copy(update={"category": ()})) for product in chosen)
    found = LabelSet(bare, tuple((product.category[level],) for product in chosen))
    # The category is what is learned: a slice by it would only repeat the confusion matrix.
    slices = {
        name: values for name, values in columns_of(list(map(product_slices, chosen))).items() if name != "category"
    }
    return replace(found, slices=slices)


def product_slices(product: Product) -> dict[str, str]:
    """What slices of reports are made of."""
    price = "" if product.price is None else str(product.price)
    return {"brand": product.brand, "category": next(iter(product.category), ""), "price": price}
