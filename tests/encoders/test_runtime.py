import dataclasses
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.core.errors import ConfigurationError, MissingExtraError, NotFoundError
from lingsou.core.manifests import facts, write_manifest
from lingsou.encoders import optional
from lingsou.encoders.encoder import Encoder, EncoderOptions
from lingsou.encoders.manifest import read_manifest
from lingsou.encoders.runtime import OnnxEncoder
from lingsou.testing.encoder import CHECKS, HashEncoder, meaning_shows


@pytest.mark.parametrize("check", [check for check in CHECKS if check is not meaning_shows], ids=lambda c: c.__name__)
def test_contract_of_a_toy_model(check: Callable[[Encoder], None], tiny: OnnxEncoder) -> None:
    """Random weights know no meaning; everything else holds."""
    check(tiny)


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_contract_of_the_hash_encoder(check: Callable[[Encoder], None]) -> None:
    check(HashEncoder())


def test_threads_change_nothing(tiny: OnnxEncoder, tiny_folder: Path) -> None:
    texts = [f"black mouse {chr(97 + i % 26)}{i}" for i in range(70)]
    for options in (EncoderOptions(threads=1), EncoderOptions(threads=3), EncoderOptions(intra_op_threads=2)):
        encoder = OnnxEncoder.open(tiny_folder, options)
        assert np.array_equal(encoder.encode_documents(texts), tiny.encode_documents(texts))
        assert encoder.fingerprint == tiny.fingerprint


def test_offsets_point_into_the_text(tiny: OnnxEncoder) -> None:
    """`query: ` and the special tokens are left out; a word's token begins at the space before it."""
    (found,) = tiny.encode_tokens(["black 无线"])
    words = ["black 无线"[start:end] for start, end in found.offsets]
    assert [word.strip() for word in words if word.strip()] == ["black", "无", "线"]
    assert found.offsets[0].tolist() == [0, 5]


def test_queries_and_documents_differ(tiny: OnnxEncoder) -> None:
    assert not np.array_equal(tiny.encode_queries(["mouse"]), tiny.encode_documents(["mouse"]))


def test_length_is_cut_and_part_of_the_fingerprint(tiny: OnnxEncoder, tiny_folder: Path) -> None:
    short = OnnxEncoder.open(tiny_folder, EncoderOptions(max_tokens=8))
    assert short.max_tokens == 8
    assert short.fingerprint != tiny.fingerprint
    assert tiny.max_tokens == 64, "never more than the model takes"
    # 8 tokens: <s>, "query", ":", five of the text's own less </s>
    assert len(short.encode_tokens(["abcdefghijkl"])[0].offsets) <= 5
    assert np.array_equal(short.encode_queries(["abcdefghijkl"]), short.encode_queries(["abcdefghijklmnop"]))


def test_a_repeated_document_is_encoded_once(tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    lock = threading.Lock()
    tokenise = tiny._tokenise

    def count(text: str, kind: Any) -> Any:
        with lock:
            seen.append(text)
        return tokenise(text, kind)

    monkeypatch.setattr(tiny, "_tokenise", count)
    tiny.encode_documents(["a", "b", "a", "c", "b"] * 20)
    assert sorted(seen) == ["a", "b", "c"]


def test_an_error_in_a_worker_reaches_the_caller(tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: str, kind: Any) -> Any:
        raise RuntimeError("no memory")

    monkeypatch.setattr(tiny, "_tokenise", fail)
    with pytest.raises(RuntimeError, match="no memory"):
        tiny.encode_documents([str(number) for number in range(100)])


@pytest.mark.parametrize("pooling", ["mean", "first"])
def test_pooling_outside_the_graph(
    pooling: str, tiny: OnnxEncoder, build_tiny: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = build_tiny(tmp_path / "model")
    manifest = read_manifest(folder)
    write_manifest(manifest.model_copy(update={"pooling": pooling, "sentence_output": None}), folder)
    encoder = OnnxEncoder.open(folder)
    close = float(encoder.encode_queries(["black mouse"])[0] @ tiny.encode_queries(["black mouse"])[0])
    assert (close > 0.9999) == (pooling == "mean")
    assert encoder.fingerprint != tiny.fingerprint


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["cut", "flip", "remove"])
def test_damaged_files_are_named(file: str, damage: str, build_tiny: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = build_tiny(tmp_path / "model")
    path = folder / file
    data = bytearray(path.read_bytes())
    if damage == "remove":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    with pytest.raises(ConfigurationError, match=file) as caught:
        OnnxEncoder.open(folder)
    assert "lingsou models pull" in str(caught.value.cure)


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json"])
def test_nonsense_with_a_fitting_manifest(file: str, build_tiny: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = build_tiny(tmp_path / "model")
    (folder / file).write_bytes(b"nonsense")
    manifest = read_manifest(folder)
    files = {**manifest.files, file: facts(folder / file)}
    write_manifest(manifest.model_copy(update={"files": files}), folder)
    with pytest.raises(ConfigurationError, match=file):
        OnnxEncoder.open(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dimension": 33}, "32 wide"),
        ({"token_output": "hidden"}, "no output 'hidden'"),
        ({"sentence_output": None}, "sentence output"),
        ({"files": {}}, "does not list"),
    ],
)
def test_a_manifest_that_does_not_fit(
    change: dict[str, Any], message: str, build_tiny: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = build_tiny(tmp_path / "model")
    write_manifest(read_manifest(folder).model_copy(update=change), folder)
    with pytest.raises(ConfigurationError, match=message):
        OnnxEncoder.open(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 2}', b'{"format": 1, "name": "../x"}', b"\xff"])
def test_a_broken_manifest(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"manifest\.json"):
        OnnxEncoder.open(tmp_path)


def test_a_manifest_may_not_climb_out(build_tiny: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = build_tiny(tmp_path / "model")
    manifest = read_manifest(folder)
    write_manifest(
        manifest.model_copy(update={"files": {**manifest.files, "../x": manifest.files["model.onnx"]}}), folder
    )
    with pytest.raises(ConfigurationError, match="outside"):
        OnnxEncoder.open(folder)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="lingsou models pull"):
        OnnxEncoder.open(tmp_path / "nowhere")


@pytest.mark.parametrize("change", [{"threads": -1}, {"intra_op_threads": 0}, {"max_tokens": 3}])
def test_senseless_options(change: dict[str, int], tiny_folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="make no sense"):
        OnnxEncoder.open(tiny_folder, dataclasses.replace(EncoderOptions(), **change))


def test_a_missing_runtime_names_the_cure(monkeypatch: pytest.MonkeyPatch, tiny_folder: Path) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(optional, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"pip install 'lingsou'"):
        OnnxEncoder.open(tiny_folder)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec=None), max_size=200))
def test_any_text_can_be_encoded(tiny: OnnxEncoder, text: str) -> None:
    query, document = tiny.encode_queries([text]), tiny.encode_documents([text])
    (tokens,) = tiny.encode_tokens([text])
    assert np.isfinite(query).all()
    assert np.isfinite(document).all()
    assert np.array_equal(tokens.sentence, query[0])
    assert (tokens.offsets <= len(text)).all()
    assert (tokens.offsets[:, 0] < tokens.offsets[:, 1]).all()


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = {"onnx", "onnxruntime", "tokenizers", "huggingface_hub"}
    code = f"import sys, lingsou.encoders; print(*({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
