"""BM25 over weighted fields, scored for every matching row at once.

Source: Robertson, Zaragoza & Taylor, "Simple BM25 extension to multiple weighted fields" (CIKM 2004): a field of
weight w counts as if it were repeated w times, so one inverted list a term serves all fields. IDF is Lucene's
ln(1 + (N − df + ½) / (df + ½)), with N and df over living products only: the order does not depend on the history
of updates.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Explanation
from lingsou.retrieval.engines.embedded.analysis import IDENTIFIER
from lingsou.retrieval.engines.embedded.snapshot import Snapshot
from lingsou.text.normalise import normalise, squash

_TOLERANCE = 1e-5


@dataclass(frozen=True)
class LexicalMatch:
    """`matched` bool [N] marks the rows that match, `scores` float32 [N] is their BM25 score (0 elsewhere).

    `ceiling` is what BM25 cannot exceed for the query: Σ idf · (k1 + 1) over its terms.
    """

    matched: NDArray[np.bool_]
    scores: NDArray[np.float32]
    ceiling: float
    exact: NDArray[np.intp]
    """Rows that hold an exact identifier of the query."""


class LexicalScorer:
    """Scores queries against one snapshot. Cost: about 10 ns for each posting of the query's terms."""

    def __init__(self, snapshot: Snapshot, *, k1: float, b: float, coverage: float):
        self._snapshot = snapshot
        self._k1 = k1
        self._coverage = coverage
        self._norms = (k1 * (1 - b + b * snapshot.lengths / snapshot.mean_length)).astype(np.float32)

    def match(self, terms: Sequence[str], identifiers: Iterable[str]) -> LexicalMatch:
        """Rows that hold at least the `coverage` share of the query's IDF, or one of the exact identifiers."""
        size = len(self._snapshot)
        scores, covered = np.zeros(size, np.float32), np.zeros(size, np.float32)
        total = 0.0
        for term in dict.fromkeys(terms):
            parts = self._lists(term)
            idf = self._idf(parts)
            if idf is None:
                continue
            total += idf
            for rows, frequencies in parts:
                scores[rows] += np.float32(idf * (self._k1 + 1)) * frequencies / (frequencies + self._norms[rows])
                covered[rows] += np.float32(idf)
        needed = max(self._coverage * total - _TOLERANCE, _TOLERANCE)
        matched = covered >= needed
        lists = (rows for identifier in identifiers for rows, _ in self._lists(IDENTIFIER + identifier))
        exact = np.concatenate([np.empty(0, np.intp), *lists])
        matched[exact] = True
        matched &= self._snapshot.alive
        return LexicalMatch(matched, scores, max(total * (self._k1 + 1), _TOLERANCE), exact)

    def explain(self, terms: Sequence[str], row: int) -> Explanation:
        """The BM25 score of one row, term by term."""
        children: list[Explanation] = []
        norm = float(self._norms[row])
        for term in dict.fromkeys(terms):
            parts = self._lists(term)
            idf = self._idf(parts)
            frequency = _frequency(parts, row)
            if idf is None or not frequency:
                children.append(Explanation(name=term, value=0.0, detail="not in the product"))
                continue
            score = idf * (self._k1 + 1) * frequency / (frequency + norm)
            detail = f"idf {idf:.3f} × weighted frequency {frequency:g}, length norm {norm:.3f}"
            children.append(Explanation(name=term, value=score, detail=detail))
        total = sum(child.value or 0.0 for child in children)
        return Explanation(name="bm25", value=total, detail="over weighted fields", children=tuple(children))

    def held(self, identifiers: Iterable[str], row: int) -> list[str]:
        """Which of the identifiers the row holds."""
        return [each for each in identifiers if _frequency(self._lists(IDENTIFIER + each), row)]

    def _lists(self, term: str) -> list[tuple[NDArray[np.int32], NDArray[np.float32]]]:
        return [found for part in self._snapshot.postings if (found := part.of(term)) is not None]

    def _idf(self, parts: Sequence[tuple[NDArray[np.int32], NDArray[np.float32]]]) -> float | None:
        alive = self._snapshot.alive
        frequency = sum(int(np.count_nonzero(alive[rows])) for rows, _ in parts)
        living = self._snapshot.living
        return float(np.log1p((living - frequency + 0.5) / (frequency + 0.5))) if frequency else None


def query_identifiers(text: str) -> list[str]:
    """What in the query may be an exact identifier: all of it, mixes of letters and digits, and long numbers."""
    whole = squash(text)
    words = [squash(word) for word in normalise(text).split(" ")]
    likely = [
        word
        for word in words
        if (word.isdigit() and len(word) >= 8)
        or (len(word) >= 5 and any(c.isdigit() for c in word) and any(c.isalpha() for c in word))
    ]
    return list(dict.fromkeys(word for word in (whole, *likely) if word))


def _frequency(parts: Sequence[tuple[NDArray[np.int32], NDArray[np.float32]]], row: int) -> float:
    for rows, frequencies in parts:
        place = int(np.searchsorted(rows, row))
        if place < len(rows) and rows[place] == row:
            return float(frequencies[place])
    return 0.0
