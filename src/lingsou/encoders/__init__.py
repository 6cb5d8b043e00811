"""Text encoders: texts to vectors, their calibration, and the folder of models.

Importing this loads neither ONNX Runtime nor a model; `open_encoder` does.
"""

from lingsou.encoders.cache import CacheStatistics, QueryVectorCache, read_heads
from lingsou.encoders.encoder import (
    EncodedTokens,
    Encoder,
    EncoderOptions,
    HeadedEncoder,
    HeadOutputs,
    Progress,
    TextKind,
    Vectors,
)
from lingsou.encoders.models import ModelEntry, list_models, open_encoder, pull, show

__all__ = [
    "CacheStatistics",
    "EncodedTokens",
    "Encoder",
    "EncoderOptions",
    "HeadOutputs",
    "HeadedEncoder",
    "ModelEntry",
    "Progress",
    "QueryVectorCache",
    "TextKind",
    "Vectors",
    "list_models",
    "open_encoder",
    "pull",
    "read_heads",
    "show",
]
