"""Distillation: a small student learns to answer as its teacher does, on texts that nobody has to label."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.manifest import HeadManifest
from lingsou.training.examples import PairSet, Rows, Splits, TextSet
from lingsou.training.neural.batching import by_query
from lingsou.training.neural.tasks.relevance import PairTokens, score_pairs
from lingsou.training.neural.tasks.reports import by_slice, evaluating, worst
from lingsou.training.neural.tasks.task import Evaluation, ExportedHead, Part
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.tokens import TokenBatch, TokenTable, by_length, pad_to_longest
from lingsou.training.pools import rank_pools
from lingsou.training.recipe import TaskSpec

_BATCH = 64


class DistilVectors:
    """The teacher's sentence vectors: the loss is 1 − cosine, half the squared distance of unit vectors.

    Rows are the set's texts as documents and, of pairs, the queries as queries too. The teacher reads every text
    once, before training. Source: Reimers and Gurevych 2020 (one student vector for one teacher vector).
    """

    metric = "cosine"

    def __init__(
        self,
        name: str,
        spec: TaskSpec,
        splits: Splits[TextSet] | Splits[PairSet],
        model: TextModel,
        teacher: TextModel,
    ):
        if model.hidden != teacher.hidden:
            raise ConfigurationError(
                f"Task '{name}': the student's vectors have {model.hidden} numbers, the teacher's {teacher.hidden}.",
                field=f"tasks.{name}",
                cure="Make the student of the teacher's own layers (export.layers).",
            )
        self.name = name
        self.spec = spec
        self._sets: dict[Part, TextSet | PairSet] = {"validation": splits.validation, "test": splits.test}
        self._held: dict[Part, _Taught] = {}
        self._teacher = teacher
        self._train = _Taught(splits.train, model, teacher, spec.max_tokens)
        self.rows = len(self._train.texts)

    def head(self, hidden: int) -> nn.Module:
        """None of its own: the encoder's sentence vector is the product."""
        del hidden
        return nn.Module()

    def epoch(self, rng: np.random.Generator, batch: int) -> list[Rows]:
        """Texts of like length a batch."""
        return by_length(rng.permutation(self.rows), self._train.lengths, batch, rng)

    def loss(self, model: TextModel, head: nn.Module, rows: Rows) -> Tensor:
        """The mean of 1 − cosine."""
        del head
        return (1.0 - self._train.cosines(model, rows)).mean()

    def evaluate(self, model: TextModel, head: nn.Module, part: Part) -> Evaluation:
        """The mean cosine between student and teacher; slices are those of a set of texts."""
        del head
        if part not in self._held:
            self._held[part] = _Taught(self._sets[part], model, self._teacher, self.spec.max_tokens)
        taught, examples = self._held[part], self._sets[part]
        cosines = np.ones(len(taught.texts))
        with evaluating(model):
            order = taught.lengths.argsort(kind="stable")
            for first in range(0, len(order), _BATCH):
                rows = order[first : first + _BATCH]
                cosines[rows] = taught.cosines(model, rows).cpu().numpy()
        slices = (
            by_slice(examples, lambda rows: {"cosine": float(cosines[rows].mean())})
            if isinstance(examples, TextSet)
            else {}
        )
        values = {"cosine": float(cosines.mean()) if len(cosines) else 0.0}
        describe = worst(1 - cosines, lambda row: (taught.texts[row], "cosine 1", f"cosine {cosines[row]:.3f}"))
        return Evaluation(values, len(cosines), slices, worst=describe)

    def export(self, head: nn.Module) -> ExportedHead | None:
        """The encoder itself is the product."""
        del head
        return None


class _Taught:
    """Texts as the student cuts them, with the teacher's vectors `[n, hidden]`."""

    def __init__(self, examples: TextSet | PairSet, model: TextModel, teacher: TextModel, max_tokens: int):
        self.texts: Sequence[str] = examples.texts
        self._tables: list[TokenTable] = []
        vectors = []
        if isinstance(examples, PairSet):
            self.texts = (*examples.queries, *examples.texts)
            self._tables.append(model.queries(examples.queries, max_tokens))
            vectors.append(teacher.encode(teacher.queries(examples.queries, max_tokens)))
        self._tables.append(model.documents(examples.texts, max_tokens))
        vectors.append(teacher.encode(teacher.documents(examples.texts, max_tokens)))
        self._vectors = torch.cat(vectors)
        self._pad = model.cutter.pad
        self.lengths: NDArray[np.int64] = np.concatenate([table.lengths for table in self._tables])

    def cosines(self, model: TextModel, rows: Rows) -> Tensor:
        """Of the student's vectors with the teacher's, `[rows]`."""
        wanted = self._vectors[torch.from_numpy(rows)].to(model.device)
        return (model.sentences(self._batch(rows).to(model.device)) * wanted).sum(1)

    def _batch(self, rows: Rows) -> TokenBatch:
        first = len(self._tables[0])
        ids = [
            self._tables[0].ids_of(row) if row < first else self._tables[1].ids_of(row - first) for row in rows.tolist()
        ]
        return pad_to_longest(ids, self._pad)


class DistilScores:
    """A teacher's scores of pairs, for a cross-encoder.

    The loss is the squared error of the scores, plus that of their differences within each query, which is all that
    ranking needs: Margin-MSE, Hofstätter et al. 2020. The teacher reads every pair once, before training; grades are
    only measured by.
    """

    def __init__(
        self,
        name: str,
        spec: TaskSpec,
        splits: Splits[PairSet],
        model: TextModel,
        teacher: TextModel,
        teacher_head: nn.Module,
    ):
        self.name = name
        self.spec = spec
        self.rows = len(splits.train)
        self._pairs = splits.train
        self._teacher, self._teacher_head = teacher, teacher_head
        self._sets: dict[Part, PairSet] = {"validation": splits.validation, "test": splits.test}
        self._held: dict[Part, tuple[PairTokens, NDArray[np.float64]]] = {}
        self._train, self._scores = self._taught(splits.train, model)
        graded = bool(len(rank_pools(splits.validation, np.zeros(len(splits.validation))).queries))
        self.metric = spec.metric or ("ndcg@10" if graded else "agreement")

    def head(self, hidden: int) -> nn.Module:
        """One number from the mean token state; the teacher's own, where it fits, is the best start."""
        begun = copy.deepcopy(self._teacher_head)
        if isinstance(begun, nn.Linear) and begun.in_features == hidden:
            return begun.requires_grad_(True)
        return nn.Linear(hidden, 1)

    def epoch(self, rng: np.random.Generator, batch: int) -> list[Rows]:
        """Whole queries a batch."""
        return by_query(self._pairs.query, self._train.lengths, batch, rng)

    def loss(self, model: TextModel, head: nn.Module, rows: Rows) -> Tensor:
        """Squared error of scores + squared error of their differences within a query, each a mean."""
        scores = head(model.pooled(self._train.batch(rows).to(model.device)))[:, 0]
        wanted = torch.from_numpy(self._scores[rows].astype(np.float32)).to(scores.device)
        return functional.mse_loss(scores, wanted) + margin_error(
            scores, wanted, torch.from_numpy(self._pairs.query[rows]).to(scores.device)
        )

    def evaluate(self, model: TextModel, head: nn.Module, part: Part) -> Evaluation:
        """nDCG@10 of re-ranking by the set's grades, and `agreement`: the scores' correlation with the teacher's."""
        pairs = self._sets[part]
        if part not in self._held:
            self._held[part] = self._taught(pairs, model)
        tokens, wanted = self._held[part]
        scores = score_pairs(model, head, tokens)
        result = rank_pools(pairs, scores)
        off = np.abs(scores - wanted)

        def describe(row: int) -> tuple[str, str, str]:
            text = f"{pairs.queries[pairs.query[row]]} → {pairs.texts[pairs.text[row]]}"
            return text, f"{wanted[row]:.2f}", f"{scores[row]:.2f}"

        values = {**result.values(), "agreement": _correlation(scores, wanted)}
        return Evaluation(values, len(pairs), result.slices(pairs), worst=worst(off, describe))

    def export(self, head: nn.Module) -> ExportedHead:
        """The score, over the mean token state of the pair."""
        assert isinstance(head, nn.Linear)
        return ExportedHead(
            HeadManifest(kind="score", output="score"), "pooled", head.weight.detach(), head.bias.detach()
        )

    def _taught(self, pairs: PairSet, model: TextModel) -> tuple[PairTokens, NDArray[np.float64]]:
        """The pairs as the student reads them, and the teacher's scores `[rows]`."""
        tokens = PairTokens(pairs, self._teacher, self.spec.max_tokens)
        scores = score_pairs(self._teacher, self._teacher_head, tokens)
        return PairTokens(pairs, model, self.spec.max_tokens), scores


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


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Pearson's; 0 where one of them does not vary."""
    if len(a) < 2 or a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
