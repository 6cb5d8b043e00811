"""The tokenizer of a shop: the pieces that its texts use, and single characters for words not met yet."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from lingsou.core.errors import ConfigurationError
from lingsou.training.neural.tokens import Cutter

_KINDS = ("Unigram", "WordPiece")
_SPACE, _CONTINUED = "▁", "##"


def pieces_to_keep(tokenizer: bytes, used: Iterable[int]) -> list[int]:
    """Ids of the pieces `used`, of special ones, and of every single character in the scripts of those used; sorted.

    Args:
        tokenizer: text of a `tokenizer.json`.
        used: ids that the shop's texts were cut into.

    Raises:
        ConfigurationError: the tokenizer is of a kind that cannot be cut down.
    """
    whole = _parse(tokenizer)
    pieces = _pieces(whole)
    special = {token["id"] for token in whole["added_tokens"]}  # `<s>` is not Latin
    kept = {*map(int, used)} & set(range(len(pieces)))
    scripts = {_script(letter) for number in kept - special for letter in pieces[number] if letter.isalpha()}
    for number, piece in enumerate(pieces):
        bare = piece.removeprefix(_SPACE).removeprefix(_CONTINUED)
        if len(bare) <= 1 and (not bare.isalpha() or _script(bare) in scripts):
            kept.add(number)
    model = whole["model"]
    if model["type"] == "Unigram":
        kept.add(model["unk_id"])
        # What an unknown character costs is counted from the lowest score: without it, texts would be cut otherwise.
        kept.add(min(range(len(pieces)), key=lambda number: model["vocab"][number][1]))
        if model.get("byte_fallback"):
            kept |= {number for number, piece in enumerate(pieces) if piece.startswith("<0x") and len(piece) == 6}
    else:
        kept.add(model["vocab"][model["unk_token"]])
    return sorted(kept | special)


def prune_tokenizer(tokenizer: bytes, kept: Sequence[int]) -> bytes:
    """The `tokenizer.json` whose piece i is piece `kept[i]` of `tokenizer`.

    Texts whose pieces are all kept are cut as before: the best cut of Unigram, and the longest match of WordPiece,
    do not change when others of the choice go.

    Args:
        tokenizer: text of a `tokenizer.json`.
        kept: sorted ids, all special ones among them (`pieces_to_keep`).

    Raises:
        ConfigurationError: the tokenizer is of a kind that cannot be cut down.
    """
    whole = _parse(tokenizer)
    places = {number: place for place, number in enumerate(kept)}
    model = whole["model"]
    if model["type"] == "Unigram":
        model["vocab"] = [model["vocab"][number] for number in kept if number < len(model["vocab"])]
        model["unk_id"] = places[model["unk_id"]]
    else:
        model["vocab"] = {piece: places[number] for piece, number in model["vocab"].items() if number in places}
    for token in whole["added_tokens"]:
        token["id"] = places[token["id"]]
    _renumber(whole.get("post_processor"), places)
    if whole.get("padding"):
        whole["padding"]["pad_id"] = places[whole["padding"]["pad_id"]]
    return orjson.dumps(whole)


@dataclass(frozen=True)
class VocabularyFit:
    """How a tokenizer copes with texts."""

    unknown: float
    """Share of all tokens that are the unknown one."""
    tokens: float
    """Tokens a text, special ones left out: more of them for the same texts means that words fall apart."""


def vocabulary_fit(tokenizer: bytes, texts: Sequence[str]) -> VocabularyFit:
    """Measure a tokenizer on texts that it was not cut down for."""
    whole = _parse(tokenizer)
    model = whole["model"]
    unknown = model["unk_id"] if model["type"] == "Unigram" else model["vocab"][model["unk_token"]]
    table = Cutter(tokenizer, 0).table(texts, prefix="", max_tokens=100_000, special=False)
    count = int(table.lengths.sum())
    missed = sum(int((table.ids_of(row) == unknown).sum()) for row in range(len(table)))
    return VocabularyFit(missed / max(count, 1), count / max(len(table), 1))


def _parse(tokenizer: bytes) -> Any:
    whole = orjson.loads(tokenizer)
    kind = whole["model"].get("type")
    if kind not in _KINDS:
        raise ConfigurationError(
            f"A {kind} tokenizer cannot be cut down to a shop's words.",
            field="export.vocabulary",
            cure='vocabulary = "whole", or a base model whose tokenizer is Unigram or WordPiece, such as e5-small.',
        )
    return whole


def _pieces(whole: Any) -> list[str]:
    """The text of each id."""
    vocabulary = whole["model"]["vocab"]
    if isinstance(vocabulary, list):
        return [piece for piece, _ in vocabulary]
    found = [""] * (1 + max(vocabulary.values()))
    for piece, number in vocabulary.items():
        found[number] = piece
    return found


def _script(letter: str) -> str:
    """`LATIN`, `CJK`, `CYRILLIC` …: the first word of the character's Unicode name."""
    return unicodedata.name(letter, "").partition(" ")[0]


def _renumber(processor: Any, places: dict[int, int]) -> None:
    """Put the new ids of special tokens into what adds them to a text."""
    if not processor:
        return
    for part in processor.get("processors", ()):
        _renumber(part, places)
    for token in processor.get("special_tokens", {}).values():
        token["ids"] = [places[number] for number in token["ids"]]
    for name in ("sep", "cls"):
        if name in processor:
            piece, number = processor[name]
            processor[name] = [piece, places[number]]
