"""k-fold cross-validation of a recipe: every row of its data is measured once, by a model that has not seen it."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from lingsou.core.errors import ConflictError
from lingsou.pipeline.shop import Shop
from lingsou.training.crossval import Spread, folds, spreads
from lingsou.training.data.content import joined
from lingsou.training.data.load import given_to_train
from lingsou.training.examples import Splits
from lingsou.training.neural.checkpoint import write_whole
from lingsou.training.neural.deliver import calibrate
from lingsou.training.neural.processes import require_one
from lingsou.training.neural.run import Data, prepare, run_key
from lingsou.training.neural.trainer import OnStep
from lingsou.training.recipe import Recipe


@dataclass(frozen=True)
class CrossValidated:
    """What a recipe comes to."""

    metrics: Mapping[str, str]
    """Task → the metric that its weights were chosen by."""
    values: Mapping[str, Mapping[str, Spread]]
    """Task → metric → the test parts of all folds."""
    rows: Mapping[str, int]
    """Task → rows measured, over all folds."""


def cross_validate(
    recipe: Recipe,
    k: int,
    data: Data,
    files: Path,
    folder: Path,
    shop: Shop | None = None,
    *,
    on_fold: Callable[[int, int], OnStep | None] = lambda *_: None,
) -> CrossValidated:
    """Train `k` times on all but two folds, choose by the one, measure by the other. Goes on after a kill.

    All rows of `data` are cut anew, those of files of their own for validation or test too; but rows of `train_paths`
    are learned from alone, as always. Histories are cut by shopper, not by time.

    Args:
        recipe: what to train.
        k: how many folds, 3 or more.
        data: what `read_data` gives.
        files: relative paths of the recipe begin here.
        folder: gets `fold-<n>.json`, and checkpoints of the fold under way.
        shop: for data that is the shop's own.
        on_fold: told of each fold's number and steps as it begins, gives what is told of its steps.

    Raises:
        InputError: fewer than three folds, or fewer queries (texts, shoppers) than folds.
        ConflictError: the folder has folds of another recipe or other data.
        ConfigurationError, StorageError: as `prepare` says.
    """
    require_one("Cross-validation")
    seed = recipe.train.seed
    cut = {}
    for name, (sets, _) in data.items():
        spec = recipe.tasks[name]
        alone = given_to_train(spec.data, spec.kind, files, shop)
        cut[name] = list(folds(joined([sets.train, sets.validation, sets.test]), k, seed, alone))
    done = [
        _fold(recipe, number, {name: parts[number] for name, parts in cut.items()}, data, files, folder, shop, on_fold)
        for number in range(k)
    ]
    return CrossValidated(
        done[0]["metrics"],
        {name: spreads([each["values"][name] for each in done]) for name in recipe.tasks},
        {name: sum(len(part.test) for part in parts) for name, parts in cut.items()},
    )


def _fold(
    recipe: Recipe,
    number: int,
    splits: Mapping[str, Splits[Any]],
    data: Data,
    files: Path,
    folder: Path,
    shop: Shop | None,
    on_fold: Callable[[int, int], OnStep | None],
) -> dict[str, Any]:
    """One fold's figures: those of its file, else by training."""
    kept = folder / f"fold-{number}.json"
    key = run_key(recipe, splits)
    if kept.is_file():
        found: dict[str, Any] = orjson.loads(kept.read_bytes())
        if found["key"] != key:
            raise ConflictError(
                f"'{folder}' has folds of another recipe or other data.",
                cure="--restart to begin anew, or another folder.",
            )
        return found
    own = {name: (sets, data[name][1]) for name, sets in splits.items()}
    run = prepare(recipe, files, folder / "checkpoints" / str(number), shop, data=own)
    run.train(on_fold(number, run.trainer.steps))
    calibrate(run)
    tests = run.evaluate("test")
    found = {
        "key": key,
        "metrics": {task.name: task.metric for task in run.tasks},
        "values": {name: dict(each.values) for name, each in tests.items()},
    }
    write_whole(kept, orjson.dumps(found))
    shutil.rmtree(folder / "checkpoints")
    return found
