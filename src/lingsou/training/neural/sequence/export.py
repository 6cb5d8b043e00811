"""The trained sequence model as the folder that `lingsou.models.sequence` opens."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from lingsou.core.manifests import facts, write_manifest
from lingsou.encoders.onnx_file import OPSET
from lingsou.encoders.optional import EXTRA_BUILD, require
from lingsou.models.sequence import CONTENT, GRAPH, INPUTS, ITEMS, OUTPUT, SequenceManifest
from lingsou.recommend.interactions import Interactions, Items
from lingsou.training.neural.sequence.model import LastStep
from lingsou.training.neural.sequence.train import DEFAULT, SequenceSettings, Trained, all_vectors, train

_EXTRA = "train"


def export(trained: Trained, items: Items, folder: Path) -> SequenceManifest:
    """Write the model into `folder`, which must exist and be empty.

    Raises:
        MissingExtraError: `onnxscript` or `onnx` is not installed.
    """
    require("onnxscript", _EXTRA)
    require("onnx", EXTRA_BUILD)
    settings, vectors = trained.settings, trained.vectors
    np.save(folder / ITEMS, all_vectors(vectors, items), allow_pickle=False)
    content = {
        "attributes": vectors.attributes.weight.detach().numpy(),
        "projection": vectors.projection.detach().numpy(),
    }
    save_file(content, folder / CONTENT)
    _write_graph(LastStep(trained.encoder).eval(), settings.width, folder / GRAPH)
    curve = ", ".join(f"{each.mrr:.4f}" for each in trained.epochs)
    manifest = SequenceManifest(
        method=f"SASRec, {settings.layers} layers; held-out reciprocal rank by epoch: {curve}",
        width=settings.width,
        longest=settings.longest,
        temperature=settings.temperature,
        n_items=len(items),
        files={name: facts(folder / name) for name in (ITEMS, CONTENT, GRAPH)},
    )
    write_manifest(manifest, folder)
    return manifest


def train_and_export(
    interactions: Interactions, items: Items, folder: Path, settings: SequenceSettings = DEFAULT
) -> Path:
    """Train a model and write it into a new folder inside `folder`; that folder. What `sources.sequence` fits with."""
    trained = train(interactions, items, settings)
    target = Path(tempfile.mkdtemp(prefix="sequence-", dir=folder))
    export(trained, items, target)
    return target


def _write_graph(model: LastStep, width: int, file: Path) -> None:
    users, steps = torch.export.Dim("users"), torch.export.Dim("steps")
    example = (torch.zeros(2, 3, width), torch.ones(2, 3, dtype=torch.bool))
    with warnings.catch_warnings():  # the exporter warns of its own ways
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            example,
            file,
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_shapes=({0: users, 1: steps}, {0: users, 1: steps}),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
