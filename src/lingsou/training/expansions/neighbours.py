"""Phrases that are near in the encoder's space and occur in the same categories."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lingsou.training.expansions.phrases import CataloguePhrases

_BLOCK = 512
_NEAREST = 4


def neighbours(
    phrases: CataloguePhrases,
    vectors: NDArray[np.float32],
    alternatives: NDArray[np.int64],
    *,
    similarity: float,
    affinity: float,
) -> Iterator[tuple[int, int, float, float]]:
    """(phrase, phrase, cosine, affinity of categories) of pairs that are among each other's nearest four.

    Left out are two values of one field, for red is near blue, but no name of it; and phrases with words in common, or
    one within the other, which an index by words and their parts finds anyway.

    Args:
        phrases: P of them.
        vectors: of unit length [P, d], means taken off.
        alternatives: number of a field that each phrase is a value of, −1 for none [P].
        similarity: least cosine.
        affinity: least affinity.
    """
    chosen: set[tuple[int, int]] = set()
    cosine: dict[tuple[int, int], float] = {}
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK] @ vectors.T
        block[np.arange(len(block)), np.arange(start, start + len(block))] = -1.0
        nearest = np.argpartition(-block, min(_NEAREST, block.shape[1] - 1), axis=1)[:, :_NEAREST]
        for row, found in enumerate(nearest.tolist()):
            for other in found:
                if block[row, other] >= similarity:
                    chosen.add((start + row, other))
                    cosine[start + row, other] = float(block[row, other])
    for one, other in sorted(chosen):
        if one < other and (other, one) in chosen:
            left, right = (phrases.texts[each].replace(" ", "") for each in (one, other))
            if left != right and (left in right or right in left):
                continue
            alike = alternatives[one] >= 0 and alternatives[one] == alternatives[other]
            agreed = phrases.affinity(one, other)
            if not alike and agreed >= affinity and not phrases.keys[one] & phrases.keys[other]:
                yield one, other, cosine[one, other], agreed
