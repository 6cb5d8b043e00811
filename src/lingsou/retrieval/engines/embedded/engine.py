"""The embedded engine: segments in folders, a snapshot of them in memory, searches in array operations."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from lingsou.core.errors import ConfigurationError, CorruptIndexError, StorageError
from lingsou.core.settings import IndexSettings, SearchSettings
from lingsou.core.types import Change
from lingsou.encoders.calibration import Centring, Group
from lingsou.encoders.quantise import quantise
from lingsou.retrieval.engines.embedded import storage
from lingsou.retrieval.engines.embedded.analysis import Analyser
from lingsou.retrieval.engines.embedded.ann import VectorLists, build_lists, read_lists, write_lists
from lingsou.retrieval.engines.embedded.generations import Generations, Published
from lingsou.retrieval.engines.embedded.lexical import LexicalScorer
from lingsou.retrieval.engines.embedded.segment import Segment, VectorBlock, build_segment, vector_segment
from lingsou.retrieval.engines.embedded.snapshot import Snapshot
from lingsou.retrieval.engines.embedded.state import State
from lingsou.retrieval.engines.embedded.view import View
from lingsou.text.segment import Segmenter

_MOST_DELTAS = 200
_MOST_DEAD_SHARE = 0.25
_READ_ATTEMPTS = 5


class EmbeddedEngine(View):
    """`SearchEngine` over a folder of generations, each a folder of immutable segments.

    Of the published generation and the one before it, the first that fits `identity`, texts and encoder is read. Where
    neither does, a running engine keeps what it has, a new one is empty, and the first `apply` begins a generation.

    Args:
        folder: where generations lie; created by the first `apply`.
        identity: of the store; an index of another store is not read.
        segmenter: cuts products and queries alike.
        settings: field weights and BM25 parameters; an index built with other weights is not read.
        ann_from: so many vectors are searched by lists, fewer are all compared.
        encoder: of the vectors that are added; an index with vectors of another is not read. Empty: any will do.
        generation: read and write this one alone, published or not.
    """

    def __init__(
        self,
        folder: Path,
        identity: str,
        segmenter: Segmenter,
        settings: SearchSettings,
        *,
        ann_from: int = IndexSettings().ann_from,
        encoder: str = "",
        generation: str = "",
    ):
        self._folder = folder
        self._generations = Generations(folder)
        self._analyser = Analyser(segmenter, settings.weights)
        self._settings = settings
        self._ann_from = ann_from
        self._encoder = encoder
        self._pinned = generation
        self._blank = storage.Manifest(identity, self._analyser.fingerprint, 0, 0, ())
        self._changing = threading.Lock()
        super().__init__(self._fresh_state(), segmenter)

    def view(self) -> View:
        """The state as it is now, for as long as it is held."""
        return View(self._state, self.segmenter)

    def weighing(self, lexical_weight: float) -> View:
        """The same with words weighed otherwise, for comparisons."""
        return View(replace(self._state, lexical_weight=lexical_weight), self.segmenter)

    def published(self) -> Published | None:
        """Which generation is published, and which was before it."""
        return self._generations.published()

    def published_encoder(self) -> str:
        """The encoder that the published index has vectors of, whether it fits or not; empty: of none, or none said."""
        published, blank = self._generations.published(), self._blank
        if published is None:
            return ""
        folder = self._generations.folder(published.current)
        manifest = storage.read_manifest(folder, blank.identity, blank.fingerprint)
        return manifest.encoder if manifest else ""

    @contextmanager
    def building(self) -> Iterator["EmbeddedEngine"]:
        """An engine over a new generation beside the published one; published when the block ends well.

        Raises:
            LockedError: another process builds one.
        """
        with self._generations.building() as name:
            yield EmbeddedEngine(
                self._folder,
                self._blank.identity,
                self.segmenter,
                self._settings,
                ann_from=self._ann_from,
                encoder=self._encoder,
                generation=name,
            )

    def roll_back(self) -> Published:
        """Publish the previous generation again.

        Raises:
            ConflictError: there is none.
            LockedError: another process builds one.
        """
        return self._generations.roll_back()

    def set_centring(self, centring: Centring, products: int) -> None:
        """Centre by new means; the vectors held so far go."""
        with self._changing, self._to_write() as generation:
            state = self._state
            name = f"centring-{state.manifest.compactions + 1:06}.safetensors"
            centring.save(self._generations.folder(generation) / name)
            manifest = replace(state.manifest, encoder=self._encoder, centring=name, centred_on=products)
            state = self._rebased(generation, state.snapshot.without_vectors(), manifest, centring)
        self._state = state

    def add_vectors(
        self, numbers: Sequence[int], versions: Sequence[int], vectors: NDArray[np.float32], groups: Sequence[Group]
    ) -> None:
        """Centre, quantise and write one segment of vectors, and make it visible."""
        with self._changing, self._to_write() as generation:
            state = self._state
            if state.centring is None:
                raise StorageError("Vectors came before the means to centre them.", cure="lingsou index --rebuild")
            codes, scales = quantise(state.centring.apply(vectors, groups, "document"))
            block = VectorBlock(np.asarray(numbers, np.int64), np.asarray(versions, np.int64), codes, scales)
            self._state = self._appended(generation, vector_segment(state.snapshot.sequence, block))

    def refresh(self, *, to_write: bool = False) -> bool:
        """Read what the writer has committed since, and follow the published generation.

        A reader moves to another generation once that shows as much of the change log as it shows itself, so no search
        goes back in time. With `to_write` it moves at once.
        """
        with self._changing:
            for attempt in range(_READ_ATTEMPTS):
                try:
                    return self._read(to_write=to_write)
                except FileNotFoundError as error:
                    # The writer compacted, or removed the generation, between our reading a manifest and its files.
                    if attempt == _READ_ATTEMPTS - 1:
                        raise StorageError(
                            f"Index files keep vanishing: {error}.", cure="lingsou index --rebuild"
                        ) from error
            return False

    def _read(self, *, to_write: bool) -> bool:
        generation, manifest = self._choose(to_write=to_write)
        if (generation, manifest) == (self._state.generation, self._state.manifest):
            return False
        folder = self._generations.folder(generation)
        state = self._state if generation == self._state.generation else self._fresh_state()
        known = state.manifest.segments
        follows = manifest.compactions == state.manifest.compactions and manifest.segments[: len(known)] == known
        snapshot = state.snapshot if follows else Snapshot()
        for name in manifest.segments[len(known) if follows else 0 :]:
            snapshot = snapshot.extended(storage.read_segment(folder / name))
        centring = state.centring if manifest.centring == state.manifest.centring else None
        if manifest.centring and centring is None:
            centring = _load_centring(folder / manifest.centring)
        lists = state.lists
        if manifest.lists != state.manifest.lists:
            lists = _load_lists(folder / manifest.lists, snapshot) if manifest.lists else None
        self._state = self._state_of(generation, manifest, snapshot, centring, lists)
        return True

    def _choose(self, *, to_write: bool) -> tuple[str, storage.Manifest]:
        """The generation to read, and its manifest."""
        state = self._state
        if self._pinned:
            return self._pinned, self._fitting(self._pinned) or state.manifest
        published = self._generations.published()
        if published is None:
            return "", self._blank
        current = self._fitting(published.current)
        if current and (to_write or state.generation != published.previous or current.sequence >= self.sequence):
            return published.current, current
        if previous := self._fitting(published.previous):
            return published.previous, previous
        return (published.current, current) if current else (state.generation, state.manifest)

    def _fitting(self, generation: str) -> storage.Manifest | None:
        if not generation:
            return None
        blank = self._blank
        manifest = storage.read_manifest(self._generations.folder(generation), blank.identity, blank.fingerprint)
        fits = manifest and (not self._encoder or manifest.encoder in ("", self._encoder))
        return manifest if fits else None

    def apply(self, changes: Sequence[Change]) -> None:
        """Write one segment for the batch and make it visible; begin a generation where there is none to add to."""
        if not changes:
            return
        with self._changing, self._to_write() as generation:
            segment = build_segment(changes, self._analyser, self._state.snapshot.version_of)
            state = self._appended(generation, segment)
        self._state = state

    @contextmanager
    def _to_write(self, *, anew: bool = False) -> Iterator[str]:
        """The generation to write to: the one that is shown, or a new one, published at the end of the block."""
        shown = self._state.generation
        if not self._pinned and (anew or not shown):
            with self._generations.building(forget=anew) as name:
                yield name
        elif self._generations.folder(shown).is_dir():
            yield shown
        else:
            raise StorageError(
                f"The index {shown}, which this process reads, was replaced twice and is gone.",
                cure="Restart the service: the published index was built with other settings than it runs with.",
            )

    def _appended(self, generation: str, segment: Segment) -> State:
        state, folder = self._state, self._generations.folder(generation)
        name = f"{state.manifest.compactions:06}-{len(state.manifest.segments):06}.safetensors"
        storage.write_segment(folder / name, segment)
        segments = (*state.manifest.segments, name)
        manifest = replace(state.manifest, sequence=segment.sequence, segments=segments)
        storage.write_manifest(folder, manifest)
        return self._state_of(generation, manifest, state.snapshot.extended(segment), state.centring, state.lists)

    def compact(self, *, force: bool = False) -> bool:
        """Fold all segments into one base when there are many, many dead rows, or lists due; whether it did.

        Readers go on with what they hold; the files of the state before stay until the next compaction.
        """
        with self._changing:
            state = self._state
            snapshot, count = state.snapshot, len(state.manifest.segments)
            dead = len(snapshot) - snapshot.living
            due = state.lists is None and snapshot.with_vector >= self._ann_from
            grown = count > _MOST_DELTAS or dead > _MOST_DEAD_SHARE * len(snapshot)
            if not due and (count < 2 or not (force or grown)):
                return False
            with self._to_write() as generation:
                self._state = self._rebased(generation, snapshot, state.manifest, state.centring)
            return True

    def _rebased(
        self, generation: str, snapshot: Snapshot, manifest: storage.Manifest, centring: Centring | None
    ) -> State:
        old, folder = self._state.manifest, self._generations.folder(generation)
        number = old.compactions + 1
        lists, order, lists_name = None, None, ""
        if snapshot.with_vector >= self._ann_from:
            lists, order = build_lists(snapshot.vectors, np.flatnonzero(snapshot.alive), self._state.lists)
            lists_name = f"{number:06}-lists.safetensors"
            write_lists(folder / lists_name, lists)
        base = snapshot.compacted(order)
        name = f"{number:06}-{0:06}.safetensors"
        storage.write_segment(folder / name, base)
        manifest = replace(manifest, compactions=number, segments=(name,), lists=lists_name)
        storage.write_manifest(folder, manifest)
        kept = [name, manifest.centring, lists_name, *old.segments, old.centring, old.lists]
        storage.remove_unused(folder, kept)
        return self._state_of(generation, manifest, Snapshot().extended(base), centring, lists)

    def clear(self) -> None:
        """Publish an empty generation and forget the others. The store is not touched."""
        with self._changing, self._to_write(anew=True) as generation:
            manifest = replace(self._blank, compactions=self._state.manifest.compactions + 1)
            storage.write_manifest(self._generations.folder(generation), manifest)
            state = self._state_of(generation, manifest, Snapshot(), None)
        self._state = state

    def close(self) -> None:
        """Let go of the snapshot."""
        self._state = self._fresh_state()

    def _fresh_state(self) -> State:
        return self._state_of(self._pinned, self._blank, Snapshot(), None)

    def _state_of(
        self,
        generation: str,
        manifest: storage.Manifest,
        snapshot: Snapshot,
        centring: Centring | None,
        lists: VectorLists | None = None,
    ) -> State:
        settings = self._settings
        scorer = LexicalScorer(snapshot, k1=settings.k1, b=settings.b, coverage=settings.coverage)
        weight, kept = settings.lexical_weight, settings.recent_matches_mb
        return State(generation, manifest, snapshot, scorer, centring, weight, lists, kept)


def _load_centring(path: Path) -> Centring:
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        return Centring.load(path)
    except ConfigurationError as error:
        raise storage.corrupt(path) from error


def _load_lists(path: Path, snapshot: Snapshot) -> VectorLists | None:
    """The lists, or none where they cannot be used: then every vector is compared, slower and as well."""
    try:
        lists = read_lists(path)
        if lists.covered > len(snapshot) or lists.centres.shape[1] != snapshot.vectors.dimension:
            raise storage.corrupt(path)
    except (OSError, CorruptIndexError) as error:
        log = structlog.get_logger("lingsou.index")
        log.warning("vector lists cannot be read: every vector is compared", file=str(path), error=str(error))
        return None
    return lists
