"""The neural sequence model as a source; it is trained elsewhere and served without PyTorch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lingsou.core.errors import ConfigurationError
from lingsou.models.sequence import ContentVectors, SequenceModel, SequenceShape
from lingsou.recommend.interactions import Arrays, Floats, Interactions, Ints, Items

Train = Callable[[Interactions, Items], Path]
"""Trains a model and returns its folder; `training.neural.sequence` has one."""


class Sequence:
    """The source. New events reach it through the history; new items have vectors from attributes and text at once."""

    def __init__(self, folder: Path | None = None, train: Train | None = None, name: str = "sequence"):
        """A trained model, or what trains one.

        Args:
            folder: of the model; none: there is none before `fit`.
            train: what `fit` does; a process that serves has none.
            name: of the source.

        Raises:
            StorageError: the folder holds no model.
        """
        self.name = name
        self.settings = SequenceShape()
        self._train = train
        self._model: SequenceModel | None = None
        self._vectors: Floats = np.zeros((0, 1), np.float32)
        if folder is not None:
            self._take(SequenceModel.open(folder))

    def fit(self, interactions: Interactions, items: Items) -> None:
        """Train a model; there is none while no history has two items.

        Raises:
            ConfigurationError: nothing was given to train with.
        """
        if not (interactions.lengths > 1).any():
            self._model, self._vectors = None, np.zeros((len(items), 1), np.float32)
            return
        if self._train is None:
            raise ConfigurationError("This process cannot train.", cure="lingsou train recommend")
        self._take(SequenceModel.open(self._train(interactions, items)))

    def update(self, interactions: Interactions, new: Ints, items: Items) -> None:
        """Give new items their vectors; events change nothing before the next training."""
        nothing = np.zeros((len(items), 1), np.float32)
        self._vectors = nothing if self._model is None else _grown(self._model, self._vectors, items)

    def state(self) -> Arrays:
        """As `Stored.state`."""
        model = self._model
        if model is None:
            return {"items": self._vectors}
        return {
            "items": self._vectors,
            "attributes": model.content.attributes,
            "projection": model.content.projection,
            "graph": np.frombuffer(model.graph, np.uint8),
        }

    def restore(self, state: Arrays) -> None:
        """As `Stored.restore`."""
        self._model, self._vectors = None, state["items"]
        if "graph" in state:
            content = ContentVectors(state["attributes"], state["projection"])
            self._take(SequenceModel(self.settings, state["items"], content, state["graph"].tobytes()))

    def score(self, histories: Interactions) -> Floats:
        """As `Recommender.score`: chances, which add up to 1."""
        model, vectors = self._model, self._vectors
        if model is None:
            return np.zeros((len(histories), len(vectors)), np.float32)
        return model.chances(model.wanted(histories.starts, histories.items, vectors), vectors)

    def because(self, histories: Interactions, items: Ints) -> Ints:
        """As `Recommender.because`: the item of the history that is nearest."""
        found = np.full(items.shape, -1, np.int64)
        for user in range(len(histories) if self._model else 0):
            own = np.unique(histories.items[int(histories.starts[user]) : int(histories.starts[user + 1])])
            if len(own):
                near = self._vectors[own] @ self._vectors[np.maximum(items[user], 0)].T
                best = near.argmax(axis=0)
                found[user] = np.where((near.max(axis=0) > 0) & (items[user] >= 0), own[best], -1)
        return found

    def _take(self, model: SequenceModel) -> None:
        self.settings, self._vectors, self._model = model.shape, model.items, model


def _grown(model: SequenceModel, vectors: Floats, items: Items) -> Floats:
    """With rows for items beyond those that there are."""
    first = len(vectors)
    if len(items) <= first:
        return vectors
    begin = int(items.starts[first])
    text = None if items.vectors is None else items.vectors[first:]
    return np.concatenate([vectors, model.content.of(items.starts[first:] - begin, items.attributes[begin:], text)])
