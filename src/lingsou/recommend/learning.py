"""How a blend learns which candidate shoppers take next."""

from dataclasses import dataclass

import numpy as np

from lingsou.core.errors import InputError
from lingsou.models.choice import ChoiceModel, Choices, boosted, conditional_logit, places

ROUNDS = (0, 50, 100, 200)
"""Of trees, that are tried: 0 is the linear part alone. Of equals the fewest."""
SEEDS = (1, 2, 3)
CUT_OFF = 10
_HELD_OUT = 0.25
_LEAST = 100
"""Shoppers whose next item was a candidate: below, trees are not tried."""


@dataclass(frozen=True)
class Learned:
    """A model and how it was chosen."""

    model: ChoiceModel
    rounds: int
    """Of trees; 0: the linear part alone."""
    tried: dict[int, float]
    """NDCG@10 on the shoppers held out, for each number of rounds."""
    shoppers: int
    """Whose next item was a candidate."""


def learn(choices: Choices, *, seed: int = 1) -> Learned:
    """Learn from what shoppers took, which the sources must not have seen.

    A quarter of the shoppers, drawn by `seed`, decides whether and how many trees are added to the linear part; then
    all are learnt from. Few shoppers: the linear part alone.

    Raises:
        InputError: nobody's next item is among the candidates.
        MissingExtraError: LightGBM is not installed.
    """
    decided = choices.decided
    if not len(decided):
        raise InputError(
            "No shopper took one of the candidates next.", cure="Learn from more shoppers, or with more sources."
        )
    tried: dict[int, float] = {}
    if len(decided) >= _LEAST:
        order = np.random.default_rng(seed).permutation(decided)
        cut = int(len(order) * _HELD_OUT)
        held, kept = choices.of(np.sort(order[:cut])), choices.of(np.sort(order[cut:]))
        model = boosted(kept, conditional_logit(kept), rounds=max(ROUNDS), seeds=[seed])
        for rounds in ROUNDS:
            scores = model.scores(held.features, rounds) if rounds else held.features @ model.weights
            above = places(scores, held.starts, held.taken)
            tried[rounds] = float(np.where(above < CUT_OFF, 1 / np.log2(above + 2.0), 0).mean())
    rounds = max(tried, key=lambda each: tried[each]) if tried else 0
    everyone = choices.of(decided)
    weights = conditional_logit(everyone)
    seeds = [seed * len(SEEDS) + each for each in SEEDS]
    learnt = boosted(everyone, weights, rounds=rounds, seeds=seeds) if rounds else ChoiceModel(weights)
    return Learned(learnt, rounds, tried, len(decided))
