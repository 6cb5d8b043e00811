"""Histories: shopper, product and time in each row of a table."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lingsou.catalog.values import UnfitError, moment
from lingsou.core.errors import InputError
from lingsou.pipeline.shop import Shop
from lingsou.retrieval.embedding import document_text
from lingsou.training.data.judged import products_for
from lingsou.training.data.rejects import Tally
from lingsou.training.data.table import Column, UnusableError, open_table, plain, text
from lingsou.training.examples import HistorySet
from lingsou.training.recipe import DataSpec

LONGEST = 50
"""Products of one history; the latest ones."""

_SHOPPER = ("shopper", "user", "user_id", "userid", "customer", "customer_id", "visitor", "visitor_id", "session_id")
_TEXT = ("text", "title", "name", "标题", "名称")
_ITEM = ("item", "item_id", "id", "sku", "asin", "商品id")
_TIME = ("time", "timestamp", "ts", "date", "created_at", "时间")
_COLUMNS = (
    Column("shopper", _SHOPPER),
    Column("time", _TIME),
    Column("text", _TEXT, required=False),
    Column("item", _ITEM, required=False),
)


def read(path: Path, spec: DataSpec, tally: Tally, shop: Shop | None = None) -> HistorySet:
    """The histories of a file's shoppers: each one's products in order of time.

    A product is given by its `text`, or as `item`, an id whose text a file of products beside, or the shop, has.

    Raises:
        FeedError: a file cannot be read, is empty, or lacks a column.
        InputError: more than a tenth of the rows cannot be used, or no shopper met two products.
        ConfigurationError: there are ids, and nothing that has their texts.
    """
    by_text = "text" in open_table(path, _COLUMNS, spec.columns).bound
    # Without texts the ids are needed, and their absence is an error that names the column.
    table = open_table(path, _COLUMNS if by_text else _with_items(), spec.columns)
    field = "text" if by_text else "item"
    met: list[tuple[int, str, float, str]] = []
    for place, values in table.rows(tally):
        try:
            given = values["time"]
            when = moment(float(given) if plain(given).replace(".", "", 1).isdigit() else given).timestamp()
            met.append((place, text(values, "shopper"), when, text(values, field)))
        except UnfitError as error:
            tally.reject(place, error.kind, error.reason, field="time", cure="Seconds since 1970, or 2026-03-01T12:00.")
        except UnusableError as error:
            tally.reject(place, error.kind, error.reason, field=error.field, cure=error.cure)
    texts: dict[str, str] = {}
    if not by_text:
        products = products_for(path, {item for *_, item in met}, shop)
        texts = {id_: document_text(product) for id_, product in products.items()}
    rows: list[tuple[str, float, str]] = []
    for place, shopper, when, item in met:
        if by_text or item in texts:
            tally.take()
            rows.append((shopper, when, texts.get(item, item)))
        else:
            cure = "Add it to the catalogue, or delete the row."
            tally.reject(place, "there is no such product", f"there is no product '{item}'", field="item", cure=cure)
    tally.close()
    found = histories_of(rows)
    if not len(found):
        raise InputError(f"No shopper of '{path.name}' met two products.", cure="Give longer histories.")
    return found


def histories_of(rows: Iterable[tuple[str, float, str]]) -> HistorySet:
    """From (shopper, seconds since 1970, text of a product) in any order.

    The same product twice in a row counts once; shoppers with fewer than two products are left out; of long histories
    the latest `LONGEST` products are kept.
    """
    numbers: dict[str, int] = {}
    paths: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for shopper, when, item in rows:
        paths[shopper].append((when, numbers.setdefault(item, len(numbers))))
    found: list[tuple[str, tuple[int, ...], float]] = []
    for shopper, path in paths.items():
        path.sort(key=lambda each: each[0])
        kept = [each for place, each in enumerate(path) if not place or each[1] != path[place - 1][1]][-LONGEST:]
        if len(kept) > 1:
            found.append((_hashed(shopper), tuple(item for _, item in kept), kept[-1][0]))
    return HistorySet(
        tuple(numbers),
        tuple(items for _, items, _ in found),
        tuple(shopper for shopper, _, _ in found),
        np.array([when for *_, when in found], np.float64),
    )


def _with_items() -> tuple[Column, ...]:
    return (*_COLUMNS[:2], Column("item", _ITEM))


def _hashed(shopper: str) -> str:
    return hashlib.blake2b(shopper.encode(), digest_size=12).hexdigest()
