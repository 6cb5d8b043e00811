"""Texts as token ids, cut once and kept as one ragged array; batches are padded to their own longest text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from lingsou.training.examples import Rows

_CHUNK = 4_096


@dataclass(frozen=True)
class TokenBatch:
    """`ids` and `mask` int64 `[batch, tokens]`; the mask is 1 where there is a token."""

    ids: torch.Tensor
    mask: torch.Tensor

    def to(self, device: torch.device) -> "TokenBatch":
        """The same on `device`."""
        return TokenBatch(self.ids.to(device), self.mask.to(device))


class TokenTable:
    """n texts as token ids, special tokens included."""

    def __init__(self, ids: NDArray[np.int32], starts: NDArray[np.int64], pad: int):
        self._ids = ids
        self._starts = starts
        self._pad = pad

    def __len__(self) -> int:
        return len(self._starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text, `[n]`."""
        return np.diff(self._starts)

    def used(self) -> NDArray[np.int64]:
        """Every id that occurs, sorted."""
        return np.unique(self._ids).astype(np.int64)

    def ids_of(self, row: int) -> NDArray[np.int32]:
        """The ids of one text."""
        return self._ids[self._starts[row] : self._starts[row + 1]]

    def batch(self, rows: Rows) -> TokenBatch:
        """The texts of `rows`, padded to the longest of them."""
        return pad_to_longest([self.ids_of(int(row)) for row in rows], self._pad)


def pad_to_longest(texts: Sequence[NDArray[np.int32]], pad: int) -> TokenBatch:
    """The id arrays as one batch."""
    width = max(map(len, texts), default=1)
    ids = np.full((len(texts), width), pad, np.int64)
    mask = np.zeros((len(texts), width), np.int64)
    for place, text in enumerate(texts):
        ids[place, : len(text)] = text
        mask[place, : len(text)] = 1
    return TokenBatch(torch.from_numpy(ids), torch.from_numpy(mask))


class Cutter:
    """Cuts texts with the model's own tokenizer."""

    def __init__(self, tokenizer: bytes, pad: int):
        self.tokenizer: Any = Tokenizer.from_str(tokenizer.decode())
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.pad = pad

    def encode(self, texts: Sequence[str], *, prefix: str, max_tokens: int, special: bool = True) -> list[Any]:
        """The encodings of `prefix` + text (ids, offsets into it), cut to `max_tokens`, special tokens included."""
        self.tokenizer.enable_truncation(max_tokens)
        found: list[Any] = self.tokenizer.encode_batch([prefix + text for text in texts], add_special_tokens=special)
        return found

    def table(self, texts: Sequence[str], *, prefix: str, max_tokens: int, special: bool = True) -> TokenTable:
        """All texts as ids. Works in pieces: encodings take a hundred times the memory of ids."""
        parts: list[NDArray[np.int32]] = []
        lengths: list[int] = []
        for first in range(0, len(texts), _CHUNK):
            for each in self.encode(
                texts[first : first + _CHUNK], prefix=prefix, max_tokens=max_tokens, special=special
            ):
                parts.append(np.array(each.ids, np.int32))
                lengths.append(len(each.ids))
        ids = np.concatenate(parts) if parts else np.empty(0, np.int32)
        return TokenTable(ids, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64), self.pad)


def by_length(order: Rows, lengths: NDArray[np.int64], batch: int, rng: np.random.Generator) -> list[Rows]:
    """Batches of `batch` rows of like length, in random order: little padding, and still another mix each epoch.

    `order` is cut into windows of 64 batches; each window is sorted by length and cut into batches.
    """
    window = 64 * batch
    found: list[Rows] = []
    for first in range(0, len(order), window):
        part = order[first : first + window]
        part = part[np.argsort(lengths[part], kind="stable")]
        found.extend(part[at : at + batch] for at in range(0, len(part), batch))
    return [found[place] for place in rng.permutation(len(found))]
