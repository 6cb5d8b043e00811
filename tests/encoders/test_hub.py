"""Hub references, and what happens around a download; the download itself is replaced, or refused offline."""

import importlib
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import ConfigurationError, MissingExtraError
from lingsou.core.manifests import MANIFEST
from lingsou.encoders import hub, models, optional
from lingsou.encoders.hub import HubReference, names_hub, parse_reference
from lingsou.encoders.models import open_encoder, pull
from lingsou.encoders.runtime import OnnxEncoder

E5 = "hf:acme/multilingual-e5-tiny"


def test_references() -> None:
    assert parse_reference("hf:a/b") == HubReference("hf", "a/b", None, None)
    whole = parse_reference("modelscope:a.b/c-d_e@refs/pr/1#onnx/model_int8.onnx")
    assert whole == HubReference("modelscope", "a.b/c-d_e", "refs/pr/1", "onnx/model_int8.onnx")
    assert str(whole) == "modelscope:a.b/c-d_e@refs/pr/1#onnx/model_int8.onnx"
    assert parse_reference("hf:a/b").folder == "hf--a--b"
    assert parse_reference("hf:a/b@x").folder != parse_reference("hf:a/b@y").folder


@pytest.mark.parametrize(
    "wrong",
    ["hf:a", "hf:a/b/c", "hf:../b", "hf:a/..", "hf:a/b@../x", "hf:a/b#../m.onnx", "hf:a/b#m.bin", "s3:a/b", "hf:", ""],
)
def test_wrong_references(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="does not name a model"):
        parse_reference(wrong)


@given(st.text(max_size=40))
def test_any_reference_is_read_or_refused(text: str) -> None:
    for reference in (text, f"hf:{text}", f"hf:a/{text}"):
        try:
            found = parse_reference(reference)
        except ConfigurationError:
            continue
        assert names_hub(reference)
        assert parse_reference(str(found)) == found
        assert "/" not in found.folder


def test_only_hub_names_ask_a_hub() -> None:
    assert names_hub("hf:a/b")
    assert names_hub("modelscope:a/b")
    assert not any(map(names_hub, ("e5-small", "./folder", "/hf:a/b", "C:\\models")))


class Client:
    """Stands in for a hub's client; notes what it was asked."""

    def __init__(self, fill: Callable[[Path], None]):
        self.fill = fill
        self.asked: list[tuple[str, str | None, list[str]]] = []

    def snapshot_download(self, name: str, *, revision: str | None, local_dir: str, allow_patterns: list[str]) -> str:
        self.asked.append((name, revision, allow_patterns))
        (Path(local_dir) / ".cache").mkdir()
        self.fill(Path(local_dir))
        return local_dir


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Path], None]], Client]:
    def install(fill: Callable[[Path], None]) -> Client:
        found = Client(fill)
        monkeypatch.setattr(hub, "require", lambda *_: found)
        return found

    return install


def export(
    tiny_folder: Path, files: dict[str, Any] | None = None, *, model: str = "onnx/model.onnx"
) -> Callable[[Path], None]:
    """Fills a folder as a sentence-transformers export with ONNX model has it."""

    def fill(folder: Path) -> None:
        (folder / model).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tiny_folder / "model.onnx", folder / model)
        shutil.copy(tiny_folder / "tokenizer.json", folder)
        config = {"hidden_size": 32, "max_position_embeddings": 64}
        for name, content in {"config.json": config, **(files or {})}.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))

    return fill


def test_a_hub_model_is_fetched_once(
    client: Callable[..., Client], tiny: OnnxEncoder, tiny_folder: Path, tmp_path: Path
) -> None:
    asked = client(export(tiny_folder)).asked
    encoder = open_encoder(E5, tmp_path)
    assert np.array_equal(encoder.encode_documents(["mouse"]), tiny.encode_documents(["mouse"])), (
        "e5 prefixes are known"
    )
    open_encoder(E5, tmp_path)
    ((name, revision, patterns),) = asked
    assert (name, revision) == ("acme/multilingual-e5-tiny", None)
    assert {"tokenizer.json", "model.onnx", "onnx/model.onnx", "onnx/model.onnx_data"} <= set(patterns)
    (entry,) = models.list_models(tmp_path)
    assert entry.problem is None
    assert entry.manifest is not None
    assert entry.manifest.origin.source == E5
    assert entry.manifest.max_tokens == 64


def test_revision_and_file_are_passed_on(client: Callable[..., Client], tiny_folder: Path, tmp_path: Path) -> None:
    asked = client(export(tiny_folder, model="onnx/int8.onnx")).asked
    pull("modelscope:acme/e5-tiny@v2#onnx/int8.onnx", tmp_path)
    assert asked[0][1] == "v2"
    assert "onnx/int8.onnx" in asked[0][2]
    assert "onnx/model.onnx" not in asked[0][2]


def test_an_artefact_of_ours_is_taken_as_it_is(
    client: Callable[..., Client], tiny_folder: Path, tmp_path: Path
) -> None:
    client(lambda folder: shutil.copytree(tiny_folder, folder, dirs_exist_ok=True) and None)
    entry = pull("hf:acme/shop-encoder", tmp_path)
    assert (entry.folder / MANIFEST).read_bytes() == (tiny_folder / MANIFEST).read_bytes()


def test_prompts_and_limits_of_the_export(client: Callable[..., Client], tiny_folder: Path, tmp_path: Path) -> None:
    prompts = {"prompts": {"query": "ask: ", "document": "doc: "}}
    files = {"config_sentence_transformers.json": prompts, "sentence_bert_config.json": {"max_seq_length": 40}}
    client(export(tiny_folder, files))
    manifest = pull("hf:acme/other", tmp_path).manifest
    assert manifest is not None
    assert (manifest.query_prefix, manifest.document_prefix, manifest.max_tokens) == ("ask: ", "doc: ", 40)


@pytest.mark.parametrize(
    ("config", "pooling"), [({"pooling_mode_mean_tokens": True}, "mean"), ({"pooling_mode_cls_token": True}, "first")]
)
def test_pooling_of_the_export(
    config: dict[str, bool], pooling: str, client: Callable[..., Client], tiny_folder: Path, tmp_path: Path
) -> None:
    client(export(_without_sentence(tiny_folder, tmp_path / "bare"), {"1_Pooling/config.json": config}))
    manifest = pull("hf:acme/other", tmp_path / "models").manifest
    assert manifest is not None
    assert manifest.pooling == pooling
    assert manifest.sentence_output is None
    assert open_encoder("hf:acme/other", tmp_path / "models").encode_queries(["mouse"]).shape == (1, 32)


def _without_sentence(tiny_folder: Path, target: Path) -> Path:
    """The toy artefact whose graph gives token states only."""
    onnx = pytest.importorskip("onnx", reason="needs the extra 'encoder-build'")
    shutil.copytree(tiny_folder, target)
    model = onnx.load(str(target / "model.onnx"))
    del model.graph.output[1]
    onnx.save(model, str(target / "model.onnx"))
    return target


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        ({"1_Pooling/config.json": {"pooling_mode_max_tokens": True}}, "how to pool"),
        ({}, "how to pool"),
        ({"config.json": b"{", "1_Pooling/config.json": {"pooling_mode": "mean"}}, "not JSON"),
    ],
)
def test_an_export_that_cannot_be_adopted(
    fill: dict[str, Any], message: str, client: Callable[..., Client], tiny_folder: Path, tmp_path: Path
) -> None:
    client(export(_without_sentence(tiny_folder, tmp_path / "bare"), fill))
    with pytest.raises(ConfigurationError, match=message):
        pull("hf:acme/other", tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_an_export_without_model_or_tokenizer(client: Callable[..., Client], tiny_folder: Path, tmp_path: Path) -> None:
    client(lambda folder: None)
    with pytest.raises(ConfigurationError, match=r"has no model\.onnx or onnx/model\.onnx"):
        pull("hf:acme/other", tmp_path)
    client(lambda folder: shutil.copy(tiny_folder / "model.onnx", folder) and None)
    with pytest.raises(ConfigurationError, match=r"no tokenizer\.json"):
        pull("hf:acme/other", tmp_path)

    def nonsense(folder: Path) -> None:
        (folder / "model.onnx").write_bytes(b"nonsense")
        (folder / "tokenizer.json").write_bytes(b"{}")

    client(nonsense)
    with pytest.raises(ConfigurationError, match="cannot load"):
        pull("hf:acme/other", tmp_path)


def test_a_hub_that_fails_is_an_error_with_a_cure(client: Callable[..., Client], tmp_path: Path) -> None:
    def fail(_: Path) -> None:
        raise ConnectionError("no route to host\nmore lines")

    client(fail)
    for reference, hub_name in ((E5, "Hugging Face"), ("modelscope:a/b", "ModelScope")):
        with pytest.raises(
            ConfigurationError, match=f"{hub_name} did not give '{reference}': no route to host"
        ) as caught:
            open_encoder(reference, tmp_path)
        assert "local folder" in str(caught.value.cure)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reference", [E5, "modelscope:a/b"])
def test_a_missing_client_names_the_extra(reference: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(optional, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"pip install 'lingsou\[hub\]'"):
        open_encoder(reference, tmp_path)


def test_the_real_client_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The arguments suit the real client: it gets as far as refusing to go online."""
    pytest.importorskip("huggingface_hub", reason="needs the extra 'hub'")

    def refuse(*_: Any) -> None:
        raise OSError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    constants = importlib.import_module("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ConfigurationError, match="Hugging Face did not give") as caught:
        pull(E5, tmp_path / "models")
    assert "network was asked" not in str(caught.value)
