"""Which characters of a suggestion were typed, and how a page shows them."""

import html
from collections.abc import Callable, Sequence

from lingsou.text.normalise import fold_with_places


def covered(spelt: Sequence[str], start: int, typed: int, spell: Callable[[str], str]) -> int:
    """The end of the characters from `start` on whose spellings (as `spell` shortens them) make up `typed` letters."""
    end = start
    while typed > 0 and end < len(spelt):
        typed -= len(spell(spelt[end]))
        end += 1
    return end


def marked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """`text` as safe HTML with `<em>` around the spans, which count characters of the folded text."""
    folded, starts, ends = fold_with_places(text)
    parts: list[str] = []
    done = 0
    for start, end in sorted(spans):
        end = min(end, len(folded))
        if start >= end or starts[start] < done:
            continue
        left, right = starts[start], ends[end - 1]
        parts += [html.escape(text[done:left]), "<em>", html.escape(text[left:right]), "</em>"]
        done = right
    return "".join([*parts, html.escape(text[done:])])
