"""What faults in a catalogue cost searches and recommendations, and what repairing them brings back.

    python -m benchmarks.quality_effect --data DIR [--rates 0.05,0.3] [--seeds 0,1,2] [--work FOLDER]

DIR is one of two kinds, told by its files:

    judged products    as for `search_relevance` (`products.jsonl.gz` and `ratings.csv`): nDCG@10 and Recall@100 of
                       whole searches; into a share of the products each go HTML, misread text, another brand,
                       another category where there are categories, and noisy copies
    interactions       `*.inter.gz` (user, item, rating, timestamp) and `*.item.gz` (item, title, year, classes):
                       HR@10 and NDCG@10 of each user's last item, from all before it by transitions; beside the other
                       faults a share of the items is listed twice, and each event of such an item falls on either

`clean` is the catalogue as it is, `damaged` the same with faults, `repaired at 0.8` what is left of them when every
check and audit has run, the edits that they are so sure of are applied, and duplicates as sure are merged into one
record; `repaired at 0.5` the same of a shop that takes what is likelier right than wrong. Nothing knows where the
faults are. A copy counts as what it is a copy of, once in a list. Differences to `clean` are paired, with
95 % bootstrap intervals, of the first seed.
"""

import argparse
import contextlib
import gzip
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.damage import inject
from benchmarks.shops import PRODUCTS, judged_shop
from benchmarks.understanding.searching import searched_shop
from benchmarks.understanding.section import Options
from lingsou.core.errors import InputError, ProductError
from lingsou.core.types import Product
from lingsou.evaluation.report import result_line
from lingsou.evaluation.runs import Run, evaluate
from lingsou.evaluation.significance import compare
from lingsou.quality.audits.duplicates import second_listings
from lingsou.quality.check import Finding
from lingsou.quality.columns import columns_of
from lingsou.quality.edits import with_edit
from lingsou.quality.matching.clusters import golden_record
from lingsou.quality.report import run_audits, run_checks
from lingsou.recommend.interactions import interactions, items_of
from lingsou.recommend.recommender import recommend
from lingsou.recommend.sources.transitions import Transitions

SURE = (0.8, 0.5)
CUT = 10
Floats = NDArray[np.float64]


def main() -> None:
    """Clean, damaged and repaired, at every rate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rates", type=lambda text: [float(rate) for rate in text.split(",")], default=[0.05, 0.3])
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--work", type=Path, help="folder that keeps vectors between runs")
    given = parser.parse_args()
    if (given.data / PRODUCTS).exists():
        measured = searches(given.data, given.rates, given.seeds, given.work)
    elif list(given.data.glob("*.inter.gz")):
        measured = recommendations(given.data, given.rates, given.seeds)
    else:
        raise InputError(f"'{given.data}' holds neither judged products nor interactions.", cure="See --help.")
    print(result_line("quality_effect", given.data.name, measured, seeds=given.seeds))


# Faults and repairs


@dataclass(frozen=True)
class State:
    """A catalogue as it is offered."""

    products: Sequence[Product]
    copies: Mapping[str, str] = field(default_factory=dict)
    """Copy → what it is a copy of."""
    stands_for: Mapping[str, str] = field(default_factory=dict)
    """A record that was merged away → the one that stands for it."""
    done: Mapping[str, int] = field(default_factory=dict)
    """What repairing did."""

    def own(self, id_: str) -> str:
        """What is meant by an id, copies aside."""
        return self.copies.get(id_, id_)


def damaged(products: Sequence[Product], rate: float, seed: int) -> State:
    """Every fault that the catalogue can have, each in a share of the products."""
    found = inject.with_html(products, rate, seed).products
    found = inject.mojibake(found, rate, seed, inject.CHARSETS[seed % len(inject.CHARSETS)]).products
    if len({product.brand for product in products if product.brand}) > 1:
        found = inject.swapped_brand(found, rate, seed).products
    if len({product.category[0] for product in products if product.category}) > 1:
        found = inject.wrong_category(found, rate, seed).products
    made = inject.duplicated(found, rate, seed)
    copies = {made.products[place].id: own.id for place, own in zip(made.truth, made.originals, strict=True)}
    return State(made.products, copies)


def repaired(state: State, sure: float) -> State:
    """What checks and audits make of it; less sure edits and merges are left out."""
    edits: list[Finding] = []

    def keep(finding: Finding) -> None:
        if finding.edit is not None and finding.confidence >= sure:
            edits.append(finding)

    run_checks(enumerate(state.products, start=1), sink=keep)
    by_id = {product.id: product for product in state.products}
    applied = _apply(by_id, edits)
    edits.clear()
    run_audits(columns_of(enumerate(by_id.values(), start=1)), sink=keep)
    applied += _apply(by_id, edits)
    products, stands_for = merged(by_id, sure)
    return State(products, state.copies, stands_for, {"edits": applied, "merged": len(stands_for)})


def _apply(by_id: dict[str, Product], edits: Sequence[Finding]) -> int:
    applied = 0
    for finding in edits:
        assert finding.edit is not None
        with contextlib.suppress(ProductError):  # it does not fit the field any more
            by_id[finding.product_id] = with_edit(by_id[finding.product_id], finding.edit)
            applied += 1
    return applied


def merged(by_id: Mapping[str, Product], sure: float) -> tuple[list[Product], dict[str, str]]:
    """One record for each product that is listed several times; a record that was merged away → that one."""
    ids = list(by_id)
    stands_for = {
        ids[each.product]: ids[each.kept]
        for each in second_listings(columns_of(enumerate(by_id.values(), start=1)))
        if each.confidence >= sure
    }
    listed: dict[str, list[Product]] = {}
    for id_, product in by_id.items():
        listed.setdefault(stands_for.get(id_, id_), []).append(product)
    whole = [
        golden_record(own).product.model_copy(update={"id": kept}) if len(own) > 1 else own[0]
        for kept, own in listed.items()
    ]
    return whole, stands_for


Ask = Callable[[State, int], dict[str, Floats]]
"""A catalogue and a seed → each metric, query by query or user by user."""


def compared(products: Sequence[Product], rates: Sequence[float], seeds: Sequence[int], ask: Ask) -> dict[str, Any]:
    """Means over the seeds; differences of the first."""
    clean = ask(State(products), seeds[0])
    report: dict[str, Any] = {"clean": _means([clean])}
    for rate in rates:
        states: dict[str, list[dict[str, Floats]]] = {}
        done: dict[str, list[Mapping[str, int]]] = {}
        for seed in seeds:
            began = time.process_time()
            broken = damaged(products, rate, seed)
            made = {"damaged": broken} | {f"repaired at {sure}": repaired(broken, sure) for sure in SURE}
            spent = time.process_time() - began
            for name, state in made.items():
                states.setdefault(name, []).append(ask(state, seed))
                done.setdefault(name, []).append(state.done)
            told = {name: (_means(runs[-1:]), made[name].done) for name, runs in states.items()}
            print(f"rate {rate}, seed {seed}: {told}, {spent:.0f} cpu-s", file=sys.stderr, flush=True)
        report[str(rate)] = {
            name: _means(runs)
            | {"against clean": {each: _gap(runs[0][each], clean[each]) for each in clean}}
            | {each: float(np.mean([one[each] for one in done[name]])) for each in done[name][0]}
            for name, runs in states.items()
        }
    return report


def _means(runs: Sequence[Mapping[str, Floats]]) -> dict[str, float]:
    return {name: float(np.mean([run[name].mean() for run in runs])) for name in runs[0]}


def _gap(found: Floats, clean: Floats) -> dict[str, Any]:
    difference = compare(found, clean).difference
    return {"value": difference.value, "ci": [difference.low, difference.high]}


# Searches


def searches(folder: Path, rates: Sequence[float], seeds: Sequence[int], work: Path | None) -> dict[str, Any]:
    """Relevance of whole searches."""
    shop = judged_shop(folder)
    asked = shop.judgements.relevant_queries()

    def ask(state: State, seed: int) -> dict[str, Floats]:
        with searched_shop(state.products, Options((), work), f"effect-{folder.resolve().name}") as searched:
            understander = searched.understander(correct=True)
            lists = {query: _once(searched.ranked(understander.understand(query)), state) for query in asked}
        return dict(evaluate(Run(lists), shop.judgements, ("ndcg@10", "recall@100")).values)

    return compared(shop.products, rates, seeds, ask)


def _once(ids: Sequence[str], state: State) -> list[str]:
    """Each copy as what it is a copy of; what was there already keeps its place, as something unjudged."""
    found: dict[str, None] = {}
    for id_ in ids:
        own = state.own(id_)
        found[own if own not in found else f"again {id_}"] = None
    return list(found)


# Recommendations


def recommendations(folder: Path, rates: Sequence[float], seeds: Sequence[int]) -> dict[str, Any]:
    """The last item of each user, from the others by transitions."""
    items = [
        Product(id=row["item_id"], title=f"{row['movie_title']} {row['release_year']}", category=(row["class"],))
        for row in _table(next(folder.glob("*.item.gz")))
    ]
    listed = {item.id for item in items}
    rows = [row for row in _table(next(folder.glob("*.inter.gz"))) if row["item_id"] in listed]
    rows.sort(key=lambda row: (row["user_id"], float(row["timestamp"]), row["item_id"]))
    users = np.unique([row["user_id"] for row in rows], return_inverse=True)[1]
    chosen = [row["item_id"] for row in rows]
    # Some items stand twice in the catalogue as it is: both listings are the same answer.
    first: dict[str, str] = {}
    same = {item.id: first.setdefault(item.title, item.id) for item in items}
    answers = [same[chosen[last]] for last in np.cumsum(np.bincount(users)) - 1]

    def ask(state: State, seed: int) -> dict[str, Floats]:
        listings: dict[str, list[str]] = {id_: [id_] for id_ in listed}
        for copy, own in state.copies.items():
            listings[own].append(copy)
        draw = random.Random(seed)
        logged = [draw.choice(listings[id_]) for id_ in chosen]
        ids = sorted(each for own in listings.values() for each in own)
        number = {id_: place for place, id_ in enumerate(ids)}
        every = interactions(
            users, np.array([number[state.stands_for.get(id_, id_)] for id_ in logged]), n_items=len(ids)
        )
        source = Transitions()
        source.fit(every.until_last(1), items_of([[] for _ in ids]))
        found = recommend(source, every.until_last(1), CUT)
        places = np.full(len(answers), np.inf)
        for user, answer in enumerate(answers):
            shown = [same[state.own(ids[item])] for item in found.items[user] if item >= 0]
            if answer in shown:
                places[user] = shown.index(answer)
        return {"hr@10": np.isfinite(places).astype(np.float64), "ndcg@10": 1 / np.log2(places + 2)}

    return compared(items, rates, seeds, ask)


def _table(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        names = [name.split(":")[0] for name in file.readline().rstrip("\n").split("\t")]
        return [dict(zip(names, line.rstrip("\n").split("\t"), strict=True)) for line in file]


if __name__ == "__main__":
    main()
