"""Distillation: a small student learns to answer as its teacher does. Grades are only measured by."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lingsou.core.errors import ConfigurationError
from lingsou.training.examples import PairSet, Rows, Splits
from lingsou.training.neural.tasks.matching import MatchingTask
from lingsou.training.neural.tasks.pair_head import PairHead
from lingsou.training.neural.tasks.relevance import PairTokens, RelevanceTask, numbers, score_pairs
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import TaskSpec


@dataclass(frozen=True)
class Teacher:
    """A trained model; it is only read."""

    model: TextModel
    heads: Mapping[str, Tensor]
    """By `task.parameter`."""


class DistilledMatching(MatchingTask):
    """The teacher's sentence vectors: the loss is 1 − cosine, half the squared distance of unit vectors.

    The teacher reads every training text once, beforehand. Source: Reimers and Gurevych 2020 (one student vector for
    one teacher vector).
    """

    def __init__(self, name: str, spec: TaskSpec, splits: Splits[PairSet], model: TextModel, teacher: Teacher):
        super().__init__(name, spec, splits, model)
        read = teacher.model
        if model.hidden != read.hidden:
            raise ConfigurationError(
                f"Task '{name}': the student's vectors have {model.hidden} numbers, the teacher's {read.hidden}.",
                field="teacher",
                cure="Make the student of the teacher's own layers (export.layers).",
            )
        self._wanted_queries = read.encode(read.queries(splits.train.queries, spec.max_tokens))
        self._wanted_texts = read.encode(read.documents(splits.train.texts, spec.max_tokens))

    def loss(self, model: TextModel, head: nn.Module, rows: Rows) -> Tensor:
        """The mean of 1 − cosine over the queries and texts of the batch."""
        queries, texts = np.unique(self._pairs.query[rows]), np.unique(self._pairs.text[rows])
        found = head(torch.cat([self._queries.rows(model, queries), self._texts.rows(model, texts)]))
        wanted = torch.cat(
            [self._wanted_queries[torch.from_numpy(queries)], self._wanted_texts[torch.from_numpy(texts)]]
        )
        cosines: Tensor = functional.cosine_similarity(found, wanted.to(found.device))
        return (1.0 - cosines).mean()


class DistilledRelevance(RelevanceTask):
    """A teacher's scores of pairs, for a cross-encoder.

    The loss is the squared error of the scores, plus that of their differences within each query, which is all that
    ranking needs: Margin-MSE, Hofstätter et al. 2020. The teacher reads every training pair once, beforehand.
    """

    def __init__(self, name: str, spec: TaskSpec, splits: Splits[PairSet], model: TextModel, teacher: Teacher):
        super().__init__(name, spec, splits, model)
        with torch.device("meta"):
            self._taught = PairHead(teacher.model.hidden, self._end)
        own = {part: teacher.heads.get(f"{name}.{part}") for part in self._taught.state_dict()}
        if None in own.values():
            raise ConfigurationError(
                f"The teacher has no head for the task '{name}'.",
                field="teacher",
                cure="Name the task as in the recipe that trained the teacher.",
            )
        self._taught.load_state_dict(own, assign=True)
        tokens = PairTokens(splits.train, teacher.model, spec.max_tokens)
        self._scores: NDArray[np.float64] = score_pairs(teacher.model, self._taught, tokens)

    def head(self, hidden: int) -> nn.Module:
        """One number from the token states; the teacher's own head, where it fits, is the best start."""
        if self._taught.linear.in_features == hidden:
            return copy.deepcopy(self._taught).requires_grad_(True)
        return super().head(hidden)

    def loss(self, model: TextModel, head: nn.Module, rows: Rows) -> Tensor:
        """Squared error of scores + squared error of their differences within a query, each a mean."""
        scores = numbers(model, head, self._train.batch(rows))
        wanted = torch.from_numpy(self._scores[rows].astype(np.float32)).to(scores.device)
        query = torch.from_numpy(self._pairs.query[rows]).to(scores.device)
        return functional.mse_loss(scores, wanted) + margin_error(scores, wanted, query)


def margin_error(scores: Tensor, wanted: Tensor, queries: Tensor) -> Tensor:
    """The mean of ((sᵢ − sⱼ) − (tᵢ − tⱼ))² over the pairs of rows of one query; 0 where there is none.

    Args:
        scores: s, `[rows]`.
        wanted: t, `[rows]`.
        queries: `[rows]`, the number of each row's query.
    """
    off = scores - wanted
    same = (queries[:, None] == queries[None, :]).triu(diagonal=1)
    if not bool(same.any()):
        return off.sum() * 0.0
    return (off[:, None] - off[None, :])[same].square().mean()
