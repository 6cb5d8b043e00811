"""Why the ranker put a product where it stands: exact shares of its score, plain words, and what would lift it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.frozen import assembled
from lingsou.core.plan import QueryPlan
from lingsou.core.types import Explanation, Product
from lingsou.features import Feature
from lingsou.features.plan_match import wished_for
from lingsou.ranking.ranker import Ranked
from lingsou.ranking.reranker import Reranked

Floats = NDArray[np.float64]
_LEAST = 0.003
"""Contributions below are left out of plain words: the fused score runs to about 1.4."""
_MOST_REASONS, _MOST_CHANGES = 3, 3
ACTIONABLE = frozenset(
    f"{field}-coverage" for field in ("title", "brand", "category", "short_description", "attributes")
) | {
    *("title-phrase", "title-position", "title-head", "category-head", "price", "price-norm", "stock", "age"),
    *("rating", "reviews", "sales", "attribute-count", "image-count", "description-length"),
}
"""Features that a merchant can do something about."""


@dataclass(frozen=True)
class Change:
    """A feature that would have to be as the rival's."""

    feature: str
    now: float
    needed: float


@dataclass(frozen=True)
class Asked:
    """A candidate to be explained: its place in the batch, and that of the candidate right before it, if any is."""

    place: int
    product: Product
    rival: int | None


def explain(ranked: Ranked, asked: Sequence[Asked], plan: QueryPlan | None, language: str) -> list[Explanation]:
    """The tree of each candidate: its parts add up to its score.

    Args:
        ranked: the scored batch.
        asked: which candidates.
        plan: of the query.
        language: of the words, `zh` or else English.
    """
    places = [each.place for each in asked]
    told = {name: feature.describe(language) for name, feature in ranked.ranker.by_name.items()}
    shares = ranked.contributions(places).tolist()
    values = ranked.features[places].tolist()
    rivals = [(each.place, each.rival) for each in asked if each.rival is not None]
    changes = dict(zip(rivals, counterfactuals(ranked, rivals), strict=True))
    trees = []
    for each, own, seen in zip(asked, shares, values, strict=True):
        base, score = float(ranked.base[each.place]), float(ranked.scores[each.place])
        children = [_leaf("fused score", base, "by words, meaning and plan")]
        columns = [column for column, share in enumerate(own[:-1]) if share]
        for column in sorted(columns, key=lambda column: (-abs(own[column]), column)):
            name = ranked.ranker.features[column].name
            children.append(_leaf(name, own[column], f"{told[name]}: {_number(seen[column])}"))
        if own[-1]:
            children.append(_leaf("mean", own[-1], "of the trees over the training data"))
        if each.rival is not None and (wanted := changes[each.place, each.rival]):
            wants = "; ".join(f"{told[w.feature]}: {_number(w.now)} → {_number(w.needed)}" for w in wanted)
            children.append(Explanation(name="to pass the one before", detail=wants))
        words = _plain_words(ranked.ranker.features, own[:-1], seen, wished_for(plan, each.product), language)
        trees.append(Explanation(name="learned ranking", value=score, detail=words, children=tuple(children)))
    return trees


def with_reranking(tree: Explanation, place: int, reranked: Reranked) -> Explanation:
    """The tree of a candidate that was read: what the ranker and the reranker share in the sum it is ordered by.

    `tree` is what `explain` says of it, and is returned as it is if the candidate at `place` was not read.
    """
    (rows,) = np.nonzero(reranked.read == place)
    if not rows.size:
        return tree
    row = int(rows[0])
    own, text = reranked.shares[row].tolist()
    before, after = (int(np.flatnonzero(order == place)[0]) + 1 for order in (reranked.before, reranked.order))
    rest, weight, score = 1 - reranked.weight, reranked.weight, float(reranked.text_scores[row])
    ranker = Explanation(name="ranker", value=own, detail=f"weight {rest:.3g}", children=(tree,))
    reader = _leaf("reranker", text, f"weight {weight:.3g}; score {_number(score)} of {reranked.version}")
    return Explanation(
        name="reranking",
        value=own + text,
        detail=f"place {before} → {after}; each score less the mean of the {len(reranked.read)} read, in deviations",
        children=(ranker, reader),
    )


def _leaf(name: str, value: float, detail: str) -> Explanation:
    """Of these a page has hundreds."""
    return assembled(Explanation, {"name": name, "value": value, "detail": detail, "children": ()})


def _plain_words(
    features: Sequence[Feature],
    shares: Sequence[float],
    values: Sequence[float],
    surfaces: Sequence[str],
    language: str,
) -> str:
    """What to tell a shopper: the words of the query that the product answers, and what lifted it."""
    chinese = language == "zh"
    reasons = []
    if surfaces:
        reasons.append(f"符合“{'、'.join(surfaces)}”" if chinese else f"matches {', '.join(surfaces)}")
    for column in sorted(range(len(shares)), key=lambda column: (-shares[column], column)):
        praise = features[column].praise
        if shares[column] < _LEAST or len(reasons) > _MOST_REASONS:
            break
        # What is not known of a product, or of a shopper, is no reason.
        if praise and not math.isnan(values[column]) and praise[chinese] not in reasons:
            reasons.append(praise[chinese])
    return ("，" if chinese else ", ").join(reasons)


def counterfactuals(ranked: Ranked, pairs: Sequence[tuple[int, int]]) -> list[tuple[Change, ...]]:
    """For each (candidate, rival): the fewest features, at most three, that would lift the one above the other if they
    were as the rival's.

    Found greedily: each step takes the feature that gains most. Features made of scores and places are left out, for
    nobody can change them by themselves. Empty: no such three would do, or it stands above already. All pairs take
    their steps together, so that a page costs three calls of the model.
    """
    ranker = ranked.ranker
    actionable = [column for column, feature in enumerate(ranker.features) if feature.name in ACTIONABLE]
    found: list[tuple[Change, ...]] = [()] * len(pairs)
    steps: list[tuple[Change, ...]] = [()] * len(pairs)
    own = [ranked.features[place].copy() for place, _ in pairs]
    open_ = [number for number, (place, rival) in enumerate(pairs) if ranked.scores[place] <= ranked.scores[rival]]
    for _ in range(_MOST_CHANGES):
        left = {number: _differing(own[number], ranked.features[pairs[number][1]], actionable) for number in open_}
        open_ = [number for number in open_ if left[number]]
        if not open_:
            break
        trials = []
        for number in open_:
            each = np.repeat(own[number][np.newaxis], len(left[number]), axis=0)
            each[np.arange(len(left[number])), left[number]] = ranked.features[pairs[number][1]][left[number]]
            trials.append(each)
        adjustments = np.split(
            ranker.model.adjustments(np.concatenate(trials)), np.cumsum([len(each) for each in trials])[:-1]
        )
        still = []
        for number, adjusted in zip(open_, adjustments, strict=True):
            place, rival = pairs[number]
            scores = ranked.base[place] + adjusted
            best = int(scores.argmax())
            column = left[number][best]
            now, needed = float(own[number][column]), float(ranked.features[rival][column])
            steps[number] += (Change(ranker.features[column].name, now, needed),)
            own[number][column] = needed
            if scores[best] > ranked.scores[rival]:
                found[number] = steps[number]
            else:
                still.append(number)
        open_ = still
    return found


def _differing(own: Floats, other: Floats, columns: Sequence[int]) -> list[int]:
    same = (own == other) | (np.isnan(own) & np.isnan(other))
    return [column for column in columns if not same[column]]


def _number(value: float) -> str:
    return "?" if math.isnan(value) else f"{value:.3g}"


def language_of(plan: QueryPlan | None, locale: str | None) -> str:
    """In which language a shopper is told: the interface's, else the query's."""
    if locale:
        return "zh" if locale.lower().startswith("zh") else "en"
    return "zh" if plan is not None and plan.language in ("zh", "mixed") else "en"
