"""Mining of other names from a shop's own catalogue, encoder and log."""

from lingsou.training.expansions.mining import Mined, MiningSettings, mine

__all__ = ["Mined", "MiningSettings", "mine"]
