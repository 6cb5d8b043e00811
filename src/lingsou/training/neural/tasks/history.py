"""Shopper history → product: the texts that a shopper met predict the text of the next."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lingsou.core.errors import InputError
from lingsou.evaluation import metrics
from lingsou.training.examples import HistorySet, Rows, Splits
from lingsou.training.neural.tasks.options import choose
from lingsou.training.neural.tasks.pooled import PooledTexts
from lingsou.training.neural.tasks.reports import by_slice, evaluating, worst
from lingsou.training.neural.tasks.task import Evaluation, ExportedHead, Part
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import TaskSpec

RECENT = 20
"""Products of a history that are looked at, the latest."""
_DEPTH = 10
_BATCH = 256


class HistoryHead(nn.Module):
    """The mean of a history's vectors; each product that came after another makes it weigh less by a learned factor."""

    def __init__(self) -> None:
        super().__init__()
        self.rate = nn.Parameter(torch.tensor(math.log(math.expm1(0.2))))

    @property
    def decay(self) -> float:
        """The factor, between 0 and 1."""
        return math.exp(-float(functional.softplus(self.rate.detach())))

    def forward(self, vectors: Tensor, ages: Tensor, mask: Tensor) -> Tensor:
        """Unit vectors `[rows, hidden]` of `vectors` `[rows, products, hidden]`; age 0 is the latest product."""
        weights = torch.exp(-functional.softplus(self.rate) * ages) * mask
        return functional.normalize((vectors * weights.unsqueeze(2)).sum(1), dim=-1)


class HistoryTask:
    """Products are read as documents, so that their vectors of search serve.

    Losses: `softmax` over the batch's next products, with `log q` taken from each logit, q being how often it is the
    next product in training: else popular ones would be punished for being others' next ones so often. A product
    that stands twice in the batch, or in the shopper's own history, is no negative.
    Source: Yi et al., "Sampling-bias-corrected neural modeling", RecSys 2019.

    Metrics: `ndcg@10` and `hr@10` of the next product among all texts of the set, those of the history left out.

    Raises:
        InputError: no training rows.
        ConfigurationError: an unknown loss or metric.
    """

    def __init__(self, name: str, spec: TaskSpec, splits: Splits[HistorySet], model: TextModel):
        self.name = name
        self.rows = len(splits.train)
        self.metric = choose(name, "metric", spec.metric, ("ndcg@10", "hr@10"))
        choose(name, "loss", spec.loss, ("softmax",))
        if not self.rows:
            raise InputError(
                f"Task '{name}': there is no history to learn from.",
                field=f"tasks.{name}.data",
                cure="Log events for a while; shoppers with two products or more count.",
            )
        self._temperature = spec.temperature
        self._sets = {"train": splits.train, "validation": splits.validation, "test": splits.test}
        read = {
            examples.texts: PooledTexts(model.documents(examples.texts, spec.max_tokens))
            for examples in self._sets.values()
        }
        self._read = {part: read[examples.texts] for part, examples in self._sets.items()}
        self._items = {part: _recent(examples) for part, examples in self._sets.items()}
        counts = np.bincount(self._items["train"][:, -1], minlength=len(splits.train.texts))
        self._log_q = np.log(np.maximum(counts, 1) / self.rows).astype(np.float32)

    def head(self, hidden: int) -> nn.Module:
        """One number: how fast the past fades."""
        del hidden
        return HistoryHead()

    def epoch(self, rng: np.random.Generator, batch: int) -> list[Rows]:
        """In any order; a batch of one row has nothing to tell apart and is left out."""
        order = rng.permutation(self.rows)
        parts = [order[first : first + batch] for first in range(0, len(order), batch)]
        return [part for part in parts if len(part) > 1] or parts

    def loss(self, model: TextModel, head: nn.Module, rows: Rows) -> Tensor:
        """The mean loss of the batch. Each text of it is encoded once."""
        items = self._items["train"][rows]
        texts, places = np.unique(items[items >= 0], return_inverse=True)
        vectors = self._read["train"].sentences(model, texts)
        at = np.zeros(items.shape, np.int64)
        at[items >= 0] = places
        shoppers = _combine(head, vectors, at[:, :-1], items[:, :-1])
        following = items[:, -1]
        logits = shoppers @ vectors[torch.from_numpy(at[:, -1])].T / self._temperature
        logits = logits - torch.from_numpy(self._log_q[following]).to(logits.device)
        same = following[:, None] == following[None, :]
        met = (items[:, :-1, None] == following[None, None, :]).any(1)
        ignored = (same | met) & ~np.eye(len(rows), dtype=bool)
        logits = logits.masked_fill(torch.from_numpy(ignored).to(logits.device), float("-inf"))
        return functional.cross_entropy(logits, torch.arange(len(rows), device=logits.device))

    def evaluate(self, model: TextModel, head: nn.Module, part: Part) -> Evaluation:
        """Rank every text of the set for each history; equal scores count against the model."""
        examples, items = self._sets[part], self._items[part]
        ranks = np.empty(len(examples), np.int64)
        guessed = np.empty(len(examples), np.int64)
        with evaluating(model, head):
            vectors = functional.normalize(self._read[part].all(model)).to(model.device)
            for first in range(0, len(examples), _BATCH):
                here = items[first : first + _BATCH]
                shoppers = _combine(head, vectors, np.maximum(here[:, :-1], 0), here[:, :-1])
                scores = (shoppers @ vectors.T).cpu().numpy()
                following = here[:, -1]
                wanted = scores[np.arange(len(here)), following]
                for place, row in enumerate(range(first, first + len(here))):
                    scores[place, list(examples.items[row][:-1])] = -np.inf
                scores[np.arange(len(here)), following] = wanted
                ranks[first : first + len(here)] = (scores >= wanted[:, None]).sum(1)
                guessed[first : first + len(here)] = scores.argmax(1)
        grades = (ranks[:, None] == np.arange(1, _DEPTH + 1)[None, :]).astype(np.float64)
        one = np.ones((len(examples), 1))
        ndcg, hits = metrics.ndcg(grades, one, _DEPTH), metrics.recall(grades, one, _DEPTH)

        def measure(rows: Rows) -> dict[str, float]:
            if not len(rows):
                return {"ndcg@10": 0.0, "hr@10": 0.0}
            return {"ndcg@10": float(ndcg[rows].mean()), "hr@10": float(hits[rows].mean())}

        return Evaluation(
            measure(np.arange(len(examples))),
            len(examples),
            by_slice(examples, measure),
            worst=worst(
                np.log(ranks),
                lambda row: (
                    " | ".join(examples.texts[item] for item in examples.items[row][:-1][-RECENT:]),
                    f"{examples.texts[examples.items[row][-1]]} (found at {ranks[row]})",
                    examples.texts[guessed[row]],
                ),
            ),
        )

    def export(self, head: nn.Module) -> ExportedHead | None:
        """The encoder is the product: its vectors of products are near those of what shoppers choose next."""
        del head
        return None


def _recent(examples: HistorySet) -> NDArray[np.int64]:
    """`[rows, RECENT + 1]`: the latest products, the next one last; −1 where a history is shorter."""
    found = np.full((len(examples), RECENT + 1), -1, np.int64)
    for row, items in enumerate(examples.items):
        latest = items[-RECENT - 1 :]
        found[row, -len(latest) :] = latest
    return found


def _combine(head: nn.Module, vectors: Tensor, at: NDArray[np.int64], items: NDArray[np.int64]) -> Tensor:
    """The shoppers' vectors. `at` `[rows, products]` says where in `vectors` each item is; items of −1 are none."""
    ages = torch.arange(items.shape[1] - 1, -1, -1, device=vectors.device, dtype=vectors.dtype)
    mask = torch.from_numpy(items >= 0).to(vectors.device)
    shoppers: Tensor = head(vectors[torch.from_numpy(at).to(vectors.device)], ages, mask)
    return shoppers
