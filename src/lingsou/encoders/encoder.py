"""The `Encoder` protocol: texts to vectors, and the types that it speaks in."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.manifest import HeadManifest

Vectors = NDArray[np.float32]
"""Float32 `[n, dimension]`, every row of unit length."""

TextKind = Literal["query", "document"]
"""What a text is decides its prefix; models such as e5 encode questions and documents differently."""

Progress = Callable[[int], None]
"""Called with the number of texts done so far, from the caller's own thread."""


@dataclass(frozen=True)
class EncoderOptions:
    """How an encoder runs. Only `max_tokens` changes vectors."""

    threads: int = 0
    """Documents encoded at once; 0: one for each core this process may use."""
    intra_op_threads: int = 1
    """Threads inside one forward pass: a second one makes a query 10 to 20 % faster and takes a core from the next."""
    max_tokens: int = 128
    """Longer texts are cut, special tokens and prefix included; never more than the model takes."""

    def workers(self) -> int:
        """The number of documents to encode at once."""
        return self.threads or (
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        )


@dataclass(frozen=True)
class EncodedTokens:
    """One text after one forward pass: its tokens without prefix and special tokens, and its sentence vector."""

    states: NDArray[np.float32]
    """Final hidden states, `[tokens, dimension]`, as the model gives them: not normalised."""
    offsets: NDArray[np.int32]
    """`[tokens, 2]`: where each token begins and ends in the text, in characters; several may share a character."""
    sentence: NDArray[np.float32]
    """`[dimension]`, equal to what `encode_queries` or `encode_documents` returns for the text."""


@dataclass(frozen=True)
class HeadOutputs:
    """What the heads say of one text after one forward pass; its tokens without prefix and special tokens."""

    logits: Mapping[str, NDArray[np.float32]]
    """Head → `[k]`, or `[tokens, k]` for a head of kind `tags`; divided by the head's temperature."""
    offsets: NDArray[np.int32]
    """`[tokens, 2]`, as those of `EncodedTokens`."""
    sentence: NDArray[np.float32]
    """`[dimension]`, equal to what `encode_queries` or `encode_documents` returns for the text."""


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into vectors. All methods may be called from several threads at once.

    Any string is accepted, the empty one too. A text's vector depends on the text alone, never on the texts
    beside it or the number of threads. Vectors are comparable by dot product.
    """

    @property
    def name(self) -> str:
        """For people, such as `e5-small`."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens of one text that count; the rest is cut."""
        ...

    @property
    def fingerprint(self) -> str:
        """Names everything that decides a vector. Stored vectors are keyed by it and by the text's hash."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shoppers' queries, `[n, dimension]`, in the caller's thread."""
        ...

    def encode_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Vectors of documents, `[n, dimension]`, on as many threads as the encoder was given."""
        ...

    def encode_tokens(self, texts: Sequence[str], kind: TextKind = "query") -> list[EncodedTokens]:
        """Token states, offsets and sentence vectors of one forward pass for each text."""
        ...


@runtime_checkable
class HeadedEncoder(Encoder, Protocol):
    """An encoder whose forward pass also decides things about the text."""

    @property
    def heads(self) -> Mapping[str, HeadManifest]:
        """What it decides, by name; may be empty."""
        ...

    def encode_heads(self, texts: Sequence[str], kind: TextKind = "query") -> list[HeadOutputs]:
        """What every head says of each text, with its sentence vector, from one forward pass each."""
        ...

    def transitions(self, head: str) -> Mapping[str, NDArray[np.float32]]:
        """The `start` [k], `end` [k] and `transitions` [k, k] of a head with a CRF; empty for others."""
        ...

    def characters(self, head: str) -> Mapping[str, NDArray[np.generic]]:
        """The arrays of what decides by characters beside a head; empty where nothing does."""
        ...
