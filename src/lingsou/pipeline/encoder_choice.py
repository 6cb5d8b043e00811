"""Which encoder a shop searches with: the version in production, else the one that the settings name.

Vectors of two encoders cannot be compared. So an index that was built with another encoder is searched with that one
for as long as it can be had, and by words alone afterwards; `lingsou index --rebuild` brings the chosen one in.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from lingsou.core.errors import NotFoundError, StorageError
from lingsou.core.model_store import ModelStore
from lingsou.core.settings import DataFolder, EncoderSettings
from lingsou.encoders import EncoderOptions, open_encoder
from lingsou.encoders.encoder import Encoder
from lingsou.encoders.runtime import OnnxEncoder

_STORED = "encoder/"
"""Before the version in the names of encoders that lie in the shop's own store."""


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder that is not opened yet. `identity` is its name in the index; empty: vectors of any stay."""

    name: str
    identity: str
    load: Callable[[], Encoder] | None


def choose_encoder(folder: DataFolder, settings: EncoderSettings, indexed: str = "") -> EncoderChoice:
    """The shop's encoder, or the one that its index was built with.

    Args:
        folder: whose store of encoders is asked.
        settings: name the encoder where no version is in production.
        indexed: identity of the encoder that the index has vectors of; empty: of none, or they do not matter.
    """
    store, production, versions = ModelStore(folder.encoder), None, []
    try:
        production, versions = store.alias("production"), store.versions()
    except StorageError as error:
        structlog.get_logger("lingsou.encoder").error("the shop's own encoders are not used", error=str(error))
    named = _named(settings)
    wanted = _stored(store, production, settings) if production else named
    if indexed in ("", wanted.identity) or not (production or indexed.startswith(_STORED)):
        return wanted
    structlog.get_logger("lingsou.encoder").warning(
        "the index was built with another encoder than is chosen now",
        index=indexed,
        chosen=wanted.identity,
        cure="lingsou index --rebuild, then restart",
    )
    had = [named, *(_stored(store, version, settings) for version in versions)]
    return next((each for each in had if each.identity == indexed), _gone(indexed))


def _named(settings: EncoderSettings) -> EncoderChoice:
    if not settings.name:
        return EncoderChoice("", "", None)
    identity = f"{settings.name} {settings.max_tokens}"
    return EncoderChoice(
        settings.name, identity, lambda: open_encoder(settings.name, settings.models_dir, _options(settings))
    )


def _stored(store: ModelStore, version: str, settings: EncoderSettings) -> EncoderChoice:
    name = _STORED + version
    identity = f"{name} {settings.max_tokens}"
    return EncoderChoice(name, identity, lambda: OnnxEncoder.open(store.path(version), _options(settings)))


def _gone(indexed: str) -> EncoderChoice:
    def load() -> Encoder:
        raise NotFoundError(
            f"The index was built with the encoder '{indexed}', which is gone.", cure="lingsou index --rebuild"
        )

    return EncoderChoice(indexed, "", load)


def _options(settings: EncoderSettings) -> EncoderOptions:
    return EncoderOptions(threads=settings.threads, max_tokens=settings.max_tokens)
