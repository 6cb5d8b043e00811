"""Centring: remove from every vector what its language and kind have in common, so that only meaning is left.

What is left is turned to its principal axes, so that the leading components say most: a scan can tell from
two thirds of them that a product is too far away. Turning changes no dot product.

Vectors of e5 cluster by language, and questions apart from documents. With one mean for each language and kind
removed, a Chinese query finds an English product. One mean for queries and documents alike hurts, so the
query means are those of short cuts of the catalogue's own titles, encoded as queries.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from lingsou.core.errors import ConfigurationError, NotFoundError
from lingsou.encoders.encoder import Encoder, TextKind, Vectors
from lingsou.text.language import detect

Group = Literal["zh", "en", "other"]
GROUPS: tuple[Group, ...] = ("zh", "en", "other")
SAMPLE = 1_000
"""Titles of each language that are cut and encoded for the query mean."""
PRIOR_WEIGHT = 20
"""The built-in phrases count as much as this many of the shop's own texts."""
_FORMAT = "2"
_CUT = 3
_UNIT = re.compile(r"[\u3400-\u9fff]{1,2}|[^\W\u3400-\u9fff]+")

Means = Mapping[Group, NDArray[np.float32]]


def group_of(text: str) -> Group:
    """The group whose means a text gets. Mixed text counts as Chinese: measured, its mean lies there (cosine .995)."""
    language = detect(text)
    return "zh" if language == "mixed" else language


def short_cut(title: str, choose: random.Random) -> str:
    """About three tokens of a title, as a shopper might ask: three words, or three pairs of Chinese characters."""
    units = [match.span() for match in _UNIT.finditer(title)]
    if not units:
        return title
    first = choose.randrange(max(1, len(units) - _CUT + 1))
    return title[units[first][0] : units[min(first + _CUT, len(units)) - 1][1]]


@dataclass(frozen=True)
class Centring:
    """The means and principal axes of one encoder over one catalogue. Immutable; float32 [d] by group and kind."""

    encoder: str
    """Fingerprint of the encoder that the means belong to."""
    documents: Means
    queries: Means
    axes: NDArray[np.float32] | None = None
    """[d, d], orthogonal: column i is the i-th principal axis of the centred documents. None: as the encoder has it."""

    def apply(self, vectors: Vectors, groups: Sequence[Group], kind: TextKind) -> Vectors:
        """`vectors` `[n, d]` less the mean of each one's group, at unit length again, along the principal axes.

        A vector equal to its mean has no direction left; it is not centred.
        """
        means = self.documents if kind == "document" else self.queries
        table = np.stack([means[group] for group in GROUPS])
        if vectors.shape != (len(groups), table.shape[1]):
            raise ConfigurationError(
                f"{vectors.shape} vectors and {len(groups)} languages do not fit means of length {table.shape[1]}.",
                cure="Centre with the means that were made by the same encoder: lingsou index",
            )
        centred = vectors - table[[GROUPS.index(group) for group in groups]] if groups else vectors
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        whole = lengths > 1e-6
        unit: Vectors = np.where(whole, centred / np.where(whole, lengths, 1), vectors).astype(np.float32)
        return unit if self.axes is None else turned(unit, self.axes)

    def save(self, path: Path) -> None:
        """Write the means to one safetensors file, replacing it at once; equal means, equal bytes."""
        tensors = {f"{kind}.{group}": means[group] for kind, means in self._kinds() for group in GROUPS}
        if self.axes is not None:
            tensors["axes"] = self.axes
        scratch = path.with_name(f".{path.name}.new")
        save_file(
            tensors, scratch, metadata={"lingsou": orjson.dumps({"format": _FORMAT, "encoder": self.encoder}).decode()}
        )
        scratch.replace(path)

    @classmethod
    def load(cls, path: Path, *, encoder: str | None = None) -> "Centring":
        """Read what `save` wrote; with `encoder`, only means that belong to that fingerprint.

        Raises:
            NotFoundError: there is no such file.
            ConfigurationError: it is damaged, or belongs to another encoder.
        """
        if not path.is_file():
            raise NotFoundError(f"There are no means at '{path}'.", cure="lingsou index")
        try:
            with safe_open(path, framework="numpy") as file:
                facts = orjson.loads((file.metadata() or {})["lingsou"])
                loaded = cls(
                    facts["encoder"],
                    _frozen({group: file.get_tensor(f"documents.{group}") for group in GROUPS}),
                    _frozen({group: file.get_tensor(f"queries.{group}") for group in GROUPS}),
                    file.get_tensor("axes") if "axes" in file.keys() else None,  # noqa: SIM118 - no mapping
                )
        except (SafetensorError, KeyError, orjson.JSONDecodeError) as error:
            raise ConfigurationError(f"'{path}' does not hold means of an encoder.", cure=_REFIT) from error
        if facts["format"] != _FORMAT or (encoder is not None and loaded.encoder != encoder):
            raise ConfigurationError(f"The means in '{path}' belong to another encoder.", cure=_REFIT)
        return loaded

    def _kinds(self) -> tuple[tuple[str, Means], tuple[str, Means]]:
        return ("documents", self.documents), ("queries", self.queries)


_REFIT = "Remove the file and run: lingsou index"


def fit_centring(
    encoder: Encoder,
    titles: Sequence[str],
    documents: Vectors,
    groups: Sequence[Group] | None = None,
    *,
    sample: int = SAMPLE,
    seed: int = 0,
) -> Centring:
    """Means of a catalogue: `documents` `[n, d]` are its products' vectors as encoded, `titles` their titles.

    Encodes `sample` short cuts for each language and the built-in phrases (about 10 s on two cores), nothing else.
    A language of which the catalogue has little or nothing leans on the phrases. Deterministic.
    """
    groups = [group_of(title) for title in titles] if groups is None else groups
    if not len(titles) == len(documents) == len(groups):
        raise ConfigurationError(
            "Titles, vectors and languages differ in number.", cure="Give one of each for every product."
        )
    choose = random.Random(seed)  # noqa: S311 - a sample, not a secret
    prior_documents, prior_queries = _priors(encoder, choose)
    found_documents: dict[Group, NDArray[np.float32]] = {}
    found_queries: dict[Group, NDArray[np.float32]] = {}
    labels = np.array(groups)
    for group in GROUPS:
        rows = np.flatnonzero(labels == group).tolist()
        found_documents[group] = _lean(documents[rows], prior_documents[group])
        picked = choose.sample(rows, min(sample, len(rows)))
        cuts = [short_cut(titles[row], choose) for row in picked]
        found_queries[group] = _lean(encoder.encode_queries(cuts), prior_queries[group])
    means = Centring(encoder.fingerprint, _frozen(found_documents), _frozen(found_queries))
    return replace(means, axes=principal_axes(means.apply(documents, groups, "document")))


def principal_axes(vectors: Vectors) -> NDArray[np.float32]:
    """The eigenvectors of Σ v vᵀ over `vectors` [n, d] as columns, largest eigenvalue first; signs are fixed."""
    wide = vectors.astype(np.float64)
    axes = np.linalg.eigh(wide.T @ wide)[1][:, ::-1]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[np.newaxis], axis=0)
    found: NDArray[np.float32] = (axes * np.sign(largest)).astype(np.float32)
    return found


def turned(vectors: Vectors, axes: NDArray[np.float32]) -> Vectors:
    """The components of `vectors` [n, d] along the axes [d, d]."""
    # A matrix product of one row would wait for the threads of BLAS, tens of milliseconds on a busy machine.
    product: Vectors = np.einsum("nd,de->ne", vectors, axes) if len(vectors) == 1 else vectors @ axes
    return product


def _lean(vectors: Vectors, prior: NDArray[np.float64]) -> NDArray[np.float32]:
    """The mean of `vectors`, drawn to `prior` when they are few."""
    total = vectors.sum(axis=0, dtype=np.float64) + PRIOR_WEIGHT * prior
    mean: NDArray[np.float32] = (total / (len(vectors) + PRIOR_WEIGHT)).astype(np.float32)
    return mean


def _priors(
    encoder: Encoder, choose: random.Random
) -> tuple[dict[Group, NDArray[np.float64]], dict[Group, NDArray[np.float64]]]:
    documents: dict[Group, NDArray[np.float64]] = {}
    queries: dict[Group, NDArray[np.float64]] = {}
    for group in ("zh", "en"):
        phrases = phrases_of(group)
        documents[group] = encoder.encode_documents(phrases).mean(axis=0, dtype=np.float64)
        cuts = [short_cut(phrase, choose) for phrase in phrases]
        queries[group] = encoder.encode_queries(cuts).mean(axis=0, dtype=np.float64)
    for means in (documents, queries):
        means["other"] = (means["zh"] + means["en"]) / 2
    return documents, queries


def phrases_of(group: Literal["zh", "en"]) -> list[str]:
    """The built-in product titles of one language."""
    text = resources.files("lingsou.encoders").joinpath("phrases", f"{group}.txt").read_text(encoding="utf-8")
    return text.split("\n")[:-1]


def _frozen(means: dict[Group, NDArray[np.float32]]) -> Means:
    for mean in means.values():
        mean.flags.writeable = False
    return MappingProxyType(means)
