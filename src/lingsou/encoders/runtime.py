"""`OnnxEncoder`: an artefact folder served by ONNX Runtime, one text a forward pass.

On two threads a batch would be about a tenth faster (docs/encoders.md), but would make a vector depend on its
batch-mates, because int8 activations share one scale a tensor. So documents run one by one, several
threads sharing one session, and equal texts always get equal vectors.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.encoder import EncodedTokens, EncoderOptions, HeadOutputs, Progress, TextKind, Vectors
from lingsou.encoders.manifest import (
    MODEL,
    TOKENIZER,
    EncoderManifest,
    HeadManifest,
    Pooling,
    fingerprint,
    read_manifest,
    verify,
)
from lingsou.encoders.opening import first_line, open_session, open_tokenizer, shown

RECIPE = 1
"""Raise it when this file changes a vector: it is part of every fingerprint."""

_CHUNK = 16
_KNOWN_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}


class OnnxEncoder:
    """An `Encoder` over `model.onnx`, `tokenizer.json` and `manifest.json` of one folder."""

    def __init__(self, manifest: EncoderManifest, options: EncoderOptions, session: Any, tokenizer: Any):
        self.manifest = manifest
        self.options = options
        self.max_tokens = min(options.max_tokens, manifest.max_tokens)
        self.fingerprint = fingerprint(manifest, max_tokens=self.max_tokens, recipe=RECIPE)
        self._session = session
        self._tokenizer = tokenizer
        self._inputs = [part.name for part in session.get_inputs()]
        self._beside: dict[str, tuple[Mapping[str, NDArray[Any]], ...]] = {}
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.max_tokens)

    @classmethod
    def open(cls, folder: Path, options: EncoderOptions | None = None) -> "OnnxEncoder":
        """Load the artefact in `folder` after comparing its files with the manifest.

        Takes about 1.7 s for e5-small, two thirds of it for the vocabulary of 250,000 pieces.

        Raises:
            MissingExtraError: `onnxruntime` or `tokenizers` is not installed.
            NotFoundError: the folder holds no artefact.
            ConfigurationError: a file is missing, truncated or altered, or does not fit the manifest.
        """
        options = options or EncoderOptions()
        if options.threads < 0 or options.intra_op_threads < 1 or options.max_tokens < 4:
            raise ConfigurationError(f"These encoder options make no sense: {options}.", cure="See docs/encoders.md.")
        manifest = read_manifest(folder)
        verify(folder, manifest)
        encoder = cls(
            manifest,
            options,
            open_session(folder / MODEL, options.intra_op_threads),
            open_tokenizer(folder / TOKENIZER),
        )
        encoder._check_graph(folder)
        for name, head in manifest.heads.items():
            encoder._beside[name] = tuple(
                _arrays(folder / file) if file else {} for file in (head.transitions, head.characters)
            )
        return encoder

    @property
    def name(self) -> str:
        """The artefact's name."""
        return self.manifest.name

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self.manifest.dimension

    @property
    def heads(self) -> Mapping[str, HeadManifest]:
        """What `encode_heads` tells, by name."""
        return self.manifest.heads

    def transitions(self, head: str) -> Mapping[str, NDArray[np.float32]]:
        """The `start` [k], `end` [k] and `transitions` [k, k] of a head with a CRF; empty for others."""
        return self._beside[head][0]

    def characters(self, head: str) -> Mapping[str, NDArray[np.generic]]:
        """The arrays of what decides by characters beside a head; empty where nothing does."""
        return self._beside[head][1]

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors `[n, dimension]` of shoppers' queries, one forward pass each, in the caller's thread."""
        return self._stack([self._sentence(text, "query") for text in texts])

    def encode_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Vectors `[n, dimension]` of documents; a text that occurs twice is encoded once."""
        places: dict[str, int] = {}
        rows = [places.setdefault(text, len(places)) for text in texts]
        unique = list(places)
        parts: list[NDArray[np.float32]] = []
        for part in self._chunks([unique[i : i + _CHUNK] for i in range(0, len(unique), _CHUNK)]):
            parts.extend(part)
            if progress is not None and len(parts) < len(unique):
                progress(len(parts))
        if progress is not None:
            progress(len(texts))
        return self._stack(parts)[rows] if rows else self._stack([])

    def encode_tokens(self, texts: Sequence[str], kind: TextKind = "query") -> list[EncodedTokens]:
        """Token states, offsets and sentence vector of each text, from one forward pass each."""
        return [self._tokens(text, kind) for text in texts]

    def encode_heads(self, texts: Sequence[str], kind: TextKind = "query") -> list[HeadOutputs]:
        """What every head of the manifest says of each text, with its sentence vector, from one forward pass each."""
        return [self._heads(text, kind) for text in texts]

    def _chunks(self, chunks: list[list[str]]) -> Any:
        """The vectors of each chunk, in order. ONNX Runtime releases the interpreter lock while it computes."""
        workers = min(self.options.workers(), len(chunks))
        if workers <= 1:
            yield from map(self._documents, chunks)
            return
        pool = ThreadPoolExecutor(workers, thread_name_prefix="encode")
        try:
            yield from pool.map(self._documents, chunks)
        finally:
            pool.shutdown(cancel_futures=True)

    def _documents(self, texts: list[str]) -> list[NDArray[np.float32]]:
        return [self._sentence(text, "document") for text in texts]

    def _sentence(self, text: str, kind: TextKind) -> NDArray[np.float32]:
        return self._run(self._tokenise(text, kind))[0]

    def _tokens(self, text: str, kind: TextKind) -> EncodedTokens:
        encoding = self._tokenise(text, kind)
        sentence, states = self._run(encoding, self.manifest.token_output)
        own, spans = self._spans(encoding, text, kind)
        return EncodedTokens(states[own], spans, sentence)

    def _heads(self, text: str, kind: TextKind) -> HeadOutputs:
        heads = self.manifest.heads
        encoding = self._tokenise(text, kind)
        sentence, *found = self._run(encoding, *(head.output for head in heads.values()))
        own, spans = self._spans(encoding, text, kind)
        logits = {
            name: (values[own] if head.kind == "tags" else values) / np.float32(head.temperature)
            for (name, head), values in zip(heads.items(), found, strict=True)
        }
        return HeadOutputs(logits, spans, sentence)

    def _spans(self, encoding: Any, text: str, kind: TextKind) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
        """Which tokens are the text's own, and where those begin and end."""
        spans = np.array(encoding.offsets, np.int32).reshape(-1, 2) - len(self._prefix(kind))
        spans = np.clip(spans, 0, len(text))
        # The prefix's own tokens and the special ones end where the text begins, or are empty.
        own = (spans[:, 1] > spans[:, 0]) & (np.array(encoding.special_tokens_mask) == 0)
        return own, spans[own]

    def _prefix(self, kind: TextKind) -> str:
        return self.manifest.query_prefix if kind == "query" else self.manifest.document_prefix

    def _tokenise(self, text: str, kind: TextKind) -> Any:
        return self._tokenizer.encode(self._prefix(kind) + shown(text, self.max_tokens))

    def _run(self, encoding: Any, *wanted: str) -> list[NDArray[np.float32]]:
        """The unit sentence vector `[d]`, then the outputs `wanted` of the one text."""
        ids = np.array([encoding.ids], np.int64)
        feed = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        pooled = self.manifest.pooling == "graph"
        first = self.manifest.sentence_output if pooled else self.manifest.token_output
        outputs = list(dict.fromkeys([first, *wanted]))
        run = self._session.run(outputs, {name: feed[name] for name in self._inputs})
        found = {name: values[0] for name, values in zip(outputs, run, strict=True)}
        sentence = found[first] if pooled else _pool(found[first], self.manifest.pooling)
        length = max(float(np.linalg.norm(sentence)), 1e-12)
        unit = (sentence / np.float32(length)).astype(np.float32, copy=False)
        return [unit, *(found[name] for name in wanted)]

    def _stack(self, rows: list[NDArray[np.float32]]) -> Vectors:
        return np.stack(rows) if rows else np.empty((0, self.dimension), np.float32)

    def _check_graph(self, folder: Path) -> None:
        """Compare the graph's inputs and outputs with what the manifest says of them."""
        if extra := set(self._inputs) - _KNOWN_INPUTS:
            raise ConfigurationError(
                f"{folder / MODEL} wants inputs that no text encoder has: {', '.join(sorted(extra))}.",
                cure=f"Export it with the inputs {', '.join(sorted(_KNOWN_INPUTS))} or fewer.",
            )
        widths = {part.name: part.shape[-1] for part in self._session.get_outputs()}
        wanted = {head.output: ("heads", len(head.labels)) for head in self.manifest.heads.values()}
        wanted[self.manifest.token_output] = "dimension", self.dimension
        if self.manifest.pooling == "graph":
            if self.manifest.sentence_output is None:
                raise ConfigurationError(
                    "Pooling 'graph' needs a sentence output.", field="sentence_output", cure=_MEND
                )
            wanted[self.manifest.sentence_output] = "dimension", self.dimension
        for name, (field, width) in sorted(wanted.items()):
            if name not in widths:
                have = ", ".join(sorted(widths))
                raise ConfigurationError(f"{folder / MODEL} has no output '{name}'; it has {have}.", cure=_MEND)
            if width and isinstance(widths[name], int) and widths[name] != width:
                raise ConfigurationError(
                    f"{folder / MODEL}: output '{name}' is {widths[name]} wide, the manifest says {width}.",
                    field=field,
                    cure=_MEND,
                )


def _pool(states: NDArray[np.float32], pooling: Pooling) -> NDArray[np.float32]:
    pooled: NDArray[np.float32] = states[0] if pooling == "first" else states.mean(axis=0)
    return pooled


_MEND = "Correct manifest.json; docs/encoders.md describes it."


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ConfigurationError(f"{path} cannot be read: {first_line(error)}", cure=_MEND) from error
