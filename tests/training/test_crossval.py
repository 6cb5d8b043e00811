"""Folds: every row measured once, groups whole."""

import pytest

from lingsou.core.errors import InputError
from lingsou.training.crossval import folds, spreads
from lingsou.training.examples import LabelSet, PairSet

QUERIES = ("red dress", "black shoe", "phone case", "apple", "running", "men", "small")
PAIRS = PairSet.of([(query, f"product {place} {query}", float(place)) for query in QUERIES for place in range(3)])


def test_every_query_is_measured_once_and_never_parted() -> None:
    parts = list(folds(PAIRS, 3, 0))
    assert sorted(query for part in parts for query in part.test.queries) == sorted(QUERIES)
    for part in parts:
        three = [set(part.train.queries), set(part.validation.queries), set(part.test.queries)]
        assert set.union(*three) == set(QUERIES)
        assert sum(map(len, three)) == len(QUERIES)
        assert all(len(each) in {2, 3} for each in three)
        assert len(part.train) + len(part.validation) + len(part.test) == len(PAIRS)
        assert part.test.grades.tolist() == [0.0, 1.0, 2.0] * len(part.test.queries)


def test_each_fold_chooses_what_the_next_one_measures() -> None:
    parts = list(folds(PAIRS, 4, 1))
    for place, part in enumerate(parts):
        assert part.validation.queries == parts[(place + 1) % 4].test.queries


def test_texts_alike_stay_together() -> None:
    labels = LabelSet(("Nice", "nice", "bad", "so so"), (("a",), ("a",), ("b",), ("b",)))
    for part in folds(labels, 3, 0):
        assert any({"Nice", "nice"} <= set(each.texts) for each in (part.train, part.validation, part.test))


def test_rows_given_to_learn_from_are_never_measured_by() -> None:
    own = LabelSet(("nice", "fine", "bad", "so so"), (("a",), ("a",), ("b",), ("b",)))
    guessed = LabelSet(("great", "fine", "poor"), (("a",), ("b",), ("b",)))
    whole = LabelSet(own.texts + guessed.texts, own.given + guessed.given)
    parts = list(folds(whole, 3, 0, guessed))
    assert sorted(text for part in parts for text in part.test.texts) == ["bad", "fine", "nice", "so so"]
    for part in parts:
        held = {*part.validation.texts, *part.test.texts}
        assert {"great", "poor"} <= set(part.train.texts)
        assert not held & set(part.train.texts)


def test_the_seed_decides() -> None:
    def tests(seed: int) -> list[tuple[str, ...]]:
        return [part.test.queries for part in folds(PAIRS, 3, seed)]

    assert tests(5) == tests(5)
    assert any(tests(5) != tests(other) for other in range(3))


def test_too_few() -> None:
    with pytest.raises(InputError, match="2 folds leave none"):
        folds(PAIRS, 2, 0)
    with pytest.raises(InputError, match="7 queries cannot be cut into 8"):
        folds(PAIRS, 8, 0)


def test_the_spread_over_folds() -> None:
    found = spreads([{"f1": 0.5, "recall": 1.0}, {"f1": 0.75, "recall": 1.0}, {"f1": 1.0, "recall": 1.0}])
    assert (found["f1"].mean, found["f1"].deviation) == (0.75, 0.25)
    assert list(found["f1"].folds) == [0.5, 0.75, 1.0]
    assert found["recall"].deviation == 0.0
