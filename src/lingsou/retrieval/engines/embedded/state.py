"""Everything that one request reads, swapped as one."""

from dataclasses import dataclass
from functools import cached_property

from lingsou.encoders.calibration import Centring
from lingsou.retrieval.engines.embedded.ann import VectorLists
from lingsou.retrieval.engines.embedded.lexical import LexicalScorer
from lingsou.retrieval.engines.embedded.recent import RecentMatches
from lingsou.retrieval.engines.embedded.snapshot import Snapshot
from lingsou.retrieval.engines.embedded.storage import Manifest


@dataclass(frozen=True)
class State:
    """One state of the index: what is on disk, the same in memory, and what scores it."""

    generation: str
    """Whose folder it lies in; empty where nothing was indexed yet."""
    manifest: Manifest
    snapshot: Snapshot
    scorer: LexicalScorer
    centring: Centring | None
    lexical_weight: float
    """Of the words in the fused score: `fusion.fused`."""
    lists: VectorLists | None = None
    """Of a large catalogue's vectors."""
    recent_matches_mb: int = 0
    """Memory for the match sets of the latest queries."""

    @cached_property
    def recent(self) -> RecentMatches:
        """The match sets of the latest queries over this very state: a changed copy begins with none."""
        return RecentMatches(self.recent_matches_mb, len(self.snapshot))
