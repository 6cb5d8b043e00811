"""FGM: each batch is learned a second time with its word vectors moved to where the loss is higher.

Miyato et al., Adversarial Training Methods for Semi-Supervised Text Classification (ICLR 2017). It costs a second
forward and backward pass, and gradients down to the word vectors even where the layers below move no weight.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from lingsou.core.errors import ConfigurationError
from lingsou.training.neural.text_model import TextModel


class FastGradient:
    """Moves the word vectors of a batch by `epsilon` along their gradient.

    What is moved is what comes out of the word table, not its rows: nothing of the table's size is copied, it works
    where the table is frozen, and a word can be moved another way in each text.

        fast = FastGradient(model, 0.5)  # after `attach`
        task.loss(model, head, rows).backward()
        with fast.perturbed():
            task.loss(model, head, rows).backward()  # the same batch; gradients add up
        optimiser.step()
    """

    def __init__(self, model: TextModel, epsilon: float):
        """Watch the word vectors of `model`; `epsilon` is the Euclidean length of a batch's whole move.

        Raises:
            ConfigurationError: no weight of the encoder moves, so no gradient passes through it.
        """
        if model.frozen:
            raise ConfigurationError(
                "Adversarial training needs an encoder that learns.",
                field="train.adversarial",
                cure="0, or another method than frozen.",
            )
        self._epsilon = epsilon
        self._moving = False
        self._length = 0.0
        self._calls = 0
        self._gradients: dict[int, Tensor] = {}
        words: Any = model.base.model.get_input_embeddings()
        self._hook = words.register_forward_hook(self._watch)

    def close(self) -> None:
        """Stop watching."""
        self._hook.remove()
        self._gradients.clear()

    @contextmanager
    def perturbed(self) -> Iterator[None]:
        """Within, the texts of the last loss that went backward are moved; they must be given in the same order."""
        norm = math.sqrt(sum(float(each.square().sum()) for each in self._gradients.values()))
        moves = math.isfinite(norm) and norm > 0  # neither where a half-precision step overflows nor at a flat place
        self._length = self._epsilon / norm if moves else 0.0
        self._calls, self._moving = 0, True
        try:
            yield
        finally:
            self._calls, self._moving = 0, False
            self._gradients.clear()

    def _watch(self, module: Any, inputs: Any, vectors: Tensor) -> Tensor | None:
        if not torch.is_grad_enabled():
            return None  # an evaluation in between
        if self._moving:
            return self._moved(vectors)
        if self._gradients:  # a loss has gone backward since: this is the first text of another
            self._calls = 0
            self._gradients.clear()
        call, self._calls = self._calls, self._calls + 1
        vectors = vectors if vectors.requires_grad else vectors.detach().requires_grad_()
        watched: Any = vectors
        watched.register_hook(lambda gradient: self._keep(call, gradient))
        return vectors

    def _keep(self, call: int, gradient: Tensor) -> None:
        if not self._moving:
            self._gradients[call] = gradient.detach()

    def _moved(self, vectors: Tensor) -> Tensor:
        gradient = self._gradients.get(self._calls)
        self._calls += 1
        return vectors if gradient is None or self._length == 0.0 else vectors + self._length * gradient
