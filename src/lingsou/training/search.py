"""Hyper-parameter search over a recipe, by Optuna, such that a killed search goes on where it was.

Bergstra et al., Algorithms for Hyper-Parameter Optimization (NIPS 2011), is the sampler; a trial whose metric lies
below the median of the earlier ones at the same step is given up.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import ValidationError

from lingsou.core.errors import ConfigurationError, LockedError
from lingsou.encoders.optional import require
from lingsou.training.recipe import Recipe

Choice = str | int | float | bool
Space = Mapping[str, tuple[float, float] | list[Choice]]
"""Path in the recipe, such as `train.learning_rate` → the lowest and highest value (whole numbers where both are), or
a list of choices. A range whose ends are ten times apart or more is searched by its logarithm."""
Report = Callable[[int, float], None]
"""Called during a training with a step and the metric so far; raises (Optuna's `TrialPruned`) to give the trial up."""


@dataclass(frozen=True)
class Trial:
    """One recipe that was tried. `metric` is none where it was given up, or did not come to a number."""

    values: Mapping[str, Choice]
    metric: float | None


@dataclass(frozen=True)
class Trials:
    """What a search found."""

    best: Recipe
    metric: float
    tried: Sequence[Trial]
    """In the order of trying."""


def search(
    recipe: Recipe,
    space: Space,
    run: Callable[[Recipe, Report], float],
    trials: int,
    storage: Path,
    *,
    data: str = "",
) -> Trials:
    """Try `trials` recipes that differ from `recipe` in `space`, the first one as it is where `space` holds it.

    The same recipe, space, `data` and `storage` go on with an earlier search, and find what it would have found
    unbroken; another recipe, space or data begins another search in the same file.

    Args:
        recipe: what is varied; `train.seed` seeds the search too.
        space: what may vary, and how far.
        run: trains a recipe and gives its metric, higher is better; it lets what its `Report` raises through.
        trials: how many in all, earlier ones included.
        storage: the folder of `search.sqlite`.
        data: names the rows that figures are of, such as their hash.

    Raises:
        ConfigurationError: a path or value does not fit the recipe, or no trial came to a number.
        LockedError: another search runs in the folder.
        MissingExtraError: Optuna is not installed.
    """
    _check(recipe, space, trials)
    optuna = require("optuna", "train")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage.mkdir(parents=True, exist_ok=True)
    with _alone(storage):
        return _search(optuna, recipe, space, run, trials, storage, data)


def _search(
    optuna: Any,
    recipe: Recipe,
    space: Space,
    run: Callable[[Recipe, Report], float],
    trials: int,
    storage: Path,
    data: str,
) -> Trials:
    kept = optuna.storages.RDBStorage(f"sqlite:///{storage / 'search.sqlite'}")
    try:
        study = optuna.create_study(
            study_name=_name(recipe, space, data),
            storage=kept,
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(),
            load_if_exists=True,
        )
        _go_on(optuna, study, recipe, space, run, trials)
        return _found(optuna, study, recipe)
    finally:
        kept.remove_session()
        kept.engine.dispose()


@contextmanager
def _alone(storage: Path) -> Iterator[None]:
    """Hold the folder: a search takes whatever runs in it for the trial of one that was killed."""
    lock = FileLock(storage / "search.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise LockedError(
            f"Another search runs in '{storage}'.", cure="Wait until it is done, or name another folder: --out"
        ) from error
    try:
        yield
    finally:
        lock.release()


def set_by_path(recipe: Recipe, path: str, value: object) -> Recipe:
    """The recipe with the value at `path` (keys joined by dots) replaced, validated again.

    Raises:
        ConfigurationError: there is no such key, or the value is not allowed there.
    """
    values = recipe.model_dump()
    *outer, last = path.split(".")
    place: Any = values
    for key in outer:
        place = place.get(key) if isinstance(place, dict) else None
    if not isinstance(place, dict):
        raise ConfigurationError("There is no such key in the recipe.", field=path, cure="docs/training.md lists them.")
    place[last] = value
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ConfigurationError(
            f"{value!r} does not fit: {first['msg']}.", field=path, cure="docs/training.md lists every key."
        ) from error


def _go_on(
    optuna: Any, study: Any, recipe: Recipe, space: Space, run: Callable[[Recipe, Report], float], trials: int
) -> None:
    states = optuna.trial.TrialState
    for broken in study.get_trials(deepcopy=False, states=(states.RUNNING,)):
        study.tell(broken.number, state=states.FAIL)
    while (done := len(_finished(optuna, study))) < trials:
        # a seed for each trial: a search that was broken off draws what an unbroken one draws
        study.sampler = optuna.samplers.TPESampler(seed=recipe.train.seed + done)
        waiting = study.get_trials(deepcopy=False, states=(states.WAITING,))  # killed before it was begun
        if done == 0 and not waiting and (own := _own(recipe, space)):
            study.enqueue_trial(own)
        trial = study.ask()
        tried = recipe
        for path, values in space.items():
            tried = set_by_path(tried, path, _draw(trial, path, values))
        try:
            metric = run(tried, _report(optuna, trial))
        except optuna.TrialPruned:
            metric = math.nan
        except Exception:
            study.tell(trial, state=states.FAIL)
            raise
        if math.isfinite(metric):
            study.tell(trial, metric)
        else:
            study.tell(trial, state=states.PRUNED)


def _report(optuna: Any, trial: Any) -> Report:
    def report(step: int, value: float) -> None:
        trial.report(value, step)
        if trial.should_prune():
            raise optuna.TrialPruned

    return report


def _draw(trial: Any, path: str, values: tuple[float, float] | list[Choice]) -> Choice:
    if isinstance(values, list):
        chosen: Choice = trial.suggest_categorical(path, values)
        return chosen
    low, high = values
    log = low > 0 and high / low >= 10
    suggest = trial.suggest_int if isinstance(low, int) and isinstance(high, int) else trial.suggest_float
    drawn: Choice = suggest(path, low, high, log=log)
    return drawn


def _own(recipe: Recipe, space: Space) -> dict[str, Choice]:
    """What the recipe itself says of `space`; empty where any of it lies outside."""
    found: dict[str, Choice] = {}
    for path, values in space.items():
        own: Any = recipe.model_dump()
        for key in path.split("."):
            own = own.get(key)
        inside = own in values if isinstance(values, list) else own is not None and values[0] <= own <= values[1]
        if not inside:
            return {}
        found[path] = own
    return found


def _finished(optuna: Any, study: Any) -> Sequence[Any]:
    states = optuna.trial.TrialState
    found: Sequence[Any] = study.get_trials(deepcopy=False, states=(states.COMPLETE, states.PRUNED))
    return found


def _found(optuna: Any, study: Any, recipe: Recipe) -> Trials:
    complete = optuna.trial.TrialState.COMPLETE
    tried = [Trial(each.params, each.value if each.state == complete else None) for each in _finished(optuna, study)]
    measured = [(each.metric, each) for each in tried if each.metric is not None]
    if not measured:
        raise ConfigurationError("No trial came to a number.", field="search", cure="A narrower space, or more trials.")
    metric, best = max(measured, key=lambda pair: pair[0])
    for path, value in best.values.items():
        recipe = set_by_path(recipe, path, value)
    return Trials(recipe, metric, tuple(tried))


def _name(recipe: Recipe, space: Space, data: str) -> str:
    whole = recipe.model_dump_json() + json.dumps(dict(space)) + data
    return f"{recipe.name}-{hashlib.sha256(whole.encode()).hexdigest()[:16]}"


def _check(recipe: Recipe, space: Space, trials: int) -> None:
    if trials < 1:
        raise ConfigurationError(f"{trials} trials find nothing.", field="trials", cure="1 or more; 20 are usual.")
    for path, values in space.items():
        if not values or (isinstance(values, tuple) and values[0] > values[1]):
            raise ConfigurationError(
                f"{values} is not a space.", field=path, cure="The lowest and the highest value, or a list of choices."
            )
        for value in values:
            set_by_path(recipe, path, value)
