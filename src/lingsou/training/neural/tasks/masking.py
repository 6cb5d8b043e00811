"""Masked-token adaptation: the encoder learns the catalogue's language before it learns a task."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lingsou.core.errors import ConfigurationError, InputError
from lingsou.training.examples import Rows, Splits, TextSet
from lingsou.training.neural.tasks.aligned import AlignedTexts, align
from lingsou.training.neural.tasks.options import choose
from lingsou.training.neural.tasks.reports import evaluating
from lingsou.training.neural.tasks.task import Evaluation, ExportedHead, Part
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.tokens import TokenBatch, by_length
from lingsou.training.recipe import TaskSpec

CHOSEN = 0.15
"""Share of a text's own tokens that are to be guessed, one at least."""
_HIDDEN, _SWAPPED = 0.8, 0.1
"""Of those, so many show the mask, and so many another piece; the rest show themselves."""
_BATCH = 64
_MASKS = ("<mask>", "[MASK]")


class MaskHead(nn.Module):
    """A layer of its own, then the encoder's word table as output weights, and a bias for each candidate."""

    def __init__(self, hidden: int, candidates: int):
        super().__init__()
        self.dense = nn.Linear(hidden, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.bias = nn.Parameter(torch.zeros(candidates))

    def forward(self, states: Tensor, words: Tensor) -> Tensor:
        """Logits `[tokens, candidates]` of states `[tokens, hidden]`; `words` `[candidates, hidden]`."""
        logits: Tensor = self.norm(functional.gelu(self.dense(states))) @ words.T + self.bias
        return logits


class MaskingTask:
    """Guess 15 % of each document's pieces from the rest: Devlin et al., "BERT", NAACL 2019.

    The softmax runs over the pieces that the task's texts use (all three parts), not over the whole table of, say,
    250,002: pieces that a shop never uses need not be told apart, and cost most of the time. So
    log-likelihoods compare between runs over the same texts only. What is masked is drawn from PyTorch's
    generator in training, and always the same in evaluations.

    Losses: `cross-entropy` of the chosen tokens. Metrics: `accuracy` and `log_likelihood` of them.

    Raises:
        InputError: no training text has a token.
        ConfigurationError: the tokenizer has no mask; an unknown loss or metric.
    """

    def __init__(self, name: str, spec: TaskSpec, splits: Splits[TextSet], model: TextModel):
        self.name = name
        self.rows = len(splits.train)
        self.metric = choose(name, "metric", spec.metric, ("accuracy", "log_likelihood"))
        choose(name, "loss", spec.loss, ("cross-entropy",))
        tokenizer = model.cutter.tokenizer
        mask = next((number for text in _MASKS if (number := tokenizer.token_to_id(text)) is not None), None)
        if mask is None:
            raise ConfigurationError(
                f"The tokenizer of '{model.base.name}' has no piece {' or '.join(_MASKS)}.",
                field="base",
                cure="Adapt a base model that was pretrained with masks, such as e5-small.",
            )
        self._mask = mask
        self._sets = {"train": splits.train, "validation": splits.validation, "test": splits.test}
        self._texts = {
            part: align(model.cutter, examples.texts, prefix=model.base.document_prefix, max_tokens=spec.max_tokens)
            for part, examples in self._sets.items()
        }
        if not any(map(len, self._texts["train"].places)):
            raise InputError(
                f"Task '{name}': the {self.rows:,} training texts hold no token.",
                field=f"tasks.{name}.data",
                cure="Check the column of texts.",
            )
        self._candidates = np.unique(
            np.concatenate([texts.table.ids_of(row)[own] for texts in self._texts.values()
                            for row, own in enumerate(texts.places)])
        ).astype(np.int64)  # fmt: skip

    def head(self, hidden: int) -> nn.Module:
        """The layer before the word table. Thrown away at the end."""
        return MaskHead(hidden, len(self._candidates))

    def epoch(self, rng: np.random.Generator, batch: int) -> list[Rows]:
        """Texts of like length together."""
        return by_length(rng.permutation(self.rows), self._texts["train"].table.lengths, batch, rng)

    def loss(self, model: TextModel, head: nn.Module, rows: Rows) -> Tensor:
        """The mean loss of the chosen tokens."""
        seed = int(torch.randint(2**62, ()))
        logits, targets = self._guess(model, head, self._texts["train"], rows, np.random.default_rng(seed))
        return functional.cross_entropy(logits, targets, reduction="sum") / max(len(targets), 1)

    def evaluate(self, model: TextModel, head: nn.Module, part: Part) -> Evaluation:
        """Measure, with masks of its own that are the same each time."""
        texts, rng = self._texts[part], np.random.default_rng(0)
        order = np.argsort(texts.table.lengths, kind="stable")
        right = tokens = 0
        total = 0.0
        with evaluating(model, head):
            for first in range(0, len(order), _BATCH):
                logits, targets = self._guess(model, head, texts, order[first : first + _BATCH], rng)
                right += int((logits.argmax(1) == targets).sum())
                total += float(functional.cross_entropy(logits, targets, reduction="sum"))
                tokens += len(targets)
        values = {"accuracy": right / max(tokens, 1), "log_likelihood": -total / max(tokens, 1)}
        return Evaluation(values, len(self._sets[part]))

    def export(self, head: nn.Module) -> ExportedHead | None:
        """The adapted encoder is the product."""
        del head
        return None

    def _guess(
        self, model: TextModel, head: nn.Module, texts: AlignedTexts, rows: Rows, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Logits `[chosen, candidates]` of the batch's chosen tokens, and the candidate that each was, `[chosen]`."""
        batch = texts.table.batch(rows)
        ids = batch.ids.numpy()
        chosen = np.zeros(ids.shape, bool)
        for place, row in enumerate(rows.tolist()):
            own = texts.places[row]
            if len(own):
                count = max(1, round(CHOSEN * len(own)))
                chosen[place, rng.choice(own, count, replace=False)] = True
        truth = ids[chosen]
        fate = rng.random(len(truth))
        swapped = self._candidates[rng.integers(len(self._candidates), size=len(truth))]
        shown = ids.copy()
        shown[chosen] = np.where(fate < _HIDDEN, self._mask, np.where(fate < _HIDDEN + _SWAPPED, swapped, truth))
        tokens = TokenBatch(torch.from_numpy(shown), batch.mask).to(model.device)
        states = model(tokens)[torch.from_numpy(chosen).to(model.device)]
        # Through the embedding itself: a method may have put something else in the place of the table.
        words = model.base.model.get_input_embeddings()(torch.from_numpy(self._candidates).to(model.device))
        targets = torch.from_numpy(np.searchsorted(self._candidates, truth))
        return head(states, words), targets.to(model.device)
