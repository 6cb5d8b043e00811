"""What comes often in an endless stream, in bounded memory."""

from statistics import median_low

MOST_KEPT = 200_000


class Frequent:
    """Counts keys approximately (lossy counting: Manku and Motwani, VLDB 2002; the bound is one of keys, not of error).

    Whenever more than `most` keys are held, the rarer half is forgotten. A count is never too high, and too low by at
    most `lost`. While the stream has no more than `most` different keys, all counts are exact. Keys are hashes; each
    takes about 100 bytes.
    """

    def __init__(self, most: int = MOST_KEPT):
        self._most = most
        self._counts: dict[int, int] = {}
        self.lost = 0
        """What is missing of any count, at most."""

    def add(self, key: int) -> int:
        """Count `key`; how often it is known to have come, this time included."""
        counts = self._counts
        number = counts[key] = counts.get(key, 0) + 1
        if len(counts) > self._most:
            self._forget()
        return number

    def at_least(self, number: int) -> list[tuple[int, int]]:
        """Keys that came at least so often, with counts, most frequent first; ties in order of their appearance."""
        found = [(key, count) for key, count in self._counts.items() if count >= number]
        return sorted(found, key=lambda each: -each[1])

    def _forget(self) -> None:
        rare = median_low(self._counts.values())
        self._counts = {key: count for key, count in self._counts.items() if count > rare}
        self.lost += rare
