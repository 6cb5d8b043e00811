"""Small example sets that a tiny model can learn."""

import numpy as np

from lingsou.training.examples import LabelSet, PairSet, Splits

COLOURS = ("red", "black", "white", "blue")
THINGS = ("dress", "shoe", "phone", "case")


def pairs(queries: int = 12, seed: int = 0) -> PairSet:
    """Each query names a colour and a thing; a product with both is graded 2, with one 1, with none 0."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, str, float]] = []
    for number in range(queries):
        colour, thing = COLOURS[number % 4], THINGS[number // 4 % 4]
        for size in range(6):
            other, kind = COLOURS[rng.integers(4)], THINGS[rng.integers(4)]
            if size == 0:
                other, kind = colour, thing
            rows.append(
                (f"{colour} {thing} {number}", f"{other} {kind} {size}", float((other == colour) + (kind == thing)))
            )
    return PairSet.of(rows, {"colour": [row[0].split()[0] for row in rows]})


def pair_splits(queries: int = 12) -> Splits[PairSet]:
    """Three sets of other queries and products."""
    return Splits(pairs(queries), pairs(6, seed=1), pairs(6, seed=2))


def label_splits() -> Splits[LabelSet]:
    """Reviews that say good or bad."""
    words = ("phone", "case", "dress", "shoe", "apple", "nike")
    texts = tuple(f"{word} {mood} {size}" for word in words for mood in ("good", "bad") for size in ("small", "large"))
    given = tuple(("positive" if "good" in text else "negative",) for text in texts)
    whole = LabelSet(texts, given)
    rows = np.arange(len(texts))
    return Splits(whole.take(rows[:16]), whole.take(rows[16:20]), whole.take(rows[20:]))
