"""Click prediction from text: how likely a shopper who asked for this clicks on that."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lingsou.core.errors import InputError
from lingsou.evaluation.label_metrics import auc, calibration_error, log_loss
from lingsou.training.examples import PairSet, Rows, Splits
from lingsou.training.neural.tasks.options import choose
from lingsou.training.neural.tasks.pooled import PooledTexts
from lingsou.training.neural.tasks.reports import by_slice, evaluating, worst
from lingsou.training.neural.tasks.task import Evaluation, ExportedHead, Part
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.tokens import by_length
from lingsou.training.recipe import TaskSpec

_BATCH = 1_024


class ClickHead(nn.Module):
    """A logistic regression over two sentence vectors q and d, their product and their distance: [q, d, q·d, |q − d|].

    Source: for two texts, Conneau et al., "Supervised learning of universal sentence representations", EMNLP 2017.
    """

    def __init__(self, hidden: int):
        super().__init__()
        self.scale = hidden**0.5  # components of a unit vector are small; like this they are about 1
        self.linear = nn.Linear(4 * hidden, 1)

    def forward(self, queries: Tensor, texts: Tensor) -> Tensor:
        """Logits `[pairs]` of unit vectors `[pairs, hidden]`."""
        asked, shown = queries * self.scale, texts * self.scale
        logits: Tensor = self.linear(torch.cat([asked, shown, asked * shown, (asked - shown).abs()], dim=1))
        return logits[:, 0]


class ClickTask:
    """Pairs with grade 1 (clicked) or 0 (shown only).

    It reads two texts, so it is no head of the encoder's graph: `predict` gives the probabilities offline, such as
    for a feature of the ranker or to order what nobody has seen yet. The encoder that it trained is exported.

    Losses: `binary`, the cross-entropy. Metrics: `auc`, `log_likelihood`; and, lower being better, `ece_loss`.

    Raises:
        InputError: grades other than 0 and 1, or a part without clicks or with nothing else.
        ConfigurationError: an unknown loss or metric.
    """

    def __init__(self, name: str, spec: TaskSpec, splits: Splits[PairSet], model: TextModel):
        self.name = name
        self.rows = len(splits.train)
        self.metric = choose(name, "metric", spec.metric, ("auc", "log_likelihood"))
        choose(name, "loss", spec.loss, ("binary",))
        self._max_tokens = spec.max_tokens
        self._sets = {"train": splits.train, "validation": splits.validation, "test": splits.test}
        for part, examples in self._sets.items():
            _check(name, part, examples)
        self._read = {
            part: (
                PooledTexts(model.queries(examples.queries, spec.max_tokens)),
                PooledTexts(model.documents(examples.texts, spec.max_tokens)),
            )
            for part, examples in self._sets.items()
        }

    def head(self, hidden: int) -> nn.Module:
        """A logistic regression over both vectors."""
        return ClickHead(hidden)

    def epoch(self, rng: np.random.Generator, batch: int) -> list[Rows]:
        """Pairs of texts of like length together."""
        lengths = self._read["train"][1].table.lengths[self._sets["train"].text]
        return by_length(rng.permutation(self.rows), lengths, batch, rng)

    def loss(self, model: TextModel, head: nn.Module, rows: Rows) -> Tensor:
        """The mean loss of the batch. Each query and each text of it is encoded once."""
        pairs = self._sets["train"]
        queries, query = np.unique(pairs.query[rows], return_inverse=True)
        texts, text = np.unique(pairs.text[rows], return_inverse=True)
        asked = self._read["train"][0].sentences(model, queries)[torch.from_numpy(query)]
        shown = self._read["train"][1].sentences(model, texts)[torch.from_numpy(text)]
        logits = head(asked, shown)
        return functional.binary_cross_entropy_with_logits(
            logits, torch.from_numpy(pairs.grades[rows]).to(logits.device)
        )

    def evaluate(self, model: TextModel, head: nn.Module, part: Part) -> Evaluation:
        """Measure over all pairs of the part."""
        pairs = self._sets[part]
        clicked = pairs.grades > 0
        probability = self._predict(model, head, *self._read[part], pairs)

        def measure(rows: Rows) -> dict[str, float]:
            of, given = clicked[rows], probability[rows]
            return {
                "auc": auc(of, given),
                "log_likelihood": -log_loss(of, given),
                "ece_loss": calibration_error(of, given),
            }

        return Evaluation(
            measure(np.arange(len(pairs))),
            len(pairs),
            by_slice(pairs, measure),
            worst=worst(
                -np.log(np.where(clicked, probability, 1 - probability).clip(1e-12)),
                lambda row: (
                    f"{pairs.queries[pairs.query[row]]} → {pairs.texts[pairs.text[row]]}",
                    "clicked" if clicked[row] else "not clicked",
                    f"{probability[row]:.3f}",
                ),
            ),
        )

    def export(self, head: nn.Module) -> ExportedHead | None:
        """None: two texts are no output of one forward pass."""
        del head
        return None

    def predict(
        self, model: TextModel, head: nn.Module, queries: Sequence[str], texts: Sequence[str]
    ) -> NDArray[np.float64]:
        """The probability of a click for each query with the text beside it, `[n]`."""
        pairs = PairSet.of([(query, text, 0.0) for query, text in zip(queries, texts, strict=True)])
        read = (
            PooledTexts(model.queries(pairs.queries, self._max_tokens)),
            PooledTexts(model.documents(pairs.texts, self._max_tokens)),
        )
        return self._predict(model, head, *read, pairs)

    def _predict(
        self, model: TextModel, head: nn.Module, queries: PooledTexts, texts: PooledTexts, pairs: PairSet
    ) -> NDArray[np.float64]:
        found = np.empty(len(pairs))
        with evaluating(model, head):
            asked, shown = functional.normalize(queries.all(model)), functional.normalize(texts.all(model))
            for first in range(0, len(pairs), _BATCH):
                rows = slice(first, first + _BATCH)
                query, text = torch.from_numpy(pairs.query[rows]), torch.from_numpy(pairs.text[rows])
                logits = head(asked[query].to(model.device), shown[text].to(model.device))
                found[rows] = torch.sigmoid(logits.double()).cpu().numpy()
        return found


def _check(name: str, part: str, examples: PairSet) -> None:
    odd = np.flatnonzero((examples.grades != 0) & (examples.grades != 1))
    if len(odd):
        raise InputError(
            f"Task '{name}': the grade {examples.grades[odd[0]]:g} says neither clicked nor not.",
            field=f"tasks.{name}.data",
            row=int(odd[0]),
            cure='Use 1 for clicked and 0 for shown only; kind = "matching" learns from other grades.',
        )
    if not 0 < examples.grades.sum() < len(examples):
        raise InputError(
            f"Task '{name}': of the {len(examples):,} {part} rows {int(examples.grades.sum()):,} were clicked.",
            field=f"tasks.{name}.data",
            cure="Each part needs rows with a click and rows without.",
        )
