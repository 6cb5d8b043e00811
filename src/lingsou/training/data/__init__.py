"""Data sets: readers, honest splits, data cards and slices. `load` and `splits_of` are the entries."""

from lingsou.training.data.card import DataCard
from lingsou.training.data.load import load, splits_of

__all__ = ["DataCard", "load", "splits_of"]
