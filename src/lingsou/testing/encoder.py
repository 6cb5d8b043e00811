"""Contract of `lingsou.encoders.Encoder`: every function of `CHECKS` takes an encoder and fails if it is broken.

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_contract(check, my_encoder):
        check(my_encoder)

`HashEncoder` keeps the contract without a model, for tests of what stands on an encoder.
"""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.encoder import EncodedTokens, Encoder, Progress, TextKind, Vectors

TEXTS: tuple[str, ...] = (
    "wireless mouse",
    "无线鼠标",
    "蓝牙耳机 Bluetooth headset, black",
    "ＦＵＬＬ　ＷＩＤＴＨ　１２３",
    "cafe\u0301 cre\u0300me",
    "",
    "   ",
    "\u3000\t\n",
    "🎁🧸👩‍👩‍👧‍👦",
    "機械鍵盤",
    "a\x00b",
    "\ud800 lone surrogate \udfff",
    "</s><s><mask>",
    "\u202e\u200b\ufeff",
    "x" * 5_000,
    "长" * 5_000,
    "very long words " * 2_000,
)
"""Ordinary and hostile texts; an encoder takes them all."""

_TOLERANCE = 1e-3


def shapes_and_types(encoder: Encoder) -> None:
    """Vectors are float32 `[n, dimension]`, finite, of unit length; no text gives an empty array of that width."""
    for encode in (encoder.encode_queries, encoder.encode_documents):
        vectors = encode(TEXTS)
        assert vectors.shape == (len(TEXTS), encoder.dimension)
        assert vectors.dtype == np.float32
        assert np.isfinite(vectors).all()
        assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < _TOLERANCE
        assert encode([]).shape == (0, encoder.dimension)
        assert encode([]).dtype == np.float32


def identity(encoder: Encoder) -> None:
    """The encoder says what it is."""
    assert isinstance(encoder, Encoder)
    assert encoder.name
    assert len(encoder.fingerprint) >= 16
    assert encoder.dimension > 0
    assert encoder.max_tokens > 0


def a_text_alone_decides_its_vector(encoder: Encoder) -> None:
    """Neighbours, order and repetition change no bit of a vector."""
    for encode in (encoder.encode_queries, encoder.encode_documents):
        together = encode(TEXTS)
        backwards = encode(TEXTS[::-1])[::-1]
        alone = np.concatenate([encode([text]) for text in TEXTS])
        twice = encode([text for text in TEXTS for _ in range(2)])
        assert np.array_equal(together, backwards)
        assert np.array_equal(together, alone)
        assert np.array_equal(together, twice[::2])
        assert np.array_equal(together, twice[1::2])


def threads_may_share_it(encoder: Encoder) -> None:
    """Calls from several threads at once give what calls one after another give."""
    expected = encoder.encode_queries(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: encoder.encode_queries(TEXTS), range(4)):
            assert np.array_equal(found, expected)


def progress_is_reported(encoder: Encoder) -> None:
    """Progress grows and ends with the number of texts."""
    steps: list[int] = []
    texts = [f"product {number % 40}" for number in range(60)]
    encoder.encode_documents(texts, steps.append)
    assert steps == sorted(steps)
    assert steps[-1] == len(texts)


def tokens_fit_their_text(encoder: Encoder) -> None:
    """Offsets lie inside the text, in order; the sentence vector is that of the other calls."""
    for kind, encode in (("query", encoder.encode_queries), ("document", encoder.encode_documents)):
        vectors = encode(TEXTS)
        found = encoder.encode_tokens(TEXTS, kind)  # type: ignore[arg-type]
        assert len(found) == len(TEXTS)
        for text, one, vector in zip(TEXTS, found, vectors, strict=True):
            assert one.states.shape == (len(one.offsets), encoder.dimension)
            assert one.states.dtype == np.float32
            assert len(one.offsets) <= encoder.max_tokens
            assert (one.offsets[:, 0] >= 0).all()
            assert (one.offsets[:, 0] < one.offsets[:, 1]).all()
            assert (one.offsets[:, 1] <= len(text)).all()
            assert (np.diff(one.offsets[:, 0]) >= 0).all()
            assert np.array_equal(one.sentence, vector)
    assert encoder.encode_tokens([]) == []


def meaning_shows(encoder: Encoder) -> None:
    """A query is nearer to a document that repeats it than to one that shares nothing with it."""
    query = encoder.encode_queries(["black leather wallet"])[0]
    near, far = encoder.encode_documents(["black leather wallet for men", "儿童积木拼装玩具"])
    assert query @ near > query @ far


CHECKS: tuple[Callable[[Encoder], None], ...] = (
    identity,
    shapes_and_types,
    a_text_alone_decides_its_vector,
    threads_may_share_it,
    progress_is_reported,
    tokens_fit_their_text,
    meaning_shows,
)


class HashEncoder:
    """Bags of hashed character trigrams: no model, no meaning, but texts that look alike are near each other."""

    name = "hash"

    def __init__(self, dimension: int = 64, max_tokens: int = 128):
        self.dimension = dimension
        self.max_tokens = max_tokens
        self.fingerprint = f"hash-trigrams-{dimension}-{max_tokens}"
        self.encoded = 0
        """Documents encoded so far, for tests that nothing is encoded twice."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of `texts`; queries and documents are alike here."""
        return self._encode(texts)

    def encode_documents(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Vectors of `texts`, counted in `encoded`."""
        self.encoded += len(texts)
        if progress is not None:
            progress(len(texts))
        return self._encode(texts)

    def encode_tokens(self, texts: Sequence[str], kind: TextKind = "query") -> list[EncodedTokens]:
        """Every character is a token; its state is the vector of the trigram that begins there."""
        found = []
        for text, vector in zip(texts, self._encode(texts), strict=True):
            starts = np.arange(min(len(text), self.max_tokens), dtype=np.int32)
            states = np.zeros((len(starts), self.dimension), np.float32)
            for start in starts:
                states[start, self._slot(text[start : start + 3])] = 1
            found.append(EncodedTokens(states, np.stack([starts, starts + 1], axis=1), vector))
        return found

    def _encode(self, texts: Sequence[str]) -> Vectors:
        rows: NDArray[np.float32] = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(rows, texts, strict=True):
            shown = f" {text[: self.max_tokens]} "
            for start in range(max(1, len(shown) - 2)):
                row[self._slot(shown[start : start + 3])] += 1
            row /= np.linalg.norm(row)
        return rows

    def _slot(self, trigram: str) -> int:
        digest = hashlib.blake2b(trigram.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "little") % self.dimension
