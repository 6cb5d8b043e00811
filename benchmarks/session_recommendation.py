"""What comes next in an anonymous session: each source alone, and the blend.

    python -m benchmarks.session_recommendation --data DIR --name NAME [--seeds 3] [--part 1.0] [--light]

DIR holds `NAME_train_sessions.txt.gz` (a session a line, item numbers, oldest first; sessions in order of time) and
`NAME_test.tsv.gz` (the clicks so far, a tab, the next item). Every item is ranked; items of the session are NOT
filtered, since shoppers return. P@20 and MRR@20 in percent, as of the last row of every test session so far.

    latest-popular most clicked in the latest tenth of the sessions
    last-item      what followed the last item, counted
    v-sknn         Ludewig & Jannach 2018, with the defaults of its authors' package
    session-knn    ours: decays of place, distance and age, rare items for more
    item-walk      one and two steps on the graph of items that stood near each other
    session-transitions    what followed any item of the session, near and far
    revisit        what the session has already
    sequence       neural, from vectors of the graph of items; a model a seed; needs the extra `train`
    blend-light    what `lingsou train recommend` trains for `kind=session`, by the same code (`teach`): candidates of
                   the sources of `SESSION`, ordered by conditional logit and trees
    blend          the same with `sequence`: `lingsou train recommend --sequence`; with `--light` it is `blend-light`

Nothing is chosen on test. The latest part of the training sessions is cut off; sources fitted on what is before teach
the blend on prefixes of the cut; then the sources are fitted again on all training sessions and the blend's weights
are kept. The settings of `session-knn` and `item-walk` were chosen on such a cut of Diginetica; they are the defaults,
for every set. `--part` keeps a share of test rows, drawn at random, for a look.
"""

import argparse
import gzip
import tempfile
import time
from collections.abc import Sequence as Rows
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.evaluation.report import result_line
from lingsou.recommend.blend import Blend
from lingsou.recommend.interactions import Interactions, Ints, Items, interactions, items_of, sequences
from lingsou.recommend.model import SESSION, session_blend, sources_named
from lingsou.recommend.recommender import Recommender, recommend
from lingsou.recommend.session_learning import teach
from lingsou.recommend.sources.sequence import Sequence
from lingsou.recommend.sources.session_knn import VSKNN, SessionKnn
from lingsou.recommend.sources.transitions import Transitions, TransitionSettings

N = 20
DRAWS = 1_000
Floats = NDArray[np.float64]


class Latest:
    """Most clicked among the latest tenth of the sessions; the same for everybody."""

    name = "latest-popular"

    def __init__(self) -> None:
        self._counts = np.zeros(0, np.float32)

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Count."""
        late = interactions.block(int(0.9 * len(interactions)), len(interactions))
        self._counts = np.bincount(late.items, minlength=len(items)).astype(np.float32)

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """Nothing."""

    def score(self, histories: Interactions) -> NDArray[np.float32]:
        """The counts, for each session."""
        return np.tile(self._counts, (len(histories), 1))

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """No reason."""
        return np.full(items.shape, -1, np.int64)


def read(folder: Path, name: str) -> tuple[Interactions, Interactions, Ints]:
    """Training sessions, test prefixes and their next items.

    Raises:
        InputError: a file is missing.
    """
    files = folder / f"{name}_train_sessions.txt.gz", folder / f"{name}_test.tsv.gz"
    for file in files:
        if not file.exists():
            raise InputError(
                f"{file.name} is not in {folder.name}.", cure="Name the folder and the set: --data, --name."
            )
    with gzip.open(files[0], "rt", encoding="utf-8") as lines:
        sessions = [[int(item) for item in line.split()] for line in lines]
    with gzip.open(files[1], "rt", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    prefixes = [[int(item) for item in prefix.split()] for prefix, _ in rows]
    targets = np.array([int(target) for _, target in rows], np.int64)
    count = 1 + max(max(max(each, default=0) for each in [*sessions, *prefixes]), int(targets.max(initial=0)))
    # The number of a session is its time: the files tell of nothing but the order.
    lengths = np.fromiter(map(len, sessions), np.int64, len(sessions))
    owners = np.repeat(np.arange(len(sessions)), lengths)
    flat = np.fromiter((item for row in sessions for item in row), np.int64, int(lengths.sum()))
    train = interactions(owners, flat, owners, n_users=len(sessions), n_items=count)
    return train, sequences(prefixes, count), targets


def gains(source: Recommender | Blend, histories: Interactions, targets: Ints) -> Floats:
    """1 / the target's place in the first 20 of each session, 0 where it is none of them."""
    if isinstance(source, Blend):
        found = source.recommend(histories, N).items
    else:
        found = recommend(source, histories, N, seen=True).items
    rows, places = np.nonzero(found == targets[:, None])
    gained = np.zeros(len(targets))
    gained[rows] = 1.0 / (1 + places)
    return gained


def figures(gained: Rows[Floats]) -> dict[str, float]:
    """`p@20` and `mrr@20` in percent, means over seeds; with several, each one's range."""
    hits = [100 * float((each > 0).mean()) for each in gained]
    ranks = [100 * float(each.mean()) for each in gained]
    found = {"p@20": float(np.mean(hits)), "mrr@20": float(np.mean(ranks))}
    if len(gained) > 1:
        found |= {"p@20_sd": float(np.std(hits, ddof=1)), "mrr@20_sd": float(np.std(ranks, ddof=1))}
    return found


def difference(one: Rows[Floats], other: Rows[Floats]) -> dict[str, Any]:
    """Of means over seeds, with 95 % intervals by bootstrap over test rows."""
    random = np.random.default_rng(7)
    found: dict[str, Any] = {}
    for name in ("p@20", "mrr@20"):
        means = [np.mean([each > 0 if name == "p@20" else each for each in side], axis=0) for side in (one, other)]
        gap = 100 * (means[0] - means[1])
        drawn = [gap[random.integers(0, len(gap), len(gap))].mean() for _ in range(DRAWS)]
        found |= {name: float(gap.mean()), f"{name}_ci": np.percentile(drawn, [2.5, 97.5]).tolist()}
    return found


def neural(seed: int, folder: Path) -> Recommender:
    """The sequence model, trained into a folder."""
    from lingsou.training.neural.sequence.export import train_and_export
    from lingsou.training.neural.sequence.train import SequenceSettings

    settings = SequenceSettings(seed=seed, longest=20)
    return Sequence(train=partial(train_and_export, folder=folder, settings=settings))


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the files")
    parser.add_argument("--name", required=True, help="what their names begin with")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--part", type=float, default=1.0, help="share of the test rows")
    parser.add_argument("--light", action="store_true", help="without the neural model")
    arguments = parser.parse_args()
    train, histories, targets = read(arguments.data, arguments.name)
    if arguments.part < 1:
        chosen = np.flatnonzero(np.random.default_rng(0).random(len(targets)) < arguments.part)
        histories, targets = histories.of(chosen), targets[chosen]
    items = items_of([[]] * train.n_items)
    results: dict[str, list[Floats]] = {}
    seconds: dict[str, dict[str, float]] = {}

    def measure(name: str, source: Recommender | Blend, fit_seconds: float) -> None:
        started = time.process_time()
        results.setdefault(name, []).append(gains(source, histories, targets))
        spent = time.process_time() - started
        seconds[name] = {"fit_cpu_s": fit_seconds, "ms_a_session": 1_000 * spent / max(len(targets), 1)}
        print(f"{name:12} {figures(results[name][-1:])} {seconds[name]}", flush=True)

    last = TransitionSettings(window=1, backward=0.0, source_power=0.0, target_power=0.0, depth=1)
    baselines: list[Recommender] = [Latest(), Transitions(last, "last-item"), SessionKnn(VSKNN, "v-sknn")]
    for each in baselines:
        measure(each.name, each, fitted(each, train, items))
    learned: dict[str, Any] = {}

    def blended(name: str, seed: int, blend: Blend) -> None:
        started = time.process_time()
        found, _ = teach(blend, train, items, seed=seed)
        assert found is not None, "the training sessions are enough to learn from"
        learned[f"{name} {seed}"] = {"rounds": found.rounds, "ndcg@10": found.tried, "clicks": found.shoppers}
        total = time.process_time() - started
        for source in blend.sources:
            spent = fitted(source, train, items)
            total += spent
            if source.name not in results or (source.name == "sequence" and len(results["sequence"]) < seed):
                measure(source.name, source, spent)
        blend.look_at(train, items)
        measure(name, blend, total)

    with tempfile.TemporaryDirectory() as temporary:
        for seed in range(1, arguments.seeds + 1):
            blended("blend" if arguments.light else "blend-light", seed, session_blend(sources_named(SESSION)))
            if not arguments.light:
                own = {**sources_named(SESSION), "sequence": neural(seed, Path(temporary))}
                blended("blend", seed, session_blend(own, ["sequence"]))
    metrics: dict[str, Any] = {name: figures(gained) for name, gained in results.items()}
    for worse in ("v-sknn", "session-knn", "item-walk"):
        metrics[f"blend - {worse}"] = difference(results["blend"], results[worse])
    if not arguments.light:
        metrics["blend - blend-light"] = difference(results["blend"], results["blend-light"])
    metrics["item-walk - v-sknn"] = difference(results["item-walk"], results["v-sknn"])
    shape = {"sessions": len(train), "items": train.n_items, "test_rows": len(targets)}
    extra = {"seeds": arguments.seeds, "seconds": seconds, "learned": learned, "shape": shape}
    print(result_line("session_recommendation", arguments.name, metrics, **extra))


def fitted(source: Recommender, train: Interactions, items: Items) -> float:
    """Fit it; CPU seconds."""
    started = time.process_time()
    source.fit(train, items)
    return time.process_time() - started


if __name__ == "__main__":
    main()
