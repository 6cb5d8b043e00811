"""Splits: whole groups, nothing in two parts, nothing lost that is not counted, whatever the order of the rows."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import InputError
from lingsou.training.data.content import contents, fingerprint, joined
from lingsou.training.data.splits import DRAWN, TEST, VALIDATION, partition, split
from lingsou.training.examples import ExampleSet, HistorySet, LabelSet, PairSet, Span, TagSet, TextSet

WORDS = st.text("abAB 灯燈", max_size=4)
LABELLED = st.lists(st.tuples(WORDS, st.sampled_from("xy")), min_size=1, max_size=40)


def labelled(rows: Sequence[tuple[str, str]]) -> LabelSet:
    return LabelSet(tuple(text for text, _ in rows), tuple((label,) for _, label in rows))


def numbered(count: int) -> LabelSet:
    return labelled([(f"text {n}", "xy"[n % 2]) for n in range(count)])


@given(
    LABELLED, st.integers(0, 5), st.lists(st.sampled_from([DRAWN, DRAWN, VALIDATION, TEST]), min_size=40, max_size=40)
)
def test_no_key_stands_in_two_parts_and_every_row_is_accounted_for(
    rows: list[tuple[str, str]], seed: int, files: list[int]
) -> None:
    examples = labelled(rows)
    given_parts = np.array(files[: len(rows)])
    try:
        parts = partition(examples, 0.2, 0.3, seed, given=given_parts)
    except InputError:
        return  # too few rows for three parts
    keys = examples.keys()
    three = [{keys[row] for row in part} for part in (parts.train, parts.validation, parts.test)]
    assert not three[0] & three[1]
    assert not three[1] & three[2]
    assert not three[0] & three[2]
    kept = sum(map(len, (parts.train, parts.validation, parts.test)))
    assert kept + parts.duplicates + parts.crossing + parts.limited == len(rows)
    # What was taken out as a duplicate is still there once: no content is lost but by crossing.
    if not parts.crossing:
        together = np.concatenate([parts.train, parts.validation, parts.test])
        assert {(keys[row], examples.given[row]) for row in together} == set(zip(keys, examples.given, strict=True))


@given(LABELLED, st.randoms(use_true_random=False), st.integers(0, 5))
def test_the_order_of_rows_changes_nothing(rows: list[tuple[str, str]], random: object, seed: int) -> None:
    other = list(rows)
    random.shuffle(other)  # type: ignore[attr-defined] # a random.Random
    found = []
    for each in (labelled(rows), labelled(other)):
        try:
            splits = split(each, 0.2, 0.3, seed)
        except InputError as error:
            found.append([error.message])
        else:
            parts = (splits.train, splits.validation, splits.test)
            found.append([sorted(zip(part.keys(), part.labels(), strict=True)) for part in parts])  # type: ignore[misc]
    assert found[0] == found[1]


def test_a_group_stays_where_it_is_when_others_come() -> None:
    few, many = split(numbered(200), 0.1, 0.2, 3), split(numbered(2_000), 0.1, 0.2, 3)
    assert set(few.test.texts) <= set(many.test.texts)
    assert set(few.train.texts) <= set(many.train.texts)
    assert len(many.test) == pytest.approx(400, rel=0.15)
    assert len(many.validation) == pytest.approx(200, rel=0.15)


def test_another_seed_is_another_split() -> None:
    assert split(numbered(200), 0.1, 0.2, 3).test.texts != split(numbered(200), 0.1, 0.2, 4).test.texts


def test_queries_stay_whole() -> None:
    pairs = PairSet.of([(f"Query {n // 5}" if n % 2 else f"query  {n // 5}", f"text {n}", n % 3) for n in range(500)])
    splits = split(pairs, 0.2, 0.2, 0)
    assert not set(splits.train.keys()) & set(splits.test.keys())
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 500


def test_duplicates_go_and_contradictions_stay() -> None:
    """ "Lamp" and "lamp " say the same; the same text with another label does not."""
    rows = [(f"t{n}", "x") for n in range(20)] + [("Lamp", "x"), ("lamp ", "x"), ("lamp", "y")]
    parts = partition(labelled(rows), 0.2, 0.2, 0)
    assert parts.duplicates == 1


def test_pairs_that_recur_are_observations_and_stay() -> None:
    pairs = PairSet.of([(f"q{n // 4}", "shown again", n % 2) for n in range(200)])
    parts = partition(pairs, 0.2, 0.2, 0)
    assert len(parts.train) + len(parts.validation) + len(parts.test) == 200
    with pytest.raises(InputError, match="All 2 rows are the same"):
        partition(PairSet.of([("q", "a", 1), ("Q", "A", 1)]), 0.0, 0.0, 0)


def test_rows_of_a_test_file_stay_as_they_are_and_leave_training() -> None:
    train = labelled([(f"t{n}", "xy"[n % 2]) for n in range(10)])
    held = labelled([("T1", "y"), ("t1", "y"), ("new", "x")])
    both = joined([train, held])
    parts = partition(both, 0.0, 0.0, 0, given=np.array([DRAWN] * 10 + [TEST] * 3))
    assert parts.test.tolist() == [10, 11, 12]
    assert parts.train.tolist() == [0, 2, 3, 4, 5, 6, 7, 8, 9]
    assert (parts.crossing, parts.duplicates) == (1, 0)


def test_the_limit_draws_whole_queries() -> None:
    pairs = PairSet.of([(f"q{n // 4}", f"text {n}", n % 3) for n in range(400)])
    parts = partition(pairs, 0.1, 0.1, 0, limit=50)
    kept = [pairs.keys()[row] for row in parts.train]
    assert len(kept) == 48
    assert all(kept.count(key) == 4 for key in kept)
    assert parts.limited + 48 + len(parts.validation) + len(parts.test) == 400
    free = partition(pairs, 0.1, 0.1, 0)
    assert parts.test.tolist() == free.test.tolist()


def history(times: Sequence[float], shoppers: Sequence[str] | None = None) -> HistorySet:
    who = tuple(shoppers or (f"s{n}" for n in range(len(times))))
    return HistorySet(("a", "b", "c"), tuple((n % 3, (n + 1) % 3) for n in range(len(times))), who, np.array(times))


@given(st.lists(st.integers(0, 30), min_size=10, max_size=60))
def test_histories_are_split_by_time(times: list[int]) -> None:
    splits = split(history([float(time) for time in times]), 0.2, 0.2, 0)
    assert splits.train.times.max() <= splits.validation.times.min()
    assert splits.validation.times.max() <= splits.test.times.min()
    assert len(splits.test) <= 0.2 * len(times) + 1


def test_a_shopper_with_late_histories_is_late() -> None:
    parts = partition(history([1, 9, 2, 3, 4, 5, 6, 7, 8, 8.5], ["a", "a", *"bcdefghi"]), 0.0, 0.2, 0)
    assert parts.test.tolist() == [0, 1]


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(InputError, match="empty"):
        split(numbered(0), 0.1, 0.1, 0)
    with pytest.raises(InputError, match="All 9 rows are the same"):
        split(labelled([("a", "x")] * 9), 0.1, 0.1, 0)
    with pytest.raises(InputError, match="none is left for the part") as caught:
        split(numbered(2), 0.3, 0.3, 0)
    assert "share of 0" in (caught.value.cure or "")
    with pytest.raises(InputError, match="Nothing is left to train on"):
        split(numbered(9), 0.5, 0.5, 0)
    with pytest.raises(InputError, match="part 'train'"):
        partition(PairSet.of([(f"q{n // 10}", f"t{n}", n % 2) for n in range(99)]), 0.1, 0.1, 0, limit=5)


SETS: list[ExampleSet] = [
    PairSet.of([("q", "a", 1), ("q", "b", 0)], {"language": ["en", "zh"]}),
    labelled([("a", "x"), ("b", "y")]),
    TagSet(("ab", "c"), ((Span(0, 1, "X"),), ())),
    history([1, 2]),
    TextSet(("a", "b")),
]


@pytest.mark.parametrize("examples", SETS, ids=lambda each: type(each).__name__)
def test_joining_keeps_all_and_the_hash_knows_no_order(examples: ExampleSet) -> None:
    twice = joined([examples, examples])
    assert contents(twice) == contents(examples) * 2
    turned = examples.take(np.array([1, 0]))
    assert fingerprint(turned) == fingerprint(examples) != fingerprint(twice)
    assert fingerprint(examples.take(np.array([0]))) != fingerprint(examples)


def test_a_product_of_two_sets_of_histories_is_one() -> None:
    first = HistorySet(("a", "b"), ((0, 1),), ("s",), np.array([1.0]))
    second = HistorySet(("b", "c", "a"), ((0, 1), (1, 2)), ("t", "u"), np.array([2.0, 3.0]))
    both = joined([first, second])
    assert both.texts == ("a", "b", "c")
    assert both.items == ((0, 1), (1, 2), (2, 0))
    assert both.labels() == ["b", "c", "a"]


def test_only_slices_that_all_sets_have_are_joined() -> None:
    first, second = SETS[0], PairSet.of([("r", "c", 1)])
    assert joined([first, second]).slices == {}
    assert joined([first, first]).slices == {"language": ["en", "zh", "en", "zh"]}
    with pytest.raises(InputError, match="different kinds"):
        joined([first, SETS[1]])
