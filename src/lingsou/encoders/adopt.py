"""Make an artefact of an ONNX text encoder that has no manifest of ours, such as a sentence-transformers export."""

import re
from pathlib import Path
from typing import Any

import orjson

from lingsou.core.errors import ConfigurationError
from lingsou.core.manifests import facts, write_manifest
from lingsou.encoders.manifest import MODEL, TOKENIZER, EncoderManifest, Origin, Pooling
from lingsou.encoders.optional import EXTRA_SERVE, require

_TOKEN_OUTPUTS = ("token_states", "last_hidden_state", "token_embeddings")
_SENTENCE_OUTPUTS = ("sentence_embedding",)
_E5 = re.compile(r"(^|[-/_])e5([-_]|$)", re.IGNORECASE)
_QUERY_PROMPTS, _DOCUMENT_PROMPTS = ("query",), ("document", "passage")


def adopt(folder: Path, *, name: str, source: str, file: str = MODEL) -> EncoderManifest:
    """Write a manifest for the model `file` in `folder`, moving it to `model.onnx`.

    Prefixes come from the export's own prompts; models of the e5 family have `query: ` and `passage: `.

    Raises:
        MissingExtraError: `onnxruntime` is not installed.
        ConfigurationError: the folder lacks a model or tokenizer, or does not say how to pool.
    """
    _move_model(folder, file)
    if not (folder / TOKENIZER).is_file():
        raise ConfigurationError(f"'{source}' has no {TOKENIZER}.", cure="Choose a model that carries one.")
    outputs = _outputs(folder / MODEL)
    tokens = next((output for output in _TOKEN_OUTPUTS if output in outputs), None)
    sentence = next((output for output in _SENTENCE_OUTPUTS if output in outputs), None)
    if tokens is None:
        have = ", ".join(outputs)
        raise ConfigurationError(f"The model of '{source}' gives no token states; it has {have}.", cure=_BY_HAND)
    is_e5 = _E5.search(source) is not None
    pooling: Pooling = "graph" if sentence else _pooling(folder, source, is_e5=is_e5)
    prompts = _json(folder / "config_sentence_transformers.json").get("prompts") or {}
    config = _json(folder / "config.json")
    width = outputs[tokens] if isinstance(outputs[tokens], int) else config.get("hidden_size")
    if not isinstance(width, int):
        raise ConfigurationError(f"'{source}' does not say how long its vectors are.", cure=_BY_HAND)
    manifest = EncoderManifest(
        name=name,
        base=str(config.get("_name_or_path") or source),
        method="adopted as it is",
        origin=Origin(source=source, file=file),
        dimension=width,
        max_tokens=_longest(folder, config),
        query_prefix=_prompt(prompts, _QUERY_PROMPTS, "query: " if is_e5 else ""),
        document_prefix=_prompt(prompts, _DOCUMENT_PROMPTS, "passage: " if is_e5 else ""),
        pooling=pooling,
        token_output=tokens,
        sentence_output=sentence,
        files={path.name: facts(path) for path in sorted(folder.iterdir()) if _belongs(path)},
    )
    write_manifest(manifest, folder)
    return manifest


_BY_HAND = "Write its manifest.json by hand: docs/encoders.md describes it."


def _belongs(path: Path) -> bool:
    return path.is_file() and (path.name in {MODEL, TOKENIZER} or path.name.endswith(".onnx_data"))


def _move_model(folder: Path, file: str) -> None:
    found = folder / file
    if not found.is_file():
        raise ConfigurationError(
            f"There is no {file} in '{folder}'.", cure="Name the model's file: …#path/to/model.onnx"
        )
    side = found.with_name(f"{found.name}_data")
    if side.is_file():
        side.rename(folder / side.name)  # the graph refers to it by this name
    found.rename(folder / MODEL)


def _outputs(path: Path) -> dict[str, Any]:
    """Output name → width, a number or a symbol."""
    runtime = require("onnxruntime", EXTRA_SERVE)
    settings = runtime.SessionOptions()
    settings.log_severity_level = 3
    settings.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = runtime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base of their own
        reason = str(error).strip().split("\n", 1)[0][:300]
        raise ConfigurationError(f"ONNX Runtime cannot load {path.name}: {reason}", cure=_BY_HAND) from error
    return {output.name: output.shape[-1] for output in session.get_outputs()}


def _pooling(folder: Path, source: str, *, is_e5: bool) -> Pooling:
    config = _json(folder / "1_Pooling" / "config.json")
    if config.get("pooling_mode_mean_tokens") or config.get("pooling_mode") == "mean":
        return "mean"
    if config.get("pooling_mode_cls_token") or config.get("pooling_mode") == "cls":
        return "first"
    if not config and is_e5:
        return "mean"
    raise ConfigurationError(
        f"'{source}' does not say how to pool token states, or in a way not known here.", cure=_BY_HAND
    )


def _longest(folder: Path, config: dict[str, Any]) -> int:
    """Tokens of the longest input: the export's own limit, else the positions the model has."""
    limit = _json(folder / "sentence_bert_config.json").get("max_seq_length")
    positions = config.get("max_position_embeddings")
    known = [value for value in (limit, positions) if isinstance(value, int)]
    return min(known, default=512)


def _prompt(prompts: dict[str, Any], names: tuple[str, ...], default: str) -> str:
    return next((str(prompts[name]) for name in names if name in prompts), default)


def _json(path: Path) -> dict[str, Any]:
    """The object in a file that may be missing."""
    if not path.is_file():
        return {}
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}.", cure=_BY_HAND) from error
    return found if isinstance(found, dict) else {}
