"""Segments on disk and the manifest that names the current ones.

A segment is one safetensors file, written beside its name and renamed, never changed afterwards. `manifest.json`
is replaced atomically; a reader that loses a race with compaction reads it again.
"""

import contextlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from lingsou.core.errors import CorruptIndexError
from lingsou.retrieval.engines.embedded.postings import Postings
from lingsou.retrieval.engines.embedded.segment import KeywordBlock, NumberBlock, Segment, VectorBlock

_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """Which segment files make the index, in order; `compactions` counts how often they were folded into one base."""

    identity: str
    fingerprint: str
    sequence: int
    compactions: int
    segments: tuple[str, ...]
    centring: str = ""
    """File of the means that the vectors were centred by; empty: there are no vectors."""
    centred_on: int = 0
    """From how many products these means were taken."""
    encoder: str = ""
    """That the vectors are of, as the settings name it; empty: none said."""
    lists: str = ""
    """File of the lists that the base's vectors lie in; empty: there are none, every vector is compared."""


def read_manifest(folder: Path, identity: str, fingerprint: str) -> Manifest | None:
    """The current manifest; none where there is none, or one of another store, other texts or another version.

    Raises:
        CorruptIndexError: the file is there and cannot be understood.
    """
    try:
        raw = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        # Compared before the rest is read: what another version wrote may have keys that this one does not know.
        if (raw["identity"], raw["fingerprint"]) != (identity, fingerprint):
            return None
        return Manifest(**{**raw, "segments": tuple(raw["segments"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise corrupt(folder / _MANIFEST) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest atomically."""
    replace_file(folder / _MANIFEST, json.dumps(asdict(manifest)).encode())


def remove_unused(folder: Path, keep: Iterable[str]) -> None:
    """Delete segment files that no manifest names any more."""
    kept = set(keep)
    for path in folder.glob("*.safetensors*"):
        if path.name not in kept:
            with contextlib.suppress(OSError):
                path.unlink()


def write_segment(path: Path, segment: Segment) -> None:
    """Write one segment file."""
    keywords, numbers = segment.keywords, segment.attribute_numbers
    tensors: dict[str, NDArray[Any]] = {
        "ended": segment.ended,
        "patched": segment.patched,
        "patches": segment.patches,
        "numbers": segment.numbers,
        "versions": segment.versions,
        "dense": segment.dense,
        "lengths": segment.lengths,
        "vector_numbers": segment.vectors.numbers,
        "vector_versions": segment.vectors.versions,
        "vector_codes": segment.vectors.codes,
        "vector_scales": segment.vectors.scales,
        "indptr": segment.postings.indptr,
        "rows": segment.postings.rows,
        "frequencies": segment.postings.frequencies,
        "sequence": np.asarray([segment.sequence], np.int64),
        "keyword_sizes": _sizes(block.rows for block in keywords.values()),
        "keyword_rows": _joined([block.rows for block in keywords.values()], np.int32),
        "keyword_codes": _joined([block.codes for block in keywords.values()], np.int32),
        "vocabulary_sizes": _sizes(block.vocabulary for block in keywords.values()),
        "number_sizes": _sizes(block.rows for block in numbers.values()),
        "number_rows": _joined([block.rows for block in numbers.values()], np.int32),
        "number_values": _joined([block.values for block in numbers.values()], np.float64),
    }
    strings: dict[str, Sequence[str]] = {
        "ids": segment.ids,
        "groups": segment.groups,
        "terms": list(segment.postings.terms),
        "keyword_names": list(keywords),
        "vocabularies": [value for block in keywords.values() for value in block.vocabulary],
        "number_names": list(numbers),
    }
    for name, values in strings.items():
        tensors[f"{name}_text"], tensors[f"{name}_ends"] = _pack(values)
    replace_file(path, save(tensors))


def read_segment(path: Path) -> Segment:
    """Read one segment file.

    Raises:
        CorruptIndexError: it is damaged.
        FileNotFoundError: it is gone, as after a compaction.
    """
    try:
        tensors = load(path.read_bytes())
        strings = {
            name.removesuffix("_ends"): _unpack(tensors[name.replace("_ends", "_text")], tensors[name])
            for name in tensors
            if name.endswith("_ends")
        }
        keyword_slices = _slices(tensors["keyword_sizes"])
        vocabulary_slices = _slices(tensors["vocabulary_sizes"])
        number_slices = _slices(tensors["number_sizes"])
        return Segment(
            sequence=int(tensors["sequence"][0]),
            ended=tensors["ended"],
            patched=tensors["patched"],
            patches=tensors["patches"],
            numbers=tensors["numbers"],
            versions=tensors["versions"],
            ids=strings["ids"],
            groups=strings["groups"],
            dense=tensors["dense"],
            keywords={
                name: KeywordBlock(
                    tensors["keyword_rows"][entries], tensors["keyword_codes"][entries], strings["vocabularies"][values]
                )
                for name, entries, values in zip(
                    strings["keyword_names"], keyword_slices, vocabulary_slices, strict=True
                )
            },
            attribute_numbers={
                name: NumberBlock(tensors["number_rows"][entries], tensors["number_values"][entries])
                for name, entries in zip(strings["number_names"], number_slices, strict=True)
            },
            postings=Postings(
                dict(zip(strings["terms"], range(len(strings["terms"])), strict=True)),
                tensors["indptr"],
                tensors["rows"],
                tensors["frequencies"],
            ),
            lengths=tensors["lengths"],
            vectors=VectorBlock(
                tensors["vector_numbers"],
                tensors["vector_versions"],
                tensors["vector_codes"],
                tensors["vector_scales"],
            ),
        )
    except (SafetensorError, KeyError, ValueError, IndexError, UnicodeDecodeError) as error:
        raise corrupt(path) from error


def corrupt(path: Path) -> CorruptIndexError:
    """The error for a damaged index file."""
    return CorruptIndexError(f"{path} is damaged.", cure="lingsou index --rebuild (the store holds everything).")


def replace_file(path: Path, content: bytes) -> None:
    """Write a file beside its name and rename it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def _sizes(parts: Iterable[Sequence[Any] | NDArray[Any]]) -> NDArray[np.int64]:
    return np.asarray([len(part) for part in parts], np.int64)


def _slices(sizes: NDArray[np.int64]) -> list[slice]:
    ends = np.cumsum(sizes).tolist()
    return [slice(end - size, end) for end, size in zip(ends, sizes.tolist(), strict=True)]


def _joined(parts: Sequence[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *parts])


def _pack(strings: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    encoded = [text.encode("utf-8", "surrogatepass") for text in strings]
    ends = np.cumsum([len(each) for each in encoded], dtype=np.int64) if encoded else np.empty(0, np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), ends


def _unpack(text: NDArray[np.uint8], ends: NDArray[np.int64]) -> list[str]:
    if not len(ends):
        return []
    if text.all():
        # No string holds a NUL, so it can part them: cutting a million strings one by one would take thrice as long.
        return np.insert(text, ends[:-1], 0).tobytes().decode("utf-8", "surrogatepass").split("\0")
    blob = text.tobytes()
    cuts = pairwise([0, *ends.tolist()])
    return [blob[start:stop].decode("utf-8", "surrogatepass") for start, stop in cuts]
