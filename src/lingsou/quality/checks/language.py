"""Check `language`: text in another language than the product declares, or than the shop is written in."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

from lingsou.core.types import Product
from lingsou.quality.check import EXAMPLES, Finding, Kind, Severity, Sink
from lingsou.quality.fields import excerpt
from lingsou.quality.tally import Deferred, Problem, Tally

MIN_ROWS = 100
_MAIN = 0.9
"""A shop with a smaller share of one language is written in several."""
_READ = 120
"""Letters of a text that are looked at; they tell as much as all."""
_CLEAR, _HINT = 0.9, 0.5
_MIN_HAN, _MIN_WORDS = 6, 4
_MIN_SMALL, _MIN_SMALL_SHARE = 3, 0.1

_DECLARED = Problem(
    "warning",
    "text is not in the declared language",
    "Correct the product's language, or put the text of that language there.",
    0.85,
)
_FOREIGN = Problem(
    "warning", "text is in another language than nearly all of the shop", "Translate it, or name its language.", 0.7
)

_LATIN = "la"
"""Latin letters without enough function words to say more, as in most titles."""

# A Chinese text has no kana and a Korean one no hanja to speak of, so the rarer script decides.
_SCRIPTS = (
    ("ja", re.compile("[\u3041-\u30fa]")),
    ("ko", re.compile("[\uac00-\ud7a3]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("th", re.compile("[\u0e01-\u0e5b]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("he", re.compile("[\u05d0-\u05ea]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)
_SCRIPT_OF = {
    "ja": {"ja"}, "ko": {"ko"}, "th": {"th"}, "el": {"el"}, "he": {"he", "iw", "yi"}, "hi": {"hi", "mr", "ne"},
    "zh": {"zh", "ja", "yue", "wuu", "nan", "hak", "cmn", "lzh"},
    "ru": {"ru", "uk", "bg", "sr", "be", "mk", "kk", "mn", "ky", "tg", "tt", "uz", "az"},
    "ar": {"ar", "fa", "ur", "ps", "ug", "ckb", "sd"},
}  # fmt: skip
"""Languages that may be written in the script by which one is recognised; a Japanese title may do without kana."""
_KNOWN_LONG = {name for names in _SCRIPT_OF.values() for name in names if len(name) > 2}
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]+")
_OTHER_SCRIPT = re.compile("[\u0370-\u1fff\u3041-\u30fa\uac00-\ud7a3]")
_WORD = re.compile("[A-Za-z\u00c0-\u024f]{2,}")

# Function words that none of the other languages here has: a text of any length is full of them.
_SMALL = {
    word: language
    for language, words in {
        "en": "the and with for of this that you your from are is have be",
        "de": "und der das mit für ist ein eine auf nicht sie oder auch sich zum zur",
        "fr": "et les des est une pour avec dans sur pas vous ce cette aux plus",
        "es": "el los las y con para por una del su más muy esta este",
        "it": "il gli di e che non della nel sono alla questo dei delle",
        "pt": "os um uma em com não do da são mais ao você dos",
        "nl": "het een van en voor met zijn niet ook naar deze wordt",
    }.items()
    for word in words.split()
}


class LanguageCheck:
    """Compares the language of title and texts with the declared one, or with the shop's. Memory does not grow.

    Languages with a script of their own are told by it, six European ones from English by their function words. A text
    that is short, mixed or of codes and names is of no language, and passes.
    """

    id: ClassVar[str] = "language"
    severity: ClassVar[Severity] = "warning"
    cost: ClassVar[str] = (
        "Shoppers search in their own language and do not find the product, or cannot read what it is."
    )

    def __init__(self, examples: int = EXAMPLES, sink: Sink | None = None):
        self._tally = Tally(self.id, examples, sink)
        self._examples = examples
        self._languages: Counter[tuple[str, str]] = Counter()
        self._undeclared: dict[tuple[str, str], Deferred] = {}

    def observe(self, row: int, product: Product) -> None:
        """Compare with the declared language at once, with the shop's at the end."""
        declared = _language(product.language)
        self._look(row, product.id, declared, "title", product.title)
        if product.short_description:
            self._look(row, product.id, declared, "short_description", product.short_description)
        if product.description:
            self._look(row, product.id, declared, "description", product.description)

    def finish(self) -> list[Finding]:
        """Report what is rare in a shop that is nearly all of one language."""
        for field in sorted({field for field, _ in self._languages}):
            counts = {language: count for (each, language), count in self._languages.items() if each == field}
            # Latin letters that say no more are those of the language that most others are in.
            latin = [name for name in counts if name not in _SCRIPT_OF and name != _LATIN]
            own = max(latin, key=lambda name: (counts[name], name), default=_LATIN)
            counts[own] = counts.get(own, 0) + (counts.pop(_LATIN, 0) if own != _LATIN else 0)
            main = max(counts, key=lambda name: (counts[name], name))
            if sum(counts.values()) >= MIN_ROWS and counts[main] >= _MAIN * sum(counts.values()):
                for language in sorted(counts.keys() - {main}):
                    rows = self._undeclared.get((field, language))
                    if rows:
                        rows.report(self._tally, _FOREIGN, field)
        return self._tally.findings()

    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind."""
        return self._tally.counts()

    def _look(self, row: int, product_id: str, declared: str, field: str, text: str) -> None:
        language = language_of(text)
        if not language:
            return
        self._languages[field, language] += 1
        if not declared:
            rows = self._undeclared.get((field, language))
            if rows is None:
                rows = self._undeclared[field, language] = Deferred(self._examples)
            rows.add(row, product_id, f"{language}: {excerpt(text, 0, 60)}" if rows.count < self._examples else "")
        elif not _may_be(declared, language):
            evidence = f"declared {declared}, reads as {language}: {excerpt(text, 0, 60)}"
            self._tally.add(_DECLARED, field, evidence, row=row, product_id=product_id)


def _language(tag: str) -> str:
    """The language of a BCP 47 tag."""
    return tag.replace("_", "-").partition("-")[0].lower()


def language_of(text: str) -> str:
    """ISO 639-1 code of what the beginning of a text is clearly written in; empty: it cannot be told.

    `la`: Latin letters of whatever language.
    """
    text = text[:_READ]
    if text.isascii():
        return _latin(text)
    bare = _HAN.sub(" ", text)
    han = len(text) - len(bare)
    if han:
        # Each run left a space behind, so this undercounts by one a run; a character weighs as much as a Latin word.
        words = len(_WORD.findall(bare))
        if _OTHER_SCRIPT.search(bare) is None:
            if han >= _MIN_HAN and han >= _CLEAR * (han + words):
                return "zh"
            return _latin(bare) if han <= (1 - _CLEAR) * (han + words) else ""
    letters = sum(map(str.isalpha, text))
    for language, script in _SCRIPTS:
        count = len(script.findall(text))
        if count >= _MIN_HAN and count >= (_HINT / 2 if language == "ja" else _HINT) * letters:
            return language
    return "" if han else _latin(text)


def _latin(text: str) -> str:
    words = text.lower().split()
    if len(words) < _MIN_WORDS:
        return ""
    small = [_SMALL[word] for word in words if word in _SMALL]
    if len(small) >= max(_MIN_SMALL, _MIN_SMALL_SHARE * len(words)):
        if small.count(small[0]) == len(small):
            return small[0]
        language, count = Counter(small).most_common(1)[0]
        return language if count >= _CLEAR * len(small) else ""
    return _LATIN if sum(map(str.isalpha, words[: 3 * _MIN_WORDS])) >= _MIN_WORDS else ""


def _may_be(declared: str, found: str) -> bool:
    """Whether a text of the declared language may read so.

    Of most languages with a code of three letters (`gsw`, `fil`) nothing is known, so nothing is held against them.
    """
    if declared == found or declared in _SCRIPT_OF.get(found, ()):
        return True
    return (len(declared) > 2 and declared not in _KNOWN_LONG) or (found == _LATIN and declared not in _SCRIPT_OF)
