"""Counts that fade with time, for many keys at once."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DAY_MS = 86_400_000.0
_FARTHEST = 200.0
"""So many mean lives after its landmark a column is rescaled, far from where exp overflows."""


class DecayedCounts:
    """Key → counts [columns, mean lives] that fade exponentially; of the past alone, whatever order it arrives in.

    Each count is kept as it will look at a landmark, which makes adding one multiplication and needs no time for each
    key. Source: Cormode, Shkapenyuk, Srivastava & Xu, "Forward Decay: A Practical Time Decay Model for Streaming
    Systems", ICDE 2009. When more than `capacity` keys are held, the smaller half goes. Memory: 8 bytes × columns ×
    mean lives, and about 150 bytes, for each key.
    """

    def __init__(self, columns: int, days: Sequence[float], capacity: int):
        self._lives = np.asarray(days, np.float64) * DAY_MS
        self._landmarks = np.zeros(len(days))
        self._slots: dict[Hashable, int] = {}
        self._values = np.zeros((1_024, columns, len(days)))
        self._total = np.zeros((columns, len(days)))
        self._capacity = capacity
        self.latest = -np.inf
        """The latest time that was counted, milliseconds."""

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, keys: Sequence[Hashable], columns: NDArray[np.int64], times: NDArray[np.int64]) -> None:
        """Count one for each key [n] in a column [n] at a time [n], in milliseconds."""
        if not keys:
            return
        self._advance(float(times.max()))
        slots = self._slots
        places = np.fromiter((slots.setdefault(key, len(slots)) for key in keys), np.int64, len(keys))
        if len(slots) > len(self._values):
            grown = np.zeros((max(len(slots), 2 * len(self._values)), *self._values.shape[1:]))
            grown[: len(self._values)] = self._values
            self._values = grown
        width, lives = self._values.shape[1:]
        flat, cells = self._values.reshape(-1), (places * width + columns) * lives
        for life in range(lives):
            weights = np.exp((times - self._landmarks[life]) / self._lives[life])
            np.add.at(flat, cells + life, weights)
            self._total[:, life] += np.bincount(columns, weights, minlength=width)
        if len(slots) > self._capacity:
            self._prune()

    def at(self, keys: Sequence[Hashable], time: float) -> Floats:
        """Counts as they are at a time, [n, columns, mean lives]; 0 for unknown keys."""
        slots = self._slots
        places = np.fromiter((slots.get(key, -1) for key in keys), np.int64, len(keys))
        found = self._values[places] * self._fading(time)
        found[places < 0] = 0
        return np.asarray(found)

    def total(self, time: float) -> Floats:
        """Over all keys, those that went included, [columns, mean lives]."""
        return np.asarray(self._total * self._fading(time))

    def everything(self, time: float) -> Floats:
        """Counts of every key that is held, [keys, columns, mean lives]."""
        return np.asarray(self._values[: len(self._slots)] * self._fading(time))

    def _fading(self, time: float) -> Floats:
        return np.asarray(np.exp(np.minimum((self._landmarks - time) / self._lives, _FARTHEST)))

    def _advance(self, time: float) -> None:
        if self.latest == -np.inf:
            self._landmarks[:] = time
        self.latest = max(self.latest, time)
        far = (time - self._landmarks) / self._lives > _FARTHEST
        if far.any():
            scale = np.where(far, np.exp((self._landmarks - time) / self._lives), 1.0)
            self._values *= scale
            self._total *= scale
            self._landmarks[far] = time

    def _prune(self) -> None:
        size = self._values[: len(self._slots), :, -1].sum(axis=1)
        kept = np.sort(np.argsort(-size, kind="stable")[: self._capacity // 2])
        names = list(self._slots)
        self._values = np.ascontiguousarray(self._values[kept])
        self._slots = {names[place]: number for number, place in enumerate(kept.tolist())}
