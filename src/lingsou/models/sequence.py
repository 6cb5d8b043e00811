"""A trained sequence model as it is served: what a history asks for, and the items nearest to it. No PyTorch.

    items.npy             float32 [items, width], rows of length 1, or 0 where nothing is known of an item
    content.safetensors   how items that came later get their vector: `attributes` [a, width], `projection` [d, width]
    model.onnx            vectors of a history [users, steps, width] and which steps are real → [users, width]
    manifest.json

Source: Kang & McAuley, "Self-Attentive Sequential Recommendation" (SASRec), ICDM 2018.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from lingsou.core.errors import StorageError
from lingsou.core.manifests import MANIFEST, ModelManifest
from lingsou.encoders.optional import EXTRA_SERVE, require

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

ITEMS, CONTENT, GRAPH = "items.npy", "content.safetensors", "model.onnx"
INPUTS, OUTPUT = ("states", "known"), "wanted"
_CURE = "Train it anew: lingsou train recommend."


class SequenceManifest(ModelManifest):
    """What the model tells about itself."""

    task: Literal["sequence"] = "sequence"
    width: int = Field(ge=1, description="of the vectors")
    longest: int = Field(ge=1, description="items of a history that are looked at, the latest")
    temperature: float = Field(gt=0, description="cosines are divided by it before the softmax")
    n_items: int = Field(ge=0, description="items at training; later ones get their vectors from content")


@dataclass(frozen=True)
class ContentVectors:
    """What an item's attributes and text say of its vector."""

    attributes: Floats
    """[attributes, width]"""
    projection: Floats
    """[text width, width]; of text width 0 where it was trained without text vectors."""

    def of(self, starts: Ints, attributes: Ints, text: Floats | None) -> Floats:
        """Vectors of items [n, width], of length 1; 0 for items of which nothing is known.

        Args:
            starts: the attributes of item i are `attributes[starts[i] : starts[i + 1]]`, [n + 1].
            attributes: numbers; those that training did not know are passed over.
            text: [n, text width].
        """
        count, width = len(starts) - 1, self.attributes.shape[1]
        owners = np.repeat(np.arange(count), np.diff(starts))
        known = attributes < len(self.attributes)
        total = np.zeros((count, width), np.float32)
        np.add.at(total, owners[known], self.attributes[attributes[known]])
        total /= np.maximum(np.bincount(owners[known], minlength=count), 1)[:, None]
        if text is not None and len(self.projection) == text.shape[1]:
            total += text @ self.projection
        lengths = np.linalg.norm(total, axis=1, keepdims=True)
        return np.asarray(np.divide(total, lengths, out=np.zeros_like(total), where=lengths > 1e-9), np.float32)


@dataclass(frozen=True)
class SequenceShape:
    """What of a model's training is needed to ask it."""

    longest: int = 50
    """Items of a history that are looked at, the latest."""
    temperature: float = 0.08
    """Cosines are divided by it before the softmax."""


class SequenceModel:
    """A model at work."""

    def __init__(self, shape: SequenceShape, items: Floats, content: ContentVectors, graph: bytes):
        """Put the parts of a model together.

        Args:
            shape: as it was trained.
            items: vectors [items, width]; may be mapped from the disk.
            content: for items that come later.
            graph: in ONNX's form.

        Raises:
            MissingExtraError: `onnxruntime` is not installed.
            StorageError: the graph is none.
        """
        runtime = require("onnxruntime", EXTRA_SERVE)
        self.shape, self.items, self.content, self.graph = shape, items, content, graph
        options = runtime.SessionOptions()
        # A graph this small loses more by handing out work than it gains.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session: Any = runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except (RuntimeError, ValueError) as error:
            raise StorageError(f"The sequence model's graph cannot be read: {error}", cure=_CURE) from error

    @classmethod
    def open(cls, folder: Path) -> "SequenceModel":
        """Open what `training.neural.sequence` wrote; item vectors are mapped, so processes share them.

        Raises:
            MissingExtraError: `onnxruntime` is not installed.
            StorageError: the folder holds no such model.
        """
        tensors = require("safetensors", EXTRA_SERVE, "safetensors.numpy")
        try:
            manifest = SequenceManifest.model_validate_json((folder / MANIFEST).read_bytes())
            content = tensors.load_file(folder / CONTENT)
            return cls(
                SequenceShape(manifest.longest, manifest.temperature),
                np.load(folder / ITEMS, mmap_mode="r", allow_pickle=False),
                ContentVectors(content["attributes"], content["projection"]),
                (folder / GRAPH).read_bytes(),
            )
        except (OSError, ValueError, KeyError, ValidationError) as error:
            raise StorageError(f"No sequence model can be read from {folder.name}: {error}", cure=_CURE) from error

    def wanted(self, starts: Ints, items: Ints, vectors: Floats) -> Floats:
        """What each history asks for: unit vectors [U, width]; 0 for a history without a known item.

        Args:
            starts: where each history begins and the last ends, [U + 1].
            items: oldest first in each; numbers below the length of `vectors`.
            vectors: of items, [items, width]; `self.items`, perhaps with later ones.
        """
        lengths = np.minimum(np.diff(starts), self.shape.longest)
        steps = max(int(lengths.max(initial=0)), 1)
        owners = np.repeat(np.arange(len(lengths)), lengths)
        back = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths), lengths)  # −1 is the last
        chosen = np.asarray(vectors[items[np.repeat(starts[1:], lengths) + back]])
        states = np.zeros((len(lengths), steps, vectors.shape[1]), np.float32)
        known = np.zeros((len(lengths), steps), np.bool_)
        states[owners, back] = chosen
        known[owners, back] = chosen.any(axis=1)
        if not len(lengths):
            return np.zeros((0, vectors.shape[1]), np.float32)
        found: Floats = self._session.run([OUTPUT], dict(zip(INPUTS, (states, known), strict=True)))[0]
        return found * known.any(axis=1, keepdims=True)

    def chances(self, wanted: Floats, vectors: Floats) -> Floats:
        """The softmax over all items [U, items]; 0 for items of which nothing is known, and for users likewise."""
        logits = wanted @ vectors.T
        logits -= 1.0
        logits /= np.float32(self.shape.temperature)
        chances = np.exp(logits, out=logits)
        chances[:, np.asarray(vectors[:, 0] == 0)] = 0  # a known item's numbers are none of them 0
        chances[~wanted.any(axis=1)] = 0
        chances /= np.maximum(chances.sum(axis=1, keepdims=True), 1e-30)
        return np.asarray(chances)
