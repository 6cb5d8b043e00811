"""Everything that one request reads, swapped as one."""

from dataclasses import dataclass, field

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
    recent: RecentMatches = field(default_factory=RecentMatches)
