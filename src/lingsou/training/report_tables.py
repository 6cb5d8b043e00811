"""The rows of a training report's tables: slices, confusions, robustness. Arrays and figures in, rows out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lingsou.core.gates import gain
from lingsou.evaluation.label_metrics import Counts
from lingsou.training.evaluations import Evaluation
from lingsou.training.examples import ExampleSet, PairSet, TagSet
from lingsou.training.pools import rank_pools
from lingsou.training.report import TaskReport

BIAS = {"audience": "audience words", "brand": "brand", "language": "language", "price": "price band"}
"""Dimensions of slices that tell shoppers, and those who sell to them, from each other; and what a page calls them."""
KINDS = {
    "keyboard": "typos: a slip on the keyboard",
    "pinyin": "typos: pinyin, or a character of the same sound",
    "case-width": "case and width",
    "synonym": "synonyms",
    "swap": "word order",
}
"""What a page calls the perturbations."""
FEW = 30
"""Slices of fewer are marked: their figures move by several points by chance alone."""
MOST_LABELS = 25
"""A matrix of more is not readable: the rarest labels are added up."""
MOST_CONFUSED = 15
OTHERS = "all others"
_OF_QUERIES = ("matching", "relevance")


@dataclass(frozen=True)
class SliceLine:
    """One slice of the test part."""

    dimension: str
    name: str
    rows: int | None
    """None: nobody counted them."""
    value: float | None
    """None: too few rows for a figure."""
    ahead: float | None
    """By how much it is better than the whole; negative: it falls behind."""
    change: float | None
    """By how much it is better than before the training."""

    @property
    def few(self) -> bool:
        """Whether chance may explain it."""
        return self.rows is not None and self.rows < FEW


@dataclass(frozen=True)
class Gap:
    """One dimension that should make no difference."""

    dimension: str
    lines: tuple[SliceLine, ...]
    best: SliceLine | None
    """Of the slices that are not few; none where there are less than two of them."""
    worst: SliceLine | None

    @property
    def width(self) -> float:
        """How far the best slice is ahead of the worst; 0 where they cannot be told."""
        if self.best is None or self.worst is None:
            return 0.0
        assert self.best.ahead is not None
        assert self.worst.ahead is not None
        return self.best.ahead - self.worst.ahead


@dataclass(frozen=True)
class LabelLine:
    """How one label fares."""

    name: str
    expected: int
    found: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Confusion:
    """Which labels are taken for which."""

    labels: tuple[LabelLine, ...]
    """All of them, the worst F1 first."""
    names: tuple[str, ...]
    """Of the matrix, the most frequent first; the last may stand for all others."""
    matrix: tuple[tuple[int, ...], ...]
    """[k, k]: row is what was expected, column what was found."""
    shares: tuple[tuple[float, ...], ...]
    """The same as shares of the row."""
    mistakes: tuple[tuple[str, str, int, float], ...]
    """The most frequent ones: expected, found, rows, share of the expected label's rows."""


@dataclass(frozen=True)
class RobustLine:
    """The test part with its texts perturbed in one way."""

    name: str
    """Of the perturbation, for people."""
    changed: float
    """Share of the texts that are other ones."""
    values: Mapping[str, float]
    change: float
    """By how much the metric is better than with the texts as they are; negative: it is lost."""
    kept: float | None
    """Share of the metric that is left, 0 to 1; none where the metric is no share of anything."""


def counts_what(kind: str) -> str:
    """What the figures of a task of `kind` are means over."""
    return "queries" if kind in _OF_QUERIES else "rows"


def slice_counts(examples: ExampleSet, kind: str) -> dict[str, int]:
    """How much the figure of each slice (`language: zh`) rests on, for a task of `kind`.

    Rows; for matching and relevance, queries whose order can be right or wrong; for slices `kind: …` of tags, spans.
    """
    if isinstance(examples, PairSet) and kind in _OF_QUERIES:
        measured = rank_pools(examples, np.zeros(len(examples))).queries
        first = np.full(len(examples.queries), len(examples), np.int64)
        np.minimum.at(first, examples.query, np.arange(len(examples)))
        rows = first[measured].tolist()
    else:
        rows = list(range(len(examples)))
    counts: dict[str, int] = {}
    for dimension, values in examples.slices.items():
        counts |= {f"{dimension}: {value}": 0 for value in values}
        for row in rows:
            counts[f"{dimension}: {values[row]}"] += 1
    if isinstance(examples, TagSet):
        for span in (span for spans in examples.spans for span in spans):
            counts[f"kind: {span.kind}"] = counts.get(f"kind: {span.kind}", 0) + 1
    return counts


def slice_lines(task: TaskReport) -> list[SliceLine]:
    """Every slice that was counted or measured, the farthest behind the whole first, those without figures last."""
    whole = task.test.values[task.metric]
    before = task.before.slices if task.before else {}
    lines = []
    for name in {**task.test.slices, **task.counts}:
        dimension, _, value = name.partition(": ")
        figure = task.test.slices.get(name, {}).get(task.metric)
        old = before.get(name, {}).get(task.metric)
        lines.append(
            SliceLine(
                dimension,
                value,
                task.counts.get(name),
                figure,
                None if figure is None else gain(task.metric, whole, figure),
                None if figure is None or old is None else gain(task.metric, old, figure),
            )
        )
    return sorted(lines, key=lambda line: (line.ahead is None, line.ahead or 0.0, line.dimension, line.name))


def gaps(lines: Sequence[SliceLine]) -> list[Gap]:
    """The dimensions of `BIAS` that there are slices of."""
    found = []
    for dimension in BIAS:
        own = tuple(line for line in lines if line.dimension == dimension)
        told = [line for line in own if line.ahead is not None and not line.few]
        best, worst = (told[-1], told[0]) if len(told) > 1 else (None, None)
        if own:
            found.append(Gap(dimension, own, best, worst))
    return found


def confusion_of(evaluation: Evaluation) -> Confusion | None:
    """The matrix and what is read from it; none where the task has none."""
    if evaluation.confusion is None:
        return None
    names = list(evaluation.confusion[0])
    table = np.asarray(evaluation.confusion[1], np.int64)
    expected, found = table.sum(axis=1), table.sum(axis=0)
    counts = Counts(table.diagonal(), found, expected)
    labels = [
        LabelLine(
            names[each],
            int(expected[each]),
            int(found[each]),
            float(counts.precision[each]),
            float(counts.recall[each]),
            float(counts.f1[each]),
        )
        for each in range(len(names))
    ]
    wrong = table - np.diag(table.diagonal())
    pairs = [divmod(int(place), len(names)) for place in np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSED]]
    mistakes = tuple(
        (names[row], names[column], int(wrong[row, column]), float(wrong[row, column] / expected[row]))
        for row, column in pairs
        if wrong[row, column]
    )
    shown, matrix = _largest(names, table)
    sums = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, sums, out=np.zeros(matrix.shape), where=sums > 0)
    return Confusion(
        tuple(sorted(labels, key=lambda line: (line.f1, -line.expected, line.name))),
        tuple(shown),
        tuple(map(tuple, matrix.tolist())),
        tuple(map(tuple, shares.tolist())),
        mistakes,
    )


def robust_lines(task: TaskReport) -> list[RobustLine]:
    """One line a perturbation, the most harmful first."""
    whole = task.test.values[task.metric]
    lines = []
    for kind, each in task.robustness.items():
        values = each.evaluation.values
        value = values[task.metric]
        is_share = whole > 0 and not task.metric.endswith("loss")
        kept = min(max(value / whole, 0.0), 1.0) if is_share else None
        lines.append(RobustLine(KINDS.get(kind, kind), each.changed, values, gain(task.metric, whole, value), kept))
    return sorted(lines, key=lambda line: line.change)


def _largest(names: Sequence[str], table: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The matrix of the most frequent labels, the others added up in one."""
    order = np.argsort(-table.sum(axis=1), kind="stable")
    if len(names) <= MOST_LABELS:
        return [names[each] for each in order], table[np.ix_(order, order)]
    place = np.empty(len(names), np.int64)
    place[order] = np.minimum(np.arange(len(names)), MOST_LABELS - 1)
    merged = np.zeros((MOST_LABELS, MOST_LABELS), np.int64)
    np.add.at(merged, (place[:, None], place[None, :]), table)
    return [*(names[each] for each in order[: MOST_LABELS - 1]), OTHERS], merged
