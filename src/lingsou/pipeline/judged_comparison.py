"""What judgements say of two configurations: answers turned into runs, slices and lists side by side."""

from collections.abc import Mapping, Sequence

from lingsou.evaluation.comparison import Change, compare_runs
from lingsou.evaluation.comparison_page import Judged, Shown, SideBySide
from lingsou.evaluation.judgements import Judgements
from lingsou.evaluation.runs import Run
from lingsou.evaluation.slices import category_of, slices
from lingsou.events.shown import frequency
from lingsou.pipeline.comparing import Answered, Pair
from lingsou.pipeline.shop import Shop
from lingsou.text.normalise import normalise


def judged_part(shop: Shop, pairs: Sequence[Pair], given: Judgements, known: Judgements, days: float) -> Judged:
    """The report's part on judged queries.

    Args:
        shop: which answered.
        pairs: the answers to the relevant queries of `known`, in their order.
        given: the judgements as they came.
        known: the same cut to products of the shop.
        days: so far back the search log tells how frequent the queries are.
    """
    queries = [pair.query for pair in pairs]
    counts, source = _counts(shop, known, queries, days)
    products = shop.store.get(
        [id_ for query in queries for id_, grade in known.grades[query].items() if grade > 0],
    )
    cuts = slices(
        queries,
        counts=counts,
        categories={query: category_of(known.grades[query], products) for query in queries},
        terms=shop.engine.segmenter.terms,
    )
    first, second = Run({pair.query: pair.a.ids for pair in pairs}), Run({pair.query: pair.b.ids for pair in pairs})
    found = compare_runs(first, second, known, cuts)
    by_query = {pair.query: pair for pair in pairs}

    def beside(changes: Sequence[Change]) -> tuple[SideBySide, ...]:
        return tuple(side_by_side(by_query[each.query], known, each.a, each.b) for each in changes)

    return Judged(
        judgements=sum(map(len, given.grades.values())),
        judgements_of_products_in_the_shop=sum(map(len, known.grades.values())),
        frequency_from=source,
        comparison=found,
        gains=beside(found.gains),
        losses=beside(found.losses),
    )


def side_by_side(pair: Pair, judged: Judgements | None, before: float, after: float) -> SideBySide:
    """The first products of both answers, with their grades where there are judgements."""
    grades = judged.grades.get(pair.query, {}) if judged else {}

    def listed(answered: Answered) -> tuple[Shown, ...]:
        return tuple(
            Shown(id_, title, grades.get(id_)) for id_, title in zip(answered.ids, answered.titles, strict=False)
        )

    return SideBySide(pair.query, before, after, listed(pair.a), listed(pair.b))


def _counts(shop: Shop, known: Judgements, queries: Sequence[str], days: float) -> tuple[Mapping[str, float], str]:
    logged = frequency(shop.behaviour, days)
    counts = {query: float(logged[normalise(query)]) for query in queries}
    if any(counts.values()):
        return counts, f"head are the most frequent that make half of their searches in the log of {days:g} days"
    judged = {query: float(len(known.grades[query])) for query in queries}
    return judged, "nobody searched for these queries, so head are those that make half of the judgements"
