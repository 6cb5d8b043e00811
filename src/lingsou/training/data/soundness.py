"""Whether a set can teach its task at all: asked before hours are spent."""

from collections import Counter

import numpy as np

from lingsou.core.errors import InputError
from lingsou.training.data.label_noise import NoiseReport
from lingsou.training.examples import ExampleSet, HistorySet, LabelSet, PairSet, TagSet
from lingsou.training.recipe import TaskKind

LEAST_OF_A_CLASS = 2


def require_learnable(examples: ExampleSet, kind: TaskKind) -> tuple[str, ...]:
    """What to warn of in a training set that can be learned from.

    Raises:
        InputError: it cannot: no rows, values that are no numbers, or nothing to tell apart.
    """
    if not len(examples):
        raise InputError("There are no training rows.", cure="Give more rows, or hold back smaller shares.")
    if isinstance(examples, PairSet):
        return _pairs(examples, kind)
    if isinstance(examples, LabelSet):
        return _labels(examples)
    if isinstance(examples, TagSet) and not examples.names:
        raise InputError("No training row has a tagged span.", cure="Tag some: B-kind and I-kind instead of O.")
    if isinstance(examples, HistorySet):
        if not np.isfinite(examples.times).all():
            raise InputError("A time is not a number.", field="time", cure="Write seconds since 1970.")
        if len(set(examples.labels())) < 2:
            raise InputError("All histories end with one product.", cure="Give histories that differ.")
    return ()


def require_trusted(noise: NoiseReport | None, most: float | None) -> None:
    """Refuse a set of which more than `most`, a share, is suspected to be labelled wrong; none: whatever it is.

    Raises:
        InputError: it is; the message names the row that is doubted most.
    """
    if noise is None or most is None or noise.suspected <= most:
        return
    first = noise.worst[0] if noise.worst else None
    example = f" The most doubtful says '{first.given}' and should say '{first.suggested}'." if first else ""
    share = f"{noise.suspected:.1%} of {noise.rows:,} rows"
    raise InputError(
        f"{share} are suspected to be labelled wrong, more than {most:.1%}.{example}",
        field="data.max_suspected",
        row=first.row if first else None,
        cure="Correct such rows, or raise the bound: then the data card lists the most doubtful.",
    )


def _pairs(examples: PairSet, kind: TaskKind) -> tuple[str, ...]:
    wrong = np.flatnonzero(~np.isfinite(examples.grades))
    if len(wrong):
        raise InputError("The grade is not a number.", row=int(wrong[0]), field="grade", cure="Write a plain number.")
    grades = np.unique(examples.grades)
    if kind != "matching" and len(grades) < 2:
        raise InputError(
            f"All training pairs have the grade {grades[0]:g}: there is nothing to tell apart.",
            field="grade",
            cure='Give pairs of different grades; pairs that are all good can be learned as kind = "matching".',
        )
    if grades[-1] <= 0:
        raise InputError("No training pair is relevant.", field="grade", cure="Grades above 0 mean relevant.")
    return ()


def _labels(examples: LabelSet) -> tuple[str, ...]:
    counts = Counter(name for row in examples.given for name in row)
    if not counts or (len(counts) < 2 and not examples.multiple):
        only = f"one class, '{next(iter(counts))}'" if counts else "no labels"
        raise InputError(
            f"The training rows have {only}: there is nothing to tell apart.",
            field="label",
            cure="Give rows of two classes or more.",
        )
    rare = sorted(name for name, count in counts.items() if count < LEAST_OF_A_CLASS)
    if not rare:
        return ()
    shown = ", ".join(rare[:10]) + (" …" if len(rare) > 10 else "")
    return (f"{len(rare)} classes have fewer than {LEAST_OF_A_CLASS} training rows: {shown}",)
