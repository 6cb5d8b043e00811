"""The transformer as an ONNX graph for ONNX Runtime: 4-bit embeddings, int8 matrices, float32 elsewhere.

Inputs `input_ids` and `attention_mask`, int64 `[batch, tokens]`; outputs `token_states` float32
`[batch, tokens, hidden]` and `sentence_embedding` float32 `[batch, hidden]`, the normalised mean over the
tokens of the mask. The word table keeps its 4 bits unchanged; the other matrices become int8 with one
symmetric scale for each output column; activations are quantised as they come, one scale a tensor.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.optional import EXTRA_BUILD, require
from lingsou.encoders.weights import BLOCK, Shape, Weights

OPSET = 21
IR_VERSION = 10
TOKEN_STATES, SENTENCE = "token_states", "sentence_embedding"
_CONTRIB = "com.microsoft"
_ROWS = 16_384
"""Rows of the word table repacked at a time, to bound memory."""


class _Graph:
    """Nodes and initializers in the order in which they were added, so that the file is always the same."""

    def __init__(self) -> None:
        self.onnx = require("onnx", EXTRA_BUILD)
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def constant(
        self, name: str, value: NDArray[Any], kind: int | None = None, dims: tuple[int, ...] | None = None
    ) -> str:
        """Keep `value` under `name`; `kind` and `dims` override type and shape for packed data."""
        tensor = self.onnx.TensorProto()
        tensor.name = name
        tensor.data_type = self.onnx.helper.np_dtype_to_tensor_dtype(value.dtype) if kind is None else kind
        tensor.dims.extend(value.shape if dims is None else dims)
        tensor.raw_data = np.ascontiguousarray(value).tobytes()
        self.initializers.append(tensor)
        return name

    def add(
        self, operator: str, inputs: list[str], outputs: str | list[str], domain: str = "", **attributes: Any
    ) -> Any:
        """Append a node and return its outputs, as given."""
        names = [outputs] if isinstance(outputs, str) else outputs
        self.nodes.append(
            self.onnx.helper.make_node(operator, inputs, names, name=names[0], domain=domain, **attributes)
        )
        return outputs


def build_graph(weights: Weights) -> bytes:
    """The serialised model of `weights`.

    Raises:
        MissingExtraError: `onnx` is not installed.
        ConfigurationError: a tensor is missing or has the wrong size.
    """
    graph, shape = _Graph(), weights.shape
    states = _embed(graph, weights)
    mask = graph.add("Cast", ["attention_mask"], "mask", to=graph.onnx.TensorProto.INT32)
    for layer in range(shape.layers):
        states = _layer(graph, weights, layer, states, mask)
    graph.add("Identity", [states], TOKEN_STATES)
    _pool(graph, states)
    return _serialise(graph, shape)


def _embed(graph: _Graph, weights: Weights) -> str:
    """Word + position + type 0, normalised. The scales stay fp16 in the file and are widened once, at load."""
    shape, rows = weights.shape, len(weights.pieces.texts)
    packed = np.empty((rows, shape.hidden // 2), np.uint8)
    scales = np.empty((rows, shape.hidden // BLOCK), np.float16)
    for first in range(0, rows, _ROWS):
        nibbles, scale = weights.blocks("emb.word", min(_ROWS, rows - first), first)
        signed = nibbles ^ 8  # q − 8 as a two's complement nibble
        packed[first : first + _ROWS] = signed[:, ::2] | signed[:, 1::2] << 4
        scales[first : first + _ROWS] = scale
    onnx = graph.onnx
    table = graph.constant("word", packed, onnx.TensorProto.INT4, (rows, shape.hidden))
    del packed
    wide = graph.add("Cast", [graph.constant("word.scale", scales)], "word.scale32", to=onnx.TensorProto.FLOAT)
    words = graph.add(
        "GatherBlockQuantized", [table, "input_ids", wide], "words", _CONTRIB,
        gather_axis=0, quantize_axis=1, block_size=BLOCK,
    )  # fmt: skip
    positions = weights.floats("emb.pos", shape.positions, shape.hidden)
    kind = weights.floats("emb.type", shape.types, shape.hidden)[0]
    length = graph.add("Shape", ["input_ids"], "length", start=1, end=2)
    here = graph.add(
        "Slice",
        [graph.constant("position", positions + kind), graph.constant("zero", np.zeros(1, np.int64)), length],
        "positions",
    )
    return _normalise(graph, weights, "emb.ln", graph.add("Add", [words, here], "embedded"))


def _layer(graph: _Graph, weights: Weights, number: int, states: str, mask: str) -> str:
    shape, at = weights.shape, f"l{number}"
    codes, scale, zero = graph.add(
        "DynamicQuantizeLinear", [states], [f"{at}.{part}" for part in ("q", "scale", "zero")]
    )
    joint = np.concatenate([weights.matrix(f"{at}.{part}.w", shape.hidden) for part in "qkv"])
    bias = np.concatenate([weights.floats(f"{at}.{part}.b", shape.hidden) for part in "qkv"])
    matrix, scales, zeros = _int8(graph, f"{at}.qkv", joint)
    context = graph.add(
        "QAttention", [codes, matrix, graph.constant(f"{at}.qkv.bias", bias), scale, scales, mask, zero, zeros],
        f"{at}.context", _CONTRIB, num_heads=shape.heads,
    )  # fmt: skip
    attended = _linear(graph, weights, f"{at}.ao", context, shape.hidden)
    # `Sum`, not `Add`: ONNX Runtime would fuse Add + LayerNormalization into one operator, which is slower here.
    states = _normalise(graph, weights, f"{at}.aln", graph.add("Sum", [states, attended], f"{at}.attended"))
    inner = graph.add("Gelu", [_linear(graph, weights, f"{at}.fi", states, shape.feed_forward)], f"{at}.gelu", _CONTRIB)
    outer = _linear(graph, weights, f"{at}.fo", inner, shape.hidden)
    return _normalise(graph, weights, f"{at}.oln", graph.add("Sum", [states, outer], f"{at}.sum"))


def _linear(graph: _Graph, weights: Weights, name: str, states: str, outputs: int) -> str:
    matrix, scales, zeros = _int8(graph, name, weights.matrix(f"{name}.w", outputs))
    bias = graph.constant(f"{name}.bias", weights.floats(f"{name}.b", outputs))
    return str(graph.add("DynamicQuantizeMatMul", [states, matrix, scales, zeros, bias], f"{name}.out", _CONTRIB))


def _int8(graph: _Graph, name: str, matrix: NDArray[np.float32]) -> tuple[str, str, str]:
    """Keep `matrix` `[out, in]` as int8 `[in, out]` with one symmetric scale for each output."""
    scales = np.maximum(np.abs(matrix).max(axis=1), np.float32(1e-12)) / np.float32(127)
    codes = np.rint(matrix / scales[:, None]).astype(np.int8)
    return (
        graph.constant(f"{name}.weight", codes.T),
        graph.constant(f"{name}.weight.scale", scales.astype(np.float32)),
        graph.constant(f"{name}.weight.zero", np.zeros(len(scales), np.int8)),
    )


def _normalise(graph: _Graph, weights: Weights, name: str, states: str) -> str:
    parts = [graph.constant(f"{name}.{part}", weights.floats(f"{name}.{part}", weights.shape.hidden)) for part in "wb"]
    return str(
        graph.add("LayerNormalization", [states, *parts], f"{name}.out", axis=-1, epsilon=float(weights.shape.epsilon))
    )


def _pool(graph: _Graph, states: str) -> None:
    """Mean over the tokens of the mask, then unit length."""
    one, last = graph.constant("one", np.array([1], np.int64)), graph.constant("last", np.array([-1], np.int64))
    weight = graph.add("Cast", ["attention_mask"], "pool.weight", to=graph.onnx.TensorProto.FLOAT)
    kept = graph.add("Mul", [states, graph.add("Unsqueeze", [weight, last], "pool.mask")], "pool.kept")
    total = graph.add("ReduceSum", [kept, one], "pool.total", keepdims=0)
    length = graph.add("ReduceL2", [total, one], "pool.length", keepdims=1)
    # The mean differs from the sum by a factor that normalising removes.
    safe = graph.add("Max", [length, graph.constant("tiny", np.array([1e-12], np.float32))], "pool.safe")
    graph.add("Div", [total, safe], SENTENCE)


def _serialise(graph: _Graph, shape: Shape) -> bytes:
    onnx = graph.onnx
    info, integers, floats = onnx.helper.make_tensor_value_info, onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
    model = onnx.ModelProto()
    model.ir_version = IR_VERSION
    model.producer_name = "lingsou"
    model.opset_import.extend([onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid(_CONTRIB, 1)])
    model.graph.name = "text-encoder"
    model.graph.input.extend(info(name, integers, ["batch", "tokens"]) for name in ("input_ids", "attention_mask"))
    model.graph.output.append(info(TOKEN_STATES, floats, ["batch", "tokens", shape.hidden]))
    model.graph.output.append(info(SENTENCE, floats, ["batch", shape.hidden]))
    model.graph.node.extend(graph.nodes)
    while graph.initializers:  # hand over one by one: the word table alone is 48 MB
        model.graph.initializer.append(graph.initializers.pop(0))
    return bytes(model.SerializeToString(deterministic=True))
