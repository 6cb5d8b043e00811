"""The default intent head: a linear layer on the encoder's frozen vector, fitted to our own and the shop's lines.

It is fitted once for an encoder and a set of lines: about 1,100 short queries are encoded (6 s on a quiet core) and a
convex problem is solved, so the same lines give the same weights. They are kept under the hash of both. For the default
encoder the package has them; the data folder keeps those of other encoders, and those with the shop's labels.
"""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import structlog
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

import lingsou.query
from lingsou.encoders import Encoder
from lingsou.models.logistic import Linear, fit_logistic, likeliest_temperature, out_of_fold_logits, softmax

RECIPE = 1
"""Raise it when this file changes a weight: it is part of every name."""
L2 = 0.03
"""Of vectors whose mean squared distance to their mean is 1. Chosen by five folds of our own lines: .938 right, and
.937 to .914 between 0.01 and 3."""
_FOLDS = 5
_BATCH = 32
_PREFIX = "intent-"
_PACKAGED = Path(lingsou.query.__file__).parent / "data"


@dataclass(frozen=True)
class ClassHead:
    """Classes and the linear layer that tells them from a unit vector; its temperature is in the weights."""

    labels: tuple[str, ...]
    linear: Linear

    def probabilities(self, vector: NDArray[np.floating]) -> NDArray[np.float64]:
        """`[k]` of one vector `[d]`, or `[n, k]` of many."""
        return softmax(self.linear.logits(vector))


def fit_head(vectors: NDArray[np.floating], lines: Sequence[str]) -> ClassHead:
    """A calibrated head for the classes that `lines` names for each of `vectors` [n, d]."""
    labels = tuple(sorted(set(lines)))
    places = {label: place for place, label in enumerate(labels)}
    target = np.array([places[each] for each in lines], np.int64)
    mean = vectors.mean(axis=0)
    spread = float(np.sqrt(((vectors - mean) ** 2).sum(axis=1).mean())) or 1.0
    centred = np.asarray((vectors - mean) / spread, np.float64)
    held = out_of_fold_logits(centred, target, len(labels), l2=L2, folds=_FOLDS)
    temperature = likeliest_temperature(held, target)
    found = fit_logistic(centred, target, len(labels), l2=L2)
    weight = found.weight / (spread * temperature)
    bias = found.bias / temperature - weight @ mean
    return ClassHead(labels, Linear(weight.astype(np.float32), bias.astype(np.float32)))


def known_head(folder: Path, encoder: Encoder, lines: Sequence[tuple[str, str]]) -> ClassHead | None:
    """The head for these (intent, line) that was fitted before: the package's own, or one in `folder`."""
    name = _name(encoder, lines)
    return _read(_PACKAGED / name) or _read(folder / name)


def learn_head(folder: Path, encoder: Encoder, lines: Sequence[tuple[str, str]]) -> ClassHead:
    """The head for these (intent, line), fitted now unless it is known, and kept in `folder`.

    A folder that cannot be written only costs the next start the same time again.
    """
    if (known := known_head(folder, encoder, lines)) is not None:
        return known
    log = structlog.get_logger("lingsou.intents")
    log.info("learning the intents", lines=len(lines), encoder=encoder.name)
    texts = [line for _, line in lines]
    vectors = [encoder.encode_queries(texts[at : at + _BATCH]) for at in range(0, len(texts), _BATCH)]
    head = fit_head(np.concatenate(vectors), [intent for intent, _ in lines])
    try:
        _write(folder / _name(encoder, lines), head)
    except OSError as error:
        log.warning("the intent head is not kept", error=str(error))
    return head


def _name(encoder: Encoder, lines: Sequence[tuple[str, str]]) -> str:
    told = orjson.dumps([RECIPE, encoder.fingerprint, sorted(lines)])
    return f"{_PREFIX}{hashlib.sha256(told).hexdigest()[:32]}.safetensors"


def _read(path: Path) -> ClassHead | None:
    try:
        with safe_open(path, framework="numpy") as file:
            labels = tuple(orjson.loads(file.metadata()["labels"]))
            return ClassHead(labels, Linear(file.get_tensor("weight"), file.get_tensor("bias")))
    except (OSError, SafetensorError, KeyError, orjson.JSONDecodeError):
        return None  # absent or half a file: it is fitted anew


def _write(path: Path, head: ClassHead) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = save(
        {"weight": np.asarray(head.linear.weight, np.float32), "bias": np.asarray(head.linear.bias, np.float32)},
        {"labels": orjson.dumps(head.labels).decode()},
    )
    draft = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}")
    draft.write_bytes(content)
    draft.replace(path)
    for other in path.parent.glob(f"{_PREFIX}*.safetensors"):
        if other != path:  # of another encoder, or of lines before
            with contextlib.suppress(OSError):
                other.unlink()
