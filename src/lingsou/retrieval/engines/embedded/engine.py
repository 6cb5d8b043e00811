"""The embedded engine: one folder of segments, a snapshot of them in memory, searches in array operations."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import ConfigurationError, StorageError
from lingsou.core.settings import SearchSettings
from lingsou.core.types import Change, Explanation, Product
from lingsou.encoders.calibration import Centring, Group
from lingsou.encoders.quantise import quantise
from lingsou.retrieval.engine import EngineQuery, EngineResult, FieldContents
from lingsou.retrieval.engines.embedded import storage
from lingsou.retrieval.engines.embedded.analysis import Analyser
from lingsou.retrieval.engines.embedded.answering import answer, explain, similar
from lingsou.retrieval.engines.embedded.lexical import LexicalScorer
from lingsou.retrieval.engines.embedded.segment import Segment, VectorBlock, build_segment, vector_segment
from lingsou.retrieval.engines.embedded.snapshot import Snapshot
from lingsou.retrieval.engines.embedded.state import State
from lingsou.retrieval.filters import AllOf, FieldKind
from lingsou.text.segment import Segmenter

_MOST_DELTAS = 200
_MOST_DEAD_SHARE = 0.25
_READ_ATTEMPTS = 5


class EmbeddedEngine:
    """`SearchEngine` over a folder of immutable segments.

    Args:
        folder: where segments lie; created by the first `apply`.
        identity: of the store; an index of another store is not read.
        segmenter: cuts products and queries alike.
        settings: field weights and BM25 parameters; other weights than an index was built with make it stale.
    """

    def __init__(self, folder: Path, identity: str, segmenter: Segmenter, settings: SearchSettings):
        self._folder = folder
        self._analyser = Analyser(segmenter, settings.weights)
        self._settings = settings
        self._blank = storage.Manifest(identity, self._analyser.fingerprint, 0, 0, ())
        self._state = self._fresh_state()
        self._changing = threading.Lock()

    @property
    def sequence(self) -> int:
        """The store's sequence number that searches reflect."""
        return self._state.snapshot.sequence

    @property
    def size(self) -> int:
        """Products that can be found."""
        return self._state.snapshot.living

    @property
    def segmenter(self) -> Segmenter:
        """What cuts the texts."""
        return self._analyser.segmenter

    def fields(self) -> Mapping[str, FieldKind]:
        """Every field that can be filtered or counted now."""
        return self._state.snapshot.fields

    def contents(self) -> FieldContents:
        """The values of brand, category and attributes with their counts."""
        return self._state.snapshot.contents()

    def search(self, query: EngineQuery) -> EngineResult:
        """Match, filter, count, order, cut: all over one snapshot."""
        return answer(self._state, query, self.segmenter)

    def similar(self, product_id: str, filters: AllOf, limit: int) -> EngineResult:
        """The products nearest in meaning to one."""
        return similar(self._state, product_id, filters, limit)

    def explain(self, query: EngineQuery, products: Sequence[Product]) -> list[Explanation]:
        """The tree of each product's score."""
        return explain(self._state, query, products, self.segmenter)

    def without_vectors(self, limit: int) -> list[tuple[int, int, str]]:
        """At most `limit` products without a vector, in the order of their rows."""
        snapshot = self._state.snapshot
        rows = snapshot.rows_without_vector()[:limit].tolist()
        return [(int(snapshot.numbers[row]), int(snapshot.versions[row]), snapshot.ids[row]) for row in rows]

    def count_without_vectors(self) -> int:
        """How many products have no vector yet."""
        return len(self._state.snapshot.rows_without_vector())

    def spread(self, limit: int) -> list[str]:
        """At most `limit` ids at even distances over the rows."""
        snapshot = self._state.snapshot
        rows = np.flatnonzero(snapshot.alive)
        chosen = rows[np.linspace(0, len(rows) - 1, min(limit, len(rows)), dtype=np.intp)] if len(rows) else rows
        return [snapshot.ids[row] for row in chosen.tolist()]

    @property
    def centring(self) -> Centring | None:
        """The means that vectors are centred by; none before the first fit."""
        return self._state.centring

    @property
    def centred_on(self) -> int:
        """From how many products the means were taken."""
        return self._state.manifest.centred_on

    def set_centring(self, centring: Centring, products: int) -> None:
        """Centre by new means; the vectors held so far go."""
        with self._changing:
            self._folder.mkdir(parents=True, exist_ok=True)
            number = self._state.manifest.compactions + 1
            name = f"centring-{number:06}.safetensors"
            centring.save(self._folder / name)
            manifest = replace(self._state.manifest, centring=name, centred_on=products)
            self._rebase(self._state.snapshot.without_vectors(), manifest, centring)

    def add_vectors(
        self, numbers: Sequence[int], versions: Sequence[int], vectors: NDArray[np.float32], groups: Sequence[Group]
    ) -> None:
        """Centre, quantise and write one segment of vectors, and make it visible."""
        centring = self._state.centring
        if centring is None:
            raise StorageError("Vectors came before the means to centre them.", cure="lingsou index --rebuild")
        codes, scales = quantise(centring.apply(vectors, groups, "document"))
        block = VectorBlock(np.asarray(numbers, np.int64), np.asarray(versions, np.int64), codes, scales)
        with self._changing:
            state = self._state
            self._append(vector_segment(state.snapshot.sequence, block), state.manifest)

    def refresh(self) -> bool:
        """Read what the writer has committed since; a stale or foreign index reads as empty."""
        with self._changing:
            for attempt in range(_READ_ATTEMPTS):
                try:
                    return self._read()
                except FileNotFoundError as error:
                    # The writer compacted between our reading the manifest and its files.
                    if attempt == _READ_ATTEMPTS - 1:
                        raise StorageError(
                            f"Index files keep vanishing: {error}.", cure="lingsou index --rebuild"
                        ) from error
            return False

    def _read(self) -> bool:
        manifest = storage.read_manifest(self._folder)
        state = self._state
        if manifest is None or not self._is_ours(manifest):
            manifest = self._blank
        if manifest == state.manifest:
            return False
        known = state.manifest.segments
        follows = manifest.compactions == state.manifest.compactions and manifest.segments[: len(known)] == known
        snapshot = state.snapshot if follows else Snapshot()
        for name in manifest.segments[len(known) if follows else 0 :]:
            snapshot = snapshot.extended(storage.read_segment(self._folder / name))
        centring = state.centring if manifest.centring == state.manifest.centring else None
        if manifest.centring and centring is None:
            centring = self._load_centring(manifest.centring)
        self._state = self._state_of(manifest, snapshot, centring)
        return True

    def _load_centring(self, name: str) -> Centring:
        path = self._folder / name
        if not path.exists():
            raise FileNotFoundError(path)
        try:
            return Centring.load(path)
        except ConfigurationError as error:
            raise storage.corrupt(path) from error

    def apply(self, changes: Sequence[Change]) -> None:
        """Write one segment for the batch and make it visible; fold all segments into one when they grew many."""
        if not changes:
            return
        with self._changing:
            self._folder.mkdir(parents=True, exist_ok=True)
            state = self._state
            # Over nothing, or over a stale or foreign index, names must not meet those that are there.
            current = state.manifest if state.manifest.segments else self._next_blank()
            segment = build_segment(changes, self._analyser, state.snapshot.version_of)
            self._append(segment, current)

    def _append(self, segment: Segment, manifest: storage.Manifest) -> None:
        name = f"{manifest.compactions:06}-{len(manifest.segments):06}.safetensors"
        storage.write_segment(self._folder / name, segment)
        manifest = replace(manifest, sequence=segment.sequence, segments=(*manifest.segments, name))
        storage.write_manifest(self._folder, manifest)
        state = self._state
        self._state = self._state_of(manifest, state.snapshot.extended(segment), state.centring)

    def compact(self, *, force: bool = False) -> bool:
        """Fold all segments into one base when there are many, or many dead rows; whether it did.

        Readers go on with what they hold; the files of the state before stay until the next compaction.
        """
        with self._changing:
            state = self._state
            snapshot, count = state.snapshot, len(state.manifest.segments)
            dead = len(snapshot) - snapshot.living
            if count < 2 or not (force or count > _MOST_DELTAS or dead > _MOST_DEAD_SHARE * len(snapshot)):
                return False
            self._rebase(snapshot, state.manifest, state.centring)
            return True

    def _rebase(self, snapshot: Snapshot, manifest: storage.Manifest, centring: Centring | None) -> None:
        old = self._state.manifest
        base = snapshot.compacted()
        number = old.compactions + 1
        name = f"{number:06}-{0:06}.safetensors"
        storage.write_segment(self._folder / name, base)
        manifest = replace(manifest, compactions=number, segments=(name,))
        storage.write_manifest(self._folder, manifest)
        storage.remove_unused(self._folder, [name, manifest.centring, *old.segments, old.centring])
        self._state = self._state_of(manifest, Snapshot().extended(base), centring)

    def clear(self) -> None:
        """Forget the index: the next `apply` starts it afresh. The store is not touched."""
        with self._changing:
            self._folder.mkdir(parents=True, exist_ok=True)
            manifest = self._next_blank()
            storage.write_manifest(self._folder, manifest)
            self._state = self._state_of(manifest, Snapshot(), None)

    def close(self) -> None:
        """Let go of the snapshot."""
        self._state = self._fresh_state()

    def _next_blank(self) -> storage.Manifest:
        try:
            stored = storage.read_manifest(self._folder)
            number = stored.compactions if stored else 0
        except StorageError:
            number = max((int(path.name[:6]) for path in self._folder.glob("[0-9]*.safetensors")), default=0)
        return replace(self._blank, compactions=number + 1)

    def _is_ours(self, manifest: storage.Manifest) -> bool:
        return (manifest.identity, manifest.fingerprint) == (self._blank.identity, self._blank.fingerprint)

    def _fresh_state(self) -> State:
        return self._state_of(self._blank, Snapshot(), None)

    def _state_of(self, manifest: storage.Manifest, snapshot: Snapshot, centring: Centring | None) -> State:
        settings = self._settings
        scorer = LexicalScorer(snapshot, k1=settings.k1, b=settings.b, coverage=settings.coverage)
        return State(manifest, snapshot, scorer, centring)
