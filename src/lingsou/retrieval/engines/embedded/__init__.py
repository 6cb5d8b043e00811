"""The embedded engine: immutable array segments on disk, one snapshot of them in memory, no server.

Reading order: `engine` (the protocol), `view` and `snapshot` (what a request sees), `analysis` and `segment` (write
path), `lexical`, `selection`, `facets` (read path), `storage` and `generations` (files).
"""

from lingsou.retrieval.engines.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
