"""Mark the query's words in a text, as HTML that is safe to insert into a page."""

import html
from collections.abc import Set

from lingsou.text.segment import Segmenter


def highlight(text: str, terms: Set[str], segmenter: Segmenter) -> str | None:
    """`text` escaped, with `<em>` around the words whose term is in `terms`; none when there is nothing to mark."""
    places = sorted(segmenter.places(text, terms))
    if not places:
        return None
    escape = str if html.escape(text) == text else html.escape  # most texts have nothing to escape
    parts: list[str] = []
    done = 0
    for start, end in _merged(places):
        parts += [escape(text[done:start]), "<em>", escape(text[start:end]), "</em>"]
        done = end
    return "".join([*parts, escape(text[done:])])


def _merged(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged = places[:1]
    for start, end in places[1:]:
        if start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
