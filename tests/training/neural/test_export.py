import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from transformers import RobertaConfig, RobertaModel

from lingsou.core.errors import ConfigurationError, StorageError
from lingsou.core.manifests import Measurement, ModelManifest
from lingsou.encoders.build import build_artefact
from lingsou.encoders.graph import Precision
from lingsou.encoders.manifest import MODEL, HeadManifest, Origin, read_manifest, verify
from lingsou.encoders.optional import require
from lingsou.encoders.runtime import OnnxEncoder
from lingsou.encoders.tokenizer_json import tokenizer_json
from lingsou.encoders.weights import Weights
from lingsou.ranking.cross_encoder import OnnxCrossEncoder
from lingsou.training.neural.base import Base, bert_of
from lingsou.training.neural.compression import drop_layers, rows_to_keep
from lingsou.training.neural.export import choose_precision, export_encoder, export_reranker
from lingsou.training.neural.methods.attach import attach
from lingsou.training.neural.tasks.task import ExportedHead
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import MethodName, MethodSpec
from tests.encoders.conftest import make_weights

TEXTS = ("red dress", "黑色 连衣裙 nike", "a", "running shoe 10 apple", "")
ABOUT = ModelManifest(
    task="text-encoder", method="full", recipe="name = 'x'", data={"clicks": "0" * 64}, parent="before"
)


def heads() -> list[ExportedHead]:
    random = torch.Generator().manual_seed(5)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random)

    colours = HeadManifest(kind="classes", output="head.colour", labels=("red", "black", "white"))
    spans = HeadManifest(kind="tags", output="head.spans", labels=("O", "B"))
    crf = {"start": draw(2), "end": draw(2), "transitions": draw(2, 2)}
    return [
        ExportedHead(colours, "pooled", draw(3, 32), draw(3)),
        ExportedHead(spans, "states", draw(2, 32), draw(2), crf),
    ]


def changed(model: TextModel, method: MethodName) -> TextModel:
    """The model with the method's own weights far from where they begin."""
    attached = attach(model, MethodSpec(name=method, virtual_tokens=5, bottleneck=8), 0, 10)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        for parameter in attached.parameters().values():
            parameter.data += torch.randn_like(parameter) * 0.3
    attached.merge()
    return model.eval()


def run(folder: Path, model: TextModel) -> tuple[Any, Sequence[np.ndarray], np.ndarray]:
    """What PyTorch and the artefact say of a padded batch: states, unit vectors, pooled states; outputs; mask."""
    batch = model.queries(TEXTS, 48).batch(np.arange(len(TEXTS)))
    with torch.inference_mode():
        wanted = [found.numpy() for found in (model(batch), model.sentences(batch), model.pooled(batch))]
    session = require("onnxruntime", None).InferenceSession(folder / MODEL, providers=["CPUExecutionProvider"])
    found = session.run(None, {"input_ids": batch.ids.numpy(), "attention_mask": batch.mask.numpy()})
    return wanted, found, batch.mask.numpy()[..., None]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("method", ["full", "lora", "adapter", "prompt", "prefix"])
def test_the_artefact_computes_what_torch_does(
    method: MethodName, precision: Precision, tiny_model: TextModel, tmp_path: Path
) -> None:
    model, linear = changed(tiny_model, method), heads()
    export_encoder(model, linear, tmp_path / "x", name="x", about=ABOUT, precision=precision)
    (states, vectors, pooled), found, mask = run(tmp_path / "x", model)
    colours = pooled @ linear[0].weight.numpy().T + linear[0].bias.numpy()
    tags = states @ linear[1].weight.numpy().T + linear[1].bias.numpy()
    if precision == "fp32":
        assert np.allclose(found[0] * mask, states * mask, atol=1e-4)
        assert np.allclose(found[1], vectors, atol=1e-4)
        assert np.allclose(found[2], colours, atol=1e-4)
        assert np.allclose(found[3] * mask, tags * mask, atol=1e-4)
    else:
        assert ((found[1] * vectors).sum(1) > 0.999).all()
        assert np.linalg.norm(found[2] - colours) < 0.1 * np.linalg.norm(colours)
        assert np.linalg.norm((found[3] - tags) * mask) < 0.1 * np.linalg.norm(tags * mask)


def test_virtual_words_take_positions_and_prefixes_do_not(
    tiny_model: TextModel, tiny_base: Base, tmp_path: Path
) -> None:
    prefix = export_encoder(
        changed(TextModel(drop_layers(tiny_base, 2)), "prefix"), (), tmp_path / "a", name="a", about=ABOUT
    )
    prompt = export_encoder(changed(tiny_model, "prompt"), (), tmp_path / "b", name="b", about=ABOUT)
    assert (prefix.max_tokens, prompt.max_tokens) == (64, 59)


def test_the_folder_is_what_serving_loads(tiny_model: TextModel, tmp_path: Path) -> None:
    manifest = export_encoder(tiny_model.eval(), heads(), tmp_path / "x", name="x", about=ABOUT, precision="fp32")
    verify(tmp_path / "x", manifest)
    assert read_manifest(tmp_path / "x") == manifest
    assert [path.name for path in tmp_path.iterdir()] == ["x"], "no scratch is left"
    assert (manifest.base, manifest.licence, manifest.method) == ("tiny", "none", "full; fp32")
    assert (manifest.data, manifest.parent, manifest.recipe) == (ABOUT.data, ABOUT.parent, ABOUT.recipe)
    assert manifest.heads["colour"].labels == ("red", "black", "white")
    assert manifest.heads["spans"].transitions == "spans.crf.safetensors"
    crf = load_file(tmp_path / "x" / "spans.crf.safetensors")
    assert {name: value.shape for name, value in crf.items()} == {"start": (2,), "end": (2,), "transitions": (2, 2)}
    encoder = OnnxEncoder.open(tmp_path / "x")
    texts = list(TEXTS)
    assert np.allclose(
        encoder.encode_queries(texts), tiny_model.encode(tiny_model.queries(texts, 64)).numpy(), atol=1e-5
    )
    assert np.allclose(
        encoder.encode_documents(texts), tiny_model.encode(tiny_model.documents(texts, 64)).numpy(), atol=1e-5
    )
    found = encoder.encode_heads(["red dress"])[0]
    assert found.logits["colour"].shape == (3,)
    assert found.logits["spans"].shape == (len(found.offsets), 2)


def test_untrained_four_bit_weights_give_the_very_bytes_of_the_build(tmp_path: Path) -> None:
    """Through 4 bits → float32 → 4 bits nothing is lost, so training that moves nothing changes nothing."""
    (tmp_path / "weights.bin").write_bytes(make_weights())
    build_artefact(
        tmp_path / "weights.bin", tmp_path / "built", name="x", base="toy", licence="", origin=Origin(source="tests")
    )
    weights = Weights(make_weights())
    base = Base("toy", bert_of(weights), tokenizer_json(weights), "query: ", "passage: ")
    export_encoder(TextModel(base), (), tmp_path / "exported", name="x", about=ABOUT)
    for name in ("model.onnx", "tokenizer.json"):
        assert (tmp_path / "exported" / name).read_bytes() == (tmp_path / "built" / name).read_bytes()


def test_a_word_that_moved_makes_the_table_eight_bits(tmp_path: Path) -> None:
    weights = Weights(make_weights())
    model = TextModel(Base("toy", bert_of(weights), tokenizer_json(weights), "", "")).eval()
    table: Any = model.base.model.get_input_embeddings()
    sizes = {}
    for name in ("four", "eight"):
        export_encoder(model, (), tmp_path / name, name=name, about=ABOUT)
        sizes[name] = (tmp_path / name / MODEL).stat().st_size
        (_, vectors, _), found, _ = run(tmp_path / name, model)
        assert ((found[1] * vectors).sum(1) > 0.999).all()
        table.weight.data[7] += 0.3
    rows = len(weights.pieces.texts)
    four, eight = rows * (16 + 2), rows * (32 + 4)
    assert abs(sizes["eight"] - sizes["four"] - (eight - four)) < 1000


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_cut_vocabulary_gives_the_same_vectors(precision: Precision, tiny_model: TextModel, tmp_path: Path) -> None:
    """In int8 a table that is cut is quantised row by row as before."""
    model = tiny_model.eval()
    used = [*model.queries(TEXTS, 64).used(), *model.documents(TEXTS, 64).used()]
    rows = rows_to_keep(model.base, used)
    export_encoder(model, heads(), tmp_path / "whole", name="whole", about=ABOUT, precision=precision)
    export_encoder(model, heads(), tmp_path / "cut", name="cut", about=ABOUT, precision=precision, vocabulary=rows)
    whole, cut = OnnxEncoder.open(tmp_path / "whole"), OnnxEncoder.open(tmp_path / "cut")
    assert (tmp_path / "cut" / MODEL).stat().st_size < (tmp_path / "whole" / MODEL).stat().st_size
    assert np.array_equal(whole.encode_queries(list(TEXTS)), cut.encode_queries(list(TEXTS)))
    assert np.array_equal(whole.encode_documents(list(TEXTS)), cut.encode_documents(list(TEXTS)))


def test_a_turn_of_the_sentence_vector(tiny_model: TextModel, tmp_path: Path) -> None:
    turn = torch.randn(32, 32, generator=torch.Generator().manual_seed(2))
    export_encoder(tiny_model.eval(), (), tmp_path / "x", name="x", about=ABOUT, precision="fp32", turn=turn)
    (_, _, pooled), found, _ = run(tmp_path / "x", tiny_model)
    wanted = pooled @ turn.numpy().T
    assert np.allclose(found[1], wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-5)


def test_roberta_counts_positions_from_its_padding(tiny_base: Base, tmp_path: Path) -> None:
    config = RobertaConfig(
        vocab_size=tiny_base.model.config.vocab_size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=50,
        pad_token_id=1,
        type_vocab_size=1,
        initializer_range=0.2,
    )
    model = TextModel(dataclasses.replace(tiny_base, model=RobertaModel(config))).eval()
    manifest = export_encoder(model, heads(), tmp_path / "x", name="x", about=ABOUT, precision="fp32")
    assert manifest.max_tokens == 48
    (states, vectors, _), found, mask = run(tmp_path / "x", model)
    assert np.allclose(found[0] * mask, states * mask, atol=1e-4)
    assert np.allclose(found[1], vectors, atol=1e-4)


def test_a_reranker(tiny_model: TextModel, tmp_path: Path) -> None:
    weight, bias = heads()[0].weight[:1], heads()[0].bias[:1]
    head = ExportedHead(HeadManifest(kind="score", output="score"), "pooled", weight, bias)
    about = ModelManifest(task="reranker")
    manifest = export_reranker(tiny_model.eval(), head, tmp_path / "x", about=about, max_tokens=32, precision="fp32")
    assert (manifest.max_tokens, manifest.query_prefix, manifest.output) == (32, "query: ", "score")
    encoder = OnnxCrossEncoder.open(tmp_path / "x")
    ids = torch.tensor([encoder._pairs.ids("red dress", "black dress")])
    with torch.inference_mode():
        pooled = tiny_model.backbone(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.mean(1)
    scores = encoder.score("red dress", ["black dress"], time.perf_counter() + 60)
    assert scores is not None
    assert scores[0] == pytest.approx(float((pooled @ weight.T + bias)[0, 0]), abs=1e-4)


def test_what_was_not_merged_is_not_lost_silently(tiny_model: TextModel, tmp_path: Path) -> None:
    attach(tiny_model, MethodSpec(name="lora"), 0, 10)
    with pytest.raises(ConfigurationError, match="lora") as caught:
        export_encoder(tiny_model, (), tmp_path / "x", name="x", about=ABOUT)
    assert "Merge" in str(caught.value.cure)
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_left_alone(tiny_model: TextModel, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(ConfigurationError, match="holds no encoder"):
        export_encoder(tiny_model, (), tmp_path, name="x", about=ABOUT)


def test_a_disk_that_fails_is_told(tiny_model: TextModel, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        export_encoder(tiny_model, (), tmp_path / "file" / "x", name="x", about=ABOUT)


@pytest.mark.parametrize(
    ("metric", "scores", "chosen"),
    [
        ("ndcg@10", {"fp32": 0.700, "int8": 0.696}, "int8"),  # loses 0.4 points of the 0.5 allowed
        ("ndcg@10", {"fp32": 0.700, "int8": 0.694}, "fp32"),  # loses 0.6
        ("ndcg@10", {"fp32": 0.700, "int8": 0.710}, "int8"),  # better, even
        ("loss", {"fp32": 0.700, "int8": 0.710}, "fp32"),  # of a loss, lower is better
    ],
)
def test_int8_is_kept_only_when_it_loses_little(
    metric: str, scores: dict[Precision, float], chosen: str, tiny_model: TextModel, tmp_path: Path
) -> None:
    def build(precision: Precision) -> Path:
        export_encoder(tiny_model, (), tmp_path / precision, name="x", about=ABOUT, precision=precision)
        return tmp_path / precision

    def measure(folder: Path) -> dict[str, Measurement]:
        score = scores["int8" if folder.name == "int8" else "fp32"]
        return {
            "test": Measurement(data="1" * 64, rows=9, values={metric: score, "mrr@10": 0.5}),
            "other": Measurement(data="2" * 64, rows=9, values={"f1": 0.9}),
        }

    found = choose_precision(build, measure, 0.005)
    assert (found.precision, found.folder) == (chosen, tmp_path / chosen)
    manifest = read_manifest(found.folder)
    assert manifest.measurements["test"].values == {
        metric: scores[found.precision],
        "mrr@10": 0.5,
        f"fp32 {metric}": scores["fp32"],
        f"int8 {metric}": scores["int8"],
    }
    assert (
        next(iter(json.loads((found.folder / "manifest.json").read_bytes())["measurements"]["test"]["values"]))
        == metric
    )
    assert manifest.measurements["other"].values == {"f1": 0.9, "fp32 f1": 0.9, "int8 f1": 0.9}
    assert found.says in manifest.method
    assert ("on test, so fp32 is kept" in found.says) == (chosen == "fp32")
    verify(found.folder, manifest)
    asked = choose_precision(build, measure, 0.5, wanted="fp32")
    assert (asked.precision, asked.folder) == ("fp32", tmp_path / "fp32")
    assert "fp32 was asked for" in read_manifest(asked.folder).method
