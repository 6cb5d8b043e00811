"""Everything that one request reads, swapped as one."""

from dataclasses import dataclass

from lingsou.encoders.calibration import Centring
from lingsou.retrieval.engines.embedded.lexical import LexicalScorer
from lingsou.retrieval.engines.embedded.snapshot import Snapshot
from lingsou.retrieval.engines.embedded.storage import Manifest


@dataclass(frozen=True)
class State:
    """One state of the index: what is on disk, the same in memory, and what scores it."""

    manifest: Manifest
    snapshot: Snapshot
    scorer: LexicalScorer
    centring: Centring | None
