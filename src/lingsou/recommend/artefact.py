"""A trained recommender in its `ModelStore`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from lingsou.core.errors import NotFoundError, StorageError
from lingsou.core.manifests import Measurement, ModelManifest
from lingsou.core.model_store import ModelStore
from lingsou.recommend.model import Model
from lingsou.recommend.model import load as read
from lingsou.recommend.model import save as write

_CURE = "Train it anew: lingsou train recommend; or go back: lingsou models rollback recommender."


class RecommenderManifest(ModelManifest):
    """What a stored recommender is."""

    task: Literal["recommender"] = "recommender"
    method: str = Field("sources and learned blends", description="how it was trained")
    sources: tuple[str, ...] = Field(description="by name; those of the blends first")
    products: int = Field(ge=0, description="that it may recommend")
    report: Mapping[str, Any] = Field({}, description="what the training told")


@dataclass(frozen=True)
class Artefact:
    """A model with its manifest and the name of its version."""

    version: str
    manifest: RecommenderManifest
    model: Model


def install(
    root: Path,
    model: Model,
    *,
    created: datetime,
    measurements: Mapping[str, Measurement],
    report: Mapping[str, Any],
) -> str:
    """Store the model under `root` and put it into production at once; the name of its version.

    Raises:
        StorageError: it cannot be written.
    """
    blended = dict.fromkeys(source.name for blend in (model.blend, model.session) for source in blend.sources)
    manifest = RecommenderManifest(
        sources=(*blended, *(name for name in model.sources if name not in blended)),
        products=len(model.products),
        measurements=measurements,
        report=report,
    )
    store = ModelStore(root)
    version = store.add(lambda folder: write(model, folder), manifest, created)
    store.promote(version, force=True)
    return version


def current(root: Path) -> str | None:
    """The version in production."""
    return ModelStore(root).alias("production")


def load(root: Path, version: str) -> Artefact:
    """Open a version and check every file against its hash.

    Raises:
        StorageError: something is missing, changed or malformed.
        ConfigurationError: a source of the model is not registered here.
        MissingExtraError: it has trees, and LightGBM is not installed.
    """
    store = ModelStore(root)
    try:
        store.verify(version)
        return Artefact(version, store.manifest(version, RecommenderManifest), read(store.path(version)))
    except (NotFoundError, StorageError) as error:
        raise StorageError(error.message, cure=_CURE) from error
