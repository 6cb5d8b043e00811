"""A whole catalogue as columns: what audits judge each product by all others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Attribute, Product

Category = tuple[str, ...]


@dataclass(frozen=True)
class Columns:
    """N products, in the order they came. Texts are as written."""

    ids: Sequence[str]
    rows: NDArray[np.int64]
    """Row of the feed, from 1, [N]."""
    titles: Sequence[str]
    texts: Sequence[str]
    """Short description, then description; without the title."""
    brands: Sequence[str]
    categories: Sequence[Category]
    prices: NDArray[np.float64]
    """[N], NaN where there is none."""
    currencies: Sequence[str]
    attributes: Sequence[Mapping[str, Attribute]]
    images: Sequence[tuple[str, ...]]
    eans: Sequence[tuple[str, ...]]
    mpns: Sequence[str]
    groups: Sequence[str]
    """`group_id` of each; variants of one product share it."""

    def __len__(self) -> int:
        return len(self.ids)


def columns_of(rows: Iterable[tuple[int, Product]]) -> Columns:
    """The columns of a catalogue, from row numbers and products; one pass.

    Memory: the texts and attributes, about 1 kB a product of a usual shop.
    """
    numbers, kept = [], []
    for number, product in rows:
        numbers.append(number)
        kept.append(
            (
                product.id,
                product.title,
                "\n".join(part for part in (product.short_description, product.description) if part),
                product.brand,
                product.category,
                np.nan if product.price is None else float(product.price),
                product.currency,
                product.attributes,
                product.images,
                product.ean,
                product.mpn,
                product.group_id,
            )
        )
    ids, titles, texts, brands, categories, prices, currencies, attributes, images, eans, mpns, groups = (
        map(list, zip(*kept, strict=True)) if kept else ([] for _ in range(12))
    )
    return Columns(
        ids=ids,
        rows=np.array(numbers, np.int64),
        titles=titles,
        texts=texts,
        brands=brands,
        categories=categories,
        prices=np.array(prices, np.float64),
        currencies=currencies,
        attributes=attributes,
        images=images,
        eans=eans,
        mpns=mpns,
        groups=groups,
    )
