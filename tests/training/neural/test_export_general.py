import dataclasses
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import DistilBertConfig, DistilBertModel

from lingsou.core.errors import ConfigurationError, MissingExtraError
from lingsou.core.manifests import ModelManifest
from lingsou.encoders import optional
from lingsou.encoders.manifest import MODEL, HeadManifest
from lingsou.encoders.runtime import OnnxEncoder
from lingsou.ranking.cross_encoder import OnnxCrossEncoder
from lingsou.training.examples import PairSet, Splits
from lingsou.training.neural import export_general
from lingsou.training.neural.base import Base
from lingsou.training.neural.export import export_encoder, export_reranker
from lingsou.training.neural.tasks.relevance import RelevanceTask
from lingsou.training.neural.tasks.task import ExportedHead
from lingsou.training.neural.text_model import TextModel
from tests.training.neural.tasks.learning import spec

ABOUT = ModelManifest(task="text-encoder")
TEXTS = ("red dress", "黑色 连衣裙 nike", "a")


@pytest.fixture
def distil(tiny_base: Base) -> TextModel:
    """Another architecture: no token types, other names, another layout."""
    config = DistilBertConfig(
        vocab_size=tiny_base.model.config.vocab_size,
        dim=32,
        n_layers=2,
        n_heads=2,
        hidden_dim=64,
        max_position_embeddings=64,
        pad_token_id=1,
        initializer_range=0.2,
    )
    return TextModel(dataclasses.replace(tiny_base, model=DistilBertModel(config))).eval()


@pytest.fixture
def quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    yield
    logging.disable(before)


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
def test_any_encoder_can_be_exported(distil: TextModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript", reason="needs the extra 'train'")
    plain = tmp_path / "fp32.onnx"
    quantise = export_general._quantise

    def keep(exported: Path, file: Path) -> None:
        """One export serves both precisions: PyTorch takes seconds for it."""
        plain.write_bytes(exported.read_bytes())
        quantise(exported, file)

    monkeypatch.setattr(export_general, "_quantise", keep)
    weight, bias = torch.randn(3, 32, generator=torch.Generator().manual_seed(1)), torch.zeros(3)
    manifest = HeadManifest(kind="classes", output="head.colour", labels=("a", "b", "c"))
    export_encoder(distil, [ExportedHead(manifest, "pooled", weight, bias)], tmp_path / "x", name="x", about=ABOUT)
    encoder = OnnxEncoder.open(tmp_path / "x")
    vectors = distil.encode(distil.queries(TEXTS, 64)).numpy()
    assert ((encoder.encode_queries(list(TEXTS)) * vectors).sum(1) > 0.99).all()
    assert encoder.encode_heads(["red"])[0].logits["colour"].shape == (3,)
    assert (tmp_path / "x" / MODEL).stat().st_size < plain.stat().st_size

    batch = distil.queries(TEXTS, 64).batch(np.arange(3))
    session = optional.require("onnxruntime", None).InferenceSession(plain)
    found = session.run(None, {"input_ids": batch.ids.numpy(), "attention_mask": batch.mask.numpy()})
    with torch.inference_mode():
        wanted = distil.pooled(batch) @ weight.T
    assert np.allclose(found[1], vectors, atol=1e-4)
    assert np.allclose(found[2], wanted.numpy(), atol=1e-4)


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
def test_any_encoder_can_be_a_reranker(distil: TextModel, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="needs the extra 'train'")
    pairs = PairSet.of([("red dress", "red dress long", 1.0), ("黑色 连衣裙", "a", 0.0), ("a", "nike shoe", 0.5)])
    task = RelevanceTask("relevance", spec("relevance"), Splits(pairs, pairs, pairs), distil)
    head = task.head(32)
    exported = task.export(head)
    export_reranker(
        distil, exported, tmp_path / "x", about=ModelManifest(task="reranker"), max_tokens=32, precision="fp32"
    )
    served = OnnxCrossEncoder.open(tmp_path / "x")
    found = [
        served.score(pairs.queries[query], [pairs.texts[text]], math.inf)
        for query, text in zip(pairs.query, pairs.text, strict=True)
    ]
    assert np.concatenate([each for each in found if each is not None]) == pytest.approx(
        task.scores(distil, head, "test"), abs=1e-3
    )


def test_the_missing_exporter_is_named(distil: TextModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def absent(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(optional, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"pip install 'lingsou\[train\]'"):
        export_encoder(distil, (), tmp_path / "x", name="x", about=ABOUT)
    assert list(tmp_path.iterdir()) == []


def test_its_words_are_cut_before_training(distil: TextModel, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="before training"):
        export_encoder(distil, (), tmp_path / "x", name="x", about=ABOUT, vocabulary=list(range(40)))
