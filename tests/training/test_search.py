"""The search over recipes: it finds, gives up what is hopeless, and goes on after a kill as if nothing had been."""

from pathlib import Path
from typing import Any

import pytest

from lingsou.core.errors import ConfigurationError
from lingsou.training.recipe import Recipe
from lingsou.training.search import Report, Space, Trials, search, set_by_path

RECIPE = Recipe.model_validate(
    {
        "name": "shop",
        "tasks": {"matching": {"kind": "matching", "data": {"format": "pairs", "path": "pairs.csv"}}},
        "method": {"rank": 8},
        "train": {"learning_rate": 1e-3, "seed": 4},
    }
)
SPACE: Space = {"train.learning_rate": (1e-5, 1e-2), "method.rank": (4, 32), "train.schedule": ["linear", "cosine"]}


class Killed(BaseException):
    """As by a signal."""


class Run:
    """A training whose metric is best at rank 20 with the cosine schedule; killed in the trial `until`."""

    def __init__(self, until: int | None = None):
        self.seen: list[Recipe] = []
        self.until = until

    def __call__(self, recipe: Recipe, report: Report) -> float:
        if len(self.seen) == self.until:
            raise Killed
        self.seen.append(recipe)
        return 1.0 - abs(recipe.method.rank - 20) / 100 + 0.1 * (recipe.train.schedule == "cosine")


def drawn(run: Run) -> list[tuple[Any, ...]]:
    return [(each.train.learning_rate, each.method.rank, each.train.schedule) for each in run.seen]


def test_it_finds_the_best_of_what_it_tried(tmp_path: Path) -> None:
    run = Run()
    found = search(RECIPE, SPACE, run, 5, tmp_path / "new" / "folder")
    assert drawn(run)[0] == (1e-3, 8, "linear")  # the recipe as it is comes first
    assert len(run.seen) == len(found.tried) == 5
    assert all(1e-5 <= rate <= 1e-2 and 4 <= rank <= 32 for rate, rank, _ in drawn(run))
    assert min(rate for rate, _, _ in drawn(run)) < 3e-4  # by the logarithm: evenly drawn, few lie below
    assert found.metric == max(each.metric for each in found.tried if each.metric is not None)
    assert Run()(found.best, lambda *_: None) == found.metric
    assert found.best.model_copy(update={"method": RECIPE.method, "train": RECIPE.train}) == RECIPE


def test_killed_and_taken_up_it_finds_the_same(tmp_path: Path) -> None:
    def parts(folder: Path, *until: int | None) -> tuple[list[tuple[Any, ...]], Trials | None]:
        seen, found = [], None
        for each in until:
            run = Run(each)
            try:
                found = search(RECIPE, SPACE, run, 4, folder)
            except Killed:
                found = None
            seen += drawn(run)
        return seen, found

    whole = parts(tmp_path / "whole", None)
    assert parts(tmp_path / "broken", 0, 2, None) == whole
    again = Run()
    assert search(RECIPE, SPACE, again, 4, tmp_path / "whole") == whole[1]
    assert again.seen == []  # nothing is left to try


def test_another_space_is_another_search(tmp_path: Path) -> None:
    search(RECIPE, {"method.rank": (4, 32)}, Run(), 2, tmp_path)
    run = Run()
    assert len(search(RECIPE, {"method.rank": [64]}, run, 2, tmp_path).tried) == 2
    assert [each.method.rank for each in run.seen] == [64, 64]


def test_other_data_is_another_search(tmp_path: Path) -> None:
    search(RECIPE, {"method.rank": [64]}, Run(), 2, tmp_path, data="of spring")
    run = Run()
    search(RECIPE, {"method.rank": [64]}, run, 2, tmp_path, data="of summer")
    assert len(run.seen) == 2


def test_the_hopeless_are_given_up(tmp_path: Path) -> None:
    """Five good trials at first; after them, whatever lies below their median at a step ends there."""
    seen: list[int] = []

    def run(recipe: Recipe, report: Report) -> float:
        seen.append(0)
        value = 1.0 if len(seen) <= 5 else 0.1
        for step in range(3):
            report(step, value)
            seen[-1] += 1
        return value

    found = search(RECIPE, {"method.rank": (4, 32)}, run, 6, tmp_path)
    assert seen == [3, 3, 3, 3, 3, 0]
    assert [each.metric for each in found.tried] == [1.0] * 5 + [None]


def test_a_training_that_diverges_is_a_trial_without_a_metric(tmp_path: Path) -> None:
    def run(recipe: Recipe, report: Report) -> float:
        return float("nan") if recipe.method.rank == 8 else 0.5

    found = search(RECIPE, {"method.rank": [8, 16, 32]}, run, 3, tmp_path)
    assert found.tried[0].metric is None
    assert found.best.method.rank in {16, 32}
    with pytest.raises(ConfigurationError, match="No trial came to a number"):
        search(RECIPE, {"method.rank": [8]}, run, 2, tmp_path)


def test_an_error_ends_the_search_and_its_trial_does_not_count(tmp_path: Path) -> None:
    def broken(recipe: Recipe, report: Report) -> float:
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        search(RECIPE, {"method.rank": (4, 32)}, broken, 2, tmp_path)
    run = Run()
    assert len(search(RECIPE, {"method.rank": (4, 32)}, run, 2, tmp_path).tried) == 2
    assert len(run.seen) == 2


@pytest.mark.parametrize(
    ("space", "field", "message"),
    [
        ({"train.learning_rat": (1e-5, 1e-3)}, "train.learning_rat", "does not fit"),
        ({"training.seed": (1, 3)}, "training.seed", "no such key"),
        ({"train.seed.deeper": (1, 3)}, "train.seed.deeper", "no such key"),
        ({"train.learning_rate": (0.0, 1e-3)}, "train.learning_rate", "0.0 does not fit"),
        ({"train.schedule": ["linear", "stairs"]}, "train.schedule", "'stairs' does not fit"),
        ({"method.rank": (32, 4)}, "method.rank", "not a space"),
        ({"method.rank": []}, "method.rank", "not a space"),
    ],
)
def test_a_space_that_does_not_fit_is_refused_before_anything_runs(
    space: Space, field: str, message: str, tmp_path: Path
) -> None:
    run = Run()
    with pytest.raises(ConfigurationError, match=message) as caught:
        search(RECIPE, space, run, 3, tmp_path / "search")
    assert caught.value.field == field
    assert run.seen == []
    assert not (tmp_path / "search").exists()


def test_no_trials(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="0 trials"):
        search(RECIPE, SPACE, Run(), 0, tmp_path)


def test_set_by_path() -> None:
    assert set_by_path(RECIPE, "tasks.matching.temperature", 0.1).tasks["matching"].temperature == 0.1
    assert set_by_path(RECIPE, "train.augment.typos", 0.2).train.augment == {"typos": 0.2}
    assert set_by_path(RECIPE, "base", "hf:org/name").base == "hf:org/name"
    assert RECIPE.tasks["matching"].temperature == 0.02
