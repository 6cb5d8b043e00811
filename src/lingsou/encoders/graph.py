"""The transformer as an ONNX graph for ONNX Runtime: 4-bit embeddings, int8 matrices, float32 elsewhere.

Inputs `input_ids` and `attention_mask`, int64 `[batch, tokens]`; outputs `token_states` float32
`[batch, tokens, hidden]` and `sentence_embedding` float32 `[batch, hidden]`, the normalised mean over the
tokens of the mask, and one output for each head. A word table that came out of 4 bits keeps them unchanged, another
becomes int8 with one scale a row; the other matrices become int8 with one symmetric scale for each output column;
activations are quantised as they come, one scale a tensor. With precision `fp32` no weight is rounded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.four_bit import BLOCK, FourBit
from lingsou.encoders.onnx_file import CONTRIB, Graph
from lingsou.encoders.weights import Shape

TOKEN_STATES, SENTENCE = "token_states", "sentence_embedding"
INPUTS = ("input_ids", "attention_mask")
Precision = Literal["int8", "fp32"]
Matrix = NDArray[np.float32]


class TensorSource(Protocol):
    """Where the weights come from. Tensors are asked for one by one, so none need be held.

    Matrices, `[out, in]`: of layer n `ln.q.w`, `ln.k.w`, `ln.v.w`, `ln.ao.w` (attention's output), `ln.fi.w` and
    `ln.fo.w` (in and out of the feed-forward part). Vectors: their biases `….b`; gain `….w` and bias `….b` of the
    normalisations `emb.ln`, `ln.aln` and `ln.oln`. Tables: `emb.pos`, a row for each position, and
    `emb.type`, a row for each type.
    """

    @property
    def shape(self) -> Shape:
        """Sizes."""
        ...

    def words(self) -> FourBit | Matrix:
        """The word table `[vocabulary, hidden]`."""
        ...

    def matrix(self, name: str, rows: int) -> Matrix:
        """The matrix `name` as float32 `[rows, in]`."""
        ...

    def floats(self, name: str, *dims: int) -> Matrix:
        """The vector or table `name` in the shape `dims`."""
        ...


@dataclass(frozen=True)
class Head:
    """A linear map that is an output of its own: `[batch, k]` over the mean token state, else `[batch, tokens, k]`."""

    output: str
    over: Literal["pooled", "states"]
    weight: Matrix
    """`[k, hidden]`."""
    bias: Matrix
    """`[k]`."""


@dataclass(frozen=True)
class LateInteraction:
    """What a cross-encoder adds: `scale` · the mean, over the query's tokens, of the largest cosine with a token of the
    document. The query's tokens are those between the first and the token `end`, the document's those after the second
    `end` that are not `end` themselves.
    """

    scale: float
    end: int


@dataclass(frozen=True)
class Adapter:
    """A bottleneck after a dense part: x + up · relu(down · x + bias) + bias. Source: Houlsby et al. 2019."""

    down: Matrix
    """`[bottleneck, hidden]`."""
    down_bias: Matrix
    up: Matrix
    """`[hidden, bottleneck]`."""
    up_bias: Matrix


@dataclass(frozen=True)
class Additions:
    """What a training method adds that cannot be merged into the weights; all of it stays float32."""

    adapters: Mapping[str, Adapter] = field(default_factory=dict)
    """By the dense part that they follow: `ln.ao` or `ln.fo`."""
    prompt: Matrix | None = None
    """`[virtual, hidden]`: word vectors before the text's own."""
    prefix: Matrix | None = None
    """`[layers, 2, virtual, hidden]`: keys and values before the text's own."""
    turn: Matrix | None = None
    """`[hidden, hidden]`: multiplies the mean token state on its way to the sentence vector; heads are not turned."""


NOTHING = Additions()


def build_graph(
    source: TensorSource,
    *,
    precision: Precision = "int8",
    heads: Sequence[Head] = (),
    additions: Additions = NOTHING,
) -> bytes:
    """The serialised encoder.

    Raises:
        MissingExtraError: `onnx` is not installed.
        ConfigurationError: a tensor is missing or has the wrong size.
    """
    encoder = _Encoder(source, precision, additions)
    graph, hidden = encoder.graph, source.shape.hidden
    states = encoder.states()
    graph.add("Identity", [states], TOKEN_STATES)
    total = _total(graph, states)
    _unit(graph, total, additions.turn)
    outputs: dict[str, Sequence[str | int]] = {
        TOKEN_STATES: ["batch", "tokens", hidden],
        SENTENCE: ["batch", hidden],
    }
    if any(head.over == "pooled" for head in heads):
        _mean(graph, total)
    for head in heads:
        _score(graph, head, states, head.output)
        outputs[head.output] = ["batch", *(["tokens"] if head.over == "states" else []), len(head.bias)]
    return graph.serialise("text-encoder", INPUTS, outputs)


def build_scorer(
    source: TensorSource,
    head: Head,
    *,
    precision: Precision = "int8",
    additions: Additions = NOTHING,
    late: LateInteraction | None = None,
) -> bytes:
    """A cross-encoder: one output, that of `head`, whose only row is a number for each pair `[batch]`, and of `late`.

    Raises:
        MissingExtraError: `onnx` is not installed.
        ConfigurationError: a tensor is missing or has the wrong size.
    """
    encoder = _Encoder(source, precision, additions)
    graph = encoder.graph
    states = encoder.states()
    _mean(graph, _total(graph, states))
    column = _score(graph, head, states, f"{head.output}.column")
    whole = graph.add(
        "Squeeze", [column, graph.integers(f"{head.output}.axis", -1)], f"{head.output}.whole" if late else head.output
    )
    if late:
        graph.add("Add", [whole, _interaction(graph, states, late)], head.output)
    return graph.serialise("cross-encoder", INPUTS, {head.output: ["batch"]})


class _Encoder:
    """Everything from token ids to token states."""

    def __init__(self, source: TensorSource, precision: Precision, additions: Additions):
        self.graph = Graph()
        self.source = source
        self.additions = additions
        self.exact = precision == "fp32"

    def states(self) -> str:
        """Append all layers; the states `[batch, tokens, hidden]` of the text's own tokens."""
        graph, additions = self.graph, self.additions
        states = self._embed()
        mask = graph.add("Cast", ["attention_mask"], "mask", to=graph.onnx.TensorProto.INT32)
        virtual = sum(len(part) for part in (additions.prompt, _keys(additions)) if part is not None)
        if virtual:
            one = graph.constant("virtual.one", np.array(1, np.int32))
            mask = graph.add("Pad", [mask, graph.integers("virtual.before", 0, virtual, 0, 0), one], "virtual.mask")
        for layer in range(self.source.shape.layers):
            states = self._layer(layer, states, mask)
        if additions.prompt is not None:
            bounds = {"from": len(additions.prompt), "to": 2**31, "axis": 1}
            cut = [graph.integers(f"own.{part}", value) for part, value in bounds.items()]
            states = graph.add("Slice", [states, *cut], "own.states")
        return states

    def _embed(self) -> str:
        """Word + position + type 0, normalised. A prompt takes the first positions, and the text those after it."""
        graph, source, shape, prompt = self.graph, self.source, self.source.shape, self.additions.prompt
        words = self._words()
        positions = source.floats("emb.pos", shape.positions, shape.hidden)
        rows = positions + source.floats("emb.type", shape.types, shape.hidden)[0]
        before = 0 if prompt is None else len(prompt)
        length = graph.add("Shape", ["input_ids"], "length", start=1, end=2)
        here = graph.add(
            "Slice", [graph.constant("position", rows[before:]), graph.integers("zero", 0), length], "positions"
        )
        embedded = graph.add("Add", [words, here], "embedded")
        if prompt is not None:
            every = self._for_each_text("prompt", (prompt + rows[:before])[None], axis=0)
            embedded = graph.add("Concat", [every, embedded], "prompt.embedded", axis=1)
        return self._normalise("emb.ln", embedded)

    def _words(self) -> str:
        graph, onnx, table = self.graph, self.graph.onnx, self.source.words()
        if isinstance(table, FourBit):
            rows, width = len(table.codes), table.codes.shape[1] * 2
            codes = graph.constant("word", table.codes, onnx.TensorProto.INT4, (rows, width))
            # The scales stay fp16 in the file and are widened once, at load.
            scales = graph.add(
                "Cast", [graph.constant("word.scale", table.scales)], "word.scale32", to=onnx.TensorProto.FLOAT
            )
            return graph.add(
                "GatherBlockQuantized", [codes, "input_ids", scales], "words", CONTRIB,
                gather_axis=0, quantize_axis=1, block_size=BLOCK,
            )  # fmt: skip
        if self.exact:
            return graph.add("Gather", [graph.constant("word", table), "input_ids"], "words")
        codes8, scales8 = _round(table)
        found = graph.add("Gather", [graph.constant("word", codes8), "input_ids"], "word.codes")
        wide = graph.add("Cast", [found], "word.wide", to=onnx.TensorProto.FLOAT)
        scale = graph.add("Gather", [graph.constant("word.scale", scales8[:, None]), "input_ids"], "word.scales")
        return graph.add("Mul", [wide, scale], "words")

    def _layer(self, number: int, states: str, mask: str) -> str:
        graph, shape, at = self.graph, self.source.shape, f"l{number}"
        context = self._attend(at, states, mask, self._past(number))
        attended = self._dense(f"{at}.ao", context, shape.hidden)
        # `Sum`, not `Add`: ONNX Runtime would fuse Add + LayerNormalization into one operator, which is slower here.
        states = self._normalise(f"{at}.aln", graph.add("Sum", [states, attended], f"{at}.attended"))
        inner = graph.add("Gelu", [self._dense(f"{at}.fi", states, shape.feed_forward)], f"{at}.gelu", CONTRIB)
        outer = self._dense(f"{at}.fo", inner, shape.hidden)
        return self._normalise(f"{at}.oln", graph.add("Sum", [states, outer], f"{at}.sum"))

    def _attend(self, at: str, states: str, mask: str, past: list[str]) -> str:
        graph, source, hidden = self.graph, self.source, self.source.shape.hidden
        if not self.exact:
            codes, scale, zero = graph.add_many(
                "DynamicQuantizeLinear", [states], [f"{at}.{part}" for part in ("q", "scale", "zero")]
            )
        joint = np.concatenate([source.matrix(f"{at}.{part}.w", hidden) for part in "qkv"])
        bias = np.concatenate([source.floats(f"{at}.{part}.b", hidden) for part in "qkv"])
        if self.exact:
            inputs = [states, graph.constant(f"{at}.qkv.weight", joint.T), graph.constant(f"{at}.qkv.bias", bias), mask]
            return self._context("Attention", at, inputs, past)
        matrix, scales, zeros = self._int8(f"{at}.qkv", joint)
        inputs = [codes, matrix, graph.constant(f"{at}.qkv.bias", bias), scale, scales, mask, zero, zeros]
        return self._context("QAttention", at, inputs, past)

    def _context(self, operator: str, at: str, inputs: list[str], past: list[str]) -> str:
        # Whoever is given a past wants to hand on what became of it.
        outputs = [f"{at}.context", *(f"{at}.present" for _ in past)]
        return self.graph.add_many(operator, inputs + past, outputs, CONTRIB, num_heads=self.source.shape.heads)[0]

    def _past(self, number: int) -> list[str]:
        """The prefix of one layer for each text, `[2, batch, heads, virtual, width of a head]`."""
        prefix, shape = self.additions.prefix, self.source.shape
        if prefix is None:
            return []
        parts = prefix[number].reshape(2, 1, -1, shape.heads, shape.hidden // shape.heads).transpose(0, 1, 3, 2, 4)
        return [self._for_each_text(f"l{number}.prefix", parts, axis=1)]

    def _for_each_text(self, name: str, value: Matrix, axis: int) -> str:
        """`value` repeated along `axis`, where it has size 1, for every text of the batch."""
        graph = self.graph
        batch = graph.add("Shape", ["input_ids"], f"{name}.batch", start=0, end=1)
        parts = [batch]
        if axis:
            parts.insert(0, graph.integers(f"{name}.before", *value.shape[:axis]))
        parts.append(graph.integers(f"{name}.after", *value.shape[axis + 1 :]))
        dims = graph.add("Concat", parts, f"{name}.dims", axis=0)
        return graph.add("Expand", [graph.constant(f"{name}.rows", value), dims], f"{name}.all")

    def _dense(self, name: str, states: str, outputs: int) -> str:
        graph = self.graph
        weight = self.source.matrix(f"{name}.w", outputs)
        if self.exact:
            found = self._linear(name, states, weight, self.source.floats(f"{name}.b", outputs))
        else:
            matrix, scales, zeros = self._int8(name, weight)
            bias = graph.constant(f"{name}.bias", self.source.floats(f"{name}.b", outputs))
            found = graph.add("DynamicQuantizeMatMul", [states, matrix, scales, zeros, bias], f"{name}.out", CONTRIB)
        adapter = self.additions.adapters.get(name)
        return found if adapter is None else self._adapt(f"{name}.adapter", adapter, found)

    def _adapt(self, name: str, adapter: Adapter, states: str) -> str:
        down = self._linear(f"{name}.down", states, adapter.down, adapter.down_bias)
        up = self._linear(f"{name}.up", self.graph.add("Relu", [down], f"{name}.relu"), adapter.up, adapter.up_bias)
        return self.graph.add("Add", [states, up], f"{name}.out")

    def _linear(self, name: str, states: str, weight: Matrix, bias: Matrix) -> str:
        return _linear(self.graph, name, states, weight, bias, f"{name}.out")

    def _int8(self, name: str, matrix: Matrix) -> tuple[str, str, str]:
        """Keep `matrix` `[out, in]` as int8 `[in, out]` with one symmetric scale for each output."""
        graph = self.graph
        codes, scales = _round(matrix)
        return (
            graph.constant(f"{name}.weight", codes.T),
            graph.constant(f"{name}.weight.scale", scales),
            graph.constant(f"{name}.weight.zero", np.zeros(len(scales), np.int8)),
        )

    def _normalise(self, name: str, states: str) -> str:
        graph, shape = self.graph, self.source.shape
        parts = [graph.constant(f"{name}.{part}", self.source.floats(f"{name}.{part}", shape.hidden)) for part in "wb"]
        return graph.add("LayerNormalization", [states, *parts], f"{name}.out", axis=-1, epsilon=float(shape.epsilon))


def _keys(additions: Additions) -> Matrix | None:
    """The first layer's keys of the prefix, `[virtual, hidden]`."""
    return None if additions.prefix is None else additions.prefix[0, 0]


def _round(matrix: Matrix) -> tuple[NDArray[np.int8], Matrix]:
    """Symmetric int8 codes of `matrix` and one scale a row."""
    scales = np.maximum(np.abs(matrix).max(axis=1), np.float32(1e-12)) / np.float32(127)
    return np.rint(matrix / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def _linear(graph: Graph, name: str, states: str, weight: Matrix, bias: Matrix, output: str) -> str:
    product = graph.add("MatMul", [states, graph.constant(f"{name}.weight", weight.T)], f"{name}.product")
    return graph.add("Add", [product, graph.constant(f"{name}.bias", bias)], output)


def _total(graph: Graph, states: str) -> str:
    """The sum over the tokens of the mask, `[batch, hidden]`."""
    one, last = graph.integers("one", 1), graph.integers("last", -1)
    weight = graph.add("Cast", ["attention_mask"], "pool.weight", to=graph.onnx.TensorProto.FLOAT)
    kept = graph.add("Mul", [states, graph.add("Unsqueeze", [weight, last], "pool.mask")], "pool.kept")
    return graph.add("ReduceSum", [kept, one], "pool.total", keepdims=0)


def _unit(graph: Graph, total: str, turn: Matrix | None) -> None:
    """The sentence vector. The mean differs from the sum by a factor that normalising removes."""
    if turn is not None:
        total = graph.add("MatMul", [total, graph.constant("turn", turn.T)], "pool.turned")
    length = graph.add("ReduceL2", [total, "one"], "pool.length", keepdims=1)
    safe = graph.add("Max", [length, graph.constant("tiny", np.array([1e-12], np.float32))], "pool.safe")
    graph.add("Div", [total, safe], SENTENCE)


def _mean(graph: Graph, total: str) -> None:
    """The mean token state `pooled`, `[batch, hidden]`."""
    count = graph.add("ReduceSum", ["pool.weight", "one"], "pool.count", keepdims=1)
    least = graph.add("Max", [count, graph.constant("least", np.array([1], np.float32))], "pool.least")
    graph.add("Div", [total, least], "pooled")


def _interaction(graph: Graph, states: str, late: LateInteraction) -> str:
    """The number of `late` for each pair, `[batch]`."""
    kind, one, two = graph.onnx.TensorProto, "one", graph.integers("two", 2)
    end = graph.add("Equal", ["input_ids", graph.integers("late.end", late.end)], "late.is_end")
    number = graph.add("Cast", [end], "late.number", to=kind.INT64)
    ends = graph.add("CumSum", [number, graph.constant("late.axis", np.array(1, np.int64))], "late.ends")
    asked = graph.add("Cast", [graph.add("Less", [ends, one], "late.asks")], "late.asked", to=kind.FLOAT)
    after = graph.add("GreaterOrEqual", [ends, two], "late.after")
    inside = graph.add("And", [after, graph.add("Not", [end], "late.is_text")], "late.inside")
    there = graph.add("Cast", ["attention_mask"], "late.there", to=kind.BOOL)
    shown = graph.add("Unsqueeze", [graph.add("And", [inside, there], "late.shown"), one], "late.shown_to")
    length = graph.add("ReduceL2", [states, "last"], "late.length", keepdims=1)
    safe = graph.add("Max", [length, graph.constant("late.tiny", np.array([1e-12], np.float32))], "late.safe")
    unit = graph.add("Div", [states, safe], "late.unit")
    turned = graph.add("Transpose", [unit], "late.turned", perm=[0, 2, 1])
    cosines = graph.add("MatMul", [unit, turned], "late.cosines")
    least = graph.constant("late.least", np.array(-1, np.float32))
    met = graph.add("Where", [shown, cosines, least], "late.met")
    best = graph.add("ReduceMax", [met, two], "late.best", keepdims=0)
    # without the token that begins the sequence
    rest = [graph.integers("late.from", 1), graph.integers("late.to", 2**31), one]
    asks = graph.add("Slice", [asked, *rest], "late.query")
    kept = graph.add("Mul", [graph.add("Slice", [best, *rest], "late.own"), asks], "late.kept")
    count = graph.add("Max", [graph.add("ReduceSum", [asks, one], "late.count", keepdims=0), "least"], "late.some")
    total = graph.add("ReduceSum", [kept, one], "late.total", keepdims=0)
    mean = graph.add("Div", [total, count], "late.mean")
    return graph.add("Mul", [mean, graph.constant("late.scale", np.array(late.scale, np.float32))], "late")


def _score(graph: Graph, head: Head, states: str, output: str) -> str:
    return _linear(graph, head.output, "pooled" if head.over == "pooled" else states, head.weight, head.bias, output)
