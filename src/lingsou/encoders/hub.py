"""Models of a public hub, fetched only for a reference that names one: `hf:owner/name`, `modelscope:owner/name`.

`@revision` and `#path/to/model.onnx` may follow. Nothing else in Lingsou's encoders touches the network.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from lingsou.core.errors import ConfigurationError
from lingsou.core.manifests import MANIFEST
from lingsou.encoders.manifest import MODEL, TOKENIZER
from lingsou.encoders.optional import EXTRA_HUB, require

HUBS = {"hf": "Hugging Face", "modelscope": "ModelScope"}
_REFERENCE = re.compile(
    r"(?P<hub>[a-z]+):(?P<owner>[\w.-]+)/(?P<model>[\w.-]+)(?:@(?P<revision>[\w./-]+))?(?:#(?P<file>[\w./-]+\.onnx))?",
    re.ASCII,
)
DEFAULT_FILES = (MODEL, f"onnx/{MODEL}")
SIDE_FILES = (
    MANIFEST,
    TOKENIZER,
    "config.json",
    "1_Pooling/config.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
)


@dataclass(frozen=True)
class HubReference:
    """One model of one hub, as the configuration names it."""

    hub: str
    repository: str
    revision: str | None
    file: str | None

    def __str__(self) -> str:
        """The reference as it is written."""
        revision = f"@{self.revision}" if self.revision else ""
        return f"{self.hub}:{self.repository}{revision}{f'#{self.file}' if self.file else ''}"

    @property
    def folder(self) -> str:
        """Name of the local folder: readable, and different for different references."""
        plain = f"{self.hub}--{self.repository.replace('/', '--')}"[:80]
        if self.revision is None and self.file is None:
            return plain
        return f"{plain}--{hashlib.sha256(str(self).encode()).hexdigest()[:8]}"


def names_hub(reference: str) -> bool:
    """Whether `reference` asks for a hub at all."""
    return reference.partition(":")[0] in HUBS


def parse_reference(reference: str) -> HubReference:
    """Read `hf:owner/name@revision#file.onnx`.

    Raises:
        ConfigurationError: it has another form, or climbs out of its folder.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None or match["hub"] not in HUBS or any(part in {".", ".."} for part in re.split(r"[:/@#]", reference)):
        raise ConfigurationError(
            f"'{reference}' does not name a model of a hub.",
            cure="Write hf:owner/name or modelscope:owner/name, with @revision and #path/to/model.onnx if needed.",
        )
    return HubReference(match["hub"], f"{match['owner']}/{match['model']}", match["revision"], match["file"])


def download(reference: HubReference, target: Path) -> None:
    """Fetch the files of an encoder into `target`. This is the only place that asks the network.

    Raises:
        MissingExtraError: the hub's client is not installed.
        ConfigurationError: the model or the hub cannot be reached, or refuses.
    """
    models = (reference.file,) if reference.file else DEFAULT_FILES
    wanted = [*SIDE_FILES, *models, *(f"{model}_data" for model in models)]
    if reference.hub == "hf":
        client = require("huggingface-hub", EXTRA_HUB, "huggingface_hub")
    else:
        client = require("modelscope-hub", EXTRA_HUB, "modelscope_hub.compat.snapshot_download")
    try:
        client.snapshot_download(
            reference.repository, revision=reference.revision, local_dir=str(target), allow_patterns=wanted
        )
    except Exception as error:  # the clients raise their own trees, and those of what they stand on
        reason = str(error).strip().split("\n", 1)[0][:300] or type(error).__name__
        raise ConfigurationError(
            f"{HUBS[reference.hub]} did not give '{reference}': {reason}",
            cure="Check the name and the network, or name a local folder instead.",
        ) from error
