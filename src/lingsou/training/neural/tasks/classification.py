"""Classification of texts: one class of many (intent, category, sentiment), or any number of labels."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lingsou.core.errors import InputError
from lingsou.encoders.manifest import HeadManifest
from lingsou.evaluation.label_metrics import Counts, calibration_error, confusion, one_hot
from lingsou.models.character_classes import CharacterClasses, likeliest_share
from lingsou.models.logistic import Floats, fit_temperature, likeliest_temperature
from lingsou.training.character_classes import fit_character_classes
from lingsou.training.examples import LabelSet, Rows, Splits
from lingsou.training.neural.tasks.options import choose
from lingsou.training.neural.tasks.pooled import PooledTexts
from lingsou.training.neural.tasks.reports import by_slice, evaluating, worst
from lingsou.training.neural.tasks.task import Evaluation, ExportedHead, Part
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.tokens import by_length
from lingsou.training.recipe import TaskSpec

_METRICS = ("accuracy", "macro_f1", "micro_f1")
_SHARES = tuple(round(0.1 * step, 1) for step in range(1, 11))


class ClassHead(nn.Linear):
    """Logits of k labels; `temperature` divides them before they become probabilities, and decides nothing."""

    def __init__(self, hidden: int, labels: int):
        super().__init__(hidden, labels)
        self.register_buffer("temperature", torch.ones(()))


class ClassificationTask:
    """Texts are read as queries, so that the forward pass of a search gives the classes too.

    With `characters` a linear model of characters and words stands beside the encoder, and their sum decides.

    Losses: `cross-entropy`, or `balanced`, where each class weighs as much as any other. With several labels a
    text: `binary`, the cross-entropy of each.

    Metrics: `accuracy` (with several labels: all of them right), `macro_f1` (of the labels that were expected or
    found), `micro_f1`; and, lower being better, `ece_loss`, the calibration error. A label that no training row has
    is never found.

    Raises:
        InputError: no rows, one class, or a row without exactly one class where there must be one.
        ConfigurationError: an unknown loss or metric.
    """

    def __init__(self, name: str, spec: TaskSpec, splits: Splits[LabelSet], model: TextModel):
        multiple = spec.kind == "labels"
        self.name = name
        self.rows = len(splits.train)
        # With several labels, all of them at once are seldom right.
        self.metric = choose(name, "metric", spec.metric, ("micro_f1", *_METRICS) if multiple else _METRICS)
        self.labels = splits.train.names
        self.multiple = multiple
        self._spec = spec
        if len(self.labels) < (1 if multiple else 2):
            raise InputError(
                f"Task '{name}': the {self.rows:,} training rows have {len(self.labels)} different labels.",
                field=f"tasks.{name}.data",
                cure="Nothing can be learned from less than two classes; check the column of labels.",
            )
        losses = ("binary",) if multiple else ("cross-entropy", "balanced")
        loss = choose(name, "loss", spec.loss, losses)
        self._sets = {"train": splits.train, "validation": splits.validation, "test": splits.test}
        self._targets = {part: self._table(examples) for part, examples in self._sets.items()}
        self._texts = {
            part: PooledTexts(model.queries(examples.texts, spec.max_tokens)) for part, examples in self._sets.items()
        }
        self.characters: CharacterClasses | None = None
        """What decides beside the encoder; its logits are added."""
        self.share = 1.0
        """Of the encoder."""
        self._weights: Tensor | None = None
        if loss == "balanced":
            counts = self._targets["train"].sum(axis=0)
            self._weights = torch.from_numpy((self.rows / (len(self.labels) * counts)).astype(np.float32))

    def head(self, hidden: int) -> nn.Module:
        """A linear layer over the mean token state."""
        return ClassHead(hidden, len(self.labels))

    def epoch(self, rng: np.random.Generator, batch: int) -> list[Rows]:
        """Texts of like length together."""
        return by_length(rng.permutation(self.rows), self._texts["train"].table.lengths, batch, rng)

    def loss(self, model: TextModel, head: nn.Module, rows: Rows) -> Tensor:
        """The mean loss of the batch."""
        logits = head(self._texts["train"].rows(model, rows))
        targets = torch.from_numpy(self._targets["train"][rows]).to(logits.device)
        return self._loss(logits, targets)

    def evaluate(self, model: TextModel, head: nn.Module, part: Part) -> Evaluation:
        """Measure; the confusion matrix has the classes that training knew, and none with several labels a text."""
        examples, expected = self._sets[part], self._targets[part]
        with evaluating(model, head):
            logits = self._logits(model, head, part)
            scaled = logits / head.get_buffer("temperature") + self._beside(part, logits)
            probability = (torch.sigmoid(scaled) if self.multiple else torch.softmax(scaled, 1)).double().cpu().numpy()
        found = probability > 0.5 if self.multiple else one_hot(probability.argmax(1), len(self.labels))

        def measure(rows: Rows) -> dict[str, float]:
            return self._measure(expected[rows], found[rows], probability[rows])

        if self.multiple:
            losses = -np.log(np.where(expected, probability, 1 - probability).clip(1e-12)).sum(1)
        else:  # the class may be one that training did not know: nothing is likely then
            losses = -np.log((expected * probability).sum(1).clip(1e-12))
        return Evaluation(
            measure(np.arange(len(examples))),
            len(examples),
            by_slice(examples, measure),
            confusion=None if self.multiple else (self.labels, self._confusion(expected, found)),
            worst=worst(
                losses,
                lambda row: (
                    examples.texts[row],
                    " + ".join(examples.given[row]) or "none",
                    self._describe(found[row], probability[row]),
                ),
            ),
        )

    def logits(self, model: TextModel, head: nn.Module, part: Part) -> NDArray[np.float64]:
        """The head's logits `[rows, k]` of a part, before the temperature."""
        with evaluating(model, head):
            found: NDArray[np.float64] = self._logits(model, head, part).double().cpu().numpy()
        return found

    def calibrate(self, model: TextModel, head: nn.Module) -> float:
        """Set the head's temperature to what makes the validation set's labels likeliest, and return it.

        With `characters` also fit what stands beside the encoder, and choose how much of it to take. To be called once
        the weights are final; evaluations and the export are of both from then on.

        Source: Guo et al., "On calibration of modern neural networks", 2017.
        """
        expected = self._targets["validation"]
        known = np.flatnonzero(expected.any(1) | self.multiple)
        if not len(known):
            return 1.0
        with evaluating(model, head):
            logits = self._logits(model, head, "validation")[torch.from_numpy(known)].double().cpu()
        targets = torch.from_numpy(expected[known])
        found = fit_temperature(lambda value: float(_unweighted(logits / value, targets, multiple=self.multiple)))
        if self._spec.characters:
            found *= self._add_characters(logits.numpy() / found, known)
        head.get_buffer("temperature").fill_(found)
        return found

    def _add_characters(self, logits: Floats, known: Rows) -> float:
        """Fit what stands beside the encoder; the factor by which the encoder's temperature grows.

        Args:
            logits: the encoder's, divided by their temperature.
            known: the rows of the validation part that these are of.
        """
        classes = self._targets["train"].argmax(1)
        balanced = self._weights is not None
        characters = fit_character_classes(self._sets["train"].texts, classes, len(self.labels), balanced=balanced)
        expected = self._targets["validation"][known].argmax(1)
        texts = self._sets["validation"].texts
        beside = characters.all_logits([texts[row] for row in known.tolist()])
        own = likeliest_temperature(beside, expected)
        self.share, both = likeliest_share(logits, beside / own, expected, _SHARES)
        self.characters = None if self.share == 1.0 else characters.times((1.0 - self.share) / (own * both))
        return both / self.share

    def take_characters(self, other: "ClassificationTask") -> None:
        """Decide with what another task fitted beside its head."""
        self.characters, self.share = other.characters, other.share

    def export(self, head: nn.Module) -> ExportedHead:
        """Linear over the mean token state."""
        assert isinstance(head, ClassHead)
        manifest = HeadManifest(
            kind="labels" if self.multiple else "classes",
            output=f"head.{self.name}",
            labels=self.labels,
            temperature=float(head.get_buffer("temperature")),
            role=self._spec.role,
            meanings=self._spec.meanings,
            share=self.share,
        )
        characters = {} if self.characters is None else self.characters.arrays()
        return ExportedHead(manifest, "pooled", head.weight.detach(), head.bias.detach(), characters=characters)

    def _table(self, examples: LabelSet) -> NDArray[np.bool_]:
        """Which row has which of the labels that training knows, `[rows, k]`."""
        places = {label: number for number, label in enumerate(self.labels)}
        table = np.zeros((len(examples), len(self.labels)), bool)
        for row, names in enumerate(examples.given):
            if not self.multiple and len(names) != 1:
                raise InputError(
                    f"Task '{self.name}': a row has {len(names)} classes instead of one.",
                    row=row,
                    cure='Give each row one class, or use kind = "labels".',
                )
            for each in names:
                if each in places:
                    table[row, places[each]] = True
        return table

    def _logits(self, model: TextModel, head: nn.Module, part: Part) -> Tensor:
        logits: Tensor = head(self._texts[part].all(model).to(model.device))
        return logits

    def _beside(self, part: Part, logits: Tensor) -> Tensor:
        """What is added to the logits of a part."""
        if self.characters is None:
            return torch.zeros_like(logits)
        found = torch.from_numpy(self.characters.all_logits(self._sets[part].texts))
        return found.to(logits.device, logits.dtype)

    def _loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        if self._weights is None:
            return _unweighted(logits, targets, multiple=self.multiple)
        return functional.cross_entropy(logits, targets.int().argmax(1), self._weights.to(logits.device))

    def _measure(
        self, expected: NDArray[np.bool_], found: NDArray[np.bool_], probability: NDArray[np.float64]
    ) -> dict[str, float]:
        counts = Counts.of(expected, found)
        right = (expected == found).all(1)
        if self.multiple:
            error = calibration_error((expected == found).ravel(), np.maximum(probability, 1 - probability).ravel())
        else:
            error = calibration_error(right, probability.max(1, initial=0.0))
        return {
            "accuracy": float(right.mean()) if len(right) else 0.0,
            "macro_f1": counts.macro_f1,
            "micro_f1": counts.micro_f1,
            "ece_loss": error,
        }

    def _confusion(self, expected: NDArray[np.bool_], found: NDArray[np.bool_]) -> NDArray[np.int64]:
        known = expected.any(1)
        return confusion(expected[known].argmax(1), found[known].argmax(1), len(self.labels))

    def _describe(self, found: NDArray[np.bool_], probability: NDArray[np.float64]) -> str:
        names = [f"{self.labels[each]} {probability[each]:.2f}" for each in np.flatnonzero(found)]
        return " + ".join(names) or "none"


def _unweighted(logits: Tensor, targets: Tensor, *, multiple: bool) -> Tensor:
    if multiple:
        return functional.binary_cross_entropy_with_logits(logits, targets.to(logits.dtype))
    return functional.cross_entropy(logits, targets.int().argmax(1))
