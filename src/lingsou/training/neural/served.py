"""An artefact under a task's own evaluation: the figures of a model as it will be served, not as it was trained."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import torch
from torch import Tensor, nn

from lingsou.core.manifests import MANIFEST
from lingsou.encoders.graph import TOKEN_STATES
from lingsou.encoders.manifest import MODEL, TOKENIZER
from lingsou.encoders.opening import open_session
from lingsou.training.neural.text_model import TextModel, mean_state
from lingsou.training.neural.tokens import TokenBatch


class Served(TextModel):
    """The ONNX graph of `folder` in the place of the trained weights; texts run one by one, as serving runs them.

    Activations in int8 share one scale a forward pass, so figures in batches would be those of another model.
    """

    def __init__(self, trained: TextModel, folder: Path, output: str = TOKEN_STATES, width: int | None = None):
        """Over the artefact in `folder`, whose own tokenizer and prefixes cut the texts of tasks that are made of it.

        Args:
            trained: stands in for what no artefact has.
            folder: the artefact.
            output: the one to read: token states, sentence vectors, a head, or the score of a cross-encoder.
            width: of the output; none: as wide as the states of `trained`.
        """
        told = orjson.loads((folder / MANIFEST).read_bytes())
        prefixes = {name: told[name] for name in ("query_prefix", "document_prefix")}
        super().__init__(replace(trained.base, tokenizer=(folder / TOKENIZER).read_bytes(), **prefixes))
        self.hidden = width or trained.hidden
        self._session = open_session(folder / MODEL, threads=0)
        self._output = output
        self.backbone = nn.Module()  # nothing of it moves, and nothing of it is read

    @property
    def device(self) -> torch.device:
        """ONNX Runtime runs on the CPU here."""
        return torch.device("cpu")

    @property
    def frozen(self) -> bool:
        """No: what is kept of a frozen model's texts is known by its weights, and every artefact would pass for one."""
        return False

    def forward(self, tokens: TokenBatch) -> Tensor:
        """Token states `[batch, tokens, hidden]`, or what a head says of each token; 0 behind the mask."""
        found = torch.zeros(*tokens.ids.shape, self.hidden)
        for row, (ids, length) in enumerate(zip(tokens.ids.numpy(), tokens.mask.sum(1).tolist(), strict=True)):
            found[row, :length] = torch.from_numpy(self._run(ids[:length])[0])
        return found

    def pooled(self, tokens: TokenBatch) -> Tensor:
        """Mean token states `[batch, hidden]`, or the output that was asked for, a row a text."""
        if self._output == TOKEN_STATES:
            return mean_state(self(tokens), tokens.mask)
        rows = zip(tokens.ids.numpy(), tokens.mask.sum(1).tolist(), strict=True)
        found = np.array([self._run(ids[:length]).ravel() for ids, length in rows], np.float32)
        return torch.from_numpy(found)

    def _run(self, ids: np.ndarray) -> np.ndarray:
        feed = {"input_ids": ids[None], "attention_mask": np.ones((1, len(ids)), np.int64)}
        found: np.ndarray = self._session.run([self._output], feed)[0]
        return found
