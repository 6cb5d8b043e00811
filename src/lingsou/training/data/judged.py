"""Judgements: query, product id and rating in each row; the texts are those of the shop's products."""

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path

from lingsou.catalog.feeds import RowProblem, open_feed
from lingsou.catalog.guess import guess_mapping
from lingsou.core.errors import ConfigurationError
from lingsou.core.types import Product
from lingsou.pipeline.shop import Shop
from lingsou.retrieval.embedding import document_text
from lingsou.training.data.catalogue import product_slices
from lingsou.training.data.pairs import GRADE, QUERY, columns_of
from lingsou.training.data.rejects import Tally
from lingsou.training.data.table import Column, UnusableError, number, open_table, text
from lingsou.training.examples import PairSet
from lingsou.training.recipe import DataSpec

RATINGS = "ratings.csv"
PRODUCTS = tuple(f"products.{suffix}{zipped}" for suffix in ("jsonl", "csv", "parquet") for zipped in (".gz", ""))
_SAMPLE = 200
_IDS = ("docid", "id", "doc_id", "uid", "sku", "product_id", "item_id", "goods_id", "asin", "商品id")
_COLUMNS = (QUERY, Column("id", _IDS), GRADE)


def read(
    path: Path,
    spec: DataSpec,
    tally: Tally,
    shop: Shop | None = None,
    *,
    text_of: Callable[[Product], str] = document_text,
) -> PairSet:
    """The judged pairs of a file, or of the `ratings.csv` of a folder; a rating of 0 or less is not relevant.

    A product's text is what `text_of` makes of it: what the encoder would be given, or the cross-encoder.
    Products come from a file `products.jsonl.gz` (or
    `.csv`, `.parquet`, zipped or not) beside the ratings, mapped as `lingsou import` would guess; else from the shop.

    Raises:
        FeedError: a file cannot be read, is empty, or lacks a column.
        InputError: more than a tenth of the rows cannot be used.
        ConfigurationError: there are no products to join with.
    """
    path = path / RATINGS if path.is_dir() else path
    table = open_table(path, _COLUMNS, spec.columns)
    judged: list[tuple[int, str, str, float]] = []
    for place, values in table.rows(tally):
        try:
            grade = max(0.0, number(values, "grade", -1e9))
            judged.append((place, text(values, "query"), text(values, "id"), grade))
        except UnusableError as error:
            tally.reject(place, error.kind, error.reason, field=error.field, cure=error.cure)
    products = products_for(path, {id_ for _, _, id_, _ in judged}, shop)
    rows: list[tuple[str, str, float]] = []
    slices: list[dict[str, str]] = []
    for place, query, id_, grade in judged:
        product = products.get(id_)
        if product is None:
            cure = "Add it to the catalogue, or delete the row."
            tally.reject(place, "there is no such product", f"there is no product '{id_}'", field="id", cure=cure)
            continue
        tally.take()
        rows.append((query, text_of(product), grade))
        slices.append(product_slices(product))
    tally.close()
    return PairSet.of(rows, columns_of(slices))


def products_for(path: Path, ids: Collection[str], shop: Shop | None) -> Mapping[str, Product]:
    """The products of `ids` by id: of a file of products beside `path`, else of the shop.

    Raises:
        FeedError: the file of products cannot be read.
        ConfigurationError: there is neither.
    """
    beside = next((file for name in PRODUCTS if (file := path.parent / name).is_file()), None)
    if beside:
        return {product.id: product for product in _products(beside, ids)}
    if shop:
        return shop.store.get(sorted(ids))
    raise ConfigurationError(
        f"There are no products to take the texts of '{path.name}' from.",
        cure=f"Put {PRODUCTS[0]} beside it, or name the shop: --data FOLDER.",
    )


def _products(path: Path, ids: Collection[str]) -> Iterator[Product]:
    rows = (row for _, row in open_feed(path).rows(path) if not isinstance(row, RowProblem))
    mapper = guess_mapping(islice(rows, _SAMPLE)).mapper
    for _, row in open_feed(path).rows(path):
        if not isinstance(row, RowProblem) and mapper.id(row) in ids:
            product = mapper.product(row)
            if isinstance(product, Product):
                yield product
