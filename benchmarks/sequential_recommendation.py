"""The next item of each shopper: every source alone, simple combinations, and the learned blend.

    python -m benchmarks.sequential_recommendation --data DIR --name NAME [--seeds 3] [--refit] [--cold]
                                                    [--only NAME …] [--blended NAME …] [--users N]

DIR holds `NAME.txt.gz` (a user and that user's items in order, a line each) and `NAME_item2attributes.json.gz` (item →
numbers of attributes). Of each sequence s the sources are fitted on s[:-2]; settings, the weight of the simple
combination and the blend are chosen by s[-2] alone; the answer is s[-1], asked for with the history s[:-1]. All items
are ranked but those of the history. Nothing is chosen for one data set: the same lists of settings serve all.

`metrics` has, by name: hr and ndcg at 5, 10 and 20, coverage@10 (share of all items in somebody's first 10), popularity
(mean rank by popularity of what is recommended, 1 the most popular), ndcg@10 by popularity of the answer (items that
make up the most popular third of all interactions, the next, the last), `train_cpu_s` and `ms_a_user`.

    item-knn                 cosine of co-occurrence with recency: the usual baseline
    transitions+attributes   transition nearest neighbours and attributes, a sum with one weight
    blend                    the learned blend of `--blended`, mean over the seeds; `seeds` has each
    sequence                 the neural sequence model, if `--only` or `--blended` name it: it needs the extra `train`

`published` repeats what papers report on these two sets with the same protocol. `--refit` adds `refitted`: sources
fitted once more on s[:-1], as a shop does every night, weights as before; papers do not do so. `--cold` hides a
tenth of the items from all that is learnt, and asks how often they are found when they are the answer.
"""

import argparse
import gzip
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.evaluation.report import result_line
from lingsou.evaluation.significance import compare
from lingsou.recommend.blend import Blend, ordered
from lingsou.recommend.interactions import Floats, Interactions, Ints, Items, items_of, sequences
from lingsou.recommend.learning import learn
from lingsou.recommend.recommender import Recommended, Recommender, blocks, recommend
from lingsou.recommend.sources.als import Als
from lingsou.recommend.sources.content import Content
from lingsou.recommend.sources.ease import Ease
from lingsou.recommend.sources.popularity import Popularity
from lingsou.recommend.sources.presets import content_last, following, item_knn
from lingsou.recommend.sources.sequence import Sequence as SequenceModel
from lingsou.recommend.sources.transitions import Transitions
from lingsou.recommend.tuning import gains, tune

CUTS = (5, 10, 20)
MOST = max(CUTS)
TUNERS = 6_000
"""Shoppers that settings are chosen by."""
LEARNERS = 10_000
"""Shoppers that the blend is learnt from."""
HIDDEN = 0.1
WEIGHTS = (0.1, 0.2, 0.3, 0.5, 0.8)


def neural(seed: int) -> Recommender:
    """The sequence model, trained into a folder that goes with it."""
    from lingsou.training.neural.sequence.export import train_and_export
    from lingsou.training.neural.sequence.train import SequenceSettings

    folder = tempfile.TemporaryDirectory()

    def train(interactions: Interactions, items: Items) -> Path:
        return train_and_export(interactions, items, Path(folder.name), SequenceSettings(seed=seed))

    return SequenceModel(train=train)


SOURCES: Mapping[str, Callable[[int], Recommender]] = {
    "popularity": lambda seed: Popularity(),
    "item-knn": lambda seed: item_knn(),
    "transitions": lambda seed: Transitions(),
    "next": lambda seed: following(),
    "content": lambda seed: Content(),
    "content-last": lambda seed: content_last(),
    "ease": lambda seed: Ease(),
    "als": lambda seed: Als(seed=seed),
    "sequence": neural,
}
TUNED = ("transitions", "content", "ease", "als", "popularity")
"""The others are what their name says."""
CLASSICAL = [name for name in SOURCES if name != "sequence"]
BLENDED = ("transitions", "next", "item-knn", "content", "content-last")
PUBLISHED = {
    "Beauty": {
        "SASRec": {"hr@10": 0.0605, "ndcg@10": 0.0318},
        "TIGER": {"hr@10": 0.0648, "ndcg@10": 0.0384},
        "SASRec, sampled softmax": {"hr@10": 0.0921, "ndcg@10": 0.0531},
    },
    "Toys_and_Games": {"SASRec, sampled softmax": {"hr@10": 0.0970, "ndcg@10": 0.0580}},
}


class Sum:
    """Transitions plus `weight` of content, each as a share of the first's usual best score."""

    def __init__(self, transitions: Recommender, content: Recommender):
        self.name = "transitions+attributes"
        self.parts = transitions, content
        self.scale = self.weight = 1.0

    def fit(self, interactions: Interactions, items: Items) -> None:
        """The parts are fitted already."""

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """The parts are."""

    def score(self, histories: Interactions) -> Floats:
        """The sum."""
        one, other = (part.score(histories) for part in self.parts)
        return one + np.float32(self.weight * self.scale) * other

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """The first part's reason."""
        return self.parts[0].because(histories, items)

    def choose(self, histories: Interactions, targets: Ints) -> None:
        """The weight with the best NDCG@10."""
        one, other = (recommend(part, histories, 1).scores.mean() for part in self.parts)
        self.scale = float(one / max(other, 1e-9))
        worth = {}
        for self.weight in WEIGHTS:
            worth[self.weight] = gains(recommend(self, histories, 10), targets).mean()
        self.weight = max(worth, key=lambda weight: worth[weight])


def load(folder: Path, name: str) -> tuple[list[list[int]], Items]:
    """The sequences, and the items with their attributes."""
    path = folder / f"{name}.txt.gz"
    if not path.exists():
        raise InputError(f"There is no '{path}'.", cure="--data names the folder, --name the set.")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [[int(each) for each in line.split()[1:]] for line in lines if line.strip()]
    with gzip.open(folder / f"{name}_item2attributes.json.gz", "rt", encoding="utf-8") as file:
        attributes = json.load(file)
    known = [*(item for row in rows for item in row), *map(int, attributes)]
    return rows, items_of([attributes.get(str(item), []) for item in range(max(known) + 1)])


class Report:
    """What lists of 20 are worth, against one answer a shopper."""

    def __init__(self, targets: Ints, popularity: Ints):
        self.targets = targets
        order = np.argsort(-popularity, kind="stable")
        self.rank = np.empty(len(order))
        self.rank[order] = np.arange(1, len(order) + 1)
        third = np.empty(len(order), np.int64)
        share = (np.cumsum(popularity[order]) - popularity[order]) / max(popularity.sum(), 1)
        third[order] = np.minimum((3 * share).astype(np.int64), 2)
        self.third = third[targets]

    def __call__(self, found: Recommended) -> dict[str, float]:
        """The metrics that `metrics` names."""
        values: dict[str, float] = {}
        for cut in CUTS:
            gain = gains(found, self.targets, cut)
            values |= {f"hr@{cut}": float((gain > 0).mean()), f"ndcg@{cut}": float(gain.mean())}
        first = found.items[:, :10]
        given = first[first >= 0]
        values["coverage@10"] = len(np.unique(given)) / len(self.rank)
        values["popularity"] = float(self.rank[given].mean()) if len(given) else 0.0
        gain = gains(found, self.targets)
        for third, name in enumerate(("head", "middle", "tail")):
            values[f"ndcg@10 {name}"] = float(gain[self.third == third].mean())
        return {key: round(value, 5) for key, value in values.items()}


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it returns, and its cpu-seconds."""
    start = time.process_time()
    done = work()
    return done, time.process_time() - start


def chosen_sources(names: Sequence[str], rows: "Rows", seed: int) -> dict[str, tuple[Recommender, float]]:
    """The sources by name, tuned and fitted on s[:-2], with the cpu-seconds of one fit."""
    random = np.random.default_rng(seed)
    tuners = np.sort(random.permutation(len(rows.train))[:TUNERS])
    found: dict[str, tuple[Recommender, float]] = {}
    for name in names:
        source: Any = SOURCES[name](seed)
        start = time.process_time()
        source.fit(rows.train, rows.items)
        seconds = time.process_time() - start
        if name in TUNED:
            tune(source, rows.train, rows.items, rows.train.of(tuners), rows.tuning[tuners])
        found[name] = source, seconds
    return found


class Rows:
    """One data set, cut as the protocol says; `hidden` items are in nothing that is learnt from."""

    def __init__(self, rows: Sequence[Sequence[int]], items: Items, hidden: NDArray[np.bool_] | None = None):
        self.items = items
        count = len(items)
        self.train = sequences([row[:-2] for row in rows], count)
        self.tuning = np.array([row[-2] for row in rows])
        self.before = sequences([row[:-1] for row in rows], count)
        self.targets = np.array([row[-1] for row in rows])
        if hidden is not None:
            self.train = self.train.where(~hidden[self.train.items])
            self.before = self.before.where(~hidden[self.before.items])
            self.tuning = np.where(hidden[self.tuning], -1, self.tuning)


def blended(blend: Blend, models: Sequence[Any], histories: Interactions) -> list[Recommended]:
    """The best 20 by each of several models, over the same candidates."""
    parts: list[list[Recommended]] = [[] for _ in models]
    for block, _ in blocks(histories):
        candidates = blend.pool(block)
        for place, model in enumerate(models):
            parts[place].append(ordered(candidates, model, MOST))
    return [
        Recommended(np.concatenate([each.items for each in part]), np.concatenate([each.scores for each in part]))
        for part in parts
    ]


def learnt(blend: Blend, rows: Rows, seeds: Sequence[int]) -> tuple[list[Any], float]:
    """What the blend learns from s[-2] with each seed, and the cpu-seconds of one."""
    kept = np.flatnonzero(rows.tuning >= 0)
    learners = np.sort(np.random.default_rng(1).permutation(kept)[:LEARNERS])
    choices, gathering = timed(lambda: blend.choices(rows.train.of(learners), rows.tuning[learners]))
    models, learning = timed(lambda: [learn(choices, seed=seed) for seed in seeds])
    return models, gathering + learning / len(seeds)


def measure(
    rows: Rows, names: Sequence[str], within: Sequence[str], seeds: int, users: Ints, refit: bool
) -> dict[str, Any]:
    """All figures of one data set."""
    report = Report(rows.targets[users], np.bincount(rows.train.items, minlength=len(rows.items)))
    asked = rows.before.of(users)
    sources = chosen_sources([*dict.fromkeys([*names, *within])], rows, 1)
    metrics: dict[str, Any] = {}
    lists: dict[str, Recommended] = {}

    def alone(name: str, source: Recommender, seconds: float) -> dict[str, Any]:
        lists[name], spent = timed(lambda: recommend(source, asked, MOST))
        return report(lists[name]) | {"train_cpu_s": round(seconds, 2), "ms_a_user": round(1e3 * spent / len(users), 4)}

    for name in names:
        metrics[name] = alone(name, *sources[name])
    total = Sum(sources["transitions"][0], sources["content"][0])
    tuners = np.sort(np.random.default_rng(1).permutation(len(rows.train))[:TUNERS])
    total.choose(rows.train.of(tuners), rows.tuning[tuners])
    cost = sources["transitions"][1] + sources["content"][1]
    metrics[total.name] = alone(total.name, total, cost)
    blend = Blend([sources[name][0] for name in within])
    blend.look_at(rows.train, rows.items)
    models, learning = learnt(blend, rows, range(1, seeds + 1))
    found, spent = timed(lambda: blended(blend, [each.model for each in models], asked))
    each = [report(own) for own in found]
    metrics["blend"] = {key: round(float(np.mean([one[key] for one in each])), 5) for key in each[0]} | {
        "train_cpu_s": round(learning + sum(sources[name][1] for name in within), 2),
        "ms_a_user": round(1e3 * spent / len(users) / seeds, 4),
    }
    best = max(names, key=lambda name: metrics[name]["ndcg@10"])
    worth = np.mean([gains(own, report.targets) for own in found], axis=0)
    result: dict[str, Any] = {
        "metrics": metrics,
        "seeds": each,
        "blended": list(within),
        "settings": {
            name: asdict(source.settings) for name, (source, _) in sources.items() if hasattr(source, "settings")
        },
        "sum": {"weight": total.weight},
        "learnt": [{"rounds": one.rounds, "tried": one.tried, "shoppers": one.shoppers} for one in models],
        "gain": {name: asdict(compare(worth, gains(lists[name], report.targets))) for name in (best, total.name)},
    }
    if refit:
        blend.fit(rows.before, rows.items)
        result["refitted"] = {source.name: report(recommend(source, asked, MOST)) for source in blend.sources}
        result["refitted"][total.name] = report(recommend(total, asked, MOST))
        again = [report(own) for own in blended(blend, [one.model for one in models], asked)]
        result["refitted"]["blend"] = {key: round(float(np.mean([one[key] for one in again])), 5) for key in again[0]}
    return result


def cold(data: Sequence[Sequence[int]], items: Items, within: Sequence[str], seeds: int) -> dict[str, Any]:
    """Hit rates when the answer is an item that nothing was learnt from, and when it is another.

    So that the blend meets new items while it learns, another tenth is hidden from the sources then, and only then.
    """
    runs = []
    for seed in range(1, seeds + 1):
        part = np.random.default_rng(seed).random(len(items))
        hidden, rehearsed = part < HIDDEN, (part >= HIDDEN) & (part < 2 * HIDDEN)
        rows = Rows(data, items, hidden)
        lesson = rows.train.where(~rehearsed[rows.train.items])
        blend = Blend([SOURCES[name](seed) for name in within])
        blend.fit(lesson, items)
        kept = np.flatnonzero((rows.tuning >= 0) & (lesson.lengths > 0))
        learners = np.sort(np.random.default_rng(seed).permutation(kept)[:LEARNERS])
        model = learn(blend.choices(lesson.of(learners), rows.tuning[learners]), seed=seed).model
        blend.fit(rows.train, items)
        popularity, content = Popularity(), Content()
        for source in (popularity, content):
            source.fit(rows.train, items)
        users = np.flatnonzero(rows.before.lengths > 0)
        asked, answers = rows.before.of(users), rows.targets[users]
        lists = {
            "popularity": recommend(popularity, asked, MOST),
            "content": recommend(content, asked, MOST),
            "blend": blended(blend, [model], asked)[0],
        }
        new = hidden[answers]
        runs.append(
            {
                name: {
                    f"hr@{cut} {what}": float((gains(found, answers, cut) > 0)[chosen].mean())
                    for cut in (10, 20)
                    for what, chosen in (("new", new), ("known", ~new))
                }
                for name, found in lists.items()
            }
            | {"answers": {"new": int(new.sum()), "known": int((~new).sum())}}
        )
    return {
        name: {key: round(float(np.mean([run[name][key] for run in runs])), 5) for key in runs[0][name]}
        for name in runs[0]
    }


def main() -> None:
    """Measure one data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=CLASSICAL, choices=list(SOURCES), help="sources alone")
    parser.add_argument("--blended", nargs="+", default=list(BLENDED), choices=list(SOURCES), help="in the blend")
    parser.add_argument("--users", type=int, help="ask for so many, drawn by chance, instead of all")
    parser.add_argument("--refit", action="store_true")
    parser.add_argument("--cold", action="store_true")
    options = parser.parse_args()
    data, items = load(options.data, options.name)
    data = [row for row in data if len(row) >= 3]
    rows = Rows(data, items)
    users = np.arange(len(data))
    if options.users:
        users = np.sort(np.random.default_rng(1).permutation(len(data))[: options.users])
    result = measure(rows, options.only, options.blended, options.seeds, users, options.refit)
    if options.cold:
        result["cold"] = cold(data, items, options.blended, options.seeds)
    print(
        result_line(
            "sequential_recommendation",
            options.name,
            result.pop("metrics"),
            users=len(users),
            items=len(items),
            interactions=sum(map(len, data)),
            published=PUBLISHED.get(options.name, {}),
            **result,
        )
    )


if __name__ == "__main__":
    main()
