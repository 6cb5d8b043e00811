"""What the rows of any example set say: to compare, to hash, to measure, and to put sets together."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import orjson

from lingsou.core.errors import InputError
from lingsou.text.normalise import normalise
from lingsou.training.examples import ExampleSet, HistorySet, LabelSet, PairSet, TagSet, TextSet

S = TypeVar("S", bound=ExampleSet)


def texts_of(examples: ExampleSet) -> list[str]:
    """The text of each row by which it is looked at: of pairs the query, of histories what is to be predicted."""
    if isinstance(examples, PairSet):
        return [examples.queries[number] for number in examples.query]
    if isinstance(examples, HistorySet):
        return examples.labels()
    assert isinstance(examples, LabelSet | TagSet | TextSet)
    return list(examples.texts)


def contents(examples: ExampleSet) -> list[tuple[object, ...]]:
    """All that each row says, as it stands; slices do not count."""
    if isinstance(examples, PairSet):
        texts = [examples.texts[number] for number in examples.text]
        return list(zip(texts_of(examples), texts, examples.grades.tolist(), strict=True))
    if isinstance(examples, LabelSet):
        return list(zip(examples.texts, map(sorted, examples.given), strict=True))
    if isinstance(examples, TagSet):
        spans = [[(span.start, span.end, span.kind) for span in row] for row in examples.spans]
        return list(zip(examples.texts, spans, strict=True))
    if isinstance(examples, HistorySet):
        items = [[examples.texts[item] for item in row] for row in examples.items]
        return list(zip(examples.shoppers, items, examples.times.tolist(), strict=True))
    assert isinstance(examples, TextSet)
    return [(text,) for text in examples.texts]


def identities(examples: ExampleSet, keys: Sequence[str]) -> list[str]:
    """For each row a text that is equal for rows that teach the same: texts normalised, and all that is learned.

    Args:
        examples: the set.
        keys: its keys, which cost time to make.
    """
    if isinstance(examples, PairSet):
        texts = [normalise(each) for each in examples.texts]
        rest: Sequence[object] = [
            (texts[number], grade) for number, grade in zip(examples.text, examples.grades.tolist(), strict=True)
        ]
    else:
        rest = [row[1:] for row in contents(examples)]
    return [f"{key}\0{_written(each)}" for key, each in zip(keys, rest, strict=True)]


def fingerprint(examples: ExampleSet) -> str:
    """SHA-256 over the rows, whatever their order: the sum of the rows' own hashes, and their number."""
    total = sum(int.from_bytes(hashlib.sha256(_written(row).encode()).digest()) for row in contents(examples))
    return hashlib.sha256(f"{len(examples)}:{total}".encode()).hexdigest()


def fingerprint_in_order(examples: ExampleSet) -> str:
    """SHA-256 over the rows as they stand: a training by batches of rows depends on their order too."""
    digest = hashlib.sha256()
    for row in contents(examples):
        digest.update(_written(row).encode() + b"\n")
    return digest.hexdigest()


def joined(sets: Sequence[S]) -> S:
    """The rows of all sets after one another. Slices are those that all of them have.

    Raises:
        InputError: the sets are of different kinds.
    """
    first = sets[0]
    if len(sets) == 1:
        return first
    if len({type(each) for each in sets}) > 1:
        raise InputError("Example sets of different kinds cannot be joined.", cure="Give files of one format.")
    common = [name for name in first.slices if all(name in each.slices for each in sets)]
    slices = {name: [value for each in sets for value in each.slices[name]] for name in common}
    found = _joined(sets, slices)
    assert isinstance(found, type(first))
    return found


def _joined(sets: Sequence[ExampleSet], slices: dict[str, list[str]]) -> ExampleSet:
    first = sets[0]
    if isinstance(first, PairSet):
        return PairSet.of([row for each in sets for row in contents(each)], slices)  # type: ignore[misc]
    if isinstance(first, LabelSet):
        parts = [each for each in sets if isinstance(each, LabelSet)]
        return LabelSet(_all(parts), sum((each.given for each in parts), ()), first.multiple, slices=slices)
    if isinstance(first, TagSet):
        tagged = [each for each in sets if isinstance(each, TagSet)]
        return TagSet(_all(tagged), sum((each.spans for each in tagged), ()), slices=slices)
    if isinstance(first, TextSet):
        return TextSet(_all([each for each in sets if isinstance(each, TextSet)]), slices=slices)
    histories = [each for each in sets if isinstance(each, HistorySet)]
    number: dict[str, int] = {}  # a text that stood twice would be ranked against itself
    places = [[number.setdefault(text, len(number)) for text in each.texts] for each in histories]
    return HistorySet(
        tuple(number),
        tuple(
            tuple(own[item] for item in row) for each, own in zip(histories, places, strict=True) for row in each.items
        ),
        sum((each.shoppers for each in histories), ()),
        np.concatenate([each.times for each in histories]),
        slices=slices,
    )


def _all(sets: Sequence[LabelSet | TagSet | TextSet]) -> tuple[str, ...]:
    return tuple(text for each in sets for text in each.texts)


def _written(row: object) -> str:
    try:
        return orjson.dumps(row).decode()
    except orjson.JSONEncodeError:  # half a character, which JSON cannot hold
        return ascii(row)
