"""The package's intent head belongs to its lines and to the default encoder."""

from pathlib import Path

import pytest

from lingsou.core.settings import EncoderSettings
from lingsou.encoders.encoder import EncoderOptions
from lingsou.encoders.runtime import OnnxEncoder
from lingsou.pipeline.intents import known_head
from lingsou.query.intents import intent_lines


@pytest.fixture(scope="module")
def encoder(e5_folder: Path) -> OnnxEncoder:
    return OnnxEncoder.open(e5_folder, EncoderOptions(max_tokens=EncoderSettings().max_tokens))


def test_it_is_of_these_lines_and_this_encoder(encoder: OnnxEncoder, tmp_path: Path) -> None:
    """Where it is not, make it anew: docs/understanding.md says how."""
    head = known_head(tmp_path, encoder, intent_lines())
    assert head is not None
    for line, intent in (
        ("please track my parcel", "after_sales"),
        ("这款手机现在多少钱", "ask_price"),
        ("which one is better the blue or the red kettle", "compare"),
        ("再买一袋上次的猫砂", "buy_again"),
    ):
        chances = head.probabilities(encoder.encode_queries([line])[0])
        assert head.labels[int(chances.argmax())] == intent
