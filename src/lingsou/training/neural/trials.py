"""A search's trials: the recipe trained on the same rows again and again, and measured on validation."""

import hashlib
import math
import shutil
from collections.abc import Callable
from pathlib import Path

from lingsou.core.errors import ConfigurationError
from lingsou.pipeline.shop import Shop
from lingsou.training.neural.methods.attach import LEARNING_RATES
from lingsou.training.neural.processes import require_one
from lingsou.training.neural.run import prepare, read_data, run_key
from lingsou.training.neural.trainer import OnStep
from lingsou.training.recipe import Recipe
from lingsou.training.search import Report, Space, Trials, search, set_by_path

_RATE = "train.learning_rate"
"""Also the field of the error by which a training ends whose loss is no number any more."""


def search_recipe(
    recipe: Recipe,
    space: Space,
    trials: int,
    files: Path,
    folder: Path,
    shop: Shop | None = None,
    *,
    on_trial: Callable[[Recipe, int], OnStep | None] = lambda *_: None,
) -> Trials:
    """Search `space` for the recipe whose tasks' metrics are highest on validation, in the mean. Goes on after a kill.

    The test part is never looked at. A trial's weights are not kept: the best recipe is to be trained again.

    Args:
        recipe: what is varied.
        space: what may vary, and how far; not the data, or figures could not be compared.
        trials: how many in all.
        files: relative paths of the recipe begin here.
        folder: of the search.
        shop: for data that is the shop's own.
        on_trial: told of each trial's recipe and steps as it begins, gives what is told of its steps.

    Raises:
        ConfigurationError: `space` does not fit the recipe, or no trial came to a number; or as `prepare` says.
        InputError, StorageError: as `prepare` says.
        LockedError: another search runs in the folder.
    """
    require_one("A search")
    for path in space:
        if path.startswith("tasks.") and ".data." in path:
            raise ConfigurationError(
                "A search compares figures on the same rows.", field=path, cure="Vary something else than the data."
            )
    data = read_data(recipe, files, shop)

    def run(tried: Recipe, report: Report) -> float:
        own = folder / "trials" / hashlib.sha256(tried.model_dump_json().encode()).hexdigest()[:12]
        for other in own.parent.glob("*"):  # one trial's checkpoints are enough, and may be large
            if other != own:
                shutil.rmtree(other)
        prepared = prepare(tried, files, own, shop, data=data)
        try:
            prepared.train(on_trial(tried, prepared.trainer.steps), report)
        except ConfigurationError as error:
            if error.field == _RATE:
                return math.nan
            raise
        found = prepared.evaluate("validation")
        values = [found[task.name].values[task.metric] for task in prepared.tasks]
        return sum(values) / len(values)

    if _RATE in space and recipe.train.learning_rate is None and recipe.train.optimiser == "adamw":
        recipe = set_by_path(recipe, _RATE, LEARNING_RATES[recipe.method.name])  # so that the first trial is as it is
    rows = run_key(recipe, {name: sets for name, (sets, _) in data.items()})
    found = search(recipe, space, run, trials, folder, data=rows)
    shutil.rmtree(folder / "trials", ignore_errors=True)
    return found
