"""What a ranker is worth on queries that it was not trained on: nested cross-validation by query.

Weight and rounds are chosen anew in each outer fold, by cross-validation inside its training part alone.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from lingsou.core.manifests import Measurement
from lingsou.evaluation.folds import folds_of
from lingsou.evaluation.metrics import ndcg
from lingsou.evaluation.significance import Comparison, compare
from lingsou.ranking.dataset import Group
from lingsou.ranking.lambdamart import CHOICES, SEEDS, Choice, LambdaMart, train
from lingsou.text.language import detect
from lingsou.text.normalise import normalise

Floats = NDArray[np.float64]
PARTS, INNER_PARTS, CUT_OFF = 5, 4, 10
_METRIC = f"ndcg@{CUT_OFF}"


@dataclass(frozen=True)
class Validation:
    """Out-of-fold results. `scores` run parallel to the groups.

    `before` and `after` [queries] are nDCG@10, for a query that was searched several times the mean over its searches.
    """

    scores: tuple[Floats, ...]
    before: Floats
    after: Floats
    gain: Comparison
    chosen: tuple[Choice, ...]
    """Of each fold."""


def cross_validate(
    groups: Sequence[Group],
    features: Sequence[str],
    monotone: Sequence[int],
    *,
    beside: Sequence[Group] = (),
    parts: int = PARTS,
    seed: int = 7,
) -> Validation:
    """Score each group by a model that was trained, and whose parameters were chosen, without its query.

    Args:
        groups: what is measured and trained on.
        features: the columns.
        monotone: of each column.
        beside: groups that are trained on too and not measured; none of a query that is held out.
        parts: number of folds.
        seed: of the folds.

    Raises:
        InputError: fewer queries than parts.
    """
    part = folds_of([_key(each) for each in groups], parts, seed)
    scores: list[Floats] = [each.base for each in groups]
    chosen = []
    for held_out in range(parts):
        seen = [each for each, own in zip(groups, part, strict=True) if own != held_out]
        unseen = np.flatnonzero(part == held_out).tolist()
        lessons = _without([groups[place] for place in unseen], beside)
        choice = choose(seen, features, monotone, beside=lessons, seed=seed)
        model = train([*seen, *lessons], features, monotone, choice)
        chosen.append(choice)
        for place in unseen:
            scores[place] = groups[place].base + model.adjustments(groups[place].features)
    before = _by_query(groups, [quality(each, each.base) for each in groups])
    after = _by_query(groups, [quality(each, own) for each, own in zip(groups, scores, strict=True)])
    return Validation(tuple(scores), before, after, compare(after, before), tuple(chosen))


def choose(
    groups: Sequence[Group],
    features: Sequence[str],
    monotone: Sequence[int],
    *,
    beside: Sequence[Group] = (),
    seed: int = 7,
) -> Choice:
    """The best of `CHOICES` by cross-validation; too few queries to cross-validate: the default."""
    queries = [_key(each) for each in groups]
    if len(set(queries)) < 2 * INNER_PARTS:
        return Choice()
    part = folds_of(queries, INNER_PARTS, seed + 1)
    worth = np.zeros(len(CHOICES))
    for held_out in range(INNER_PARTS):
        seen = [each for each, own in zip(groups, part, strict=True) if own != held_out]
        unseen = [each for each, own in zip(groups, part, strict=True) if own == held_out]
        seen += _without(unseen, beside)
        grown: dict[tuple[float, str], LambdaMart] = {}
        # The longest of each kind first: the shorter ones are its first rounds.
        for place in sorted(range(len(CHOICES)), key=lambda place: -CHOICES[place].rounds):
            choice = CHOICES[place]
            kind = choice.weight, choice.trees
            if kind not in grown:
                grown[kind] = train(seen, features, monotone, choice, SEEDS[:1])
            for each in unseen:
                worth[place] += quality(each, each.base + grown[kind].adjustments(each.features, choice.rounds))
    return CHOICES[int(worth.argmax())]


def measured(validation: Validation, groups: Sequence[Group]) -> Measurement:
    """The out-of-fold figures of the groups that were validated, over all queries and by their language."""
    queries: dict[str, list[list[float]]] = {}
    for each in groups:
        queries.setdefault(_key(each), []).append(each.judged.tolist())
    languages = np.asarray([detect(query) for query in queries])
    return Measurement(
        data=hashlib.sha256(orjson.dumps(list(queries.items()))).hexdigest(),
        rows=len(queries),
        values={_METRIC: float(validation.after.mean())},
        slices={
            name: {_METRIC: float(validation.after[languages == name].mean())} for name in np.unique(languages).tolist()
        },
    )


def _key(group: Group) -> str:
    """What makes two searches the same query: width, case and script aside."""
    return normalise(group.query)


def _without(held_out: Sequence[Group], groups: Sequence[Group]) -> list[Group]:
    queries = set(map(_key, held_out))
    return [each for each in groups if _key(each) not in queries]


def _by_query(groups: Sequence[Group], values: Sequence[float]) -> Floats:
    """The mean over the groups of each query, in order of their first."""
    found: dict[str, list[float]] = {}
    for each, value in zip(groups, values, strict=True):
        found.setdefault(_key(each), []).append(value)
    return np.asarray([np.mean(own) for own in found.values()])


def quality(group: Group, scores: Floats) -> float:
    """nDCG@10 of a group in the order of `scores`; ties by the fused order."""
    order = np.lexsort((np.arange(len(scores)), -scores))[:CUT_OFF]
    top = np.full(CUT_OFF, np.nan)
    top[: len(order)] = group.grades[order]
    return float(ndcg(top[np.newaxis], group.judged[np.newaxis], CUT_OFF)[0])
