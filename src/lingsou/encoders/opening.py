"""Opening an artefact folder: its graph for ONNX Runtime, its tokenizer, and what of a text that is shown."""

import re
from pathlib import Path
from typing import Any

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.optional import EXTRA_SERVE, require

_CHARACTERS_A_TOKEN = 64
"""Text beyond this many characters for each token is never looked at; a token seldom has more than ten."""
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_FRESH = "Upgrade onnxruntime and tokenizers, or fetch the model again: lingsou models pull <name>"


def open_session(path: Path, threads: int = 1) -> Any:
    """The graph in `path` on the CPU; `threads` work inside one forward pass, 0: one for each core.

    Raises:
        MissingExtraError: `onnxruntime` is not installed.
        ConfigurationError: it cannot load the graph.
    """
    runtime = require("onnxruntime", EXTRA_SERVE)
    settings = runtime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    # A thread that waits must not burn the core that the rest of the service needs.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return runtime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base of their own
        raise ConfigurationError(f"ONNX Runtime cannot load {path}: {first_line(error)}", cure=_FRESH) from error


def open_tokenizer(path: Path) -> Any:
    """The tokenizer in `path`.

    Raises:
        MissingExtraError: `tokenizers` is not installed.
        ConfigurationError: the file is none.
    """
    tokenizers = require("tokenizers", EXTRA_SERVE)
    try:
        return tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # `tokenizers` raises bare Exception
        raise ConfigurationError(f"{path} is not a tokenizer: {first_line(error)}", cure=_FRESH) from error


def shown(text: str, tokens: int) -> str:
    """What of a text is cut into at most `tokens` tokens; half characters, which no tokenizer takes, are marked."""
    return _SURROGATES.sub("\ufffd", text[: tokens * _CHARACTERS_A_TOKEN])


def first_line(error: Exception) -> str:
    """The beginning of what a library says."""
    return str(error).strip().split("\n", 1)[0][:300]
