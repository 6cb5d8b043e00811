"""Fits the weights of the Chinese corrector: `python -m benchmarks.understanding.zh_weights DIR`.

Of a folder with `train` and `dev` files of tagged titles: errors are injected into the dev titles, where the train
titles are the shop's; and twice into a sixth of the train titles, where the others are the shop's. The table that is
printed belongs into `src/lingsou/query/data/chinese_weights.tsv`. The test titles are not looked at.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.understanding import zh_errors
from benchmarks.understanding.typos_zh import titles_of
from lingsou.query.correction.chinese import ChineseCorrector
from lingsou.query.correction.chinese_scores import FEATURES
from lingsou.query.correction.corrector import ShopWords
from lingsou.text.normalise import normalise
from lingsou.text.segment import Segmenter

FOLDS, FOLDED = 2, 6
CASES = 3_000
CLEAN_WEIGHT = 3.0
"""Each clean stretch counts as so many wrong ones: with as many of both kinds as here, one query in seven is wrong."""
_PENALTY = 1.0

Floats = NDArray[np.float64]


@dataclass
class Choices:
    """Evidence of all candidates [n, f], of which choice each is [n], whether it is right [n]; weights of the choices.

    A choice without a right candidate is one to leave the text alone.
    """

    evidence: Floats
    choice: NDArray[np.intp]
    right: NDArray[np.bool_]
    weight: Floats


def choices(corrector: ChineseCorrector, texts: Sequence[tuple[str, str]]) -> Choices:
    """Of pairs of what was typed and what was meant, those that have candidates, and the right one if any is wrong."""
    evidence, right, weight = [], [], []
    for typed, meant in texts:
        candidates = corrector.candidates(typed, [True] * len(typed)) if len(typed) <= 48 else []
        hits = [typed[: each.start] + each.meant + typed[each.end :] == meant for each in candidates]
        if candidates and (typed == meant or any(hits)):
            evidence.append(corrector.evidence(typed, candidates).astype(np.float64))
            right.append(hits)
            weight.append(CLEAN_WEIGHT if typed == meant else 1.0)
    sizes = [len(each) for each in right]
    return Choices(
        np.concatenate(evidence), np.repeat(np.arange(len(sizes)), sizes), np.concatenate(right), np.array(weight)
    )


def fitted(of: Choices) -> Floats:
    """The weights [f] of the likeliest conditional logit with a small penalty on their squares."""
    scale = of.evidence.std(axis=0)
    scale[scale < 1e-4] = 1
    rows, count = of.evidence / scale, len(of.weight)
    keeps = np.bincount(of.choice, of.right, count) == 0

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = rows @ weights
        top = np.zeros(count)
        np.maximum.at(top, of.choice, scores)
        odds = np.exp(scores - top[of.choice])
        every = np.exp(-top) + np.bincount(of.choice, odds, count)
        best = np.full(count, -np.inf)
        np.maximum.at(best, of.choice[of.right], scores[of.right])
        best[keeps] = 0
        good = np.where(of.right, np.exp(np.where(of.right, scores - best[of.choice], 0)), 0)
        mass = np.bincount(of.choice, good, count)
        mass[keeps] = 1
        value = float((of.weight * (top + np.log(every) - best - np.log(mass))).sum())
        slope = rows.T @ (of.weight[of.choice] * (odds / every[of.choice] - good / mass[of.choice]))
        return value + _PENALTY * float(weights @ weights) / 2, slope + _PENALTY * weights

    first = np.zeros(rows.shape[1])
    found = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 1_000})  # type: ignore[no-untyped-call]
    weights: Floats = found.x / scale
    return weights


def joined(parts: Sequence[Choices]) -> Choices:
    """Several sets of choices as one."""
    shift = np.cumsum([0, *(len(part.weight) for part in parts[:-1])])
    return Choices(
        np.concatenate([part.evidence for part in parts]),
        np.concatenate([part.choice + by for part, by in zip(parts, shift, strict=True)]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.weight for part in parts]),
    )


def main() -> None:
    """Run it."""
    folder = Path(sys.argv[1])
    train, dev = titles_of(folder, "train"), titles_of(folder, "dev")
    splits = [(train, dev)]
    for fold in range(FOLDS):
        kept = [title for number, title in enumerate(train) if number % FOLDED != fold]
        splits.append((kept, train[fold::FOLDED]))
    parts: list[Choices] = []
    for seed, (titles, held) in enumerate(splits, start=1):
        corrector = ChineseCorrector(ShopWords(titles=titles), Segmenter())
        cases = zh_errors.cases(held, titles, seed, CASES)
        clean = [*zh_errors.clean(cases), *zh_errors.any_stretches(held, seed, CASES)]
        pairs = [(case.wrong, case.right) for case in cases] + [(text, text) for text in map(normalise, clean)]
        parts.append(choices(corrector, pairs))
    print("# Weights of the evidence for Chinese corrections, by benchmarks/understanding/zh_weights.py")
    for name, weight in zip(FEATURES, fitted(joined(parts)).tolist(), strict=True):
        print(f"{name}\t{weight:.3f}")


if __name__ == "__main__":
    main()
