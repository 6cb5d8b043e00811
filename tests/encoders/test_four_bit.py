import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lingsou.encoders.four_bit import FourBit, four_bit


def unpack(packed: FourBit) -> np.ndarray:
    """Weights of a packed matrix, nibble by nibble, by the words of its docstring."""
    rows, half = packed.codes.shape
    found = np.zeros((rows, 2 * half), np.float32)
    for row in range(rows):
        for column in range(2 * half):
            nibble = int(packed.codes[row, column // 2]) >> (4 if column % 2 else 0) & 15
            code = nibble - 16 if nibble > 7 else nibble
            found[row, column] = code * float(packed.scales[row, column // 32])
    return found


scales = arrays.arrays(np.float16, (3, 2), elements=st.floats(-8, 8, width=16))
codes = arrays.arrays(np.int8, (3, 64), elements=st.integers(-8, 7))


@given(codes, scales)
def test_what_came_out_of_four_bits_goes_back_exactly(codes: np.ndarray, scales: np.ndarray) -> None:
    """Scales may be negative, tiny or 0, and codes may share a factor, so that another scale does as well."""
    matrix = codes * np.repeat(scales.astype(np.float32), 32, axis=1)
    packed = four_bit(matrix)
    assert packed is not None
    assert np.array_equal(unpack(packed), matrix)


def test_one_weight_that_moved_is_noticed() -> None:
    matrix = np.tile(np.arange(-8, 8, dtype=np.float32) / np.float32(4), (40, 4))
    assert four_bit(matrix) is not None
    matrix[33, 5] += np.float32(1e-4)
    assert four_bit(matrix) is None


@pytest.mark.parametrize("width", [16, 40])
def test_blocks_that_are_not_whole(width: int) -> None:
    assert four_bit(np.ones((2, width), np.float32)) is None


def test_a_scale_too_large_for_sixteen_bits() -> None:
    matrix = np.zeros((1, 32), np.float32)
    matrix[0, 0] = 1e9
    assert four_bit(matrix) is None
