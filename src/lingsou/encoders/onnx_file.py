"""Nodes and constants of an ONNX graph, written in the order in which they were added: always the same bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.optional import EXTRA_BUILD, require

OPSET = 21
IR_VERSION = 10
CONTRIB = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""


class Graph:
    """A graph under construction.

    Raises:
        MissingExtraError: `onnx` is not installed.
    """

    def __init__(self) -> None:
        self.onnx = require("onnx", EXTRA_BUILD)
        self._nodes: list[Any] = []
        self._initializers: list[Any] = []

    def constant(
        self, name: str, value: NDArray[Any], kind: int | None = None, dims: tuple[int, ...] | None = None
    ) -> str:
        """Keep `value` under `name`; `kind` and `dims` override type and shape for packed data."""
        tensor = self.onnx.TensorProto()
        tensor.name = name
        tensor.data_type = self.onnx.helper.np_dtype_to_tensor_dtype(value.dtype) if kind is None else kind
        tensor.dims.extend(value.shape if dims is None else dims)
        tensor.raw_data = np.ascontiguousarray(value).tobytes()
        self._initializers.append(tensor)
        return name

    def integers(self, name: str, *values: int) -> str:
        """Keep an int64 `[n]`."""
        return self.constant(name, np.array(values, np.int64))

    def add(self, operator: str, inputs: Sequence[str], output: str, domain: str = "", **attributes: Any) -> str:
        """Append a node with one output and return its name."""
        return self.add_many(operator, inputs, [output], domain, **attributes)[0]

    def add_many(
        self, operator: str, inputs: Sequence[str], outputs: list[str], domain: str = "", **attributes: Any
    ) -> list[str]:
        """Append a node with several outputs and return their names."""
        self._nodes.append(
            self.onnx.helper.make_node(operator, inputs, outputs, name=outputs[0], domain=domain, **attributes)
        )
        return outputs

    def serialise(self, name: str, inputs: Sequence[str], outputs: Mapping[str, Sequence[str | int]]) -> bytes:
        """The file of the model. The graph is used up.

        Args:
            name: of the graph.
            inputs: names of its inputs, each int64 `[batch, tokens]`.
            outputs: its outputs, each float32: name → axes, a size or a symbol.
        """
        onnx = self.onnx
        info, integers, floats = onnx.helper.make_tensor_value_info, onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
        model = onnx.ModelProto()
        model.ir_version = IR_VERSION
        model.producer_name = "lingsou"
        model.opset_import.extend([onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid(CONTRIB, 1)])
        model.graph.name = name
        model.graph.input.extend(info(each, integers, ["batch", "tokens"]) for each in inputs)
        model.graph.output.extend(info(each, floats, list(axes)) for each, axes in outputs.items())
        model.graph.node.extend(self._nodes)
        while self._initializers:  # hand over one by one: a word table alone may take hundreds of megabytes
            model.graph.initializer.append(self._initializers.pop(0))
        return bytes(model.SerializeToString(deterministic=True))
