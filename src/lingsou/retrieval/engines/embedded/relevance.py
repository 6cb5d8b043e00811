"""What one query finds relevant, row by row."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lingsou.retrieval.engines.embedded.lexical import LexicalMatch
from lingsou.retrieval.engines.embedded.selection import Rows


@dataclass(frozen=True)
class Relevance:
    """What the words and the meaning of a query say of every row: arrays over all N rows.

    `matched` bool is the match set before filters; `scores` float32 is the fused score; `similarities` is none where
    the meaning was not asked for. Scores and similarities hold for rows that match; of others they may lack the
    meaning (0) until `_compared` adds it.
    """

    matched: NDArray[np.bool_]
    scores: NDArray[np.float32]
    lexical: LexicalMatch
    similarities: NDArray[np.float32] | None
    complete: bool = True
    """False: rows far from the query's vector were not compared with it and have similarity 0."""
    least: float = 0.0
    """The similarity from which a row matches by meaning."""

    @cached_property
    def rows(self) -> Rows:
        """The match set as rows, ascending."""
        return np.flatnonzero(self.matched)
