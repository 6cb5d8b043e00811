"""`manifest.json` of a stored model: what it is, what it learned from, how good it was, and the hashes of its files."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import orjson
from pydantic import Field

from lingsou.core.types import Finite, Frozen, Instant

MANIFEST = "manifest.json"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Verbatim(Frozen):
    """Strings are kept to the letter: a prefix ends in a space."""

    model_config = Frozen.model_config | {"str_strip_whitespace": False}


class FileFacts(Verbatim):
    """One file of the folder."""

    sha256: Sha256
    size: int = Field(ge=0, description="bytes")


class Measurement(Verbatim):
    """How good a model was on one test set. Higher is better, but for metrics whose name ends in `loss`."""

    data: Sha256 = Field(description="of the test set: figures of other data cannot be compared with these")
    rows: int = Field(ge=0, description="of the test set")
    values: Mapping[str, Finite] = Field(description="metric → value; the one that decides stands first")
    slices: Mapping[str, Mapping[str, Finite]] = Field({}, description="part of the test set → metric → value")


class ModelManifest(Verbatim):
    """What every stored model tells about itself; each task adds its own fields.

    `created`, `code` and `files` are filled in by `ModelStore.add`.
    """

    format: Literal[1] = 1
    task: str
    base: str = Field("", description="what it was made from, such as a published model")
    method: str = Field("", description="how it was made")
    measurements: Mapping[str, Measurement] = Field({}, description="by the test set's name; the main one first")
    data: Mapping[str, Sha256] = Field({}, description="sha256 of what it was trained on, by name")
    parent: str | None = Field(None, description="version of the same task that training began from")
    recipe: str = Field("", description="TOML that it was trained by")
    created: Instant | None = Field(None, description="none for models that are the same bytes wherever they are made")
    code: str = Field("", description="version of Lingsou that stored it")
    files: Mapping[str, FileFacts] = Field({}, description="every file of the folder but this one")


def facts(path: Path) -> FileFacts:
    """Hash and size of one file, read in pieces."""
    with path.open("rb") as file:
        return FileFacts(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size=path.stat().st_size)


def write_manifest(manifest: ModelManifest, folder: Path) -> None:
    """Write it into `folder`, the same bytes for the same manifest; mappings keep their order."""
    text = orjson.dumps(manifest.model_dump(mode="json"), option=orjson.OPT_INDENT_2)
    (folder / MANIFEST).write_bytes(text + b"\n")
