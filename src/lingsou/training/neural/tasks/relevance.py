"""Relevance: a cross-encoder reads query and product together and gives one number."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.graph import LateInteraction
from lingsou.encoders.manifest import HeadManifest
from lingsou.ranking.cross_encoder import END, PairTokenizer
from lingsou.training.examples import PairSet, Rows, Splits
from lingsou.training.neural.batching import by_query
from lingsou.training.neural.losses import listwise, pairwise
from lingsou.training.neural.tasks.matching import worst_pairs
from lingsou.training.neural.tasks.options import choose
from lingsou.training.neural.tasks.pair_head import PairHead
from lingsou.training.neural.tasks.task import Evaluation, ExportedHead, Part
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.tokens import TokenBatch, pad_to_longest
from lingsou.training.pools import rank_pools
from lingsou.training.recipe import TaskSpec

_LOSSES = ("both", "graded", "pairwise", "listwise")


class RelevanceTask:
    """Pairs in, one number out.

    Losses: `graded` (cross-entropy with the grade as the target), `pairwise`, `listwise`; `both` (default) is the
    sum of graded and listwise.
    """

    def __init__(self, name: str, spec: TaskSpec, splits: Splits[PairSet], model: TextModel):
        self.name = name
        self.spec = spec
        self.metric = choose(name, "metric", spec.metric, ("ndcg@10", "mrr@10"))
        self.rows = len(splits.train)
        if (spec.loss or "both") not in _LOSSES:
            raise ConfigurationError(
                f"There is no relevance loss '{spec.loss}'.", field="loss", cure=f"One of: {', '.join(_LOSSES)}."
            )
        self._pairs = splits.train
        self._held: dict[Part, PairSet] = {"validation": splits.validation, "test": splits.test}
        self._best = float(splits.train.grades.max(initial=0.0)) or 1.0
        self._train = PairTokens(splits.train, model, spec.max_tokens)
        self._end: int = model.cutter.tokenizer.token_to_id(END)
        self._tokens: dict[Part, PairTokens] = {}

    def head(self, hidden: int) -> nn.Module:
        """One number from the states of both texts' tokens."""
        return PairHead(hidden, self._end)

    def epoch(self, rng: np.random.Generator, batch: int) -> list[Rows]:
        """Whole queries a batch."""
        return by_query(self._pairs.query, self._train.lengths, batch, rng)

    def loss(self, model: TextModel, head: nn.Module, rows: Rows) -> Tensor:
        """The mean loss of the batch."""
        scores = numbers(model, head, self._train.batch(rows))
        grades = torch.from_numpy(self._pairs.grades[rows] / np.float32(self._best)).to(scores.device)
        query = torch.from_numpy(self._pairs.query[rows]).to(scores.device)
        kind = self.spec.loss or "both"
        if kind == "graded":
            return functional.binary_cross_entropy_with_logits(scores, grades)
        if kind == "pairwise":
            return pairwise(scores, grades, query)
        if kind == "listwise":
            return listwise(scores, grades, query)
        return functional.binary_cross_entropy_with_logits(scores, grades) + listwise(scores, grades, query)

    def evaluate(self, model: TextModel, head: nn.Module, part: Part) -> Evaluation:
        """nDCG@10 of re-ranking each query's own products."""
        pairs = self._held[part]
        scores = self.scores(model, head, part)
        result = rank_pools(pairs, scores)
        worst = worst_pairs(pairs, scores, self._best)
        return Evaluation(result.values(), len(pairs), result.slices(pairs), worst=worst)

    def scores(self, model: TextModel, head: nn.Module, part: Part) -> NDArray[np.float64]:
        """The number of each row of a part, `[rows]`."""
        if part not in self._tokens:
            self._tokens[part] = PairTokens(self._held[part], model, self.spec.max_tokens)
        return score_pairs(model, head, self._tokens[part])

    def export(self, head: nn.Module) -> ExportedHead:
        """The score of the pair."""
        assert isinstance(head, PairHead)
        manifest = HeadManifest(kind="score", output="score", labels=())
        late = LateInteraction(float(head.scale.detach()), head.end)
        return ExportedHead(manifest, "pooled", head.linear.weight.detach(), head.linear.bias.detach(), late=late)


class PairTokens:
    """Each row of a set as the one sequence of ids that the served cross-encoder will read."""

    def __init__(self, pairs: PairSet, model: TextModel, max_tokens: int):
        base, cutter = model.base, model.cutter
        cut = PairTokenizer(
            cutter.tokenizer,
            max_tokens=max_tokens,
            query_prefix=base.query_prefix,
            document_prefix=base.document_prefix,
        )
        self._pad = cutter.pad
        self._rows = [
            np.array(cut.ids(pairs.queries[query], pairs.texts[text]), np.int32)
            for query, text in zip(pairs.query.tolist(), pairs.text.tolist(), strict=True)
        ]
        self.lengths = np.array([len(row) for row in self._rows], np.int64)

    def __len__(self) -> int:
        return len(self._rows)

    def batch(self, rows: Rows) -> TokenBatch:
        """The pairs of `rows`, padded to the longest."""
        return pad_to_longest([self._rows[row] for row in rows.tolist()], self._pad)


def numbers(model: TextModel, head: nn.Module, batch: TokenBatch) -> Tensor:
    """The number of each pair of the batch, `[rows]`."""
    batch = batch.to(model.device)
    if isinstance(head, nn.Identity):  # an artefact in the place of the model gives the number itself
        return model.pooled(batch)[:, 0]
    found: Tensor = head(model(batch), batch)
    return found


@torch.inference_mode()
def score_pairs(model: TextModel, head: nn.Module, pairs: PairTokens, batch: int = 64) -> NDArray[np.float64]:
    """The head's number for each row, `[rows]`, in evaluation mode."""
    training = model.training
    model.eval()
    scores = np.empty(len(pairs), np.float64)
    order = np.argsort(pairs.lengths, kind="stable")
    for at in range(0, len(order), batch):
        rows = order[at : at + batch]
        scores[rows] = numbers(model, head, pairs.batch(rows)).float().cpu().numpy()
    model.train(training)
    return scores
