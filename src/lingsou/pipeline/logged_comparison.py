"""What the search log says of two configurations: how much differs, and what logged clicks would be kept."""

from collections.abc import Mapping, Sequence

import numpy as np

from lingsou.evaluation.comparison import means, paired
from lingsou.evaluation.comparison_page import Logged
from lingsou.evaluation.overlap import overlap, rank_biased_overlap
from lingsou.evaluation.replay import RANKS, LoggedSearch, exposure, replay
from lingsou.evaluation.significance import bootstrap_interval
from lingsou.evaluation.slices import slices
from lingsou.events.shown import asked, shown
from lingsou.models.click_models import position_based, power_law
from lingsou.pipeline.comparing import Pair
from lingsou.pipeline.judged_comparison import side_by_side
from lingsou.pipeline.shop import Shop

LEAST_MOVED = 50
"""Pairs at several places below which examination is not estimated."""

_SHOWN = 10


def logged_part(shop: Shop, pairs: Sequence[Pair], counts: Mapping[str, int], days: float) -> Logged:
    """The report's part on logged queries.

    Args:
        shop: which answered.
        pairs: the answers to the most frequent texts, at least one.
        counts: every text with its searches.
        days: the log reaches so far back.
    """
    alike = np.array([rank_biased_overlap(pair.a.ids, pair.b.ids) for pair in pairs])
    shared = [overlap(pair.a.ids, pair.b.ids, RANKS) for pair in pairs]
    empty = tuple(np.array([float(not getattr(pair, side).total) for pair in pairs]) for side in "ab")
    cuts = slices(
        [pair.query for pair in pairs],
        counts={text: float(count) for text, count in counts.items()},
        categories={pair.query: pair.a.category for pair in pairs},
        terms=shop.engine.segmenter.terms,
    )
    searches = _logged_searches(shop, days)
    seen = exposure(searches)
    fitted = seen.moved >= LEAST_MOVED
    examination = position_based(seen.shown, seen.clicked).examination if fitted else power_law(RANKS)
    total = sum(counts.values())
    different = [place for place in np.argsort(alike, kind="stable").tolist() if alike[place] < 1][:_SHOWN]
    return Logged(
        days=days,
        searches=total,
        texts=len(counts),
        asked=len(pairs),
        share=sum(counts[pair.query] for pair in pairs) / total,
        overlap=bootstrap_interval(shared),
        alikeness=bootstrap_interval(alike),
        zero=paired({"share": (empty[0], empty[1])})[0],
        slices=means(alike, cuts),
        replayed=replay(
            searches,
            {pair.query: pair.a.ids for pair in pairs},
            {pair.query: pair.b.ids for pair in pairs},
            examination,
        ),
        examination=tuple(map(float, examination)),
        moved=seen.moved,
        fitted=fitted,
        changed=tuple(
            side_by_side(pairs[place], None, pairs[place].a.total, pairs[place].b.total) for place in different
        ),
    )


def _logged_searches(shop: Shop, days: float) -> list[LoggedSearch]:
    texts = asked(shop.behaviour, days)
    found: dict[str, list[tuple[str, int, bool]]] = {}
    for each in shown(shop.behaviour, days):
        if each.query_id in texts:
            found.setdefault(each.query_id, []).append((each.id, each.place, each.clicked))
    return [LoggedSearch(texts[query_id], *zip(*rows, strict=True)) for query_id, rows in found.items()]
