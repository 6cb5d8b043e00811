"""The learned decision: boosted trees over `PairFeatures`, and the line above which two records are one product."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from lingsou.core.errors import InputError, StorageError
from lingsou.encoders.optional import require
from lingsou.quality.matching.pairs import NAMES

if TYPE_CHECKING:
    from lightgbm import Booster

Floats = NDArray[np.float64]
_PARAMETERS = {
    "objective": "binary",
    "num_leaves": 31,
    "learning_rate": 0.05,
    "min_data_in_leaf": 10,
    "lambda_l2": 5.0,
    "feature_fraction": 0.3,  # many features say nearly the same
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
"""Chosen by validation parts of four public sets of pairs."""
ROUNDS, BOOSTERS = 300, 3
_MODEL, _FACTS = "model-{}.txt", "matcher.json"
_CURE = "Learn it anew."


@dataclass(frozen=True)
class Matcher:
    """Probabilities that pairs are one product, and from which on they count as such."""

    boosters: "tuple[Booster, ...]"
    threshold: float

    def probabilities(self, features: Floats) -> Floats:
        """[n] from `PairFeatures.of` [n, f]: the mean of the boosters."""
        if not len(features):
            return np.zeros(0)
        return np.asarray(np.mean([each.predict(features, num_threads=1) for each in self.boosters], axis=0))

    def same(self, features: Floats) -> NDArray[np.bool_]:
        """Whether each pair counts as one product, [n]."""
        return self.probabilities(features) >= self.threshold

    def save(self, folder: Path) -> None:
        """Write LightGBM's text form of each booster, and the line, into an existing folder."""
        for number, booster in enumerate(self.boosters):
            (folder / _MODEL.format(number)).write_text(booster.model_to_string(), encoding="utf-8")
        facts = {"threshold": self.threshold, "boosters": len(self.boosters), "features": NAMES}
        (folder / _FACTS).write_bytes(orjson.dumps(facts))

    @classmethod
    def load(cls, folder: Path) -> "Matcher":
        """Read what `save` wrote.

        Raises:
            StorageError: something is missing or malformed, or the features have changed since.
            MissingExtraError: LightGBM is not installed.
        """
        lightgbm = require("lightgbm", "quality")
        try:
            facts: dict[str, Any] = orjson.loads((folder / _FACTS).read_bytes())
            if tuple(facts["features"]) != NAMES:
                raise StorageError("The matcher was learnt with other features.", cure=_CURE)
            texts = [
                (folder / _MODEL.format(number)).read_text(encoding="utf-8") for number in range(facts["boosters"])
            ]
            boosters = tuple(lightgbm.Booster(model_str=text) for text in texts)
            return cls(boosters, float(facts["threshold"]))
        except (OSError, ValueError, KeyError, TypeError, lightgbm.basic.LightGBMError) as error:
            raise StorageError(f"The matcher in '{folder}' cannot be read: {error}.", cure=_CURE) from error


def learn(
    features: Floats,
    same: NDArray[np.bool_],
    held_features: Floats,
    held_same: NDArray[np.bool_],
    seeds: Sequence[int] = range(BOOSTERS),
) -> Matcher:
    """Trees from the pairs [n, f], the line from held-back pairs: the one with the best F1.

    Raises:
        InputError: a part has no pair of one product, or none of two.
        MissingExtraError: LightGBM is not installed.
    """
    for name, part in (("training", same), ("held-back", held_same)):
        if not part.any() or part.all():
            raise InputError(
                f"The {name} pairs are all {'of one product' if part.all() else 'of two products'}.",
                cure="Give pairs of both kinds.",
            )
    matcher = Matcher(train(features, same, seeds), 0.5)
    return Matcher(matcher.boosters, best_threshold(matcher.probabilities(held_features), held_same))


def train(features: Floats, same: NDArray[np.bool_], seeds: Sequence[int]) -> "tuple[Booster, ...]":
    """Trees from pairs [n, f], once for each seed.

    Raises:
        MissingExtraError: LightGBM is not installed.
    """
    lightgbm = require("lightgbm", "quality")
    return tuple(
        lightgbm.train(
            _PARAMETERS | {"seed": seed},
            lightgbm.Dataset(features, same.astype(np.float64), params={"verbosity": -1}),
            ROUNDS,
        )
        for seed in seeds
    )


def best_threshold(probabilities: Floats, same: NDArray[np.bool_]) -> float:
    """The line with the best F1, half-way to the next lower probability."""
    order = np.argsort(-probabilities, kind="stable")
    ordered = probabilities[order]
    right = np.cumsum(same[order])
    found = np.arange(1, len(order) + 1)
    f1 = 2 * right / (found + same.sum())
    # A line cannot part equal probabilities.
    ends = np.append(ordered[1:] < ordered[:-1], True)
    best = int(np.where(ends, f1, -1.0).argmax())
    below = ordered[best + 1] if best + 1 < len(ordered) else 0.0
    return float((ordered[best] + below) / 2)
