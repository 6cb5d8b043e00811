"""Honest splits: whole groups, decided by a hash of their names, or by time; nothing stands in two parts."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.training.data.content import identities
from lingsou.training.examples import ExampleSet, HistorySet, PairSet, Rows, Splits

S = TypeVar("S", bound=ExampleSet)
PARTS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
DRAWN = -1
"""Of a row that no file of its own puts into a part."""


@dataclass(frozen=True)
class Partition:
    """The rows of each part, in the set's order, and how many rows are in none, by the reason."""

    groups: Rows
    """The number of each row's group, [rows of the set]."""
    train: Rows
    validation: Rows
    test: Rows
    duplicates: int
    """Drawn rows that say what another one of their part says."""
    crossing: int
    """Rows whose group also stands in a later part's own file: out of training, or out of validation; and rows of
    files to learn from alone whose text is known already."""
    limited: int
    """Training rows beyond the limit."""


def split(examples: S, validation: float, test: float, seed: int) -> Splits[S]:
    """Cut a set in three by `partition`.

    Raises:
        InputError: the set is empty, all its rows are alike, or a part with a share is left without rows.
    """
    return cut(examples, partition(examples, validation, test, seed))


def cut(examples: S, parts: Partition) -> Splits[S]:
    """The set's three parts."""
    return Splits(examples.take(parts.train), examples.take(parts.validation), examples.take(parts.test))


def partition(
    examples: ExampleSet,
    validation: float,
    test: float,
    seed: int,
    *,
    limit: int | None = None,
    given: NDArray[np.int64] | None = None,
) -> Partition:
    """Which rows go into which part. Neither the order of the rows nor the rest of the set changes where a group goes.

    A group (all rows of one key) goes by a hash of seed and key, so it stays in its part when rows are added; shares
    are those expected of groups. Histories go by time: those that end last are the test, those before validation.

    Rows that say what another of their group says are taken out; but those of a file of their own stay as they are, and
    so do pairs: two products may have one title, and one product is shown many times. Rows that are given for training
    leave it where their group is measured; a text that others label already, or a file before, is taken from there.

    Args:
        examples: the set.
        validation: share of the groups (of histories, of the rows) held back to choose by.
        test: share held back to measure by.
        seed: decides which.
        limit: at most so many training rows, whole groups drawn by the seed.
        given: for each row the part that its file is, or `DRAWN`; none: all are drawn.

    Raises:
        InputError: the set is empty, all its rows are alike, or a part that should have rows is left without.
    """
    if not len(examples):
        raise InputError("The set is empty.", cure="Give a source with rows.")
    if validation + test >= 1:
        raise InputError(
            f"Nothing is left to train on: {validation:g} and {test:g} are held back.",
            field="data.validation",
            cure="Hold back less than everything.",
        )
    keys = examples.keys()
    fixed = np.full(len(keys), DRAWN) if given is None else given
    groups = _groups(keys)
    part = np.empty(len(keys), np.int64)
    crossing = 0
    drawn = {key: rows for key, rows in groups.items() if (fixed[rows] == DRAWN).any()}
    several = isinstance(examples, PairSet | HistorySet)  # rows of one key say different things
    times = examples.times if isinstance(examples, HistorySet) else None
    places = _by_hash(drawn, seed) if times is None else _by_time(drawn, times, seed)
    for key, rows in groups.items():
        own = fixed[rows]
        latest = int(own.max())
        if key in drawn and latest <= TRAIN:
            place = places[key]
            to = TEST if place >= 1 - test else VALIDATION if place >= 1 - test - validation else TRAIN
            # Of a text that is labelled, a file of further rows says nothing new.
            part[rows] = np.where((own == DRAWN) | (to == TRAIN and several), to, DRAWN)
        else:
            # Rows of the group in any earlier part would have taught what the later one measures.
            part[rows] = np.where(own == latest, latest, DRAWN)
            if latest == TRAIN and not several:
                part[rows[1:]] = DRAWN
        crossing += int((part[rows] == DRAWN).sum())
    names = identities(examples, keys)
    if len(names) > 1 and len(set(names)) == 1:
        raise InputError(f"All {len(names):,} rows are the same.", cure="Give different examples.")
    alike = np.zeros(len(names), np.bool_)
    if not isinstance(examples, PairSet):
        alike = _alike(names, part, fixed)
        part[alike] = DRAWN
    limited = _limit(part, groups, limit, seed)
    found = [np.flatnonzero(part == number) for number in range(3)]
    wanted = (True, validation > 0 or VALIDATION in fixed, test > 0 or TEST in fixed)
    for name, rows, needed in zip(PARTS, found, wanted, strict=True):
        if needed and not len(rows):
            raise InputError(
                f"Of {len(keys):,} rows in {len(groups):,} groups none is left for the part '{name}'.",
                field=f"data.{name}" if name != "train" else "data",
                cure="Give more rows, a larger share, or another seed; a share of 0 goes without the part.",
            )
    number = np.empty(len(keys), np.int64)
    for group, rows in enumerate(groups.values()):
        number[rows] = group
    train, held, measured = found
    return Partition(number, train, held, measured, int(alike.sum()), crossing, limited)


def _groups(keys: Sequence[str]) -> dict[str, Rows]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        rows[key].append(row)
    return {key: np.array(own, np.int64) for key, own in rows.items()}


def _by_hash(groups: dict[str, Rows], seed: int) -> dict[str, float]:
    return {key: _chance(key, seed, "part") for key in groups}


def _by_time(groups: dict[str, Rows], times: NDArray[np.float64], seed: int) -> dict[str, float]:
    """Where the middle of each group stands among all rows, over 0 to 1, by the time of the group's last row."""
    order = sorted(groups, key=lambda key: (float(times[groups[key]].max()), _chance(key, seed, "part")))
    sizes = np.array([len(groups[key]) for key in order], np.float64)
    places = (np.cumsum(sizes) - sizes / 2) / max(sizes.sum(), 1.0)
    if len(places):
        places[-1] = np.nextafter(1.0, 0.0)  # however large, what comes last is measured
    return dict(zip(order, places.tolist(), strict=True))


def _limit(part: NDArray[np.int64], groups: dict[str, Rows], limit: int | None, seed: int) -> int:
    """Take training groups that go beyond the limit out of `part`; how many rows those are."""
    if limit is None:
        return 0
    left, out = limit, 0
    for key in sorted(groups, key=lambda key: (_chance(key, seed, "limit"), key)):
        own = groups[key][part[groups[key]] == TRAIN]
        if len(own) <= left:
            left -= len(own)
        else:
            part[own] = DRAWN
            out += len(own)
    return out


def _alike(names: Sequence[str], part: NDArray[np.int64], fixed: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which drawn rows repeat one of their part. A file that is a part of its own is measured as it is."""
    seen: set[tuple[int, str]] = set()
    found = np.zeros(len(names), np.bool_)
    for row, each in enumerate(zip(part.tolist(), names, strict=True)):
        if fixed[row] == DRAWN and each[0] != DRAWN:
            found[row] = each in seen
            seen.add(each)
    return found


def _chance(key: str, seed: int, what: str) -> float:
    """A number in [0, 1) for a name, the same for ever."""
    digest = hashlib.blake2b(f"{what}\0{seed}\0{key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
