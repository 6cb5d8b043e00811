"""Find text that was decoded with the wrong character set, and what it said before.

Three accidents make nearly all mojibake in bilingual catalogues; each leaves a pattern that ordinary text of
any language avoids, and each is proven by undoing it:

    UTF-8 read as Windows-1252, Latin-1 or another single-byte set    Ã©  â€™  ä¸­æ–‡    (ftfy)
    UTF-8 read as GBK                                                鐧惧害  Lanc么me
    GBK read as Latin-1                                              ÖÐÎÄ
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice, takewhile
from typing import NamedTuple

import ftfy
from ftfy.badness import is_bad

_WINDOW = 24
_MANY = 0.75
_MOST = 0.9
_SHORT_WORD = 4
_LATIN, _LOOKED = 8, 400
_TRIES = 200  # in text that was misread the first few suspects convict it; a list of rare characters never ends


def _as_gbk(firsts: Iterable[int]) -> str:
    """What two bytes of UTF-8, the first out of `firsts` and a continuation byte, look like as GBK."""
    return "".join(bytes((first, second)).decode("gb18030") for first in firsts for second in range(0x80, 0xC0))


# Where a three-byte UTF-8 sequence begins on an even byte, GBK shows one of these characters. All are rare (GB 2312
# level 2 or outside of it), so most Chinese text has none.
_GBK_LEAD = re.compile(f"[{_as_gbk((*range(0xE2, 0xEA), 0xEF))}](?=[^\x00-\x7f\ufffd])")
# é and its like inside a Latin word. The characters are common, so the word decides: "Lanc么me", not "ins帽xl".
_GBK_ACCENT = re.compile(f"([{_as_gbk((0xC3,))}])(?<=[A-Za-z].)(?=[a-z])")
# ® ° × μ Ω ˚ and a space that does not break, among Latin letters. It also matches wherever `_GBK_ACCENT` does.
_UNITS = "μΩω˚"
_SIGNS = _as_gbk((0xC2, 0xC3)) + "".join(each.encode().decode("gb18030") for each in _UNITS)
_NO_BREAK = "\xa0".encode().decode("gb18030")  # often two of them
_GBK_SIGN = re.compile(f"[{_SIGNS}](?<=[ -~{_NO_BREAK}].)(?=[ -~{_NO_BREAK}]|\\Z)")
_OTHER_HAN = re.compile(f"(?![{_SIGNS}])[\u3041-\u30fe\u3400-\u9fff]")
# A unit after a number is surer than other signs: beside it, any other letter of two bytes may have been misread too.
_OTHER_THAN_LETTERS = re.compile(f"(?![{_as_gbk(range(0xC2, 0xE0))}])[\u3041-\u30fe\u3400-\u9fff]")
_NUMBER_BEFORE = re.compile("[0-9] ?[kKMG]?$")
_LENGTH = re.compile(" ?[0-9][0-9.,]* ?(?:mm|cm|m|in)\\b")
_TOLERANCE = re.compile(" ?(?:0?[.,][0-9]|[0-9][0-9.,]* ?%)")
_LETTERS = re.compile("[A-Za-z]*")
_LETTERS_BEFORE = re.compile("[A-Za-z]*$")
# Two neighbours out of accented letters, Greek, Cyrillic and symbols, as every single-byte misreading has them.
_SIGN = "[\x80-\u04ff\u2010-\u2265]"
_SINGLE_BYTE = re.compile(_SIGN + _SIGN)  # not {2}: the regex engine scans ahead for a set, not for a repetition
# GBK as Latin-1 has bytes from A1 on; a neighbour below is UTF-8's, as Latin-1 or as Windows-1252 shows it.
_BELOW_A1 = "\x80-\xa0€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_LATIN_RUN = re.compile(f"(?<![{_BELOW_A1}\xa1-\xfe])[\xa1-\xfe]{{4,}}+(?![{_BELOW_A1}])")
_MARKS = frozenset("，。、；：！？（）《》「」『』【】“”‘’—…·～￥％＋－／×℃®™©°")


_AS_GBK = "UTF-8 read as GBK"
_GBK = "GBK read as Latin-1"
_AS_SINGLE_BYTE = "UTF-8 read as Latin-1, Windows-1252 or the like"
_CODECS = {
    _AS_GBK: [("gb18030", "utf-8")],
    _GBK: [("latin-1", "gb18030")],
    _AS_SINGLE_BYTE: [("latin-1", "utf-8"), ("sloppy-windows-1252", "utf-8")],
}
"""By accident: what the text was taken for, and what it is. The sloppy one is ftfy's: it knows every byte."""


class Misreading(NamedTuple):
    """Where a text was misread, what it should say there, and how sure that is."""

    start: int
    end: int
    repaired: str
    accident: str
    confidence: float


def suspicious(text: str) -> bool:
    """Whether `misread` could find something; clears most products at one pass over all their text.

    Three searches, because the regex engine scans ahead for the set of characters that each begins with; one
    pattern of three branches would take twice the time.
    """
    return bool(_GBK_LEAD.search(text) or _SINGLE_BYTE.search(text) or _GBK_SIGN.search(text))


def misread(text: str) -> Misreading | None:
    """The first misreading in `text`, or none. Time is linear in the length of the text."""
    return _utf8_as_gbk(text) or _gbk_as_latin(text) or _utf8_as_single_byte(text)


def undone(text: str, misreading: Misreading) -> str | None:
    """What the whole text should say; none where only parts of it were misread, or it cannot be told in full."""
    for taken_for, true in _CODECS[misreading.accident]:
        try:
            says = text.encode(taken_for).decode(true)
        except UnicodeError:
            continue
        return None if misread(says) else says
    return None


def _utf8_as_gbk(text: str) -> Misreading | None:
    """Undo GBK from each suspicious character on; proven when common Chinese comes out of rarer Chinese.

    A genuine rare character is followed by bytes that are no UTF-8, or that decode to something rarer.
    """
    for lead in islice(_GBK_LEAD.finditer(text), _TRIES):
        start = lead.start()
        pairs = takewhile(lambda pair: len(pair) == 2, map(_gb18030, text[start : start + _WINDOW]))
        data = b"".join(pairs)
        original = _utf8_prefix(data)
        source = text[start : start + (len(original.encode()) + 1) // 2]
        decoded = [char for char in original if not char.isascii()]
        sure = _sure_of_gbk(source, decoded)
        if sure:
            return Misreading(start, start + len(source), original, _AS_GBK, sure)
    words = (_in_its_word(text, accent) for accent in _GBK_ACCENT.finditer(text))
    word = next((word for word in words if len(word.repaired) > _SHORT_WORD and word.repaired.istitle()), None)
    return word or _lone_sign(text)


def _lone_sign(text: str) -> Misreading | None:
    """A sign in a text of Latin letters, in which no Chinese character stands that is none."""
    sign = next((sign for sign in _GBK_SIGN.finditer(text) if _may_stand(text, sign)), None)
    if sign is None or sum(map(str.isascii, text)) < _MOST * len(text):
        return None
    says = _gb18030(sign[0]).decode()
    if (_OTHER_THAN_LETTERS if says in _UNITS else _OTHER_HAN).search(text):
        return None
    if sum("A" <= char <= "z" for char in text[:_LOOKED]) < _LATIN:
        return None
    return Misreading(*sign.span(), says, _AS_GBK, 0.85)


def _may_stand(text: str, sign: re.Match[str]) -> bool:
    """Whether what a sign would say fits its place; else it is one Chinese word of its own: `Hello Kitty 猫 Plush Toy`.

    A unit follows a number, an accented letter a letter, and Ø may come before a length. Between two spaces stands ®,
    ± before a tolerance, or × and its like, between two words with numbers.
    """
    start, end = sign.span()
    says = _gb18030(sign[0]).decode()
    if says in _UNITS:
        return bool(_NUMBER_BEFORE.search(text[max(0, start - _WINDOW) : start]))
    if says >= "À" and says.isalpha():
        return text[start - 1].isalpha() or (says in "Øø" and bool(_LENGTH.match(text, end)))
    if says == "±" and _TOLERANCE.match(text, end):
        return True
    if says == "®" or text[start - 1] != " " or text[end : end + 1].strip():
        return True
    before, after = text[max(0, start - _WINDOW) : start].split(), text[end : end + _WINDOW].split()
    return bool(before and after) and _has_digit(before[-1]) and _has_digit(after[0])


def _has_digit(word: str) -> bool:
    return any(map(str.isdigit, word))


def _in_its_word(text: str, accent: re.Match[str]) -> Misreading:
    first, last = max(0, accent.start() - _WINDOW), accent.end() + _WINDOW
    before, after = _LETTERS_BEFORE.search(text[first : accent.start()]), _LETTERS.match(text, accent.end(), last)
    head, tail = before[0] if before else "", after[0] if after else ""
    repaired = head + accent[1].encode("gb18030").decode() + tail
    return Misreading(accent.start() - len(head), accent.end() + len(tail), repaired, _AS_GBK, 0.7)


def _sure_of_gbk(source: str, decoded: list[str]) -> float:
    """Confidence that `decoded` is what `source` should say; 0: it is not."""
    if decoded and decoded[0] in _MARKS and source[0] in "鈥鈩":  # lone “ ” ’ — … ™ between Latin letters
        return 0.9
    if len(decoded) < 2 or _rank(decoded) <= _rank(source):
        return 0.0
    if len(decoded) == 2:
        return 0.8 if all(map(_is_everyday, decoded)) else 0.0
    if _commonness(decoded) < _MANY:
        return 0.0
    return 0.95 if len(decoded) == 3 else 0.99


def _gbk_as_latin(text: str) -> Misreading | None:
    """Undo Latin-1 in runs of accented letters and signs; proven when nothing but common Chinese comes out."""
    for run in _LATIN_RUN.finditer(text):
        data = run[0].encode("latin-1")
        try:
            original = data[: len(data) // 2 * 2].decode("gb2312")
        except UnicodeDecodeError:
            continue
        chinese = {char for char in original if "\u4e00" <= char <= "\u9fff"}
        if len(chinese) >= 2 and _commonness(original) >= _MOST and any(map(str.isalpha, run[0])):
            sure = 0.7 if len(original) == 2 else 0.95
            return Misreading(run.start(), run.end(), original, _GBK, sure)
    return None


def _utf8_as_single_byte(text: str) -> Misreading | None:
    """Ask ftfy, window by window, so that a long description costs no more than its suspicious places."""
    if not is_bad(text):
        return None
    done = 0
    for suspect in _SINGLE_BYTE.finditer(text):
        if suspect.start() < done:
            continue
        first, done = max(0, suspect.start() - 4), suspect.start() + 2 * _WINDOW
        window = text[first:done]
        fixed = ftfy.fix_encoding(window)
        if _is_better(window, fixed):
            return Misreading(suspect.start(), suspect.end(), fixed, _AS_SINGLE_BYTE, 0.95)
    return None


def _is_better(before: str, after: str) -> bool:
    """Undoing a misreading shortens the text and brings no rare characters; ftfy alone accepts more than that."""
    brought = [char for char in after if char >= "\u2e80" and char not in before]
    return len(after) < len(before) and "\ufffd" not in after and (not brought or _commonness(brought) >= _MANY)


def _gb18030(char: str) -> bytes:
    return char.encode("gb18030")


def _utf8_prefix(data: bytes) -> str:
    """As much of `data` as is valid UTF-8 from its beginning on."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        return data[: error.start].decode("utf-8")


def _commonness(chars: Sequence[str]) -> float:
    """Share of characters that everyday Chinese or Japanese is written with, simplified or traditional."""
    common = sum(
        char in _MARKS
        or "\u3041" <= char <= "\u30fe"
        or _is_everyday(char)
        or _first_byte(char, "big5") in _BIG5_COMMON
        for char in chars
    )
    return common / len(chars) if chars else 0.0


def _rank(chars: Sequence[str]) -> tuple[float, float]:
    """How common `chars` are; simplified ones win a draw, because Big5 calls some rare ones common."""
    return _commonness(chars), sum(map(_is_everyday, chars)) / len(chars)


_GB2312_COMMON = range(0xB0, 0xD8)  # level 1: 3,755 characters
_BIG5_COMMON = range(0xA4, 0xC7)  # level 1: 5,401 characters


def _is_everyday(char: str) -> bool:
    return _first_byte(char, "gb2312") in _GB2312_COMMON


def _first_byte(char: str, codec: str) -> int:
    """First of the two bytes of `char`; 0 where the character set has it not, or in one byte."""
    encoded = char.encode(codec, errors="ignore")
    return encoded[0] if len(encoded) == 2 else 0
