"""Recommendations for every shopper at once, streamed to a file."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import numpy as np

from lingsou.core.errors import StorageError
from lingsou.recommend.interactions import Interactions
from lingsou.recommend.model import Model

SHOPPERS = 2_000
"""Of one row group: memory does not grow with their number."""


def write_recommendations(model: Model, histories: Interactions, people: Sequence[str], n: int, path: Path) -> int:
    """Write the best n products by the blend of each shopper as Parquet; how many rows.

    Columns: `shopper`, `place` from 1, `product`, `score`. Stock and filters are of the moment of asking and are not
    looked at here.

    Args:
        model: with its blend.
        histories: of all shoppers.
        people: their names, by number.
        n: products of each.
        path: of the file, which is replaced.

    Raises:
        StorageError: it cannot be written.
    """
    pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
    fields = {"shopper": pa.string(), "place": pa.int32(), "product": pa.string(), "score": pa.float32()}
    schema = pa.schema(list(fields.items()))
    names = np.asarray(model.products.names, object)
    shoppers = np.asarray(people, object)
    rows = 0
    try:
        with pq.ParquetWriter(path, schema) as writer:
            for first in range(0, len(histories), SHOPPERS):
                found = model.blend.recommend(histories.block(first, min(first + SHOPPERS, len(histories))), n)
                user, place = np.nonzero(found.items >= 0)
                columns = [
                    pa.array(shoppers[first + user], pa.string()),
                    pa.array(place + 1, pa.int32()),
                    pa.array(names[found.items[user, place]], pa.string()),
                    pa.array(found.scores[user, place]),
                ]
                writer.write_table(pa.table(columns, schema=schema))
                rows += len(user)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error}.", cure="Check the folder and free space.") from error
    return rows
