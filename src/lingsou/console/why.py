"""An explanation tree in plain words: why this product stands where it does."""

import re
from collections.abc import Iterator, Sequence
from html import unescape

from lingsou.console.browsing import Browse
from lingsou.console.chips import Chip
from lingsou.console.labels import Labels
from lingsou.core.types import Explanation, Hit

_MARKED = re.compile(r"<em>(.*?)</em>")
_LIKELY = re.compile(r"likely category: (.+) \([\d.]+\)")
_MOST_NAMES = 6


def why(hit: Hit, limits: Sequence[Chip], browse: Browse, labels: Labels) -> list[str]:
    """Sentences, the strongest reason first; none for an answer that was not explained."""
    if hit.explanation is None:
        return []
    text = labels.text
    lines = list(dict.fromkeys(_reasons(hit, browse, labels)))
    if limits:
        lines.append(text("why_filters", names=text("and").join(chip.label for chip in limits)))
    if browse.sort != "relevance":
        position = f"{hit.explanation.value:.0f}" if hit.explanation.value else "–"
        lines.append(text("why_sort", name=text(f"sort_{browse.sort}"), position=position))
    return lines


def _reasons(hit: Hit, browse: Browse, labels: Labels) -> Iterator[str]:
    text = labels.text
    tree = hit.explanation
    assert tree is not None
    if not browse.q and browse.sort == "relevance":
        yield text("why_popular")
    parts = [part for child in tree.children for part in (child.children or (child,))]
    for part in sorted(parts, key=lambda each: -(each.value or 0)):
        if not part.value or part.value <= 0:
            continue
        if part.name == "lexical":
            yield _words(hit, labels)
        elif part.name == "vector":
            yield text("why_meaning")
        elif part.name == "exact identifier":
            yield text("why_identifier")
        elif part.name == "boost":
            yield _lift(part, labels)
        elif part.name in ("pin", "rule"):
            yield text("why_shop", detail=part.detail)


def _words(hit: Hit, labels: Labels) -> str:
    marked = [unescape(word) for field in hit.highlights.values() for word in _MARKED.findall(field)]
    words = list({word.casefold(): word for word in marked}.values())[:_MOST_NAMES]
    if not words:
        return labels.text("why_some_words")
    return labels.text("why_words", words=labels.text("and").join(words))


def _lift(part: Explanation, labels: Labels) -> str:
    """Why a boost lifted the product: `field: words`, `all of field: words, …`, `likely category: …`, or a rule."""
    if part.detail.startswith("rule "):
        return labels.text("why_shop", detail=part.detail)
    if likely := _LIKELY.fullmatch(part.detail):
        return labels.text("why_wish", name=f"{labels.field('category')} {labels.value(likely[1])}")
    wishes = (wish.partition(": ") for wish in part.detail.removeprefix("all of ").split(", "))
    names = [f"{labels.field(field)} {surface}" if surface else field for field, _, surface in wishes]
    return labels.text("why_wish", name=labels.text("and").join(names))
