"""What a trained model says of texts: the probabilities of a head's classes, by the artefact as it is served."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import ConfigurationError
from lingsou.encoders.encoder import Vectors
from lingsou.encoders.manifest import EncoderManifest
from lingsou.encoders.runtime import OnnxEncoder
from lingsou.models.character_classes import CharacterClasses
from lingsou.models.logistic import softmax

_CHUNK = 16


def class_head(manifest: EncoderManifest, name: str | None) -> str:
    """The head of kind `classes` that `name` means; none: the only one.

    Raises:
        ConfigurationError: there is no such head, or there are several and none is named.
    """
    known = [head for head, told in manifest.heads.items() if told.kind == "classes"]
    if name is None and len(known) == 1:
        return known[0]
    if name not in known:
        what = f"no head '{name}' of classes" if name else "several heads of classes" if known else "no head of classes"
        raise ConfigurationError(
            f"The model has {what}.",
            field="head",
            cure=f"--head {' or '.join(known)}" if known else "A model trained by a task of kind classes.",
        )
    return name


def class_scores(
    encoder: OnnxEncoder, head: str, texts: Sequence[str], progress: Callable[[int], object] = lambda _: None
) -> tuple[NDArray[np.float64], Vectors]:
    """Calibrated probabilities `[texts, classes]` and sentence vectors `[texts, d]`, a forward pass a text.

    Args:
        encoder: with that head.
        head: of kind `classes`; its temperature was fitted to the validation set.
        texts: what is to be scored.
        progress: told of the texts done, from the caller's thread.

    Raises:
        InputError: what stands beside the head is not whole.
    """
    logits: list[NDArray[np.float32]] = []
    vectors: list[NDArray[np.float32]] = []
    chunks = [texts[at : at + _CHUNK] for at in range(0, len(texts), _CHUNK)]
    with ThreadPoolExecutor(encoder.options.workers(), thread_name_prefix="score") as pool:
        for found in pool.map(encoder.encode_heads, chunks):
            logits += [each.logits[head] for each in found]
            vectors += [each.sentence for each in found]
            progress(len(logits))
    scores = np.array(logits, np.float64).reshape(-1, len(encoder.manifest.heads[head].labels))
    if arrays := encoder.characters(head):
        scores += CharacterClasses.load(arrays).all_logits(texts)
    chances = softmax(scores) if len(texts) else scores
    return chances, np.array(vectors, np.float32).reshape(-1, encoder.dimension)
