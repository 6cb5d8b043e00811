"""Tagging by characters and dictionary words: a sparse CRF that needs no encoder, and goes together with one.

An encoder knows what words mean, but sees few examples of each; features of characters and words know by heart which
of them begin, end and name things. In one lattice the two know both (docs/benchmarks.md).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.models.tagger import (
    OUTSIDE,
    Chain,
    Floats,
    TaggedSpan,
    best_path,
    bio_chain,
    piece_probabilities,
    tagged_spans,
)
from lingsou.text.segment import dictionary_words

_BREAK = 5.0
"""What a path pays, in nats, where it changes inside a token of the encoder, which cannot see that far."""
_NEVER = 1e4
_EDGE, _BLANK = "⌀", "␣"
_LONGEST = 5


@dataclass(frozen=True)
class CharacterCrf:
    """A trained linear-chain CRF over the characters of a text.

    Source: Lafferty, McCallum & Pereira, "Conditional random fields", ICML 2001. Cost: about 0.02 ms a character.
    """

    keys: NDArray[np.uint64]
    """[n], hashes of the features, rising."""
    scores: NDArray[np.floating]
    """[n, k], what each feature is worth to each tag."""
    chain: Chain
    """Of following, beginning and ending, without the rules of BIO."""

    @classmethod
    def of(cls, scores: Mapping[str, Floats], chain: Chain) -> "CharacterCrf":
        """From the scores [k] of each feature."""
        hashed = {_key(name): values for name, values in scores.items()}
        keys = sorted(hashed)
        table = np.array([hashed[key] for key in keys]).reshape(len(keys), len(chain.start))
        return cls(np.array(keys, np.uint64), table, chain)

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[np.generic]]) -> "CharacterCrf":
        """From what `arrays` gave.

        Raises:
            InputError: an array is missing.
        """
        try:
            chain = Chain(*(np.asarray(arrays[name], np.float64) for name in ("start", "end", "transitions")))
            return cls(np.asarray(arrays["keys"], np.uint64), np.asarray(arrays["scores"], np.float32), chain)
        except KeyError as error:
            raise InputError(f"A CRF of characters has no {error}.", cure="Train the model anew.") from error

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What keeps it: scores in half precision, the rest as it is."""
        chain = {name: np.asarray(getattr(self.chain, name), np.float32) for name in ("start", "end", "transitions")}
        return {"keys": self.keys, "scores": self.scores.astype(np.float16), **chain}

    def logits(self, text: str) -> Floats:
        """Scores `[characters, k]` of a text."""
        named = list(features_of(text))
        found = np.zeros((len(text), len(self.chain.start)))
        if not named or not len(self.keys):
            return found
        keys = np.array([_key(name) for own in named for name in own], np.uint64)
        rows = np.repeat(np.arange(len(text)), [len(own) for own in named])
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = self.keys[places] == keys
        np.add.at(found, rows[known], self.scores[places[known]])
        return found


def features_of(text: str) -> Iterator[list[str]]:
    """Of each character: itself, its neighbours, pairs and triples; its word, its place there, the words beside.

    Words are those of the segmenter's own dictionary, so a model means the same in every shop.
    """
    shown = "".join(char if char.isprintable() and not char.isspace() else _BLANK for char in text)
    padded = f"{_EDGE * 2}{shown}{_EDGE * 2}"
    words = dictionary_words(shown)
    if sum(end - start for start, end in words) != len(text):  # a character that the dictionary's splitter drops
        words = [(place, place + 1) for place in range(len(text))]
    edges = [_EDGE, *(shown[start:end] for start, end in words), _EDGE]
    of = np.repeat(np.arange(len(words)), [end - start for start, end in words]).tolist()
    for place, char in enumerate(text):
        near = padded[place : place + 5]
        own = ["bias", *(f"{offset - 2}={each}" for offset, each in enumerate(near))]
        own += [f"{offset - 2}p={near[offset : offset + 2]}" for offset in range(4)]
        own += [f"t={near[1:4]}", f"s={near[1]}{near[3]}", f"d={char.isdigit()}"]
        own.append(f"a={char.isascii() and char.isalpha()}")
        start, end = words[of[place]]
        at = "S" if end - start == 1 else "B" if place == start else "E" if place == end - 1 else "I"
        before, word, after = edges[of[place] : of[place] + 3]
        own += [f"wp={at}", f"w={at}{word}", f"pw={at}{before}", f"nw={at}{after}"]
        own += [f"wl={at}{min(end - start, _LONGEST)}", f"wb={at}{before[-1]}|{after[0]}"]
        yield own


@dataclass(frozen=True)
class Together:
    """The CRF over characters and an encoder's token scores in one lattice of characters."""

    characters: CharacterCrf
    share: float
    """Of the encoder, 0 to 1."""
    tags: Sequence[str]
    """BIO tags, of both."""
    chain: Chain
    """Of the encoder's tokens, with the rules of BIO."""

    def spans(self, text: str, tokens: Floats, offsets: NDArray[np.integer]) -> set[tuple[int, int, str]]:
        """Start, end and kind of each span. Arguments are as for `likely`."""
        return {(span.start, span.end, span.kind) for span, _ in self.likely(text, tokens, offsets, told=False)}

    def likely(
        self, text: str, tokens: Floats | None, offsets: NDArray[np.integer] | None, *, told: bool = True
    ) -> list[tuple[TaggedSpan, float]]:
        """The spans of the best path, and the probability of each.

        A token's scores are those of its first character; its further characters go on with its tag, or pay.

        Args:
            text: of n characters.
            tokens: the encoder's logits, `[tokens, k]`; none: the CRF over characters decides alone.
            offsets: where its tokens lie, `[tokens, 2]`.
            told: compute the probabilities, which cost twice as much as the path; else they are 1.
        """
        if not text:
            return []
        k, share = len(self.tags), 0.0 if tokens is None else self.share
        own = self.characters.chain
        scores = (1 - share) * self.characters.logits(text)
        steps = np.zeros((len(text), k, k))
        if tokens is not None and offsets is not None and len(tokens):
            inside = np.where(_goes_on(self.tags), 0.0, -_BREAK if share < 1 else -_NEVER)
            steps[:] = share * inside
            for token, (start, end) in zip(share * tokens, offsets.tolist(), strict=True):
                first = start + len(text[start:end]) - len(text[start:end].lstrip())
                if first < end:
                    scores[first] += token
                    steps[first] = share * _finite(self.chain.transitions)
        steps[0] = 0
        whole = bio_chain(self.tags) + Chain(
            (1 - share) * own.start + share * _finite(self.chain.start),
            (1 - share) * own.end + share * _finite(self.chain.end),
            (1 - share) * own.transitions,
        )
        path = best_path(scores, whole, steps)
        places = np.stack([np.arange(len(text)), np.arange(len(text)) + 1], axis=1)
        found = tagged_spans(path, self.tags, places, text)
        if not told:
            return [(span, 1.0) for span in found]
        pieces = [(span.first, span.last) for span in found]
        return list(zip(found, piece_probabilities(scores, whole, path, pieces, steps), strict=True))


def _finite(values: Floats) -> Floats:
    """What is forbidden is so by the rules of BIO as well; 0 · −∞ would be no number."""
    return np.where(np.isfinite(values), values, 0.0)


def _goes_on(tags: Sequence[str]) -> NDArray[np.bool_]:
    """`[k, k]`: from a tag to what a further piece of the same token has."""
    after = {tag: OUTSIDE if tag == OUTSIDE else f"I-{tag[2:]}" for tag in tags}
    return np.array([[tag == after[before] for tag in tags] for before in tags])


def _key(feature: str) -> int:
    return int.from_bytes(hashlib.blake2b(feature.encode("utf-8", "replace"), digest_size=8).digest(), "little")
