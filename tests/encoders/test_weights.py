import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.weights import Weights


def test_header_pieces_and_map_are_read(tiny_weights: bytes) -> None:
    weights = Weights(tiny_weights)
    assert (weights.shape.hidden, weights.shape.layers, weights.shape.heads) == (32, 2, 2)
    assert weights.pieces.texts[:5] == ["<s>", "<pad>", "</s>", "<unk>", "▁"]
    assert weights.pieces.scores[4] == -5
    assert (weights.pieces.bos, weights.pieces.pad, weights.pieces.eos, weights.pieces.unknown) == (0, 1, 2, 3)
    assert weights.normalisation[0xFF21] == "a"
    assert weights.normalisation[0x200B] == ""


def test_a_block_by_hand(tiny_weights: bytes) -> None:
    """Scale ½; the first byte 0x3F holds weight 0 = (15 − 8)/2 low and weight 16 = (3 − 8)/2 high."""
    data = bytearray(tiny_weights)
    start = Weights(tiny_weights).tensors["l0.q.w"].offset
    data[start : start + 18] = struct.pack("<e16B", 0.5, 0x3F, *[0x88] * 15)
    row = Weights(bytes(data)).matrix("l0.q.w", 32)[0]
    assert row[0] == 3.5
    assert row[16] == -2.5
    assert not row[1:16].any()


def test_rows_can_be_read_from_the_middle(tiny_weights: bytes) -> None:
    weights = Weights(tiny_weights)
    whole, scales = weights.blocks("emb.word", 20)
    part, part_scales = weights.blocks("emb.word", 5, first=10)
    assert np.array_equal(whole[10:15], part)
    assert np.array_equal(scales[10:15], part_scales)


@pytest.mark.parametrize(
    ("at", "value"), [(0, b"XXXX"), (4, b"\2\0\0\0"), (8, b"\0\0\0\0"), (8, b"\x21\0\0\0"), (40, b"\x10\0\0\0")]
)
def test_another_format_is_refused(tiny_weights: bytes, at: int, value: bytes) -> None:
    with pytest.raises(ConfigurationError, match="weights file"):
        Weights(tiny_weights[:at] + value + tiny_weights[at + 4 :])


def test_missing_and_misfit_tensors_are_named(tiny_weights: bytes) -> None:
    weights = Weights(tiny_weights)
    with pytest.raises(ConfigurationError, match=r"l9\.q\.w"):
        weights.matrix("l9.q.w", 32)
    with pytest.raises(ConfigurationError, match="rows"):
        weights.matrix("l0.q.w", 33)
    with pytest.raises(ConfigurationError, match=r"emb\.pos"):
        weights.floats("emb.pos", 3, 32)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.bin"
    path.touch()
    with pytest.raises(ConfigurationError, match="empty"):
        Weights.open(path)


@pytest.fixture(scope="module")
def whole(tiny_weights: bytes) -> Callable[[], bytes]:
    """The file behind a short name, for Hypothesis writes its arguments out."""
    return lambda: tiny_weights


@settings(max_examples=300, deadline=None)
@given(cut=st.booleans(), place=st.floats(0, 1, exclude_max=True), patch=st.binary(min_size=1, max_size=8))
def test_damage_is_an_error_of_ours(whole: Callable[[], bytes], cut: bool, place: float, patch: bytes) -> None:
    """Cut or overwritten anywhere in its tables, the file is refused or read, never a crash."""
    tiny_weights = whole()
    if cut:
        damaged = tiny_weights[: int(place * len(tiny_weights))]
    else:
        at = int(place * Weights(tiny_weights).tensors["emb.word"].offset)
        damaged = tiny_weights[:at] + patch + tiny_weights[at + len(patch) :]
    try:
        weights = Weights(damaged)
        for name in list(weights.tensors):
            weights.matrix(name, 1)
    except ConfigurationError:
        pass
