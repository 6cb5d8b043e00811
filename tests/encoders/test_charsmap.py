import base64
import struct
import unicodedata

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.encoders.charsmap import compile_charsmap, compositions


def lookup(charsmap: bytes, text: str) -> str | None:
    """The replacement of the shortest prefix of `text`, by the format's own words."""
    (size,) = struct.unpack_from("<I", charsmap)
    units = struct.unpack_from(f"<{size // 4}I", charsmap, 4)
    values = charsmap[4 + size :]

    def offset(unit: int) -> int:
        return (unit >> 10) << ((unit & 0x200) >> 6)

    place = offset(units[0])
    for byte in text.encode():
        place ^= byte
        unit = units[place]  # never out of bounds, whatever the byte
        if unit & 0x800000FF != byte:
            return None
        place ^= offset(unit)
        if unit >> 8 & 1:
            start = units[place] & 0x7FFFFFFF
            return values[start : values.index(0, start)].decode()
    return None


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=3)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(texts, st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)),
    texts,
)
def test_every_key_is_found_and_nothing_else(replacements: dict[str, str], other: str) -> None:
    charsmap = compile_charsmap(replacements)
    for text in (*replacements, other):
        prefixes = sorted((key for key in replacements if text.startswith(key)), key=len)
        expected = replacements[prefixes[0]] if prefixes else None
        assert lookup(charsmap, text) == expected


def test_order_does_not_matter() -> None:
    forward = {chr(point): chr(point + 1) for point in range(0x4E00, 0x5200)}
    assert compile_charsmap(forward) == compile_charsmap(dict(reversed(forward.items())))


def test_compositions() -> None:
    found = compositions({0x0341: "\u0301"})
    assert found["e\u0301"] == "é"
    assert found["e\u0341"] == "é", "a spelling with the mark's compatibility twin"
    assert "é" not in found
    assert all(len(key.encode()) <= 5 for key in found), "longer graphemes are never looked up whole"


def test_the_normaliser_of_tokenizers_reads_it() -> None:
    tokenizers = pytest.importorskip("tokenizers", reason="needs the extra 'encoder'")
    singles = {0x3000: " ", 0xFF21: "A", 0x2460: "1", 0x200B: "", 0x3392: "MHz"}
    charsmap = compile_charsmap(compositions(singles) | {chr(point): text for point, text in singles.items()})
    model = {"type": "WordLevel", "vocab": {"x": 0}, "unk_token": "x"}
    normaliser = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()}
    whole = {"version": "1.0", "added_tokens": [], "model": model, "normalizer": normaliser}
    tokenizer = tokenizers.Tokenizer.from_str(orjson.dumps(whole).decode())
    text = "Ａ\u3000cafe\u0301 ①\u200b ㎒ 无线"
    assert tokenizer.normalizer.normalize_str(text) == "A café 1 MHz 无线"
    assert tokenizer.normalizer.normalize_str("\u1100\u1161") != unicodedata.normalize("NFC", "\u1100\u1161")
