"""Texts cut into tokens that know which characters they cover, as serving sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.training.neural.tokens import Cutter, TokenTable

_CHUNK = 4_096


@dataclass(frozen=True)
class AlignedTexts:
    """n texts as ids, and which of their tokens are their own: neither prefix nor special."""

    table: TokenTable
    places: list[NDArray[np.int32]]
    """Of each text, the places of its own tokens among all its tokens, [own]."""
    offsets: list[NDArray[np.int32]]
    """Of each text, the characters that its own tokens cover, [own, 2]; a token may begin with white space."""


def align(cutter: Cutter, texts: Sequence[str], *, prefix: str, max_tokens: int) -> AlignedTexts:
    """Cut `prefix` + each text; offsets count from where the text begins."""
    ids: list[NDArray[np.int32]] = []
    places: list[NDArray[np.int32]] = []
    offsets: list[NDArray[np.int32]] = []
    for first in range(0, len(texts), _CHUNK):
        chunk = texts[first : first + _CHUNK]
        for text, each in zip(chunk, cutter.encode(chunk, prefix=prefix, max_tokens=max_tokens), strict=True):
            covered = np.array(each.offsets, np.int32).reshape(-1, 2) - len(prefix)
            covered = np.clip(covered, 0, len(text))
            own = (covered[:, 1] > covered[:, 0]) & (np.array(each.special_tokens_mask) == 0)
            ids.append(np.array(each.ids, np.int32))
            places.append(np.flatnonzero(own).astype(np.int32))
            offsets.append(covered[own])
    starts = np.cumsum([0, *map(len, ids)], dtype=np.int64)
    joined = np.concatenate(ids) if ids else np.empty(0, np.int32)
    return AlignedTexts(TokenTable(joined, starts, cutter.pad), places, offsets)
