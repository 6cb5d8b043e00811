"""A cross-encoder made by hand: each word has a value, and a pair's score is the mean over all its tokens."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

from lingsou.core.model_store import ModelStore
from lingsou.ranking.cross_encoder import RerankerManifest

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")


def write_graph(path: Path, values: list[float], output: str = "score", keep_axis: bool = False) -> None:
    """An embedding of one number, the mean by the mask, times 2."""
    onnx = pytest.importorskip("onnx", reason="graphs are made with the extra 'encoder-build'")
    make, numpy = onnx.helper, onnx.numpy_helper
    int64, float32 = onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
    nodes = [
        make.make_node("Gather", ["table", "input_ids"], ["embedded"]),
        make.make_node("Cast", ["attention_mask"], ["mask"], to=float32),
        make.make_node("Unsqueeze", ["mask", "last"], ["weights"]),
        make.make_node("Mul", ["embedded", "weights"], ["masked"]),
        make.make_node("ReduceSum", ["masked", "tokens"], ["sum"], keepdims=0),
        make.make_node("ReduceSum", ["weights", "tokens"], ["count"], keepdims=0),
        make.make_node("Div", ["sum", "count"], ["mean"]),
        make.make_node("MatMul", ["mean", "head"], ["logit"]),
        make.make_node("Identity", ["logit"], [output])
        if keep_axis
        else make.make_node("Squeeze", ["logit", "last1"], [output]),
    ]
    constants = {
        "table": np.asarray(values, np.float32)[:, np.newaxis],
        "head": np.asarray([[2.0]], np.float32),
        "last": np.asarray([2]),
        "last1": np.asarray([1]),
        "tokens": np.asarray([1]),
    }
    graph = make.make_graph(
        nodes,
        "tiny",
        [make.make_tensor_value_info(name, int64, ["batch", "length"]) for name in ("input_ids", "attention_mask")],
        [make.make_tensor_value_info(output, float32, None)],
        [numpy.from_array(values, name) for name, values in constants.items()],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(model.SerializeToString())


def tokenizer_of(words: Mapping[str, float], special: tuple[str, ...] = SPECIAL) -> Tokenizer:
    pieces = [*special, *words]
    made = Tokenizer(WordLevel({piece: number for number, piece in enumerate(pieces)}, unk_token="<unk>"))
    made.pre_tokenizer = WhitespaceSplit()
    return made


def install_reranker(
    root: Path,
    words: Mapping[str, float],
    *,
    second: int = 0,
    special: tuple[str, ...] = SPECIAL,
    graph: Mapping[str, Any] | None = None,
    **manifest: Any,
) -> str:
    """Put one into production in the store `root`; its version. `words`: word → value; all other tokens are 0."""

    def write(folder: Path) -> None:
        tokenizer_of(words, special).save(str(folder / "tokenizer.json"))
        write_graph(folder / "model.onnx", [0.0] * len(special) + list(words.values()), **(graph or {}))

    store = ModelStore(root)
    chosen = RerankerManifest(**({"max_tokens": 48} | manifest))
    version = store.add(write, chosen, datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC))
    store.promote(version, force=True)
    return version
