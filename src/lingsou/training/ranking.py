"""Groups for the ranker from judgements: each query searched as the service would, its candidates in features."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from lingsou.core.types import Product
from lingsou.evaluation.judgements import Judgements
from lingsou.features import Feature, matrix
from lingsou.pipeline.candidates import CandidateFeatures
from lingsou.pipeline.planned import PlannedSearch
from lingsou.ranking.dataset import Group, group


def groups(
    judgements: Judgements,
    search: PlannedSearch,
    products: Callable[[Sequence[str]], Mapping[str, Product]],
    candidates: CandidateFeatures,
    features: Sequence[Feature],
    *,
    time: datetime,
    depth: int,
    pools: bool = False,
) -> Iterator[Group]:
    """One group for each query that has a relevant product, in order.

    Args:
        judgements: the grades.
        search: understands and searches.
        products: the store.
        candidates: makes the batches.
        features: the columns.
        time: what features take as now.
        depth: so many of the best products are candidates.
        pools: the judged products of each query are, instead.
    """
    for text in judgements.relevant_queries():
        grades = judgements.grades[text]
        planned = search.matched(text)
        result = planned.of(list(grades)) if pools else planned.best(depth)
        found = products(result.candidates.ids)
        if len(found) < len(result.candidates.ids):  # deleted since the index was read
            result = planned.of([id_ for id_ in result.candidates.ids if id_ in found])
        known = [found[id_] for id_ in result.candidates.ids]
        batch = candidates.batch(planned.query.text, planned.matched, result, known, time=time, plan=planned.plan)
        yield group(text, result.candidates.ids, matrix(features, batch), result.candidates.scores, grades)


def informative(features: Sequence[Feature], judged: Sequence[Group]) -> tuple[tuple[Feature, ...], list[Group]]:
    """The features that differ between any two candidates, and the groups cut to them.

    The others can teach nothing, and a search need not compute them.
    """
    table = np.concatenate([each.features for each in judged]) if judged else np.empty((0, len(features)))
    varied = [
        column
        for column in range(len(features))
        if len(np.unique(table[:, column][~np.isnan(table[:, column])])) + np.isnan(table[:, column]).any() > 1
    ]
    cut = [replace(each, features=each.features[:, varied]) for each in judged]
    return tuple(features[column] for column in varied), cut
