"""The words and pairs of words that a catalogue's titles are made of, and the categories that each occurs in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.text.normalise import HAN, normalise
from lingsou.text.segment import Segmenter, dictionary_words

_RUN = re.compile(rf"{HAN.pattern}+|[a-z0-9]+(?:['’][a-z]+)*|[^\W_]")
_MOST_SHARE = 0.1
"""A word in more titles than that says too little to need other names."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def words_of(text: str) -> list[str]:
    """The words of a text, folded; what holds a digit, or is very short, is the empty string: a break."""
    found: list[str] = []
    for match in _RUN.finditer(normalise(text)):
        run = match.group()
        if HAN.match(run):
            found += [run[start:end] for start, end in dictionary_words(run)]
        else:
            found.append(run if len(run) > 2 and run.isascii() and not any(map(str.isdigit, run)) else "")
    return found


@dataclass(frozen=True)
class CataloguePhrases:
    """P phrases, the most frequent first, and how the products of each are spread over C categories."""

    texts: Sequence[str]
    """As the titles first spell them, folded."""
    keys: Sequence[frozenset[str]]
    """Their stems."""
    counts: Ints
    """[P] products."""
    spread: Floats
    """[P, C], rows of unit length: roots of the shares, so that a product of two rows is their affinity."""
    place: Mapping[str, int]
    """By text."""

    def affinity(self, one: int, other: int) -> float:
        """Bhattacharyya's coefficient of two phrases' categories, 0 to 1."""
        return float(self.spread[one] @ self.spread[other])


def catalogue_phrases(
    titles: Sequence[str], categories: Ints, segmenter: Segmenter, *, least: int, most: int
) -> CataloguePhrases:
    """Words, and pairs of frequent words, of at least `least` and at most a tenth of the titles; at most `most`.

    Args:
        titles: [N].
        categories: [N] of each product, from 0.
        segmenter: the shop's, whose stems make two spellings one word.
        least: products.
        most: phrases.
    """
    places: dict[str, int] = {}
    spelt: list[str] = []
    words: list[int] = []
    ends: list[int] = []
    for title in titles:
        found = words_of(title)
        for word, stem in zip(found, segmenter.stems(found), strict=True):
            if word and stem not in places:
                places[stem] = len(spelt)
                spelt.append(word)
            words.append(places[stem] if word else -1)
        ends.append(len(words))
    if not spelt:
        return CataloguePhrases((), (), np.zeros(0, np.int64), np.zeros((0, 1)), {})
    numbers = np.asarray(words, np.int64)
    rows = np.repeat(np.arange(len(titles)), np.diff(np.asarray([0, *ends])))
    limit = max(least, _MOST_SHARE * len(titles))
    stems = list(places)

    single_words, single_rows = _once(numbers[numbers >= 0], rows[numbers >= 0])
    counts = np.bincount(single_words, minlength=len(spelt))
    frequent = (counts >= least) & (counts <= limit)
    inside = (numbers[:-1] >= 0) & (numbers[1:] >= 0) & (rows[:-1] == rows[1:]) & (numbers[:-1] != numbers[1:])
    inside &= frequent[numbers[:-1]] & frequent[numbers[1:]]
    pairs, pair_rows = _once((numbers[:-1] << 32 | numbers[1:])[inside], rows[:-1][inside])
    pair_keys, pair_places, pair_counts = np.unique(pairs, return_inverse=True, return_counts=True)

    # A lone character says too little, beside another word it may be a part of one: 充电宝.
    of_words = np.flatnonzero(frequent & np.array([len(word) > 1 for word in spelt], bool))
    of_pairs = np.flatnonzero(pair_counts >= least)
    all_counts = np.concatenate([counts[of_words], pair_counts[of_pairs]])
    order = np.argsort(-all_counts, kind="stable")[:most]
    texts: list[str] = []
    keys: list[frozenset[str]] = []
    spread = np.zeros((len(order), int(categories.max(initial=0)) + 1))
    numbered = np.full(len(spelt), -1, np.int64)
    numbered_pairs = np.full(len(pair_keys), -1, np.int64)
    for new, old in enumerate(order.tolist()):
        if old < len(of_words):
            single = int(of_words[old])
            numbered[single] = new
            parts = [single]
        else:
            pair = int(of_pairs[old - len(of_words)])
            numbered_pairs[pair] = new
            parts = [int(pair_keys[pair] >> 32), int(pair_keys[pair] & 0xFFFFFFFF)]
        between = "" if all(HAN.match(spelt[part]) for part in parts) else " "
        texts.append(between.join(spelt[part] for part in parts))
        keys.append(frozenset(stems[part] for part in parts))
    for phrase, row in ((numbered[single_words], single_rows), (numbered_pairs[pair_places], pair_rows)):
        np.add.at(spread, (phrase[phrase >= 0], categories[row[phrase >= 0]]), 1.0)
    spread = np.sqrt(spread / np.maximum(spread.sum(axis=1, keepdims=True), 1.0))
    return CataloguePhrases(texts, keys, all_counts[order], spread, {text: n for n, text in enumerate(texts)})


def _once(values: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Each value of a row once."""
    order = np.lexsort((rows, values))
    values, rows = values[order], rows[order]
    new = np.ones(len(values), bool)
    new[1:] = (values[1:] != values[:-1]) | (rows[1:] != rows[:-1])
    return values[new], rows[new]


def cells(vectors: NDArray[np.float32], count: int, rounds: int = 8) -> Ints:
    """What stands for categories where a shop has none: k-means cells [N] of its products' unit vectors [N, d]."""
    random = np.random.default_rng(0)
    count = min(count, len(vectors))
    centres = vectors[random.choice(len(vectors), count, replace=False)]
    nearest = np.zeros(len(vectors), np.int64)
    for _ in range(rounds):
        nearest = np.argmax(vectors @ centres.T, axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, vectors)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        # A cell that lost all its members starts again from a vector drawn at random.
        centres = np.where(lengths > 0, sums, vectors[random.choice(len(vectors), count)])
        centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9)
    return nearest
