"""Matching: one vector for a query, one for a product, near each other when the product answers the query."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.encoder import Vectors
from lingsou.training.examples import PairSet, Rows, Splits
from lingsou.training.neural.batching import by_query
from lingsou.training.neural.losses import contrastive, cosine_margin, ordered, pairwise
from lingsou.training.neural.tasks.options import choose
from lingsou.training.neural.tasks.pooled import PooledTexts
from lingsou.training.neural.tasks.task import Evaluation, ExportedHead, Part, Worst
from lingsou.training.neural.text_model import TextModel
from lingsou.training.pools import rank_pools, recall_of_pairs
from lingsou.training.recipe import TaskSpec

Floats = NDArray[np.float64]
_MIDDLING = 0.5
"""Below this grade (of 1) a product of the query is neither drawn near nor pushed away by the contrast."""
_SKIPPED_BEST = 3
"""The nearest texts of a query that nobody judged are too often good answers to serve as mined negatives."""


class MatchingTask:
    """Contrast with the batch's other products, and the order of each query's own.

    Losses:

    `both` (default)  contrast + pairwise;
    `contrastive`     in-batch softmax alone, for positives without grades, such as clicks;
    `pairwise`        RankNet within each query, over cosines / temperature;
    `order`           CoSENT within each query;
    `squared`         (cosine − grade)²;
    `cosine`          relevant pairs to 1, others below a margin.
    """

    def __init__(self, name: str, spec: TaskSpec, splits: Splits[PairSet], model: TextModel):
        self.name = name
        self.spec = spec
        self.rows = len(splits.train)
        self._pairs = splits.train
        self._held: dict[Part, PairSet] = {"validation": splits.validation, "test": splits.test}
        self._best = float(max((part.grades.max(initial=0.0) for part in (splits.train, splits.validation)), default=1))
        self._best = self._best or 1.0
        self._loss = _LOSSES.get(spec.loss or "both")
        if self._loss is None:
            raise ConfigurationError(
                f"There is no matching loss '{spec.loss}'.", field="loss", cure=f"One of: {', '.join(_LOSSES)}."
            )
        self._model = model
        self._queries, self._texts = self._cut(splits.train)
        self._held_texts: dict[Part, tuple[PooledTexts, PooledTexts]] = {}
        self._known = [set[int]() for _ in self._pairs.queries]
        for query, text in zip(self._pairs.query.tolist(), self._pairs.text.tolist(), strict=True):
            self._known[query].add(text)
        graded = bool(len(rank_pools(splits.validation, np.zeros(len(splits.validation))).queries))
        offered = ("ndcg@10", "mrr@10") if graded else ("mrr@10", "ndcg@10")
        self.metric = choose(name, "metric", spec.metric, (*offered, "recall@10"))
        self._mined = self._mine(model) if spec.hard_negatives else None

    def head(self, hidden: int) -> nn.Module:
        """None, for the sentence vector is the product itself; a turn of it where the encoder is frozen."""
        if not self._model.frozen:
            return nn.Identity()
        turn = nn.Linear(hidden, hidden, bias=False)
        nn.init.eye_(turn.weight)
        return turn

    def epoch(self, rng: np.random.Generator, batch: int) -> list[Rows]:
        """Whole queries a batch."""
        return by_query(self._pairs.query, self._texts.table.lengths[self._pairs.text], batch, rng)

    def loss(self, model: TextModel, head: nn.Module, rows: Rows) -> Tensor:
        """The mean loss of the batch. Each query and each text of the batch is encoded once."""
        assert self._loss is not None
        queries, query = np.unique(self._pairs.query[rows], return_inverse=True)
        texts = np.unique(self._pairs.text[rows])
        if self._mined is not None:
            texts = np.union1d(texts, self._mined[queries].ravel())
        text = np.searchsorted(texts, self._pairs.text[rows])
        asked = functional.normalize(head(self._queries.rows(model, queries)), dim=-1)
        shown = functional.normalize(head(self._texts.rows(model, texts)), dim=-1)
        cosines = asked @ shown.T
        grades = torch.from_numpy(self._pairs.grades[rows] / np.float32(self._best)).to(cosines.device)
        gains = np.zeros((len(queries), len(texts)), np.float32)
        for place, number in enumerate(queries):  # what is known to answer the query is no negative of it
            known = self._known[number]
            gains[place] = [np.nan if each in known else 0.0 for each in texts.tolist()]
        own = self._pairs.grades[rows] / np.float32(self._best)
        gains[query, text] = np.where(own >= _MIDDLING, np.exp2(3 * own) - 1, np.where(own > 0, np.nan, 0.0))
        batch = _Batch(
            cosines,
            torch.from_numpy(gains).to(cosines.device),
            cosines[torch.from_numpy(query), torch.from_numpy(text)],
            grades,
            torch.from_numpy(query).to(cosines.device),
            self.spec.temperature,
        )
        return self._loss(batch)

    def evaluate(self, model: TextModel, head: nn.Module, part: Part) -> Evaluation:
        """nDCG@10 of re-ranking each query's own products, and retrieval among all products of the part."""
        pairs = self._held[part]
        asked, shown = self._sides(model, head, part)
        scores = _cosines(pairs, asked, shown)
        result = rank_pools(pairs, scores)
        values = {**recall_of_pairs(pairs, asked, shown), "ndcg@10": float(result.values()["ndcg@10"])}
        return Evaluation(values, len(pairs), result.slices(pairs), worst=worst_pairs(pairs, scores, self._best))

    def scores(self, model: TextModel, head: nn.Module, part: Part) -> Floats:
        """The cosine of each row of a part, `[rows]`."""
        return _cosines(self._held[part], *self._sides(model, head, part))

    def export(self, head: nn.Module) -> ExportedHead | None:
        """None: the encoder itself is the product. What a frozen one was turned by goes through `turn`."""
        del head
        return None

    def turn(self, head: nn.Module) -> Tensor | None:
        """`[hidden, hidden]`, by which the pooled state is multiplied before it is made a unit vector; none: by 1."""
        return head.weight.detach() if isinstance(head, nn.Linear) else None

    def _sides(self, model: TextModel, head: nn.Module, part: Part) -> tuple[Vectors, Vectors]:
        """Vectors of a part's queries and of its texts."""
        if part not in self._held_texts:
            self._held_texts[part] = self._cut(self._held[part])
        asked, shown = (_vectors(model, head, texts).numpy() for texts in self._held_texts[part])
        return asked, shown

    def _cut(self, pairs: PairSet) -> tuple[PooledTexts, PooledTexts]:
        length = self.spec.max_tokens
        queries = self._model.queries(pairs.queries, length)
        return PooledTexts(queries), PooledTexts(self._model.documents(pairs.texts, length))

    def _mine(self, model: TextModel) -> Rows:
        """`[queries, hard_negatives]` texts near each query that nobody judged for it, by the model as it is."""
        asked, shown = (_vectors(model, nn.Identity(), texts) for texts in (self._queries, self._texts))
        depth = min(len(shown), self.spec.hard_negatives + _SKIPPED_BEST + max(map(len, self._known)))
        found = np.empty((len(asked), self.spec.hard_negatives), np.int64)
        for first in range(0, len(asked), 256):
            top = (asked[first : first + 256] @ shown.T).topk(depth, dim=1).indices.tolist()
            for place, row in enumerate(top, start=first):
                free = [text for text in row if text not in self._known[place]][_SKIPPED_BEST:]
                free = free or [text for text in row if text not in self._known[place]] or row
                found[place] = np.resize(free, self.spec.hard_negatives)
        return found


def _cosines(pairs: PairSet, asked: Vectors, shown: Vectors) -> Floats:
    return np.asarray(np.einsum("ij,ij->i", asked[pairs.query], shown[pairs.text]), np.float64)


@torch.no_grad()
def _vectors(model: TextModel, head: nn.Module, texts: PooledTexts) -> Tensor:
    """Unit vectors `[n, hidden]` of all texts, on the CPU."""
    pooled = texts.all(model)
    found = [head(pooled[at : at + 1024].to(model.device)).cpu() for at in range(0, len(pooled), 1024)]
    return functional.normalize(torch.cat(found), dim=-1) if found else pooled


class _Batch:
    """What the losses read."""

    def __init__(self, cosines: Tensor, gains: Tensor, own: Tensor, grades: Tensor, query: Tensor, temperature: float):
        self.cosines = cosines
        self.gains = gains
        self.own = own
        self.grades = grades
        self.query = query
        self.temperature = temperature

    def contrast(self) -> Tensor:
        return contrastive(self.cosines, self.gains, self.temperature)

    def pairwise(self) -> Tensor:
        return pairwise(self.own / self.temperature, self.grades, self.query)

    def order(self) -> Tensor:
        return ordered(self.own, self.grades, self.query, self.temperature)


_LOSSES: dict[str, Callable[[_Batch], Tensor]] = {
    "both": lambda batch: batch.contrast() + batch.pairwise(),
    "contrastive": lambda batch: batch.contrast(),
    "pairwise": lambda batch: batch.pairwise(),
    "order": lambda batch: batch.order(),
    "squared": lambda batch: functional.mse_loss(batch.own, batch.grades),
    "cosine": lambda batch: cosine_margin(batch.own, batch.grades),
}


def worst_pairs(pairs: PairSet, scores: np.ndarray, best: float, most: int = 20) -> list[Worst]:
    """The pairs whose place by score is farthest from their grade, among all rows of the set."""
    if not len(pairs):
        return []
    place = np.argsort(np.argsort(scores, kind="stable"), kind="stable") / max(len(scores) - 1, 1)
    off = np.abs(place - pairs.grades / best)
    return [
        Worst(
            f"{pairs.queries[pairs.query[row]]} → {pairs.texts[pairs.text[row]]}",
            f"{pairs.grades[row]:g} of {best:g}",
            f"{scores[row]:.3f}, above {place[row]:.0%} of all pairs",
            float(off[row]),
        )
        for row in np.argsort(-off, kind="stable")[:most].tolist()
    ]
