"""The embedded engine: one folder of segments, a snapshot of them in memory, searches in array operations."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lingsou.core.errors import StorageError
from lingsou.core.settings import SearchSettings
from lingsou.core.types import Change, Explanation, Product
from lingsou.retrieval.engine import Candidates, EngineQuery, EngineResult
from lingsou.retrieval.engines.embedded import storage
from lingsou.retrieval.engines.embedded.analysis import Analyser
from lingsou.retrieval.engines.embedded.facets import count_facets
from lingsou.retrieval.engines.embedded.lexical import LexicalScorer, query_identifiers
from lingsou.retrieval.engines.embedded.segment import build_segment
from lingsou.retrieval.engines.embedded.selection import Selection, collapse, page, passing, sort_keys
from lingsou.retrieval.engines.embedded.snapshot import Snapshot
from lingsou.retrieval.filters import FieldKind
from lingsou.text.segment import Segmenter

_MOST_DELTAS = 200
_MOST_DEAD_SHARE = 0.25
_READ_ATTEMPTS = 5


@dataclass(frozen=True)
class _State:
    """Everything that a request reads, swapped as one."""

    manifest: storage.Manifest
    snapshot: Snapshot
    scorer: LexicalScorer


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

    def search(self, query: EngineQuery) -> EngineResult:
        """Match, filter, count, order, cut: all over one snapshot."""
        state = self._state
        snapshot = state.snapshot
        mask = passing(snapshot, query.filters)
        scores = None
        if query.text.strip():
            match = state.scorer.match(self.segmenter.terms(query.text), query_identifiers(query.text))
            mask &= match.matched
            scores = match.scores
        else:
            mask &= snapshot.alive
        rows = np.flatnonzero(mask)
        keys = sort_keys(snapshot, rows, query.sort, scores)
        selection = (
            collapse(snapshot, rows, keys) if query.collapse else Selection(rows, keys, np.ones(len(rows), np.int64))
        )
        places = page(snapshot, selection, query.offset, query.limit)
        chosen = selection.rows[places]
        relevance = np.zeros(len(chosen)) if scores is None else scores[chosen].astype(np.float64)
        return EngineResult(
            candidates=Candidates(
                ids=tuple(snapshot.ids[row] for row in chosen),
                numbers=snapshot.numbers[chosen],
                scores=relevance,
                variants=selection.variants[places],
                legs={"lexical": relevance},
            ),
            total=len(selection.rows),
            facets=count_facets(snapshot, rows, query.facets, collapsed=query.collapse),
            sequence=snapshot.sequence,
        )

    def explain(self, text: str, products: Sequence[Product]) -> list[Explanation]:
        """The BM25 tree of each product."""
        state = self._state
        terms, identifiers = self.segmenter.terms(text), query_identifiers(text)
        numbers = [self._number_of(state.snapshot, product.id) for product in products]
        return [state.scorer.explain(terms, identifiers, number) for number in numbers]

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
        self._state = self._state_of(manifest, snapshot)
        return True

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
            name = f"{current.compactions:06}-{len(current.segments):06}.safetensors"
            storage.write_segment(self._folder / name, segment)
            manifest = replace(current, sequence=segment.sequence, segments=(*current.segments, name))
            storage.write_manifest(self._folder, manifest)
            self._state = self._state_of(manifest, state.snapshot.extended(segment))

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
            base = snapshot.compacted()
            number = state.manifest.compactions + 1
            name = f"{number:06}-{0:06}.safetensors"
            storage.write_segment(self._folder / name, base)
            manifest = replace(state.manifest, compactions=number, segments=(name,))
            storage.write_manifest(self._folder, manifest)
            storage.remove_unused(self._folder, [name, *state.manifest.segments])
            self._state = self._state_of(manifest, Snapshot().extended(base))
            return True

    def clear(self) -> None:
        """Forget the index: the next `apply` starts it afresh. The store is not touched."""
        with self._changing:
            self._folder.mkdir(parents=True, exist_ok=True)
            manifest = self._next_blank()
            storage.write_manifest(self._folder, manifest)
            self._state = self._state_of(manifest, Snapshot())

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

    def _fresh_state(self) -> _State:
        return self._state_of(self._blank, Snapshot())

    def _state_of(self, manifest: storage.Manifest, snapshot: Snapshot) -> _State:
        settings = self._settings
        scorer = LexicalScorer(snapshot, k1=settings.k1, b=settings.b, coverage=settings.coverage)
        return _State(manifest, snapshot, scorer)

    @staticmethod
    def _number_of(snapshot: Snapshot, product_id: str) -> int:
        rows = snapshot.keywords["id"].rows_with([product_id])
        living = rows[snapshot.alive[rows]]
        return int(snapshot.numbers[living[-1]]) if len(living) else len(snapshot.row_of)
