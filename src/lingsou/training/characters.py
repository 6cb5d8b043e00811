"""Fitting a CRF over characters, with python-crfsuite."""

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lingsou.encoders.optional import require
from lingsou.models.character_crf import CharacterCrf, features_of
from lingsou.models.tagger import Chain, Floats
from lingsou.training.examples import TagSet

EXTRA_TRAIN = "train"
_C1, _C2, _ITERATIONS = 0.1, 0.05, 80
"""Strengths of the L1 and L2 regularisation, and the most steps of L-BFGS (OWL-QN): usual ones for chunking."""


def fit_characters(examples: TagSet, tags: Sequence[str]) -> CharacterCrf:
    """The CRF over characters and dictionary words that makes the spans of `examples` likeliest.

    Source: Okazaki, CRFsuite, 2007. About 10 ms a text on one core.

    Args:
        examples: texts with spans.
        tags: BIO tags, of all kinds.

    Raises:
        MissingExtraError: python-crfsuite is not installed.
    """
    crfsuite = require("pycrfsuite", EXTRA_TRAIN)
    trainer = crfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params({"c1": _C1, "c2": _C2, "max_iterations": _ITERATIONS})
    for text, spans in zip(examples.texts, examples.spans, strict=True):
        own = ["O"] * len(text)
        for span in spans:
            own[span.start : span.end] = [f"B-{span.kind}", *[f"I-{span.kind}"] * (span.end - span.start - 1)]
        if text:
            trainer.append(list(features_of(text)), own)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "crf")
        trainer.train(path)
        tagger = crfsuite.Tagger()
        tagger.open(path)
        info = tagger.info()
        tagger.close()
    number = {tag: place for place, tag in enumerate(tags)}
    k = len(tags)
    scores: dict[str, Floats] = defaultdict(lambda: np.zeros(k))
    for (feature, tag), weight in info.state_features.items():
        scores[feature][number[tag]] = weight
    transitions = np.zeros((k, k))
    for (before, after), weight in info.transitions.items():
        transitions[number[before], number[after]] = weight
    return CharacterCrf.of(scores, Chain(np.zeros(k), np.zeros(k), transitions))
