"""Check `html`: markup and entities where plain text belongs, and markup that would run in a shopper's browser."""

import html
import re
from collections.abc import Mapping
from html.entities import html5
from typing import ClassVar

from lingsou.core.types import Product
from lingsou.quality.check import EXAMPLES, Finding, Kind, Severity, Sink
from lingsou.quality.edits import rewritten
from lingsou.quality.fields import all_text, excerpt, texts
from lingsou.quality.tally import Problem, Tally

_ACTIVE = Problem(
    "error",
    "markup that runs or loads something",
    "Remove it; a page that prints this field unescaped runs it in the shopper's browser.",
    0.95,
)
_TAG = Problem("warning", "HTML tags in a plain text", "Remove the tags.", 0.95)
_TAG_IN_DESCRIPTION = Problem(
    "info", "HTML tags in the description", "Convert it to plain text if tags show up in results or on pages."
)
_ENTITY = Problem("warning", "HTML entities in a plain text", "")
_ENTITY_IN_DESCRIPTION = Problem("info", "HTML entities in the description", "")
_TWICE = Problem("warning", "HTML entities that were escaped twice", "")

_TAGS = (
    "abbr aside audio bdi bdo blockquote br cite col colgroup dd del dfn div dl dt em fieldset figcaption h1 h2 h3 h4 "
    "h5 h6 head hr html img ins kbd li meta nav noscript ol optgroup p pre span strike strong style sub sup tbody td "
    "textarea tfoot th thead tr tt ul wbr"
)
# In angle brackets these are sizes, grades and titles as often as tags; only an end tag or an attribute tells.
_WORDS = (
    "a address area article b base big body button canvas caption center code details embed figure font footer form "
    "frame header i input label legend link main map mark math object option picture q s section select small source "
    "summary table time title track u var video"
)
_ATTRIBUTE = r"\s+[a-z-]+\s*="
_TAG_TEXT = re.compile(
    rf"</?(?:{_TAGS.replace(' ', '|')})(?=[\s/>])[^<>]*>"
    rf"|</(?:{_WORDS.replace(' ', '|')})\s{{0,8}}>"
    rf"|<(?:{_WORDS.replace(' ', '|')}){_ATTRIBUTE}[^<>]*>"
    r"|<!--|<!doctype\b|<!\[CDATA\[",
    re.IGNORECASE,
)
_ACTIVE_TEXT = re.compile(
    r"</?(?:script|iframe|frameset|applet|svg)(?=[\s/>])"
    rf"|<(?:embed|frame|math|object){_ATTRIBUTE}"
    r"|<[a-z][^<>]*\son[a-z]{3,}\s*="
    r"|<[a-z][^<>]*=\s{0,8}[\"']?\s{0,8}(?:javascript|vbscript):",
    re.IGNORECASE,
)
_ENTITY_TEXT = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|([A-Za-z][A-Za-z0-9]{1,31}));|&nbsp\b")
_TWICE_TEXT = re.compile(r"&amp;(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|([A-Za-z][A-Za-z0-9]{1,31}));")
_INLINE = "abbr b big cite code del em font i ins mark q s small span strong sub sup tt u wbr"
"""These may stand in the middle of a word; every other tag parts words."""
_TAG_NAMES, _WORD_NAMES, _INLINE_NAMES = (frozenset(names.split()) for names in (_TAGS, _WORDS, _INLINE))
_MARKUP = re.compile(r"<!--[^<>]*-->|<(/?)([a-z][a-z0-9]*)((?:\s|/)[^<>]*)?>", re.IGNORECASE)
_SPACES = re.compile(r" {2,}")
_BEGINNING = re.compile(r"[<&][A-Za-z/!#]")


class HtmlCheck:
    """Finds tags, entities such as `&amp;nbsp;`, and scripts in the texts of products."""

    id: ClassVar[str] = "html"
    severity: ClassVar[Severity] = "error"
    cost: ClassVar[str] = (
        "Tag names and entities become words of the index and show up in results; scripts attack the shopper."
    )

    def __init__(self, examples: int = EXAMPLES, sink: Sink | None = None):
        self._tally = Tally(self.id, examples, sink)

    def observe(self, row: int, product: Product) -> None:
        """Look closer only at texts that hold `<` or `&` where markup may begin."""
        everything = all_text(product)
        if ("<" in everything or "&" in everything) and _BEGINNING.search(everything):
            for field, text in texts(product):
                if "<" in text:
                    self._tags(row, product, field, text)
                if "&" in text:
                    self._entities(row, product, field, text)

    def finish(self) -> list[Finding]:
        """The first findings of each kind."""
        return self._tally.findings()

    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind."""
        return self._tally.counts()

    def _tags(self, row: int, product: Product, field: str, text: str) -> None:
        active = _ACTIVE_TEXT.search(text)
        if active:
            self._tally.add(_ACTIVE, field, excerpt(text, *active.span()), row=row, product_id=product.id)
            return
        tag = _TAG_TEXT.search(text)
        if tag:
            plain = field != "description"  # many shops mean markup there
            self._tally.add(
                _TAG if plain else _TAG_IN_DESCRIPTION,
                field,
                excerpt(text, *tag.span()),
                row=row,
                product_id=product.id,
                edit=rewritten(product, field, text, _plain(text)) if plain else None,
            )

    def _entities(self, row: int, product: Product, field: str, text: str) -> None:
        twice = _first(_TWICE_TEXT, text)
        entity = twice or _first(_ENTITY_TEXT, text)
        if entity is None:
            return
        plain = field != "description"
        meant = html.unescape(html.unescape(entity[0]) if twice else entity[0])
        self._tally.add(
            _TWICE if twice else _ENTITY if plain else _ENTITY_IN_DESCRIPTION,
            field,
            excerpt(text, *entity.span()),
            row=row,
            product_id=product.id,
            repair=f"Write {_named(meant)} instead of {entity[0]}.",
            edit=rewritten(product, field, text, _plain(text)) if plain else None,
        )


def _first(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(filter(_is_known, pattern.finditer(text)), None)


def _is_known(entity: re.Match[str]) -> bool:
    """Whether it is a number or a name that HTML knows: "R&D;" is neither."""
    return not entity[1] or f"{entity[1]};" in html5


def _plain(text: str) -> str | None:
    """The text without tags, all entities written out; none where nobody can be sure what it says then."""
    if _ACTIVE_TEXT.search(text):
        return None
    text = _without_tags(text)
    for _ in range(2 if _first(_TWICE_TEXT, text) else 1):
        text = _ENTITY_TEXT.sub(_meant, text)
    text = _without_tags(text)  # those that were escaped
    return None if "<" in text or "\ufffd" in text or _first(_ENTITY_TEXT, text) else text


def _without_tags(text: str) -> str:
    if "<" not in text:
        return text
    ended = {tag[2].lower() for tag in _MARKUP.finditer(text) if tag[1]}

    def without(tag: re.Match[str]) -> str:
        name = (tag[2] or "").lower()
        if name in _WORD_NAMES and not (tag[1] or name in ended or "=" in (tag[3] or "")):
            return tag[0]
        if name and name not in _WORD_NAMES and name not in _TAG_NAMES:
            return tag[0]
        return "" if name in _INLINE_NAMES else " "

    found = _MARKUP.sub(without, text)
    return text if found == text else _SPACES.sub(" ", found).strip()


def _meant(entity: re.Match[str]) -> str:
    if not _is_known(entity):
        return entity[0]
    text = html.unescape(entity[0])
    return " " if text.isspace() else text if text.isprintable() else ""


def _named(text: str) -> str:
    return "a plain space" if text.isspace() else f"“{text}”" if text.isprintable() else "nothing"
