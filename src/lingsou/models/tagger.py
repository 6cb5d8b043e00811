"""Tags to spans: the BIO scheme, and the best path through a linear chain. Arrays in, arrays out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import InputError

Floats = NDArray[np.floating]
Integers = NDArray[np.int64]

OUTSIDE = "O"


@dataclass(frozen=True)
class Chain:
    """What a path of tags gains beside its tokens' own scores; −∞ forbids. `transitions[i, j]` is from i to j."""

    start: Floats
    """[k], of beginning with a tag."""
    end: Floats
    """[k], of ending with it."""
    transitions: Floats
    """[k, k]"""

    def __add__(self, other: "Chain") -> "Chain":
        """Both together: what either forbids is forbidden."""
        return Chain(self.start + other.start, self.end + other.end, self.transitions + other.transitions)


def bio_tags(kinds: Sequence[str]) -> tuple[str, ...]:
    """`O`, then `B-` and `I-` of each kind: the tags of text chunking, Ramshaw & Marcus, 1995."""
    return (OUTSIDE, *(f"{place}-{kind}" for kind in kinds for place in "BI"))


def bio_chain(tags: Sequence[str]) -> Chain:
    """What BIO forbids: `I-x` goes on from `B-x` or `I-x` alone, and never begins a text."""
    inside = np.array([tag.startswith("I-") for tag in tags])
    kinds = np.array([tag[2:] for tag in tags])
    goes_on = (kinds[:, None] == kinds[None, :]) & (np.array(tags) != OUTSIDE)[:, None]
    return Chain(
        np.where(inside, -np.inf, 0.0),
        np.zeros(len(tags)),
        np.where(inside[None, :] & ~goes_on, -np.inf, 0.0),
    )


def best_path(logits: Floats, chain: Chain, steps: Floats | None = None) -> Integers:
    """The tags [n] whose path scores best for `logits` [n, k]; the lower tag where two are equal.

    `steps` [n, k, k] come on top of the chain's transitions, `steps[i]` those to place i.

    Source: Viterbi, 1967. Cost: n · k².

    Raises:
        InputError: logits and chain have different numbers of tags.
    """
    if logits.ndim != 2 or logits.shape[1] != len(chain.start):
        raise InputError(
            f"Logits of shape {logits.shape} do not fit a chain of {len(chain.start)} tags.",
            cure="Use the labels and the transitions of the same head.",
        )
    n = len(logits)
    path = np.zeros(n, np.int64)
    if not n:
        return path
    before = np.empty(logits.shape, np.int64)
    score = chain.start + logits[0]
    for place in range(1, n):
        through = score[:, None] + chain.transitions
        if steps is not None:
            through = through + steps[place]
        before[place] = through.argmax(axis=0)
        score = through.max(axis=0) + logits[place]
    path[-1] = (score + chain.end).argmax()
    for place in range(n - 1, 0, -1):
        path[place - 1] = before[place, path[place]]
    return path


def piece_probabilities(
    logits: Floats, chain: Chain, path: Integers, pieces: Sequence[tuple[int, int]], steps: Floats | None = None
) -> list[float]:
    """How likely the tokens `first` to `last` (exclusive) of each piece have the tags of `path`, whatever others have.

    `steps` are as for `best_path`.

    Source: the forward-backward algorithm; Rabiner, "A tutorial on hidden Markov models", 1989. Cost: n · k².
    """
    if not pieces:
        return []
    scores = np.asarray(logits, np.float64)
    n = len(scores)
    moves = [chain.transitions if steps is None else chain.transitions + steps[place] for place in range(n)]
    before, after = np.empty(scores.shape), np.empty(scores.shape)
    before[0], after[-1] = chain.start + scores[0], chain.end
    for place in range(1, n):
        before[place] = _log_sum(before[place - 1][:, None] + moves[place]) + scores[place]
    for place in range(n - 1, 0, -1):
        after[place - 1] = _log_sum((moves[place] + scores[place] + after[place]).T)
    total = float(_log_sum((before[-1] + chain.end)[:, None])[0])
    found = []
    for first, last in pieces:
        inner = before[first, path[first]]
        for place in range(first + 1, last):
            inner += moves[place][path[place - 1], path[place]] + scores[place, path[place]]
        found.append(float(np.exp(min(inner + after[last - 1, path[last - 1]] - total, 0.0))))
    return found


def _log_sum(values: Floats) -> Floats:
    """Log Σ exp over the first axis; −∞ where all are."""
    most = values.max(axis=0)
    safe = np.where(np.isfinite(most), most, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(safe + np.log(np.exp(values - safe).sum(axis=0)))


@dataclass(frozen=True)
class TaggedSpan:
    """Characters `start` to `end` (exclusive) of a text, made of its tokens `first` to `last` (exclusive)."""

    start: int
    end: int
    kind: str
    first: int
    last: int


def tagged_spans(
    path: NDArray[np.integer], tags: Sequence[str], offsets: NDArray[np.integer], text: str
) -> list[TaggedSpan]:
    """The spans that a path of BIO tags names.

    Args:
        path: the tag's number for each token, [n]. An `I-` that goes on from nothing begins a span.
        tags: their names.
        offsets: where each token lies in the text, in characters, [n, 2].
        text: white space that tokens carry is cut from the ends of a span; one of white space alone is none.
    """
    runs: list[tuple[int, int, str]] = []
    kind = ""
    for place, number in enumerate(path.tolist()):
        begins, now = tags[number][:1], tags[number][2:]
        if begins == "I" and now == kind:
            runs[-1] = (runs[-1][0], place + 1, kind)
        elif now:
            runs.append((place, place + 1, now))
        kind = now
    found = []
    for first, last, name in runs:
        start, end = int(offsets[first:last, 0].min()), int(offsets[first:last, 1].max())
        words = text[start:end]
        start += len(words) - len(words.lstrip())
        end -= len(words) - len(words.rstrip())
        if start < end:
            found.append(TaggedSpan(start, end, name, first, last))
    return found
