"""The model: where it starts, what it must never do, what its explanations add up to, and how it is validated."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.ranking.dataset import Group, group, training_rows
from lingsou.ranking.lambdamart import CHOICES, Choice, LambdaMart, train
from lingsou.ranking.validation import choose, cross_validate, quality

Floats = NDArray[np.float64]
NAMES = ("stock", "rating", "coverage", "noise")
MONOTONE = (1, 1, 1, 0)


def judged(queries: int = 40, each: int = 30, seed: int = 1, *, signal: float = 1.0) -> list[Group]:
    """Groups whose grade follows coverage, and falls with stock: the opposite of what may be learned of it."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(queries):
        features = random.random((each, 4))
        wanted = signal * (2 * features[:, 2] - features[:, 0]) + random.normal(0, 0.3, each)
        grades = np.digitize(wanted, [0.3, 0.9]).astype(float)
        ids = [str(place) for place in range(each)]
        base = random.random(each)
        made.append(group(f"q{number}", ids, features, base, dict(zip(ids, grades.tolist(), strict=True))))
    return made


@pytest.fixture(scope="module")
def model() -> LambdaMart:
    return train(judged(), NAMES, MONOTONE)


def test_an_untrained_model_is_the_fused_order() -> None:
    assert train([], NAMES, MONOTONE).adjustments(np.ones((3, 4))).tolist() == [0, 0, 0]
    assert train([], NAMES, MONOTONE).contributions(np.ones((3, 4))).shape == (3, 5)


def test_it_learns_what_the_fused_score_does_not_know(model: LambdaMart) -> None:
    unseen = judged(seed=2)
    before = np.mean([quality(each, each.base) for each in unseen])
    after = np.mean([quality(each, each.base + model.adjustments(each.features)) for each in unseen])
    assert after > before + 0.15


@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("trees", ["cautious", "bold"])
def test_more_stock_rating_or_matched_words_never_lower_a_score(column: int, trees: str) -> None:
    """Although in these judgements more stock is worse."""
    model = train(judged(), NAMES, MONOTONE, Choice(trees="bold" if trees == "bold" else "cautious"))
    free = train(judged(), NAMES, (0, 0, 0, 0), Choice(trees="bold" if trees == "bold" else "cautious"))
    rows = np.repeat(np.random.default_rng(5).random((50, 4)), 21, axis=0)
    rows[:, column] = np.tile(np.linspace(-0.5, 1.5, 21), 50)
    steps = np.diff(model.adjustments(rows).reshape(50, 21), axis=1)
    assert (steps >= -1e-12).all()
    if column == 0:
        assert (np.diff(free.adjustments(rows).reshape(50, 21), axis=1) < 0).any()


def test_a_missing_value_has_a_score(model: LambdaMart) -> None:
    assert np.isfinite(model.adjustments(np.full((2, 4), np.nan))).all()


def test_contributions_add_up_to_the_adjustment(model: LambdaMart) -> None:
    rows = np.random.default_rng(6).random((100, 4))
    assert model.contributions(rows).sum(axis=1) == pytest.approx(model.adjustments(rows), abs=1e-9)


def test_the_same_judgements_give_the_same_model(model: LambdaMart) -> None:
    again = train(judged(), NAMES, MONOTONE)
    assert [each.model_to_string() for each in again.boosters] == [each.model_to_string() for each in model.boosters]
    assert len({each.model_to_string() for each in model.boosters}) == len(model.boosters)


def test_importance_is_shared_out(model: LambdaMart) -> None:
    shares = dict(model.importance())
    assert sum(shares.values()) == pytest.approx(1)
    assert model.importance()[0][0] == "coverage"


def test_groups_stand_best_fused_score_first() -> None:
    made = group("q", ["a", "b"], np.array([[1.0], [2.0]]), np.array([0.1, 0.9]), {"a": 2, "gone": 1})
    assert made.ids == ("b", "a")
    assert made.features.tolist() == [[2], [1]]
    assert np.isnan(made.grades[0])
    assert sorted(made.judged) == [1, 2]


def test_unjudged_products_count_only_near_the_top() -> None:
    size = 80
    made = group("q", [str(n) for n in range(size)], np.zeros((size, 1)), -np.arange(size, dtype=float), {"70": 1.5})
    rows = training_rows([made])
    assert rows is not None
    assert rows.sizes == (61,)
    assert list(rows.gains) == pytest.approx([0, 2**1.5 - 1])
    assert rows.labels.tolist() == [0] * 60 + [1]


def test_a_query_of_one_grade_teaches_nothing() -> None:
    made = group("q", ["a", "b"], np.zeros((2, 1)), np.zeros(2), {"a": 0, "b": -1})
    assert training_rows([made]) is None


def test_quality_by_hand() -> None:
    """The relevant product stands second: 1 / log2(3)."""
    made = group("q", ["a", "b"], np.zeros((2, 1)), np.array([0.2, 0.1]), {"b": 1})
    assert quality(made, made.base) == pytest.approx(1 / np.log2(3))
    assert quality(made, np.array([0.1, 0.2])) == 1


def test_cross_validation_finds_what_is_there_and_not_what_is_not() -> None:
    there = cross_validate(judged(30, 20), NAMES, MONOTONE)
    assert there.gain.difference.low > 0
    assert len(there.scores) == 30
    nothing = cross_validate(judged(30, 20, signal=0.0), NAMES, MONOTONE)
    assert nothing.gain.difference.low < 0


def test_no_query_is_scored_by_a_model_that_saw_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A feature that names the grade of one query's products alone can help no other query."""
    groups = judged(10, 12)
    seen: list[set[str]] = []
    import lingsou.ranking.validation as validation

    def spy(known: list[Group], *arguments: object) -> LambdaMart:
        seen.append({each.query for each in known})
        return LambdaMart(NAMES, 1.0, ())

    monkeypatch.setattr(validation, "train", spy)

    def chosen(known: list[Group], *arguments: object, **more: object) -> Choice:
        seen.append({each.query for each in known})
        return Choice()

    monkeypatch.setattr(validation, "choose", chosen)
    cross_validate(groups, NAMES, MONOTONE)
    everything = {each.query for each in groups}
    assert len(seen) == 10
    assert all(len(known) == 8 for known in seen)
    assert set.union(*({*everything} - known for known in seen)) == everything


def test_few_queries_take_the_default_and_too_few_are_refused() -> None:
    assert choose(judged(5, 10), NAMES, MONOTONE) == Choice()
    assert Choice() in CHOICES
    with pytest.raises(InputError, match="cannot be cut into 5 parts"):
        cross_validate(judged(3, 10), NAMES, MONOTONE)
