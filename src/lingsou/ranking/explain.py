"""Why the ranker put a product where it stands: exact shares of its score, plain words, and what would lift it."""

from dataclasses import dataclass

import numpy as np

from lingsou.core.plan import QueryPlan
from lingsou.core.types import Explanation, Product
from lingsou.features.plan_match import wished_for
from lingsou.ranking.ranker import Ranked

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


def explain(
    ranked: Ranked, place: int, product: Product, plan: QueryPlan | None, language: str, rival: int | None
) -> Explanation:
    """The tree of one candidate: its parts add up to its score.

    Args:
        ranked: the scored batch.
        place: which candidate.
        product: it.
        plan: of the query.
        language: of the words, `zh` or else English.
        rival: the candidate right before it; none for the first.
    """
    shares = ranked.contributions[place]
    values = ranked.features[place]
    children = [Explanation(name="fused score", value=float(ranked.base[place]), detail="by words, meaning and plan")]
    for column in np.argsort(-np.abs(shares[:-1]), kind="stable").tolist():
        if shares[column]:
            feature = ranked.ranker.features[column]
            detail = f"{feature.describe(language)}: {_number(values[column])}"
            children.append(Explanation(name=feature.name, value=float(shares[column]), detail=detail))
    if shares[-1]:
        children.append(Explanation(name="mean", value=float(shares[-1]), detail="of the trees over the training data"))
    if rival is not None and (changes := counterfactual(ranked, place, rival)):
        features = {feature.name: feature for feature in ranked.ranker.features}
        wants = [
            f"{features[each.feature].describe(language)}: {_number(each.now)} → {_number(each.needed)}"
            for each in changes
        ]
        children.append(Explanation(name="to pass the one before", detail="; ".join(wants)))
    return Explanation(
        name="learned ranking",
        value=float(ranked.scores[place]),
        detail=plain_words(ranked, place, product, plan, language),
        children=tuple(children),
    )


def plain_words(ranked: Ranked, place: int, product: Product, plan: QueryPlan | None, language: str) -> str:
    """What to tell a shopper: the words of the query that the product answers, and what lifted it."""
    chinese = language == "zh"
    reasons = []
    if surfaces := wished_for(plan, product):
        reasons.append(f"符合“{'、'.join(surfaces)}”" if chinese else f"matches {', '.join(surfaces)}")
    shares = ranked.contributions[place][:-1]
    for column in np.argsort(-shares, kind="stable").tolist():
        praise = ranked.ranker.features[column].praise
        if shares[column] < _LEAST or len(reasons) > _MOST_REASONS:
            break
        # What is not known of a product, or of a shopper, is no reason.
        if praise and not np.isnan(ranked.features[place, column]) and praise[chinese] not in reasons:
            reasons.append(praise[chinese])
    return ("，" if chinese else ", ").join(reasons)


def counterfactual(ranked: Ranked, place: int, rival: int) -> tuple[Change, ...]:
    """The fewest features, at most three, that would lift the candidate above its rival if they were as the rival's.

    Found greedily: each step takes the feature that gains most. Features made of scores and places are left out, for
    nobody can change them by themselves. Empty: no such three would do, or it stands above already.
    """
    ranker = ranked.ranker
    wanted = float(ranked.scores[rival])
    own, other = ranked.features[place].copy(), ranked.features[rival]
    left = [column for column, feature in enumerate(ranker.features) if feature.name in ACTIONABLE]
    changes: list[Change] = []
    if ranked.scores[place] > wanted:
        return ()
    for _ in range(_MOST_CHANGES):
        left = [column for column in left if not _same(own[column], other[column])]
        if not left:
            return ()
        trials = np.repeat(own[np.newaxis], len(left), axis=0)
        trials[np.arange(len(left)), left] = other[left]
        scores = ranked.base[place] + ranker.model.adjustments(trials)
        best = int(scores.argmax())
        column = left[best]
        changes.append(Change(ranker.features[column].name, float(own[column]), float(other[column])))
        own[column] = other[column]
        if scores[best] > wanted:
            return tuple(changes)
    return ()


def _same(first: float, second: float) -> bool:
    return bool(first == second or (np.isnan(first) and np.isnan(second)))


def _number(value: float) -> str:
    return "?" if np.isnan(value) else f"{value:.3g}"


def language_of(plan: QueryPlan | None, locale: str | None) -> str:
    """In which language a shopper is told: the interface's, else the query's."""
    if locale:
        return "zh" if locale.lower().startswith("zh") else "en"
    return "zh" if plan is not None and plan.language in ("zh", "mixed") else "en"
