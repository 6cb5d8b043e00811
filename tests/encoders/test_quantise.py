import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lingsou.encoders.quantise import dequantise, error_bound, quantise


def unit(seed: int, rows: int, width: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, width))
    found: np.ndarray = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return found


def test_by_hand() -> None:
    codes, scales = quantise(np.array([[0.6, -0.8], [0.0, 0.0]], np.float32))
    assert codes.tolist() == [[95, -127], [0, 0]]  # 0.6 / (0.8 / 127) = 95.25
    assert scales[1] == 0
    assert not dequantise(codes, scales)[1].any()


@given(st.integers(0, 1000), st.integers(0, 20), st.integers(1, 400))
def test_the_error_stays_in_its_bound(seed: int, rows: int, width: int) -> None:
    vectors, queries = unit(seed, rows, width), unit(seed + 1, 3, width)
    codes, scales = quantise(vectors)
    assert codes.dtype == np.int8
    assert codes.shape == vectors.shape
    assert codes.min(initial=0) >= -127
    off = np.abs(queries @ dequantise(codes, scales).T - queries @ vectors.T)
    assert (off <= error_bound(scales, width) + 1e-6).all()


def test_the_typical_error_is_small() -> None:
    vectors, queries = unit(3, 2000, 384), unit(4, 50, 384)
    codes, scales = quantise(vectors)
    off = queries @ dequantise(codes, scales).T - queries @ vectors.T
    assert float(np.sqrt((off**2).mean())) < 0.0008
