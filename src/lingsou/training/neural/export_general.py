"""Encoders that are not built like BERT: PyTorch's own exporter and ONNX Runtime's own int8."""

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.graph import INPUTS, SENTENCE, TOKEN_STATES, Precision
from lingsou.encoders.onnx_file import OPSET
from lingsou.encoders.optional import EXTRA_BUILD, require
from lingsou.training.neural.tasks.pair_head import late_interaction
from lingsou.training.neural.tasks.task import ExportedHead
from lingsou.training.neural.text_model import TextModel, mean_state

EXTRA_TRAIN = "train"


def general_graph(
    model: TextModel,
    heads: Sequence[ExportedHead],
    file: Path,
    *,
    precision: Precision,
    scorer: bool = False,
    turn: Tensor | None = None,
) -> None:
    """Write the ONNX `file` of any encoder: the same inputs and outputs as `encoders.graph` gives.

    Args:
        model: the trained encoder.
        heads: linear heads; the only one of a scorer.
        file: to be written.
        precision: int8 quantises every matrix and the word table, one scale a matrix.
        scorer: a cross-encoder: the head's number is the only output.
        turn: `[hidden, hidden]`, by which the pooled state is multiplied before it becomes the sentence vector.

    Raises:
        MissingExtraError: `onnxscript` or `onnx` is not installed.
        ConfigurationError: PyTorch cannot export this architecture.
    """
    require("onnxscript", EXTRA_TRAIN)
    require("onnx", EXTRA_BUILD)
    whole = _Whole(model, heads, turn, scorer=scorer).eval()
    names = [head.manifest.output for head in heads]
    ids = torch.ones(2, 8, dtype=torch.int64)
    batch, tokens = torch.export.Dim("batch"), torch.export.Dim("tokens")
    training = model.training
    model.eval()
    with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
        plain = Path(scratch) / "model.onnx"
        try:
            with warnings.catch_warnings():  # the exporter warns of its own ways
                warnings.simplefilter("ignore")
                torch.onnx.export(
                    whole,
                    (ids, torch.ones_like(ids)),
                    plain,
                    input_names=list(INPUTS),
                    output_names=names if scorer else [TOKEN_STATES, SENTENCE, *names],
                    dynamic_shapes=({0: batch, 1: tokens}, {0: batch, 1: tokens}),
                    opset_version=OPSET,
                    dynamo=True,
                    external_data=False,
                    verbose=False,
                )
        except Exception as error:  # the exporter's errors share no base of their own
            reason = str(error).strip().split("\n", 1)[0][:300]
            raise ConfigurationError(
                f"PyTorch cannot export a {type(model.base.model).__name__}: {reason}",
                cure="A base model of the BERT or RoBERTa family.",
            ) from error
        finally:
            model.train(training)
        if precision == "int8":
            _quantise(plain, file)
        else:
            plain.rename(file)


def _quantise(plain: Path, file: Path) -> None:
    quantisation: Any = require("onnxruntime", EXTRA_BUILD, "onnxruntime.quantization")
    onnx: Any = require("onnx", EXTRA_BUILD)
    graph = onnx.load(plain)
    # PyTorch keeps the shapes that matrices had before it turned them round; the quantiser stumbles over that.
    del graph.graph.value_info[:]
    quantisation.quantize_dynamic(graph, file, weight_type=quantisation.QuantType.QInt8)


class _Whole(nn.Module):
    """Token ids to every output, as one module."""

    def __init__(self, model: TextModel, heads: Sequence[ExportedHead], turn: Tensor | None, *, scorer: bool):
        super().__init__()
        self.backbone = model.backbone
        self.heads = heads
        self.turn = turn
        self.scorer = scorer

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        states = self.backbone(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        pooled = mean_state(states, attention_mask)
        found = [
            functional.linear(pooled if head.over == "pooled" else states, head.weight, head.bias)
            for head in self.heads
        ]
        if self.scorer:
            late, score = self.heads[0].late, found[0][:, 0]
            if late is not None:
                score = score + late.scale * late_interaction(states, input_ids, attention_mask, late.end)
            return (score,)
        turned = pooled if self.turn is None else functional.linear(pooled, self.turn)
        return (states, functional.normalize(turned, dim=-1), *found)
