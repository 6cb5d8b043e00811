"""Training of the sequence model: sampled softmax over every step of every history.

Sources: Klenitskiy & Vasilev, "Turning Dross Into Gold Loss: is BERT4Rec really better than SASRec?", RecSys 2023
(the loss); Bengio & Senécal, "Adaptive importance sampling to accelerate training", 2008, and Yi et al.,
"Sampling-bias-corrected neural modeling", RecSys 2019 (the correction by how often an item is sampled).
"""

import math
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import AdamW, SparseAdam

from lingsou.core.errors import InputError
from lingsou.models.graph_embedding import graph_embedding
from lingsou.models.sparse_rows import SparseRows
from lingsou.models.transitions import transitions
from lingsou.recommend.interactions import Interactions, Ints, Items
from lingsou.training.neural.sequence.model import HistoryEncoder, ItemVectors

Floats = NDArray[np.float32]
_BETAS = (0.9, 0.98)
_RISE = 100
"""Steps in which the learning rate rises."""
_BUCKET = 50
"""Batches that are drawn together and then cut by length, so that little is padding."""


@dataclass(frozen=True)
class SequenceSettings:
    """Shape and training."""

    width: int = 64
    layers: int = 1
    heads: int = 2
    longest: int = 50
    """Items of a history that are looked at, the latest."""
    dropout: float = 0.2
    temperature: float = 0.08
    """Cosines are divided by it."""
    sampled: int = 1_024
    """Items that each batch tells from those that came next."""
    skew: float = 0.5
    """An item is sampled as popularity^skew."""
    unnamed: float = 0.1
    """Share of a batch's items that are known by their content alone, where there is content."""
    window: int = 4
    """Steps apart at which items are neighbours in the graph that vectors begin from."""
    steps: int = 2_000
    """Batches, at least, in whole epochs and no fewer than two of them: small shops go round more often."""
    patience: int = 2
    """Epochs without gain on the held-out steps before it ends."""
    held_out: int = 1_000
    """Histories, those that ended last, whose last step is held out; at most a tenth of all."""
    batch: int = 256
    """Histories."""
    learning_rate: float = 2e-3
    item_rate: float = 6e-3
    """Learning rate of the items' own and the attributes' vectors."""
    seed: int = 1


@dataclass(frozen=True)
class Epoch:
    """One line of the curve."""

    loss: float
    mrr: float
    """Mean reciprocal rank among all items on the held-out steps; 0 where nothing is held out."""


@dataclass(frozen=True)
class Trained:
    """The weights of the best epoch."""

    encoder: HistoryEncoder
    vectors: ItemVectors
    settings: SequenceSettings
    epochs: tuple[Epoch, ...]


DEFAULT = SequenceSettings()
OnEpoch = Callable[[int, Epoch], None]


def train(
    interactions: Interactions,
    items: Items,
    settings: SequenceSettings = DEFAULT,
    on_epoch: OnEpoch | None = None,
) -> Trained:
    """Learn what comes next in histories. The same input and seed give the same model on the same machine.

    Args:
        interactions: a row for each shopper, or for each session.
        items: with attributes and text vectors, if the shop has them.
        settings: how.
        on_epoch: called with each epoch's number from 1 and its figures.

    Raises:
        InputError: no history has two items.
    """
    rows = np.flatnonzero(interactions.lengths > 1)
    if not len(rows):
        raise InputError("No history has two items.", cure="Collect events first; until then other sources recommend.")
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    held = _held_out(interactions, rows, settings)
    learnt = interactions.of(rows).where(~_last_of(interactions.of(rows), np.isin(rows, held)))
    trainer = _Trainer(learnt, items, settings, random)
    check = interactions.of(held)
    best, curve, waited = trainer.state(), list[Epoch](), 0
    for number in range(trainer.epochs):
        loss = trainer.epoch()
        curve.append(Epoch(loss, trainer.mrr(check) if len(held) else 0.0))
        if on_epoch:
            on_epoch(number + 1, curve[-1])
        if not len(held) or curve[-1].mrr > max((each.mrr for each in curve[:-1]), default=-1.0):
            best, waited = trainer.state(), 0
        elif (waited := waited + 1) > settings.patience:
            break
    trainer.encoder.load_state_dict(best[0])
    trainer.vectors.load_state_dict(best[1])
    return Trained(trainer.encoder.eval(), trainer.vectors.eval(), settings, tuple(curve))


def all_vectors(vectors: ItemVectors, items: Items, *, block: int = 8_192) -> Floats:
    """The vectors of all items [items, width], as they are served."""
    lookup = _Lookup(items)
    parts = []
    with torch.no_grad():
        for first in range(0, len(items), block):
            numbers = np.arange(first, min(first + block, len(items)))
            parts.append(vectors(*lookup(numbers, np.ones(len(numbers), np.float32))).numpy())
    return np.concatenate([np.zeros((0, vectors.own.embedding_dim), np.float32), *parts])


class _Trainer:
    def __init__(self, learnt: Interactions, items: Items, settings: SequenceSettings, random: np.random.Generator):
        self.learnt, self.items, self.settings, self.random = learnt, items, settings, random
        popularity = np.bincount(learnt.items, minlength=len(items)).astype(np.float64)
        chance = popularity**settings.skew * (popularity > 0)
        chance /= chance.sum()
        self.cumulated = np.cumsum(chance)
        # How likely an item is among those sampled, drawn with repetition.
        once = -np.expm1(settings.sampled * np.log1p(-np.minimum(chance, 1 - 1e-9)))
        self.log_chance = np.log(np.maximum(once, 1e-12)).astype(np.float32)
        own = graph_embedding(_graph(learnt, len(items), settings.window), settings.width, seed=settings.seed)
        own[popularity == 0] = 0  # nothing but its content is known of it
        table = _attribute_means(own, items)
        text = None if items.vectors is None else torch.from_numpy(items.vectors)
        self.vectors = ItemVectors(torch.from_numpy(own), torch.from_numpy(table), text)
        if items.vectors is not None:
            self.vectors.projection.data = torch.from_numpy(_projection(items.vectors, own, popularity > 0))
        self.encoder = HistoryEncoder(settings.width, settings.layers, settings.heads, settings.dropout)
        self.lookup = _Lookup(items)
        self.has_content = bool(len(items.attributes)) or items.vectors is not None
        dense = [*self.encoder.parameters(), self.vectors.projection]
        self.dense = AdamW(dense, lr=settings.learning_rate, betas=_BETAS, fused=True)
        sparse = [self.vectors.own.weight, self.vectors.attributes.weight]
        self.sparse = SparseAdam([each for each in sparse if len(each)], lr=settings.item_rate, betas=_BETAS)
        batches = math.ceil(len(learnt) / settings.batch)
        self.epochs = max(2, math.ceil(settings.steps / batches))
        self.steps = self.epochs * batches
        self.step = 0

    def state(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        return deepcopy(self.encoder.state_dict()), deepcopy(self.vectors.state_dict())

    def epoch(self) -> float:
        self.encoder.train()
        total, count = 0.0, 0
        for batch in self._batches():
            if batch.shape[1] < 2:
                continue
            total, count = total + self._step(batch), count + 1
        return total / max(count, 1)

    def _step(self, batch: Ints) -> float:
        own = self.settings
        sampled = np.unique(np.searchsorted(self.cumulated, self.random.random(own.sampled)))
        sampled = sampled[sampled < len(self.items)]
        there = batch >= 0
        numbers, places = np.unique(np.concatenate([batch[there], sampled]), return_inverse=True)
        named = np.ones(len(numbers), np.float32)
        if self.has_content:
            named[self.random.random(len(numbers)) < own.unnamed] = 0
        vectors = self.vectors(*self.lookup(numbers, named))
        at = np.zeros(batch.shape, np.int64)
        at[there] = places[: int(there.sum())]
        known, told = torch.from_numpy(there[:, :-1]), torch.from_numpy(there[:, :-1] & there[:, 1:])
        states = vectors[torch.from_numpy(at[:, :-1])] * known[:, :, None]
        asked = self.encoder(states, known)[told] / own.temperature
        right = torch.from_numpy(at[:, 1:])[told]
        positive = (asked * vectors[right]).sum(-1)
        others = torch.from_numpy(places[int(there.sum()) :])
        correction = torch.from_numpy(self.log_chance[sampled])
        negative = torch.addmm(-correction[None], asked, vectors[others].T)
        # What came next is no negative of itself.
        column = np.searchsorted(sampled, numbers[right.numpy()]).clip(max=max(len(sampled) - 1, 0))
        same = np.flatnonzero(sampled[column] == numbers[right.numpy()])
        negative[torch.from_numpy(same), torch.from_numpy(column[same])] = float("-inf")
        loss = (torch.logaddexp(positive, torch.logsumexp(negative, -1)) - positive).mean()
        self.dense.zero_grad(set_to_none=True)
        self.sparse.zero_grad(set_to_none=True)
        loss.backward()
        self._set_rates()
        self.dense.step()
        self.sparse.step()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    def _set_rates(self) -> None:
        self.step += 1
        factor = min(1.0, self.step / _RISE, 1.02 - self.step / max(self.steps, 1))
        for optimiser, rate in ((self.dense, self.settings.learning_rate), (self.sparse, self.settings.item_rate)):
            for group in optimiser.param_groups:
                group["lr"] = rate * max(factor, 0.02)

    def _batches(self) -> Iterator[Ints]:
        """Histories [batch, steps] that end at the last step, −1 before them; of like length, in random order."""
        own, lengths = self.settings, self.learnt.lengths
        order = self.random.permutation(np.flatnonzero(lengths > 1))
        for first in range(0, len(order), own.batch * _BUCKET):
            drawn = order[first : first + own.batch * _BUCKET]
            drawn = drawn[np.argsort(lengths[drawn], kind="stable")]
            begins = np.arange(0, len(drawn), own.batch)
            for begin in self.random.permutation(begins):
                yield padded(self.learnt.of(drawn[begin : begin + own.batch]).last(own.longest + 1))

    def mrr(self, check: Interactions) -> float:
        """Mean reciprocal rank of the last item of each history after those before it."""
        self.encoder.eval()
        table = torch.from_numpy(all_vectors(self.vectors, self.items))
        gains = []
        with torch.no_grad():
            for first in range(0, len(check), 128):
                block = padded(check.block(first, min(first + 128, len(check))).last(self.settings.longest + 1))
                there = torch.from_numpy(block[:, :-1] >= 0)
                states = table[torch.from_numpy(np.maximum(block[:, :-1], 0))] * there[:, :, None]
                scores = self.encoder(states, there)[:, -1] @ table.T
                own = scores.gather(1, torch.from_numpy(block[:, -1:]))
                gains.append(1.0 / (1 + (scores > own).sum(1)))
        return float(torch.cat(gains).mean())


class _Lookup:
    """Item numbers to the arguments of `ItemVectors`."""

    def __init__(self, items: Items):
        self._items = items

    def __call__(self, numbers: Ints, named: Floats) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        begins = self._items.starts[numbers]
        lengths = self._items.starts[numbers + 1] - begins
        ends = np.cumsum(lengths)
        flat = self._items.attributes[
            np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(begins - ends + lengths, lengths)
        ]
        arrays = (numbers, flat, ends - lengths, named)
        return tuple(torch.from_numpy(np.ascontiguousarray(each)) for each in arrays)  # type: ignore[return-value]


def padded(histories: Interactions) -> Ints:
    """Items [U, longest of them], the last at the end, −1 before the first."""
    table = np.full((len(histories), int(histories.lengths.max(initial=0))), -1, np.int64)
    table[histories.users, -1 - histories.ages] = histories.items
    return table


def _held_out(interactions: Interactions, rows: Ints, settings: SequenceSettings) -> Ints:
    """Of the histories with two items, those that ended last."""
    ends = interactions.times[interactions.starts[rows + 1] - 1]
    count = min(settings.held_out, len(rows) // 10)
    return np.sort(rows[np.argsort(ends, kind="stable")[len(rows) - count :]])


def _last_of(interactions: Interactions, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The last interaction of each chosen user, [N]."""
    return np.asarray((interactions.ages == 0) & np.repeat(chosen, interactions.lengths))


def _graph(interactions: Interactions, n_items: int, window: int) -> SparseRows:
    return transitions(interactions.starts, interactions.items, n_items, window=window, backward=1.0)


def _attribute_means(own: Floats, items: Items) -> Floats:
    """For each attribute the mean vector of its items, [attributes, width]."""
    total = np.zeros((items.n_attributes, own.shape[1]), np.float32)
    np.add.at(total, items.attributes, own[items.owners])
    counts = np.bincount(items.attributes, minlength=items.n_attributes).astype(np.float32)
    return np.asarray(total / np.maximum(counts, 1)[:, None], np.float32)


def _projection(text: Floats, own: Floats, known: NDArray[np.bool_]) -> Floats:
    """The linear map [text width, width] from text to own vectors, by ridge regression on the items known."""
    texts = text[known].astype(np.float64)
    gram = texts.T @ texts + np.eye(text.shape[1])
    return np.asarray(np.linalg.solve(gram, texts.T @ own[known]), np.float32)
