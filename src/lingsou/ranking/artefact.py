"""A trained ranker on disk: LightGBM's text form of each booster and a manifest, one folder a version.

    models/ranker/20260131T120000-1a2b3c4d/   model-0.txt, model-1.txt …, manifest.json
    models/ranker/current                     the name of the version in force; replaced at once

A version is complete before `current` names it, and is never changed afterwards.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import Field, ValidationError

from lingsou import __version__
from lingsou.core.errors import StorageError
from lingsou.core.types import Frozen, Instant
from lingsou.encoders.manifest import FileFacts, facts
from lingsou.ranking.lambdamart import LambdaMart, booster_of

MANIFEST, CURRENT = "manifest.json", "current"
_CURE = "Train it anew: lingsou train ranker."


class RankerManifest(Frozen):
    """What a stored ranker is."""

    format: Literal[1] = 1
    task: Literal["ranker"] = "ranker"
    base: Literal["fused score"] = Field("fused score", description="what the model's trees are added to")
    method: str = Field("LambdaMART", description="how it was trained")
    features: tuple[str, ...] = Field(description="columns, in order")
    weight: float = Field(gt=0, description="of the fused score beside the trees")
    metrics: Mapping[str, Any] = Field(description="measured on queries that were not trained on")
    data: Mapping[str, str] = Field(description="sha256 of what it was trained on, by name")
    created: Instant
    code: str = Field(__version__, description="version of Lingsou")
    files: Mapping[str, FileFacts] = Field(description="every file of the folder but this one")


@dataclass(frozen=True)
class Artefact:
    """A model with its manifest and the name of its version."""

    version: str
    manifest: RankerManifest
    model: LambdaMart


def install(
    root: Path, model: LambdaMart, *, metrics: Mapping[str, Any], data: Mapping[str, str], created: datetime
) -> str:
    """Write the model under `root` and put it in force; the name of its version.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        folder = root / f".new-{os.getpid()}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for number, booster in enumerate(model.boosters):
            (folder / f"model-{number}.txt").write_text(booster.model_to_string(), encoding="utf-8")
        files = {path.name: facts(path) for path in sorted(folder.iterdir())}
        manifest = RankerManifest(
            features=model.features, weight=model.weight, metrics=metrics, data=data, created=created, files=files
        )
        content = orjson.dumps(manifest.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
        (folder / MANIFEST).write_bytes(content + b"\n")
        version = f"{created:%Y%m%dT%H%M%S}-{facts(folder / MANIFEST).sha256[:8]}"
        if not (root / version).exists():
            folder.rename(root / version)
        shutil.rmtree(folder, ignore_errors=True)
        _point(root, version)
    except OSError as error:
        raise StorageError(
            f"The ranker cannot be written: {error}.", cure="Check the folder and free space."
        ) from error
    return version


def remove(root: Path) -> bool:
    """Put no ranker in force; whether one was. Versions stay."""
    there = (root / CURRENT).exists()
    (root / CURRENT).unlink(missing_ok=True)
    return there


def current(root: Path) -> str | None:
    """The name of the version in force."""
    try:
        return (root / CURRENT).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{root / CURRENT} cannot be read: {error}.", cure=_CURE) from error


def load(root: Path, version: str) -> Artefact:
    """Read a version and check every file against its hash.

    Raises:
        StorageError: something is missing, changed or malformed.
        MissingExtraError: LightGBM is not installed.
    """
    folder = root / version
    try:
        manifest = RankerManifest.model_validate_json((folder / MANIFEST).read_bytes())
        for name, known in manifest.files.items():
            if Path(name).name != name or facts(folder / name) != known:
                raise StorageError(f"{folder / name} is not the file that was written.", cure=_CURE)
        texts = [(folder / name).read_text(encoding="utf-8") for name in sorted(manifest.files)]
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise StorageError(f"The ranker in {folder} cannot be read: {error}.", cure=_CURE) from error
    model = LambdaMart(manifest.features, manifest.weight, tuple(map(booster_of, texts)))
    return Artefact(version, manifest, model)


def _point(root: Path, version: str) -> None:
    temporary = root / f".{CURRENT}-{os.getpid()}"
    temporary.write_text(version + "\n", encoding="utf-8")
    temporary.replace(root / CURRENT)
