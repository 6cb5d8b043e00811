"""LambdaMART: boosted trees whose gradient is the change of nDCG, on top of the fused score.

    score = weight · fused + mean over seeds of Σ trees

The fused score is where boosting begins (`init_score`), so a model of no trees is the fused order, and trees have only
to learn where it is wrong. Sources: Burges, "From RankNet to LambdaRank to LambdaMART", MSR-TR-2010-82; Ke et al.,
"LightGBM", NeurIPS 2017.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import StorageError
from lingsou.encoders.optional import require
from lingsou.ranking.dataset import Group, Rows, training_rows

if TYPE_CHECKING:
    from lightgbm import Booster

Floats = NDArray[np.float64]
SEEDS = (1, 2, 3)
_PARAMETERS: Mapping[str, Any] = {
    "objective": "lambdarank",
    "bagging_fraction": 0.7,  # so that seeds differ and their mean is steadier than one
    "bagging_freq": 1,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


_TREES: Mapping[str, Mapping[str, Any]] = {
    "cautious": {
        "learning_rate": 0.05,
        "num_leaves": 7,  # interactions of a few features
        "min_data_in_leaf": 40,
        "lambda_l2": 5.0,
        "feature_fraction": 0.5,  # many features say nearly the same
    },
    # LightGBM's defaults, with half as many leaves, which score in half the time.
    "bold": {"learning_rate": 0.1, "num_leaves": 15, "min_data_in_leaf": 20},
}


@dataclass(frozen=True)
class Choice:
    """What cross-validation chooses between: `weight` of the fused score, kind of trees, and boosting `rounds`."""

    weight: float = 5.0
    trees: Literal["cautious", "bold"] = "cautious"
    rounds: int = 60


TREES: tuple[Literal["cautious", "bold"], ...] = ("cautious", "bold")
CHOICES = tuple(Choice(weight, trees, rounds) for trees in TREES for weight in (5.0, 2.5) for rounds in (30, 60))
"""The most cautious first: of equals the first is taken."""


@dataclass(frozen=True)
class LambdaMart:
    """A trained model: boosters of several seeds, whose scores are averaged, over the fused score."""

    features: tuple[str, ...]
    weight: float
    boosters: "tuple[Booster, ...]"

    def adjustments(self, features: Floats, rounds: int | None = None) -> Floats:
        """What the trees, or those of the first `rounds`, add in units of the fused score: [n] from [n, f]."""
        if not self.boosters or not len(features):
            return np.zeros(len(features))
        return self._mean([booster.predict(features, num_iteration=rounds, num_threads=1) for booster in self.boosters])

    def contributions(self, features: Floats) -> Floats:
        """TreeSHAP of `adjustments`: [n, f + 1], the last column is the mean; rows sum to the adjustments."""
        if not self.boosters or not len(features):
            return np.zeros((len(features), features.shape[1] + 1))
        return self._mean([booster.predict(features, pred_contrib=True, num_threads=1) for booster in self.boosters])

    def _mean(self, outputs: Sequence[Any]) -> Floats:
        return np.asarray(np.mean(np.asarray(outputs, np.float64), axis=0) / self.weight)

    def importance(self) -> list[tuple[str, float]]:
        """Each feature's share of the gain of all splits, largest first."""
        total = sum((booster.feature_importance("gain") for booster in self.boosters), np.zeros(len(self.features)))
        shares = (total / (total.sum() or 1.0)).tolist()
        return sorted(zip(self.features, shares, strict=True), key=lambda each: -each[1])


def train(
    groups: Sequence[Group],
    features: Sequence[str],
    monotone: Sequence[int],
    choice: Choice = Choice(),
    seeds: Sequence[int] = SEEDS,
) -> LambdaMart:
    """Train one booster a seed. The same groups give the same model.

    Raises:
        MissingExtraError: LightGBM is not installed.
    """
    rows = training_rows(groups)
    if rows is None:
        return LambdaMart(tuple(features), choice.weight, ())
    boosters = tuple(_booster(rows, monotone, choice, seed) for seed in seeds)
    return LambdaMart(tuple(features), choice.weight, boosters)


def _booster(rows: Rows, monotone: Sequence[int], choice: Choice, seed: int) -> "Booster":
    lightgbm = _lightgbm()
    parameters = {
        **_PARAMETERS,
        **_TREES[choice.trees],
        "seed": seed,
        "label_gain": list(rows.gains),
        "monotone_constraints": list(monotone),
    }
    data = lightgbm.Dataset(
        rows.features,
        rows.labels,
        group=list(rows.sizes),
        init_score=choice.weight * rows.base,
        params={"verbosity": -1},
    )
    booster: Booster = lightgbm.train(parameters, data, choice.rounds)
    return booster


def booster_of(text: str) -> "Booster":
    """A booster from LightGBM's text form.

    Raises:
        MissingExtraError: LightGBM is not installed.
        StorageError: the text is no model.
    """
    lightgbm = _lightgbm()
    try:
        booster: Booster = lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise StorageError(
            f"The ranker cannot be read: {error}.", cure="Train it anew: lingsou train ranker."
        ) from error
    return booster


def _lightgbm() -> Any:
    return require("lightgbm", "rank")
