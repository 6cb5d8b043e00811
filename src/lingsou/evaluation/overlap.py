"""How alike two rankings are, without knowing which is better."""

from collections.abc import Sequence

PERSISTENCE = 0.9
"""The chance that a reader goes on to the next result; the first ten then carry 86 % of the weight."""


def overlap(a: Sequence[str], b: Sequence[str], k: int) -> float:
    """Share of the first `k` that both have, by the longer of the two cut lists; 1 where both are empty."""
    first, second = set(a[:k]), set(b[:k])
    longest = max(len(first), len(second))
    return len(first & second) / longest if longest else 1.0


def rank_biased_overlap(a: Sequence[str], b: Sequence[str], p: float = PERSISTENCE) -> float:
    """RBO, extrapolated beyond the shorter list: 1 for the same order, 0 for nothing in common; the top weighs most.

    Source: Webber, Moffat & Zobel, "A similarity measure for indefinite rankings", ACM TOIS 28(4), 2010, equation 32.
    """
    short, long = sorted((a, b), key=len)
    s, l = len(short), len(long)  # noqa: E741 (the source's names)
    if not s:
        return 0.0 if l else 1.0
    both, seen_short, seen_long = 0, set[str](), set[str]()
    total, at_s = 0.0, 0
    for depth in range(1, l + 1):
        if depth <= s:
            seen_short.add(short[depth - 1])
            both += short[depth - 1] in seen_long
        seen_long.add(long[depth - 1])
        both += long[depth - 1] in seen_short
        if depth == s:
            at_s = both
        total += both / depth * p**depth
        if depth > s:
            total += at_s * (depth - s) / (s * depth) * p**depth
    return (1 - p) / p * total + ((both - at_s) / l + at_s / s) * p**l
