"""Check `title`: titles that are stuffed, shouted, decorated, too long, or that name no product."""

import re
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar

from lingsou.core.types import Product
from lingsou.quality.check import EXAMPLES, Finding, Kind, Severity, Sink
from lingsou.quality.fields import ascii_words, excerpt
from lingsou.quality.tally import Deferred, Problem, Tally

MOST_LETTERS = 200
"""Amazon's limit; Google shows 70 of at most 150. A Chinese character counts as two, as marketplaces count it."""
MIN_ROWS = 100
_USUAL = 0.8
_COMMON = 0.2
_TIMES, _TIMES_HAN = 4, 3
"""How often a word of letters, or two Chinese characters, must stand in a title to be stuffing."""
_SHOUTED = 15
_SHORT = 24

_STUFFED = Problem(
    "warning",
    "the title repeats its words",
    "Say each word once; what is repeated is ranked no higher, and reads as spam.",
    0.8,
)
_LONG = Problem(
    "warning", "the title is far too long", "Cut it to what names the product; move the rest to the description.", 0.8
)
_SHOUT = Problem("info", "the title is in capitals", "Write it in ordinary case.", 0.8)
_ALL_SHOUT = Problem("info", "titles of the shop are in capitals", "Write them in ordinary case.", 0.5)
_DECORATED = Problem("info", "decorations in the title", "Remove them; they take room from words.", 0.8)
_EMPTY = Problem(
    "warning",
    "the title names no product",
    "Say what it is; a brand, a number or a code alone is found by nobody.",
    0.8,
)
_NO_BRAND = Problem("info", "the title lacks the brand, which most titles have", "Begin the title with the brand.", 0.6)

_REPEATS = re.compile(r"[^\W\d_]{2,}")
_LETTERS = re.compile(r"[^\W\d_]+")
_HAN = re.compile("[\u3400-\u9fff]+")
_SIGNS = "★☆✨✔✅❤♥♡♦◆◇●◎■□▲△▶►→※❗‼🔥💥🎁🎉👍⭐【"
# It begins with one set of characters, so that the regex engine scans ahead for it.
_DECORATION = re.compile(f"[{_SIGNS}!！~*=](?:(?<=[{_SIGNS}])|(?=[!！~*=]))")
_SMALL_WORDS = (
    "the and for with from per plus not are you your all one two off out new set pcs pack size inch inches cm mm ml kg "
    "oz in of to on by or no an at as is it gb tb mah hz usb rs de la le el en et un und der die mit für pour"
)
_SMALL = frozenset(_SMALL_WORDS.split())


class TitleCheck:
    """Looks at the form of each title, and at what most titles of the shop have. Memory does not grow."""

    id: ClassVar[str] = "title"
    severity: ClassVar[Severity] = "warning"
    cost: ClassVar[str] = (
        "The title decides whether a product is found and clicked; one that is stuffed or empty does neither."
    )

    def __init__(self, examples: int = EXAMPLES, sink: Sink | None = None):
        self._tally = Tally(self.id, examples, sink)
        self._rows = 0
        self._shouted = Deferred(examples)
        self._decorated = Deferred(examples)
        self._branded = 0
        self._unbranded = Deferred(examples)

    def observe(self, row: int, product: Product) -> None:
        """Judge the title by itself; what most titles are like is known at the end."""
        title = product.title
        self._rows += 1
        folded = title.lower()
        if len(title) * 2 > MOST_LETTERS:
            self._length(row, product.id, title)
        repeated = _repeated(folded)
        if repeated:
            word, times = repeated
            start = folded.rfind(word)
            evidence = f"“{excerpt(word, 0, 0)}” {times} times: {excerpt(title, start, start + len(word))}"
            self._tally.add(_STUFFED, "title", evidence, row=row, product_id=product.id)
        if title.isupper() and len(title) >= _SHOUTED and sum(map(str.isupper, title)) >= _SHOUTED:
            self._shouted.add(row, product.id, "" if self._shouted.full else excerpt(title, 0, 60))
        decoration = _DECORATION.search(title)
        if decoration:
            self._decorated.add(row, product.id, "" if self._decorated.full else excerpt(title, *decoration.span()))
        self._names(row, product, folded)

    def finish(self) -> list[Finding]:
        """Judge what is a matter of the shop's habits."""
        shouted = self._shouted
        if self._rows >= MIN_ROWS and shouted.count > self._rows / 2:
            evidence = f"{shouted.count:,} of {self._rows:,} titles"
            self._tally.add(_ALL_SHOUT, "title", evidence, count=shouted.count)
        else:
            shouted.report(self._tally, _SHOUT, "title")
        self._decorated.report(self._tally, _DECORATED, "title")
        branded = self._branded + self._unbranded.count
        if branded >= MIN_ROWS and self._branded >= _USUAL * branded:
            self._unbranded.report(self._tally, _NO_BRAND, "title")
        return self._tally.findings()

    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind."""
        return self._tally.counts()

    def _length(self, row: int, product_id: str, title: str) -> None:
        width = len(title) if title.isascii() else len(title) + sum(map(len, _HAN.findall(title)))
        if width > MOST_LETTERS:
            evidence = f"{len(title):,} characters: {excerpt(title, 0, 40)}"
            self._tally.add(_LONG, "title", evidence, row=row, product_id=product_id)

    def _names(self, row: int, product: Product, folded: str) -> None:
        brand = product.brand.lower()
        if brand:
            if brand in folded or _plain(brand) in _plain(folded):
                self._branded += 1
            else:
                known = self._unbranded.full
                evidence = "" if known else f"“{excerpt(brand, 0, 0)}” is not in: {excerpt(product.title, 0, 40)}"
                self._unbranded.add(row, product.id, evidence)
        if len(folded) >= _SHORT + len(brand):
            return
        rest = folded.replace(brand, " ") if brand else folded
        if len(rest) < _SHORT and not any(_is_word(word) for word in rest.split()):
            evidence = excerpt(product.title, 0, 40)
            self._tally.add(_EMPTY, "title", evidence, row=row, product_id=product.id)


def _is_word(word: str) -> bool:
    """Whether it is more than a number, a code such as `x-200`, or a letter."""
    letters = "".join(_LETTERS.findall(word))
    return not letters.isascii() or (len(letters) >= 2 and not any(map(str.isdigit, word)))


def _repeated(title: str) -> tuple[str, int] | None:
    """The word, or the two Chinese characters, that a title in small letters is stuffed with, and how often.

    Most titles are cleared by a comparison of sizes: who says a word four times has three words less than places.
    """
    if title.isascii():
        whole = ascii_words(title)
        if len(set(whole)) > len(whole) - _TIMES + 1:
            return None
        return _most([word for word in _REPEATS.findall(title) if word not in _SMALL], _TIMES)
    if len(set(title)) > len(title) - 2 * (_TIMES_HAN - 1):
        return None
    if len(set(pairwise(title))) > len(title) - _TIMES_HAN:
        return None
    words = [word for word in _REPEATS.findall(_HAN.sub(" ", title)) if word not in _SMALL]
    pairs = [run[place : place + 2] for run in _HAN.findall(title) for place in range(len(run) - 1)]
    return _most(words, _TIMES) or _most(pairs, _TIMES_HAN)


def _most(pieces: list[str], least: int) -> tuple[str, int] | None:
    if len(pieces) < least:
        return None
    piece, times = Counter(pieces).most_common(1)[0]
    return (piece, times) if times >= least else None


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text))
