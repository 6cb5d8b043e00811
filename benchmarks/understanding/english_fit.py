"""Fitting the weights of the English corrector to pairs of what was typed and what was meant."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from lingsou.query.correction.english import Weights
from lingsou.query.correction.guard import protected
from lingsou.query.correction.options import FEATURES, STANDINGS, Doubt, Options, Typed
from lingsou.query.correction.shop import EnglishWords

SHARED, OWN = 1.0, 4.0
"""Ridge penalties on the weights that all standings share, and on what each adds to them."""


@dataclass(frozen=True)
class Example:
    """One doubtful word: features [n, f] of its options, its standing, and which option is right."""

    features: NDArray[np.float32]
    standing: int
    right: int


def examples(words: EnglishWords, pairs: Iterable[tuple[str, str]]) -> Iterator[Example]:
    """One for each doubtful word of what was typed. Where no option is right, keeping it counts as right."""
    options = Options(words)
    for typed, meant in pairs:
        read = options.read(typed, protected(typed))
        gold = _aligned(read, options.read(meant, protected(meant)))
        for doubt in options.doubts(read):
            yield Example(doubt.features, doubt.standing, _right(doubt, gold.get(doubt.token), words))


_Gold = tuple[int, int, tuple[str, ...]]


def _aligned(typed: Sequence[Typed], meant: Sequence[Typed]) -> Mapping[int, _Gold]:
    """For each typed word: the words from where to where stand for which."""
    one, other = [word.text for word in typed], [word.text for word in meant]
    found: dict[int, _Gold] = {}
    for tag, first, last, left, right in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        pairwise = last - first == right - left and (
            tag == "equal" or "".join(one[first:last]) != "".join(other[left:right])
        )
        for number in range(first, last):
            if pairwise:
                found[number] = number, number + 1, (other[left + number - first],)
            else:
                found[number] = first, last, tuple(other[left:right])
    return found


def _right(doubt: Doubt, gold: _Gold | None, words: EnglishWords) -> int:
    for place, option in enumerate(doubt.options[1:], 1):
        if gold == (option.first, option.last, tuple(words.words[word] for word in option.words)):
            return place
    return 0


def fit(found: Sequence[Example]) -> Weights:
    """The most probable weights: shared ones, and for each standing what differs, both held small (ridge)."""
    sizes = np.array([len(example.features) for example in found])
    starts = np.cumsum(sizes) - sizes
    owners = np.repeat(np.arange(len(found)), sizes)
    right = starts + np.array([example.right for example in found])
    features = np.concatenate([example.features for example in found]).astype(np.float64)
    scale = features.std(0)
    scale[scale == 0] = 1
    features /= scale
    standing = np.array([example.standing for example in found])[owners]
    rows = [np.flatnonzero(standing == number) for number in range(len(STANDINGS))]
    parts = [features[each] for each in rows]
    shape = len(STANDINGS) + 1, len(FEATURES)
    penalty = np.array([SHARED] + [OWN] * len(STANDINGS))[:, None]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(shape)
        odds = np.empty(len(features))
        for number, part in enumerate(parts):
            odds[rows[number]] = part @ (weights[0] + weights[number + 1])
        highest = np.maximum.reduceat(odds, starts)
        powers = np.exp(odds - highest[owners])
        totals = np.add.reduceat(powers, starts)
        wrong = powers / totals[owners]
        value = float((highest + np.log(totals) - odds[right]).sum() + (penalty * weights**2).sum() / 2)
        wrong[right] -= 1
        own = np.stack([wrong[rows[number]] @ part for number, part in enumerate(parts)])
        slope = np.concatenate([own.sum(0, keepdims=True), own]) + penalty * weights
        return value, slope.ravel()

    first = np.zeros(shape[0] * shape[1])
    fitted = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 300})  # type: ignore[no-untyped-call]
    weights = fitted.x.reshape(shape) / scale
    return Weights((weights[0] + weights[1:]).T.astype(np.float32))
