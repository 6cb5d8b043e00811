"""The compiled character map of SentencePiece, as the `Precompiled` normaliser of `tokenizers` reads it.

The map holds text → replacement as a double-array trie over UTF-8 bytes: a 32-bit length, the units of
the trie, then the replacements, each closed by a zero byte. A unit is a transition: bits 0–7 its label,
bit 8 says that the node ends a key, bits 10–30 the offset to its children (bit 9 would scale it). A unit
with bit 31 set is a value: where the key's replacement begins.
"""

import itertools
import struct
import unicodedata
from collections.abc import Iterator, Mapping

_ENDS_KEY = 1 << 8
_VALUE = 1 << 31
_PAGE = 256
_SEARCH = 4 * _PAGE
LONGEST_KEY = 5
"""Bytes of a grapheme that the normaliser looks up as a whole; longer ones go by single characters."""

_Trie = dict[int, "_Trie | int"]
"""Byte → subtree; the key 0 holds the value of a text that ends here."""


def compile_charsmap(replacements: Mapping[str, str]) -> bytes:
    """The compiled form of `replacements`. Equal maps give equal bytes."""
    values = bytearray()
    places: dict[str, int] = {}
    trie: _Trie = {}
    for key in sorted(replacements):
        if "\0" in key or not key:
            continue  # a zero byte ends a key, so such a text can never be found
        replacement = replacements[key]
        if replacement not in places:
            places[replacement] = len(values)
            values += replacement.encode() + b"\0"
        node = trie
        for byte in key.encode():
            child = node.setdefault(byte, {})
            assert isinstance(child, dict)
            node = child
        node[0] = places[replacement]
    units = _double_array(trie)
    return struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + bytes(values)


def _double_array(trie: _Trie) -> list[int]:
    """Lay the nodes out so that child `c` of a node stands at its base XOR `c`, labelled `c`."""
    units = [0] * _PAGE
    taken = bytearray(_PAGE)
    taken[0] = 1
    bases: set[int] = set()
    queue: list[tuple[_Trie, int]] = [(trie, 0)]
    for node, place in queue:
        labels = sorted(node)
        if not labels:
            continue
        # Holes of pages long past are not worth the search.
        candidate = max(1, len(taken) - _SEARCH)
        while True:
            if candidate >= len(taken):
                units += [0] * _PAGE
                taken += bytes(_PAGE)
            base = candidate ^ labels[0]
            if not taken[candidate] and base not in bases and not any(taken[base ^ label] for label in labels):
                break
            candidate += 1
        # Two nodes of one base would answer for each other's children.
        bases.add(base)
        units[place] |= (place ^ base) << 10
        for label in labels:
            taken[base ^ label] = 1
            child = node[label]
            if isinstance(child, int):
                units[place] |= _ENDS_KEY
                units[base ^ label] = _VALUE | child
            else:
                units[base ^ label] = label
                queue.append((child, base ^ label))
    return units


def compositions(singles: Mapping[int, str]) -> dict[str, str]:
    """Sequences of base and combining marks that the normaliser composes: what a map of single characters lacks.

    Takes every canonical decomposition of the Basic Multilingual Plane, and its spellings with characters
    that `singles` replaces by one of the sequence. Unicode's stability policy fixes them for good.
    """
    spellings: dict[str, list[str]] = {}
    for point, replacement in singles.items():
        if len(replacement) == 1 and len(unicodedata.normalize("NFKD", chr(point))) == 1:
            spellings.setdefault(replacement, []).append(chr(point))
    found: dict[str, str] = {}
    for key in _sequences(spellings):
        composed = unicodedata.normalize("NFKC", key)
        if len(key.encode()) <= LONGEST_KEY and composed != "".join(singles.get(ord(part), part) for part in key):
            found[key] = composed
    return found


def _sequences(spellings: Mapping[str, list[str]]) -> Iterator[str]:
    for point in itertools.chain(range(0x80, 0xD800), range(0xE000, 0x10000)):
        parts = unicodedata.normalize("NFD", chr(point))
        if len(parts) > 1:
            yield from map("".join, itertools.product(*([part, *spellings.get(part, [])] for part in parts)))
