"""Product pictures, drawn by code: one drawing a shape, in the product's colour, as SVG text."""

import re
from functools import cache
from html import escape
from string import Template
from zlib import crc32

from lingsou.core.types import Product
from lingsou.demo.vocabulary import Kind, read_data, vocabulary

_TINTS = ("#f3efe8", "#e9f0f4", "#f4ecef", "#ecf3ea", "#f5f1e1", "#eeecf5", "#e7f2f0", "#f6eee6")
_ACCENTS = ("#f0a23c", "#3fa7a0", "#e4604e", "#5b7fd1", "#8a63b5", "#4f9d5d")
_BODIES = ("#5f7fa3", "#b8695a", "#6f9272", "#8a7aa6", "#c79a55", "#5d8c95", "#a86b86", "#77726a")
_FIXED = {"i": "#2e3138", "w": "#fbfaf7", "m": "#aeb4bb", "y": "#ffe08a", "g": "#d8b469"}


@cache
def shapes() -> dict[str, Template]:
    """The drawings by name."""
    blocks = re.split(r"^\[(\w+)\]$", read_data("shapes.txt"), flags=re.MULTILINE)[1:]
    return {name: Template(drawing.strip()) for name, drawing in zip(blocks[::2], blocks[1::2], strict=True)}


def picture(product: Product) -> str:
    """An SVG drawing (400 by 400) of a demo product, with its title as text alternative; a generic box for others."""
    mark = crc32(product.id.encode())
    body = _hex_of(product) or _BODIES[mark % len(_BODIES)]
    kind = kind_of(product)
    drawing = shapes()[kind.shape if kind else "box"].substitute(
        _FIXED,
        c=body,
        d=_mixed(body, "#000000", 0.28),
        l=_mixed(body, "#ffffff", 0.42),
        a=_ACCENTS[mark // 8 % len(_ACCENTS)],
    )
    title = escape(product.title)
    brand = escape(product.brand)
    tint = _TINTS[mark // 64 % len(_TINTS)]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" role="img" aria-labelledby="t">'
        f'<title id="t">{title}</title><rect width="400" height="400" fill="{tint}"/>'
        f'<circle cx="200" cy="196" r="{150 + mark % 24}" fill="#ffffff" opacity=".55"/>'
        f'<ellipse cx="200" cy="344" rx="132" ry="10" fill="#000000" opacity=".10"/>{drawing}'
        '<text x="200" y="384" text-anchor="middle" font-family="sans-serif" font-size="17" '
        f'fill="#6a6d73">{brand}</text></svg>\n'
    )


@cache
def _kinds() -> dict[tuple[tuple[str, ...], str], Kind]:
    words = vocabulary()
    return {(words.leaves[kind.leaf].path, name): kind for kind in words.kinds for name in kind.term}


def kind_of(product: Product) -> Kind | None:
    """The type of product in our vocabulary, told by category and the attribute `type`; none for a stranger."""
    attribute = product.attributes.get("type")
    return _kinds().get((product.category, str(attribute.value))) if attribute else None


@cache
def _hexes() -> dict[str, str]:
    return {name: colour.hex for colour in vocabulary().colours for name in colour.term}


def _hex_of(product: Product) -> str:
    for name in ("colour", "shade"):
        attribute = product.attributes.get(name)
        if attribute and str(attribute.value) in _hexes():
            return _hexes()[str(attribute.value)]
    return ""


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = [(int(colour[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
