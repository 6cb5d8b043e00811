"""The graph from a weights file; tests/training/neural/test_export.py compares it with PyTorch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lingsou.core.errors import ConfigurationError
from lingsou.core.manifests import facts, write_manifest
from lingsou.encoders.graph import Additions, Head, Precision, build_graph, build_scorer
from lingsou.encoders.manifest import MODEL, HeadManifest, read_manifest
from lingsou.encoders.runtime import OnnxEncoder
from lingsou.encoders.weights import Weights

pytest.importorskip("onnx", reason="building an encoder needs the extra 'encoder-build'")
runtime = pytest.importorskip("onnxruntime")

RANDOM = np.random.default_rng(3)
COLOUR = Head("head.colour", "pooled", RANDOM.normal(size=(3, 32)).astype(np.float32), np.ones(3, np.float32))
TAGS = Head("head.tags", "states", RANDOM.normal(size=(2, 32)).astype(np.float32), np.zeros(2, np.float32))
FEED = {
    "input_ids": np.array([[0, 5, 6, 7, 2], [0, 9, 2, 1, 1]], np.int64),
    "attention_mask": np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], np.int64),
}


def outputs(graph: bytes) -> dict[str, Any]:
    session = runtime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, FEED), strict=True))


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_heads_are_linear_maps_of_the_same_states(tiny_weights: bytes, precision: Precision) -> None:
    found = outputs(build_graph(Weights(tiny_weights), precision=precision, heads=[COLOUR, TAGS]))
    states, mask = found["token_states"], FEED["attention_mask"][..., None]
    mean = (states * mask).sum(1) / mask.sum(1)
    assert np.allclose(found["head.colour"], mean @ COLOUR.weight.T + COLOUR.bias, atol=1e-5)
    assert np.allclose(found["head.tags"], states @ TAGS.weight.T + TAGS.bias, atol=1e-5)
    assert np.allclose(found["sentence_embedding"], mean / np.linalg.norm(mean, axis=1, keepdims=True), atol=1e-6)


def test_heads_do_not_change_the_vectors(tiny_weights: bytes) -> None:
    plain, headed = (outputs(build_graph(Weights(tiny_weights), heads=heads)) for heads in ([], [COLOUR]))
    for name in ("token_states", "sentence_embedding"):
        assert np.array_equal(plain[name], headed[name])


def test_int8_is_close_to_fp32(tiny_weights: bytes) -> None:
    exact, rounded = (
        outputs(build_graph(Weights(tiny_weights), precision=precision))["sentence_embedding"]
        for precision in ("fp32", "int8")
    )
    cosines = (exact * rounded).sum(1)
    assert (cosines > 0.999).all()
    assert (cosines < 0.9999999).any(), "fp32 rounds nothing, int8 something"


def test_a_scorer_gives_one_number_a_text(tiny_weights: bytes) -> None:
    one = Head("score", "pooled", COLOUR.weight[:1], COLOUR.bias[:1])
    found = outputs(build_scorer(Weights(tiny_weights), one, precision="fp32"))
    whole = outputs(build_graph(Weights(tiny_weights), heads=[COLOUR], precision="fp32"))
    assert list(found) == ["score"]
    assert found["score"].shape == (2,)
    assert np.allclose(found["score"], whole["head.colour"][:, 0], atol=1e-5)


def test_a_turn_moves_the_sentence_vector_alone(tiny_weights: bytes) -> None:
    turn = RANDOM.normal(size=(32, 32)).astype(np.float32)
    plain = outputs(build_graph(Weights(tiny_weights), heads=[COLOUR], precision="fp32"))
    turned = outputs(
        build_graph(Weights(tiny_weights), heads=[COLOUR], precision="fp32", additions=Additions(turn=turn))
    )
    wanted = plain["sentence_embedding"] @ turn.T
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    assert np.allclose(turned["sentence_embedding"], wanted, atol=1e-5)
    assert np.array_equal(turned["head.colour"], plain["head.colour"])


def headed(folder: Path, weights: bytes, **changes: Any) -> Path:
    """The toy artefact with a head for each kind, and a manifest that says so."""
    (folder / MODEL).write_bytes(build_graph(Weights(weights), heads=[COLOUR, TAGS]))
    heads = {
        "colour": HeadManifest(kind="classes", output="head.colour", labels=("red", "blue", "green"), temperature=2.0),
        "tags": HeadManifest(kind="tags", output="head.tags", labels=("O", "B")),
    }
    manifest = read_manifest(folder)
    files = {**manifest.files, MODEL: facts(folder / MODEL)}
    write_manifest(manifest.model_copy(update={"files": files, "heads": heads | changes}), folder)
    return folder


def test_encode_heads(tiny_weights: bytes, build_tiny: Any, tmp_path: Path, tiny: OnnxEncoder) -> None:
    """Logits of a text, logits of its own tokens, offsets and the sentence vector: one forward pass."""
    encoder = OnnxEncoder.open(headed(build_tiny(tmp_path / "model"), tiny_weights))
    for kind in ("query", "document"):
        (found,), (tokens,) = encoder.encode_heads(["black 无线"], kind), tiny.encode_tokens(["black 无线"], kind)
        assert np.array_equal(found.offsets, tokens.offsets)
        assert np.array_equal(found.sentence, tokens.sentence)
        assert np.allclose(found.logits["tags"], tokens.states @ TAGS.weight.T, atol=1e-5)
    colour = found.logits["colour"] * 2.0 - 1.0  # undo temperature and bias
    along = COLOUR.weight @ found.sentence
    assert np.allclose(colour / np.linalg.norm(colour), along / np.linalg.norm(along), atol=1e-5)
    assert encoder.encode_heads([]) == []


def test_an_encoder_without_heads_has_none(tiny: OnnxEncoder) -> None:
    (found,) = tiny.encode_heads(["black"])
    assert found.logits == {}
    assert np.array_equal(found.sentence, tiny.encode_queries(["black"])[0])


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (HeadManifest(kind="classes", output="head.brand", labels=("a", "b")), "no output 'head.brand'"),
        (HeadManifest(kind="classes", output="head.colour", labels=("a", "b")), "is 3 wide, the manifest says 2"),
    ],
)
def test_heads_that_do_not_fit_the_graph(
    head: HeadManifest, message: str, tiny_weights: bytes, build_tiny: Any, tmp_path: Path
) -> None:
    folder = headed(build_tiny(tmp_path / "model"), tiny_weights, colour=head)
    with pytest.raises(ConfigurationError, match=message):
        OnnxEncoder.open(folder)
