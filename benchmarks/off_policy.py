"""Off-policy estimators on a synthetic truth, and on the logs of a folder in the form of Open Bandit.

    python -m benchmarks.off_policy                      synthetic only
    python -m benchmarks.off_policy --data open_bandit   estimates from its random log, beside the other log's mean

Synthetic: contexts, arms and rewards are known, so error and coverage are. The model behind DM and DR is the mean
reward of each (context, arm), shrunk to the arm's mean and fitted on the other half of the rows.

Open Bandit: `random_NAME.csv.gz` was logged by a uniform policy, `bts_NAME.csv.gz` by Thompson sampling. From the
random log we estimate what the policy "each item with its share in the bts log, for each position" earns; the bts log's
own click rate stands beside it. The two logs hold some fifty clicks each: no claim is made.
"""

import argparse
import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.evaluation.off_policy import Estimate, Feedback, direct, doubly_robust, ips, snips
from lingsou.evaluation.report import result_line

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
REPETITIONS, SHRINKAGE = 200, 20.0
COLUMNS = ("item_id", "position", "click", "propensity_score")


def mean_model(contexts: Ints, arms: Ints, rewards: Floats, shape: tuple[int, int]) -> Floats:
    """q̂ [contexts, arms]: mean reward of each cell, shrunk to its arm's mean, that one to the mean of all."""
    total = float(rewards.mean())
    arm_count = np.bincount(arms, minlength=shape[1])
    arm_mean = (np.bincount(arms, rewards, shape[1]) + SHRINKAGE * total) / (arm_count + SHRINKAGE)
    cells = contexts * shape[1] + arms
    count = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    earned = np.bincount(cells, rewards, shape[0] * shape[1]).reshape(shape)
    return np.asarray((earned + SHRINKAGE * arm_mean) / (count + SHRINKAGE))


def estimates(contexts: Ints, arms: Ints, rewards: Floats, propensities: Floats, policy: Floats) -> dict[str, Estimate]:
    """Every estimator; `policy` [contexts, arms] sums to 1 over arms. The model is cross-fitted on two halves."""
    logged = Feedback.of(rewards, propensities, policy[contexts, arms])
    shown, wanted = np.zeros(len(rewards)), np.zeros(len(rewards))
    half = np.arange(len(rewards)) % 2 == 0
    for fit, use in ((half, ~half), (~half, half)):
        model = mean_model(contexts[fit], arms[fit], rewards[fit], (policy.shape[0], policy.shape[1]))
        shown[use] = model[contexts[use], arms[use]]
        wanted[use] = (policy * model).sum(axis=1)[contexts[use]]
    return {
        "ips": ips(logged),
        "snips": snips(logged),
        "dm": direct(wanted),
        "dr": doubly_robust(logged, shown, wanted),
    }


def synthetic(rounds: int, contexts: int = 20, arms: int = 30) -> dict[str, dict[str, float]]:
    """Relative error (mean and worst of the repetitions) and coverage of the 95 % intervals."""
    truth = np.random.default_rng(11)
    reward = truth.beta(1, 12, (contexts, arms))
    logging = 0.8 * truth.dirichlet(np.ones(arms), contexts) + 0.2 / arms
    policy = truth.dirichlet(np.ones(arms), contexts)
    value = float((policy * reward).sum(axis=1).mean())
    errors: dict[str, list[float]] = {}
    inside: dict[str, int] = {}
    for seed in range(REPETITIONS):
        random = np.random.default_rng(seed)
        seen = random.integers(0, contexts, rounds)
        chosen = (random.random(rounds)[:, None] > logging.cumsum(axis=1)[seen]).sum(axis=1).clip(0, arms - 1)
        earned = (random.random(rounds) < reward[seen, chosen]).astype(np.float64)
        for name, found in estimates(seen, chosen, earned, logging[seen, chosen], policy).items():
            errors.setdefault(name, []).append(abs(found.value - value) / value)
            inside[name] = inside.get(name, 0) + (found.low <= value <= found.high)
    return {
        name: {
            "relative_error": float(np.mean(each)),
            "relative_error_worst": max(each),
            "coverage": inside[name] / REPETITIONS,
        }
        for name, each in errors.items()
    }


def open_bandit(folder: Path) -> dict[str, dict[str, Any]]:
    """Estimates for each pair of logs in the folder."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("random_*.csv.gz")):
        name = path.name.removeprefix("random_").removesuffix(".csv.gz")
        other = folder / f"bts_{name}.csv.gz"
        if not other.exists():
            continue
        uniform, bts = read_log(path), read_log(other)
        positions = np.unique(np.concatenate([uniform["position"], bts["position"]]))
        arms = int(max(uniform["item_id"].max(), bts["item_id"].max())) + 1
        seen = np.searchsorted(positions, bts["position"].astype(np.int64))
        shares = np.zeros((len(positions), arms))
        np.add.at(shares, (seen, bts["item_id"].astype(np.int64)), 1)
        policy = shares / shares.sum(axis=1, keepdims=True)
        judged = estimates(
            np.searchsorted(positions, uniform["position"].astype(np.int64)),
            uniform["item_id"].astype(np.int64),
            uniform["click"],
            uniform["propensity_score"],
            policy,
        )
        own = direct(bts["click"])
        found[name] = {
            key: {"value": each.value, "ci": [each.low, each.high], "effective_rows": each.effective_rows}
            for key, each in {**judged, "bts log itself": own}.items()
        }
    return found


def read_log(path: Path) -> dict[str, Floats]:
    """The columns of one log as float64."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {name: np.array([float(row[name]) for row in rows]) for name in COLUMNS}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with random_NAME.csv.gz and bts_NAME.csv.gz")
    parser.add_argument("--rounds", type=int, default=100_000, help="logged rows of each synthetic repetition")
    arguments = parser.parse_args()
    metrics: dict[str, Any] = {f"synthetic {name}": each for name, each in synthetic(arguments.rounds).items()}
    for name, each in metrics.items():
        print(name, each)
    data = "synthetic"
    if arguments.data:
        data = arguments.data.name
        for name, judged in open_bandit(arguments.data).items():
            metrics[name] = judged
            for key, value in judged.items():
                print(f"{name} {key:16} {value['value']:.5f} {value['ci']} of {value['effective_rows']:.0f} rows")
    print(result_line("off_policy", data, metrics, rounds=arguments.rounds, repetitions=REPETITIONS))


if __name__ == "__main__":
    main()
