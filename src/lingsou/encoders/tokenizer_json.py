"""The model's tokenizer in the JSON form that `tokenizers` loads, written from the weights file alone."""

import base64
from typing import Any

import orjson

from lingsou.encoders.charsmap import compile_charsmap, compositions
from lingsou.encoders.weights import Pieces, Weights

SPACE = "▁"
"""What stands for a space inside pieces, and before every word."""
_MASK = "<mask>"


def tokenizer_json(weights: Weights) -> bytes:
    """Unigram pieces with their scores, the model's normalisation, and `<s> … </s>` around every text."""
    pieces = weights.pieces
    singles = {chr(point): text for point, text in weights.normalisation.items()}
    charsmap = compile_charsmap(compositions(weights.normalisation) | singles)
    bos, eos = pieces.texts[pieces.bos], pieces.texts[pieces.eos]
    single = [_special(bos), {"Sequence": {"id": "A", "type_id": 0}}, _special(eos)]
    pair = [*single, _special(eos), {"Sequence": {"id": "B", "type_id": 0}}, _special(eos)]
    metaspace = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True}
    return orjson.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": _added(pieces),
            "normalizer": {
                "type": "Sequence",
                "normalizers": [
                    {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()},
                    {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
                ],
            },
            "pre_tokenizer": metaspace,
            "post_processor": {
                "type": "TemplateProcessing",
                "single": single,
                "pair": pair,
                "special_tokens": {
                    text: {"id": text, "ids": [number], "tokens": [text]}
                    for text, number in ((bos, pieces.bos), (eos, pieces.eos))
                },
            },
            "decoder": metaspace,
            "model": {
                "type": "Unigram",
                "unk_id": pieces.unknown,
                "vocab": list(zip(pieces.texts, pieces.scores.tolist(), strict=True)),
                "byte_fallback": False,
            },
        }
    )


def _special(text: str) -> dict[str, Any]:
    return {"SpecialToken": {"id": text, "type_id": 0}}


def _added(pieces: Pieces) -> list[dict[str, Any]]:
    ids = {pieces.bos, pieces.pad, pieces.eos, pieces.unknown}
    if pieces.texts[-1] == _MASK:
        ids.add(len(pieces.texts) - 1)
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return [{"id": number, "content": pieces.texts[number], **flags} for number in sorted(ids)]
