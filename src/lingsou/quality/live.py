"""The scores of the last run of the checks, held in memory for ranking."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from lingsou.catalog.quality_tables import quality_runs, quality_scores
from lingsou.core.database import Database
from lingsou.quality.scores import BEST


class LiveScores:
    """Follows the runs. `refresh` is called by one thread, `of` by any.

    Memory: about 150 bytes for each product with a finding; those without have the best score.
    """

    def __init__(self, database: Database):
        self._database = database
        self._run: int | None = None
        self._scores: dict[str, float] = {}

    def refresh(self) -> bool:
        """Take up the scores of a newer run; whether there was one.

        Raises:
            StorageError: the database cannot be read.
        """
        with self._database.snapshot() as connection:
            newest = connection.execute(select(func.max(quality_runs.c.number))).scalar()
            if newest is None or newest == self._run:
                return False
            wanted = select(quality_scores.c.product_id, quality_scores.c.score).where(quality_scores.c.run == newest)
            found = {product_id: score for product_id, score in connection.execute(wanted)}  # noqa: C416 (rows are no pairs)
        self._scores, self._run = found, newest
        return True

    def of(self, ids: Sequence[str]) -> NDArray[np.float64] | None:
        """0 to 100 for each product, [n]; none before the first run."""
        if self._run is None:
            return None
        scores = self._scores
        return np.array([scores.get(id_, BEST) for id_ in ids], np.float64)
