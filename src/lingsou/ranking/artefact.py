"""A trained ranker in its `ModelStore`: LightGBM's text form of each booster beside the manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field

from lingsou.core.errors import NotFoundError, StorageError
from lingsou.core.manifests import Measurement, ModelManifest
from lingsou.core.model_store import ModelStore
from lingsou.ranking.lambdamart import LambdaMart, booster_of

_CURE = "Train it anew: lingsou train ranker; or go back: lingsou models rollback ranker."
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class RankerManifest(ModelManifest):
    """What a stored ranker is."""

    task: Literal["ranker"] = "ranker"
    base: Literal["fused score"] = Field("fused score", description="what the model's trees are added to")
    method: str = Field("LambdaMART", description="how it was trained")
    features: tuple[str, ...] = Field(description="columns, in order")
    weight: float = Field(gt=0, description="of the fused score beside the trees")
    report: Mapping[str, Any] = Field({}, description="what the training told: the gain and its interval, and so on")


@dataclass(frozen=True)
class Artefact:
    """A model with its manifest and the name of its version."""

    version: str
    manifest: RankerManifest
    model: LambdaMart


def install(
    root: Path,
    model: LambdaMart,
    *,
    created: datetime,
    measurements: Mapping[str, Measurement] = _NOTHING,
    report: Mapping[str, Any] = _NOTHING,
    data: Mapping[str, str] = _NOTHING,
) -> str:
    """Store the model under `root` and put it into production, as its trainer decided; the name of its version.

    Raises:
        StorageError: it cannot be written.
    """
    manifest = RankerManifest(
        features=model.features, weight=model.weight, measurements=measurements, report=report, data=data
    )
    store = ModelStore(root)
    version = store.add(lambda folder: _write(model, folder), manifest, created)
    store.promote(version, force=True)
    return version


def current(root: Path) -> str | None:
    """The version in production."""
    return ModelStore(root).alias("production")


def load(root: Path, version: str) -> Artefact:
    """Read a version and check every file against its hash.

    Raises:
        StorageError: something is missing, changed or malformed.
        MissingExtraError: LightGBM is not installed.
    """
    store = ModelStore(root)
    try:
        store.verify(version)
        manifest = store.manifest(version, RankerManifest)
        texts = [(store.path(version) / name).read_text(encoding="utf-8") for name in sorted(manifest.files)]
    except (NotFoundError, StorageError) as error:
        raise StorageError(error.message, cure=_CURE) from error
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"The ranker {version} in '{root}' cannot be read: {error}.", cure=_CURE) from error
    model = LambdaMart(manifest.features, manifest.weight, tuple(map(booster_of, texts)))
    return Artefact(version, manifest, model)


def _write(model: LambdaMart, folder: Path) -> None:
    for number, booster in enumerate(model.boosters):
        (folder / f"model-{number}.txt").write_text(booster.model_to_string(), encoding="utf-8")
