"""A matcher that teaches itself from the catalogue alone: no pair has a label.

True pairs are records and copies of them that are written otherwise (`noise`); false ones are a record, or a copy of
one that is taken away, and what looks most like it. Some of these are the same product in truth, listed twice, which
is what is sought: the matcher learns twice, and the second time without the false pairs that the first one believes,
where one title has nothing that the other lacks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.quality.matching.leftovers import LEFTOVERS, Leftovers
from lingsou.quality.matching.matcher import Matcher, train
from lingsou.quality.matching.noise import noisy
from lingsou.quality.matching.pairs import NAMES, PairFeatures
from lingsou.quality.matching.records import Records, words
from lingsou.quality.matching.variation import variation_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
LEAST_RECORDS = 200
_CANDIDATES, _OF_TEXT = 10, 3
_TAUGHT, _RUN, _COPIED = 6_000, 50, 2
"""Records that are learned from, in runs of neighbours by title, and how many there are to one copy."""
_HELD, _SEEDS = 0.3, (0, 1)
_ALIKE, _SAME_TEXT = 0.4, 0.8
"""A pair is a candidate where so much of the shorter title's letter triples, by weight, stands in the other title, or
so much of the words of either text in the other."""
_BELIEVED = 0.5
_BEHIND = 0.5
"""In logits."""
_LEAST = 1e-9
_LEFT = len(NAMES) + LEFTOVERS.index("left-least")
_SHARE, _TEXT_SHARE = NAMES.index("title-grams.shared-most"), NAMES.index("text-words.shared-least")


@dataclass(frozen=True)
class LikelyPairs:
    """Pairs of records that may be one product, and from which probability on they count as such."""

    left: Ints
    right: Ints
    probabilities: Floats
    threshold: float


def likely_pairs(records: Records) -> LikelyPairs:
    """The pairs of a catalogue that look alike, with the probability that both are one product; the same each time.

    Pairs whose titles contradict each other (`Variation`) are left out, and pairs less likely than another of the same
    record. Nothing is found where there is nothing to learn from. Cost: that of `PairFeatures` for all records and
    for at most 7,500, and some seconds for the trees.

    Args:
        records: N records, of which none says exactly the same as another.

    Raises:
        MissingExtraError: SciPy or LightGBM is not installed.
    """
    matcher = _taught(records) if len(records) >= LEAST_RECORDS else None
    if matcher is None:
        return LikelyPairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), 1.0)
    left, right, features, contradicting = _compared(records)
    left, right = left[~contradicting], right[~contradicting]
    probabilities = matcher.probabilities(features[~contradicting])
    kept = _nearly_best(left, right, probabilities)
    return LikelyPairs(left[kept], right[kept], probabilities[kept], matcher.threshold)


def _compared(records: Records) -> tuple[Ints, Ints, Floats, Bools]:
    """Candidates that look alike: left, right, features [n, f], and whether their titles contradict each other."""
    space = PairFeatures(records)
    left, right = space.candidates(_CANDIDATES, _OF_TEXT)
    features = space.of(left, right)
    alike = (np.nan_to_num(features[:, _SHARE]) >= _ALIKE) | (np.nan_to_num(features[:, _TEXT_SHARE]) >= _SAME_TEXT)
    left, right = left[alike], right[alike]
    alone = [Leftovers(texts).of(left, right) for texts in (records.titles, records.texts)]
    said = [variation_of(title) for title in records.titles]
    pairs = zip(left.tolist(), right.tolist(), strict=True)
    contradicting = np.fromiter((said[one].contradicts(said[other]) for one, other in pairs), bool, len(left))
    return left, right, np.concatenate([features[alike], *alone], axis=1), contradicting


def _nearly_best(left: Ints, right: Ints, probabilities: Floats) -> Bools:
    """Pairs about as likely as the likeliest one of either record: a copy is not one of its original's siblings too."""
    clipped = np.clip(probabilities, _LEAST, 1 - _LEAST)
    logits = np.log(clipped / (1 - clipped))
    best = np.full(max(left.max(initial=-1), right.max(initial=-1)) + 1, -np.inf)
    for side in (left, right):
        np.maximum.at(best, side, logits)
    return np.asarray((logits >= best[left] - _BEHIND) & (logits >= best[right] - _BEHIND))


def _taught(records: Records) -> Matcher | None:
    """The matcher; none where copies and other records are not both met."""
    rng = np.random.default_rng(0)
    known = records.take(_neighbourhoods(records, rng))
    copied = rng.choice(len(known), len(known) // _COPIED, replace=False)
    # The originals of half of the copies are taken away, so that being a copy says nothing of being listed twice.
    of = np.concatenate([np.delete(np.arange(len(known)), copied[::2]), copied])
    originals = len(of) - len(copied)
    space = known.take(of[:originals]).followed_by(noisy(known, copied, seed=0))
    left, right, features, contradicting = _compared(space)
    mine, yours = of[left], of[right]
    same = mine == yours
    held = (rng.random(len(known)) < _HELD)[yours]
    said = _same_words(known.titles)
    usable = np.where(same, ~contradicting, contradicting | (said[mine] != said[yours]))
    doubtful = ~same & ~contradicting & (features[:, _LEFT] == 0)
    kinds = [usable & (same == kind) & (held == part) for kind in (True, False) for part in (True, False)]
    if not all(kind.any() for kind in kinds):
        return None
    believed = np.zeros(len(same), bool)
    for learned, judged in ((usable & ~held, held), (usable & held, ~held)):
        first = Matcher(train(features[learned], same[learned], _SEEDS[:1]), _BELIEVED)
        believed[judged] = first.same(features[judged])
    # What holds of two records holds of a copy of either.
    pair = np.minimum(mine, yours) * len(known) + np.maximum(mine, yours)
    usable &= ~(doubtful & np.isin(pair, pair[believed & doubtful]))
    fit, check = usable & ~held, np.flatnonzero(usable & held)
    matcher = Matcher(train(features[fit], same[fit], _SEEDS), 0.5)
    probabilities = matcher.probabilities(features[check])
    kept = _nearly_best(left[check], right[check], probabilities)
    line = _line(probabilities[kept], same[check[kept]], len(space) / len(copied[1::2]))
    return Matcher(matcher.boosters, line)


def _neighbourhoods(records: Records, rng: np.random.Generator) -> Ints:
    """Places of at most `_TAUGHT` records; neighbours by title stay together: they are the hard ones."""
    order = np.array(sorted(range(len(records)), key=lambda place: records.titles[place]), np.int64)
    runs = [order[first : first + _RUN] for first in range(0, len(order), _RUN)]
    chosen = rng.permutation(len(runs))[: _TAUGHT // _RUN]
    return np.sort(np.concatenate([runs[each] for each in chosen.tolist()]))


def _same_words(titles: Sequence[str]) -> Ints:
    """A number for each set of words, [N]."""
    known: dict[frozenset[str], int] = {}
    return np.array([known.setdefault(frozenset(words(title)), len(known)) for title in titles], np.int64)


def _line(probabilities: Floats, same: Bools, records_a_copy: float) -> float:
    """The line with the best F1, were every product listed twice: early rather than late, for the surest come first."""
    order = np.argsort(-probabilities, kind="stable")
    right = np.cumsum(same[order]) * records_a_copy
    wrong = np.cumsum(~same[order])
    f1 = 2 * right / (right + wrong + same.sum() * records_a_copy)
    return float(probabilities[order[int(f1.argmax())]])
