"""Section `expansion`: searches with and without other names of what queries name.

A folder has judged products as `search_relevance` reads them. Names are mined from its products alone, for there is no
log. Thresholds and weights were compared on the half of the queries whose hash is odd, where none made a difference;
the figures are of the other half, and `all` of both. Beside the whole search stands the one by `words`, where names
have more to do: meaning finds much of what they find.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.shops import PRODUCTS, RATINGS, judged_shop
from benchmarks.understanding.searching import Part, SearchedShop, difference, is_held, searched_shop
from benchmarks.understanding.section import Options, Section
from lingsou.core.settings import UnderstandingSettings
from lingsou.evaluation.judgements import Judgements
from lingsou.evaluation.runs import Evaluation, Run, evaluate
from lingsou.query.expansion import NameLookup
from lingsou.training.expansions import mine

METRICS = ("recall@100", "ndcg@10", "mrr@10")
TABLES = ("bilingual", "synonym")
VARIANTS: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "bilingual": ("bilingual",),
    "synonym": ("synonym",),
    "catalogue": ("catalogue",),
    "encoder": ("encoder",),
    "default": UnderstandingSettings().expansions,
    "all": (*TABLES, "catalogue", "encoder"),
}


def measure(folder: Path, options: Options) -> Mapping[str, Any]:
    """Each source alone, the default, and all together."""
    shop = judged_shop(folder)
    with searched_shop(shop.products, options, folder.resolve().name) as searched:
        mined = mine(shop.products, searched.segmenter, encode=searched.encode, vectors=searched.vectors)
        lookups = {name: NameLookup(mined.names, searched.segmenter, (), sources) for name, sources in VARIANTS.items()}
        return {"names": mined.counts} | compared(searched, shop.judgements, lookups)


def compared(
    shop: SearchedShop, judgements: Judgements, lookups: Mapping[str, NameLookup], *, halves: bool = True
) -> dict[str, Any]:
    """The figures of each variant with and without the leg of meaning, and their differences to `none`."""
    found: dict[str, Any] = {}
    kinds: Mapping[str, tuple[Part, ...]] = {"search": (), "words": ("meaning",)}
    for kind, without in kinds.items():
        evaluations: dict[str, Evaluation] = {}
        for name, lookup in lookups.items():
            understander = shop.understander(lookup)
            run = {q: shop.ranked(understander.understand(q), without) for q in judgements.relevant_queries()}
            evaluations[name] = evaluate(Run(run), judgements, METRICS)
        of_kind: dict[str, Any] = {}
        for name, evaluation in evaluations.items():
            held = [n for n, query in enumerate(evaluation.queries) if is_held(query) or not halves]
            figures: dict[str, Any] = {"queries": len(held)}
            for metric in METRICS:
                own, base = evaluation.values[metric], evaluations["none"].values[metric]
                figures[metric] = float(own[held].mean())
                if halves:
                    figures[f"{metric} all"] = float(own.mean())
                if name != "none":
                    figures[f"{metric} - none"] = difference(own[held], base[held])
            of_kind[name] = figures
        found[kind] = of_kind
    return found


SECTION = Section("expansion", (PRODUCTS, RATINGS), measure)
