"""What the tables of a training report say, worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from lingsou.training.augment import PERTURBATIONS
from lingsou.training.evaluations import Evaluation, Perturbed
from lingsou.training.examples import LabelSet, PairSet, Span, TagSet
from lingsou.training.report_tables import (
    KINDS,
    MOST_CONFUSED,
    MOST_LABELS,
    OTHERS,
    confusion_of,
    gaps,
    robust_lines,
    slice_counts,
    slice_lines,
)
from tests.training.report_example import ATTRIBUTE, HOSTILE, classes, many_classes, matching


def test_slices_are_sorted_by_how_far_they_fall_behind() -> None:
    lines = slice_lines(matching())
    assert [(line.dimension, line.name) for line in lines[:3]] == [
        ("language", "other"), ("brand", HOSTILE), ("language", "zh"),
    ]  # fmt: skip
    told = [line.ahead for line in lines if line.ahead is not None]
    assert told == sorted(told)
    assert lines[0].ahead == pytest.approx(0.10 - 0.55)
    assert lines[0].few, "seven queries"
    assert not lines[2].few
    tail = next(line for line in lines if line.name == "tail")
    assert tail.change == pytest.approx(0.47 - 0.52)


def test_a_slice_without_a_figure_is_listed_last() -> None:
    line = slice_lines(matching())[-1]
    assert (line.dimension, line.name, line.rows, line.value, line.ahead) == ("frequency", "unseen", 2, None, None)


def test_lower_losses_are_ahead() -> None:
    task = replace(
        matching(),
        metric="ece_loss",
        test=Evaluation({"ece_loss": 0.1}, 9, {"a: low": {"ece_loss": 0.05}, "a: high": {"ece_loss": 0.2}}),
        before=None,
        counts={},
        robustness={"other": Perturbed(Evaluation({"ece_loss": 0.3}, 9), 1.0)},
    )
    assert [(line.name, round(line.ahead or 0, 9)) for line in slice_lines(task)] == [("high", -0.1), ("low", 0.05)]
    assert slice_lines(task)[0].rows is None
    (line,) = robust_lines(task)
    assert line.name == "other", "a kind without a name of its own keeps what it is called"
    assert line.change == pytest.approx(-0.2)
    assert line.kept is None, "a loss has no share that is left"


def test_gaps_are_between_slices_that_are_not_few() -> None:
    found = {gap.dimension: gap for gap in gaps(slice_lines(matching()))}
    assert list(found) == ["audience", "brand", "language", "price"]
    assert found["language"].width == pytest.approx(0.62 - 0.44), "`other` has seven queries"
    assert len(found["language"].lines) == 3, "and is shown all the same"
    alone = replace(matching(), counts=dict.fromkeys(matching().counts, 3))
    assert all(gap.best is None and gap.width == 0 for gap in gaps(slice_lines(alone)))


def test_confusion_by_hand() -> None:
    found = confusion_of(classes().test)
    assert found
    assert found.names == ("buy", "ask", "return", ATTRIBUTE)
    assert found.matrix[1] == (10, 60, 0, 0)
    assert found.shares[2] == pytest.approx((5 / 30, 3 / 30, 22 / 30, 0))
    assert found.labels[0].name == ATTRIBUTE
    assert found.labels[0].recall == 0
    buy = found.labels[-1]
    assert (buy.name, buy.expected, buy.found) == ("buy", 100, 109)
    assert (buy.precision, buy.recall, buy.f1) == pytest.approx((90 / 109, 0.9, 180 / 209))
    assert found.mistakes[0] == ("ask", "buy", 10, 10 / 70)
    assert len(found.mistakes) == 6, "what never happens is no mistake"
    assert confusion_of(matching().test) is None


def test_many_labels_are_added_up_and_nothing_is_lost() -> None:
    task = many_classes(40)
    assert task.test.confusion
    table = np.asarray(task.test.confusion[1])
    found = confusion_of(task.test)
    assert found
    assert len(found.names) == len(found.matrix) == MOST_LABELS
    assert found.names[-1] == OTHERS
    assert sum(map(sum, found.matrix)) == table.sum()
    largest = int(table.sum(axis=1).argmax())
    assert found.names[0] == task.test.confusion[0][largest]
    assert found.matrix[0][0] == table[largest, largest]
    assert len(found.labels) == 40
    assert len(found.mistakes) == MOST_CONFUSED


def test_a_label_that_was_never_expected() -> None:
    found = confusion_of(Evaluation({}, 2, confusion=(("a", "b"), [[1, 1], [0, 0]])))
    assert found
    assert found.shares[1] == (0.0, 0.0)
    assert found.mistakes == (("a", "b", 1, 0.5),)


def test_perturbations_are_sorted_by_their_harm() -> None:
    lines = robust_lines(matching())
    assert [line.name for line in lines] == [
        KINDS[kind] for kind in ("keyboard", "pinyin", "synonym", "case-width", "swap")
    ]
    assert set(KINDS) == set(PERTURBATIONS)
    assert lines[1].changed == 0.48
    assert lines[0].kept == pytest.approx(0.41 / 0.55)
    assert lines[-1].kept == 1.0, "better than before is all of it"


def test_slices_are_counted_by_what_their_figures_rest_on() -> None:
    rows = [(query, f"text {each}", float(each % 2)) for query in ("a", "b") for each in range(5)]
    rows += [("alike", f"text {each}", 1.0) for each in range(5)]
    pairs = PairSet.of(rows, {"language": ["en"] * 5 + ["zh"] * 5 + ["ja"] * 5})
    of_queries = {"language: en": 1, "language: zh": 1, "language: ja": 0}
    assert slice_counts(pairs, "relevance") == of_queries, "the order of grades that are all alike cannot be wrong"
    assert slice_counts(pairs, "click") == {"language: en": 5, "language: zh": 5, "language: ja": 5}
    labels = LabelSet(("1", "2", "3"), (("a",), ("b",), ("a",)), slices={"length": ["s", "l", "s"]})
    assert slice_counts(labels, "classes") == {"length: s": 2, "length: l": 1}
    tags = TagSet(("ab", "c"), ((Span(0, 1, "x"), Span(1, 2, "x")), (Span(0, 1, "y"),)))
    assert slice_counts(tags, "tags") == {"kind: x": 2, "kind: y": 1}
