"""Matrices of 4-bit weights: blocks of 32 that share one fp16 scale, as the weights file and ONNX hold them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 32
"""Weights that share one scale."""
ROWS = 16_384
"""Rows that are packed at a time, to bound memory."""
_MOST = (-8, 7, -7, 6, -6, 5, -5, 4, -4, 3, -3, 2, -2, 1, -1)
"""What the weight of largest magnitude may have as its code: −8 as it is usually packed, else with a scale above 0."""


@dataclass(frozen=True)
class FourBit:
    """A matrix `[rows, width]` as ONNX packs it: weight = code · scale, a code from −8 to 7."""

    codes: NDArray[np.uint8]
    """`[rows, width / 2]`: two's complement nibbles, the even column's in the low half."""
    scales: NDArray[np.float16]
    """`[rows, width / 32]`."""

    @classmethod
    def empty(cls, rows: int, width: int) -> "FourBit":
        """Room for a matrix, to be filled by `fill`."""
        return cls(np.empty((rows, width // 2), np.uint8), np.empty((rows, width // BLOCK), np.float16))

    def fill(self, first: int, codes: NDArray[np.uint8], scales: NDArray[np.float16]) -> None:
        """Set n rows from `first` on: nibbles `[n, width]`, two's complement, and scales `[n, width / 32]`."""
        rows = slice(first, first + len(codes))
        self.codes[rows] = codes[:, ::2] | codes[:, 1::2] << 4
        self.scales[rows] = scales


def four_bit(matrix: NDArray[np.float32]) -> FourBit | None:
    """The 4-bit matrix that is exactly `matrix` `[rows, width]`; none where there is no such.

    So a table that came out of 4 bits and was not trained goes back without loss, whichever rows of it are left.
    Cost: about 2 s for 250,000 rows of 384.
    """
    rows, width = matrix.shape
    if width % BLOCK:
        return None
    found = FourBit.empty(rows, width)
    for first in range(0, rows, ROWS):
        part = matrix[first : first + ROWS]
        exact = _exact(part.reshape(-1, BLOCK))
        if exact is None:
            return None
        codes, scales = exact
        found.fill(first, codes.reshape(part.shape), scales.reshape(len(part), -1))
    return found


def _exact(blocks: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float16]] | None:
    """Nibbles and scale of each row of `blocks` `[n, 32]`, if all are such blocks."""
    top = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1)[:, None], axis=1)
    codes = np.zeros(blocks.shape, np.uint8)
    scales = np.zeros((len(blocks), 1), np.float16)
    left = np.flatnonzero(top[:, 0])
    for code in _MOST:
        largest = top[left] if code == -8 else np.abs(top[left])
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # a scale that overflows does not fit
            scale = (largest / np.float32(code)).astype(np.float16)
            wide = np.where(scale == 0, np.float32(1), scale.astype(np.float32))
            steps = np.clip(np.rint(blocks[left] / wide), -8, 7)
            fits = (steps * wide == blocks[left]).all(axis=1)
        done = left[fits]
        codes[done] = steps[fits].astype(np.int8).view(np.uint8) & 15
        scales[done] = scale[fits]
        left = left[~fits]
        if not len(left):
            return codes, scales
    return None
