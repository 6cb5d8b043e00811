"""A folder as a shop: its products by its format, as `lingsou import` would map it, and which columns there are."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from lingsou.catalog.feeds import RowProblem, open_feed
from lingsou.catalog.guess import SAMPLE, guess_mapping
from lingsou.catalog.mapper import Mapper
from lingsou.core.errors import InputError
from lingsou.core.types import Product

FORMATS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")
MIN_SHARE = 0.5
"""A column is there if this share of the products has it."""
REVIEWS = {"label", "review"}
"""Columns of a table of labelled reviews."""


@dataclass(frozen=True)
class Shop:
    """A catalogue; or a folder of labelled reviews, without products, whose section reads `folder` itself."""

    folder: Path
    products: list[Product]
    prices: Mapping[str, list[Product]]
    """Each column of prices: the products that have one there, with it as their price."""
    colour: str | None
    """The attribute that holds the colour, if there is one; it may be on fewer than half."""

    @property
    def has_category(self) -> bool:
        """Most products have one."""
        return self._share("category") >= MIN_SHARE

    @property
    def has_brand(self) -> bool:
        """Most products have one."""
        return self._share("brand") >= MIN_SHARE

    @property
    def has_description(self) -> bool:
        """Most products have a description or a short one."""
        return max(self._share("description"), self._share("short_description")) >= MIN_SHARE

    def columns(self) -> dict[str, Any]:
        """What there is to damage, for the report."""
        return {
            "products": len(self.products),
            "category": self.has_category,
            "brand": self.has_brand,
            "description": self.has_description,
            "prices": {name: len(products) for name, products in self.prices.items()},
            "colour": self.colour,
        }

    def _share(self, field: str) -> float:
        return sum(bool(getattr(product, field)) for product in self.products) / max(1, len(self.products))


def read_shops(folder: Path) -> list[Shop]:
    """The folder as a shop; if it is none, each folder in it that is one.

    Raises:
        InputError: there is no shop.
    """
    folders = [folder] if _table(folder) else sorted(each for each in folder.iterdir() if each.is_dir())
    found = [_read(each, table) for each in folders if (table := _table(each))]
    if not found:
        raise InputError(
            f"'{folder}' holds no catalogue and no labelled reviews.",
            cure=f"Name a folder with a table of products ({', '.join(FORMATS)}), or one of such folders.",
        )
    return found


def _table(folder: Path) -> Path | None:
    """The largest file of products with a price or a category, or of labelled reviews."""
    files = [file for file in folder.iterdir() if file.name.endswith(FORMATS)]
    for file in sorted(files, key=lambda file: (-file.stat().st_size, file.name)):
        rows = _rows(file, SAMPLE)
        if rows and (rows[0].keys() >= REVIEWS or _is_catalogue(rows)):
            return file
    return None


def _is_catalogue(rows: list[dict[str, Any]]) -> bool:
    fields = guess_mapping(rows).fields.keys()
    return {"id", "title"} <= fields and bool({"price", "category"} & fields)


def _rows(file: Path, most: int | None = None) -> list[dict[str, Any]]:
    read = islice(open_feed(file).rows(file), most)
    return [dict(row) for _, row in read if not isinstance(row, RowProblem)]


def _read(folder: Path, table: Path) -> Shop:
    rows = _rows(table)
    if rows[0].keys() >= REVIEWS:
        return Shop(folder, [], {}, None)
    mapping = guess_mapping(rows)
    products = [product for row in rows if isinstance(product := mapping.mapper.product(row), Product)]
    prices: dict[str, list[Product]] = {}
    rule = mapping.fields.get("price")
    for source in rule.source if rule else ():
        assert rule is not None
        alone = rule.model_copy(update={"source": (source,)})
        mapper = Mapper(mapping.model_copy(update={"fields": {**mapping.fields, "price": alone}}))
        made = (mapper.product(row) for row in rows)
        prices[source] = [product for product in made if isinstance(product, Product) and product.price]
    return Shop(folder, products, prices, _colour(products))


def _colour(products: list[Product]) -> str | None:
    named = Counter(
        name
        for product in products
        for name in product.attributes
        if "colour" in name.lower() or "color" in name.lower()
    )
    return max(named, key=lambda name: named[name]) if named else None
