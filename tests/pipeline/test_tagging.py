"""A tagger at work: alone, beside a CRF over characters, and by that CRF alone when the encoder is late."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from lingsou.core.errors import InputError
from lingsou.encoders.encoder import HeadOutputs
from lingsou.encoders.manifest import HeadManifest
from lingsou.models.character_crf import CharacterCrf
from lingsou.models.tagger import Chain, bio_tags
from lingsou.pipeline.tagging import Tagger
from lingsou.testing.encoder import HashEncoder

TAGS = bio_tags(["HP", "MISC"])
ARRAYS = CharacterCrf.of(
    {"0=耐": np.array([0, 6, 0, 0, 0.0]), "0=克": np.array([0, 0, 6, 0, 0.0])},
    Chain(np.zeros(5), np.zeros(5), np.zeros((5, 5))),
).arrays()


class Encoder(HashEncoder):
    def __init__(self, arrays: Mapping[str, NDArray[np.generic]]):
        super().__init__()
        self.heads = {"e": head(0.5)}
        self._arrays = arrays

    def transitions(self, head: str) -> Mapping[str, NDArray[np.float32]]:
        return {}

    def characters(self, head: str) -> Mapping[str, NDArray[np.generic]]:
        return self._arrays

    def encode_heads(self, texts: object, kind: object = "query") -> list[HeadOutputs]:
        raise AssertionError("a tagger reads what was put out, and asks for nothing")


def head(share: float) -> HeadManifest:
    return HeadManifest(
        kind="tags", output="head.e", labels=TAGS, share=share, meanings={"HP": "brand", "MISC": ""}, role="entities"
    )


def outputs(*tokens: tuple[int, int, str]) -> HeadOutputs:
    logits = np.zeros((len(tokens), len(TAGS)), np.float32)
    for place, (_, _, tag) in enumerate(tokens):
        logits[place, TAGS.index(tag)] = 8
    offsets = np.array([each[:2] for each in tokens], np.int32).reshape(-1, 2)
    return HeadOutputs({"e": logits}, offsets, np.zeros(2, np.float32))


def test_without_characters_the_encoder_decides() -> None:
    tagger = Tagger.of(Encoder({}), "e", head(1.0))
    (found,) = tagger.spans("买耐克吧", outputs((0, 1, "B-MISC"), (1, 3, "B-HP"), (3, 4, "O")))
    assert (found.start, found.end, found.meaning) == (1, 3, "brand")
    assert found.probability > 0.99
    assert tagger.spans("买耐克吧", None) == []


def test_with_characters_both_do_and_one_alone_can() -> None:
    tagger = Tagger.of(Encoder(ARRAYS), "e", head(0.5))
    late = tagger.spans("买耐克吧", None)
    assert [(each.start, each.end, each.meaning) for each in late] == [(1, 3, "brand")]
    agreed = tagger.spans("买耐克吧", outputs((0, 1, "O"), (1, 3, "B-HP"), (3, 4, "O")))
    assert [(each.start, each.end, each.meaning) for each in agreed] == [(1, 3, "brand")]
    assert tagger.spans("", None) == []


def test_half_a_crf_is_refused() -> None:
    with pytest.raises(InputError, match="has no 'scores'"):
        Tagger.of(Encoder({name: each for name, each in ARRAYS.items() if name != "scores"}), "e", head(0.5))
