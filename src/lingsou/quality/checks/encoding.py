"""Check `encoding`: text that was decoded wrongly, lost characters, characters that nobody can see."""

import re
from collections.abc import Mapping
from typing import ClassVar

from lingsou.core.types import Product
from lingsou.quality.check import EXAMPLES, Finding, Kind, Severity, Sink
from lingsou.quality.edits import rewritten
from lingsou.quality.fields import all_text, excerpt, texts
from lingsou.quality.mojibake import misread, suspicious, undone
from lingsou.quality.tally import Problem, Tally

_LOST = Problem(
    "error",
    "characters were lost in an earlier conversion",
    "Export the field again from its source as UTF-8; what was lost cannot be restored from this file.",
)
_MARKS = Problem(
    "error",
    "question marks stand where characters were",
    "Export the field again; the database or the connection that wrote it could not hold Chinese.",
    0.9,
)
_MISREAD = Problem("error", "text was read in the wrong character set", "")
_PERHAPS_MISREAD = Problem("warning", "text was perhaps read in the wrong character set", "")
_SURE = 0.8
_PROVEN = 0.9  # a single sign or pair of characters may stand there by right, so nothing is offered to be written
_CONTROL = Problem("warning", "control characters in the text", "Remove them.")
_ESCAPED = Problem("warning", "control characters written out by a spreadsheet", "Replace them by a space.", 0.95)
_INVISIBLE = Problem(
    "warning", "invisible characters in the text", "Remove them; a word that holds one is another word to a computer."
)
_HYPHEN = Problem("info", "soft hyphens in the text", "Remove them, unless the page needs them to break long words.")
_PRIVATE = Problem(
    "warning",
    "private-use characters in the text",
    "Replace them by standard characters; they show as boxes except with the font that they came from.",
    0.9,
)

# U+FFFD; the Chinese that two of them make as GBK; fillings of uninitialised memory as GBK (0xCC, 0xCD).
_LOST_TEXT = re.compile("\ufffd+|(?:锟斤拷)+|锟斤|斤拷锟|烫{6,}|屯{6,}")
_MARK_SHARE = 0.4
_RUN_OF_MARKS = re.compile(r"\?{3,}")
_CONTROL_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb\ufffe\uffff]+")
_ESCAPED_TEXT = re.compile("_x00[01][0-9A-Fa-f]_")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
# Zero-width spaces part words in Thai, Lao, Burmese and Khmer, and joiners belong to emoji, Persian and Indic
# scripts; between Latin or Chinese characters they mean nothing.
_INVISIBLE_TEXT = re.compile(
    "(?<![\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])\u200b"
    "|[\u2060-\u2064\ufeff\u180e]"
    "|(?<=[\u0020-\u024f\u2e80-\u9fff])[\u200c\u200d](?=[\u0020-\u024f\u2e80-\u9fff])"
)
_DIRECTION_TEXT = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PRIVATE_TEXT = re.compile("[\ue000-\uf8ff\U000f0000-\U0010fffd]+")
_SINGLE_CHARACTERS = (
    (_CONTROL, _CONTROL_TEXT),
    (_ESCAPED, _ESCAPED_TEXT),
    (_INVISIBLE, _INVISIBLE_TEXT),
    (_HYPHEN, re.compile("\xad")),
    (_PRIVATE, _PRIVATE_TEXT),
)

# Screens, so that most texts are cleared by a few scans at C speed: strings that hint at losses, and the union of
# all that cannot be seen. `str.isprintable` is false for the latter and for line breaks and unusual spaces.
_HOT, _TUN = "烫" * 6, "屯" * 6
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ue000-\uf8ff\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\U000f0000-\U0010fffd]"
)


class EncodingCheck:
    """Finds mojibake (UTF-8 read as GBK or Latin-1, GBK read as Latin-1), lost and invisible characters."""

    id: ClassVar[str] = "encoding"
    severity: ClassVar[Severity] = "error"
    cost: ClassVar[str] = (
        "Nobody searches for garbled words, so the product is not found, and a shopper who sees them leaves."
    )

    def __init__(self, examples: int = EXAMPLES, sink: Sink | None = None):
        self._tally = Tally(self.id, examples, sink)

    def observe(self, row: int, product: Product) -> None:
        """Screen all text of the product at once; look at single fields only when something shows."""
        everything = all_text(product)
        if _is_suspect(everything):
            for field, text in texts(product):
                if _is_suspect(text):
                    self._inspect(row, product, field, text)

    def finish(self) -> list[Finding]:
        """The first findings of each kind."""
        return self._tally.findings()

    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind."""
        return self._tally.counts()

    def _inspect(self, row: int, product: Product, field: str, text: str) -> None:
        """Report what was lost, else what was misread, else the single characters: the first explains the next."""
        product_id, lost = product.id, _lost(text)
        if lost:
            problem, (start, end) = lost
            self._tally.add(problem, field, excerpt(text, start, end), row=row, product_id=product_id)
            return
        misreading = misread(text)
        if misreading:
            proven = misreading.confidence >= _PROVEN
            self._tally.add(
                _MISREAD if misreading.confidence >= _SURE else _PERHAPS_MISREAD,
                field,
                excerpt(text, misreading.start, misreading.end),
                row=row,
                product_id=product_id,
                repair=f"It is {misreading.accident} and should say “{excerpt(misreading.repaired, 0, 0)}”: import the "
                "original file with its true encoding.",
                confidence=misreading.confidence,
                edit=rewritten(product, field, text, undone(text, misreading)) if proven else None,
            )
            return
        for problem, pattern in _SINGLE_CHARACTERS:
            found = pattern.search(text)
            if found:
                self._tally.add(problem, field, excerpt(text, *found.span()), row=row, product_id=product_id)
        direction = _DIRECTION_TEXT.search(text)
        if direction and not _RIGHT_TO_LEFT.search(text):
            self._tally.add(_INVISIBLE, field, excerpt(text, *direction.span()), row=row, product_id=product_id)


def _is_suspect(text: str) -> bool:
    if "???" in text or "_x00" in text or (not text.isprintable() and _HIDDEN.search(text)):
        return True
    if text.isascii():
        return False
    # Written out: `any` over them would take three times as long.
    return "\ufffd" in text or "锟" in text or _HOT in text or _TUN in text or suspicious(text)


def _lost(text: str) -> tuple[Problem, tuple[int, int]] | None:
    """Where characters were lost. Marks must make up much of the text: "Really???" is only a loud voice."""
    lost = _LOST_TEXT.search(text)
    if lost:
        return _LOST, lost.span()
    marks = _RUN_OF_MARKS.search(text)
    if marks and text.count("?") >= _MARK_SHARE * sum(not char.isspace() for char in text):
        return _MARKS, marks.span()
    return None
