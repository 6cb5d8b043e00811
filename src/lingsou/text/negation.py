"""What a shopper does not want: `不要黑色`, `非皮质`, `without logo`, `non-leather`.

Cues and the product words that merely look like them (`无线`, `不锈钢`, `non-stick`) are tables in `data/`. The
negated phrase reaches to the next separator, conjunction, amount or cue; `不要黑色和红色` gives two phrases.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from lingsou.text.numbers import fold
from lingsou.text.units import read_table


@dataclass(frozen=True, slots=True)
class Negation:
    """One unwanted thing: `text[start:end]` is its phrase; the cue that negates it begins at `cue_start`."""

    start: int
    end: int
    surface: str
    cue_start: int
    cue: str


@dataclass(frozen=True, slots=True)
class _Cue:
    start: int
    end: int
    words: int
    chinese: bool


@cache
def _cue_pattern() -> tuple[re.Pattern[str], tuple[tuple[bool, int], ...]]:
    parts, kinds = [], []
    for language, most, pattern in read_table("negation_cues.tsv"):
        bounded = (
            rf"({pattern})"
            if language == "zh"
            else rf"((?<![a-z0-9'-])(?:{pattern})(?:(?<=[- ])|(?![a-z0-9])|(?<=non)))"
        )
        parts.append(bounded)
        kinds.append((language == "zh", int(most)))
    return re.compile("|".join(parts)), tuple(kinds)


@cache
def _exceptions() -> re.Pattern[str]:
    """Matches at the start of a cue when cue and following words are no negation."""
    rows = [row[:2] for row in read_table("negation_exceptions.tsv")]
    parts = []
    for cue, following in rows:
        if cue.isascii():
            parts.append(rf"{cue}[ -]?(?:{following})(?![a-z])")
        else:
            parts.append(rf"{cue}(?:{following})")
    return re.compile("|".join(parts))


_BEFORE_NON = re.compile(r"[除并是莫南北西东中啡若绝]$")
_NUMBERED = re.compile(r"\s*(?:\d|\.|$)")  # "no. 5", "no 7"
_IDIOM_BEFORE = re.compile(r"(?<![a-z])(?:forget me|why|if|or) $")
_ASKED = re.compile(r"(?:要|是|带|有|含|想)$")
_ZH_STOP = re.compile(
    r"[\s,，。;；!！?？|()（）\[\]【】]|以外|之外|除外|外(?=$|[\s,，的])|都行|都可|也可|就行|就好|即可|但|而且|并且|也|最好|只要|想要|要|"
    r"价格|预算|[¥$€£]|[\d一二两三四五六七八九十百千]+(?:[元块]|以[上下内])|\d+(?:-|~|到|至)\d+|的|谢谢"
)
_ZH_SPLIT = re.compile(r"或者|以及|还有|和(?![服田平风牛纸谐])|[与跟或及、/&+]")
_SWITCH = re.compile(r"(?<=[a-z])(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])(?=[a-z])")
_EN_WORD = re.compile(r"\s?([a-z0-9][a-z0-9'.-]*)")
_EN_JOIN = re.compile(r"\s?(?:,\s?)?(?:or|and|nor|/|&)\s?(?:an? |any |the )?(?=[a-z])")
_EN_STOP = frozenset(
    re.findall(
        r"\S+",
        """and or but nor with without for from to under over below above less more between around about in on
        at of by that which who is are size men mens men's man women womens women's woman kids boys girls
        baby toddler adults please cheap only not no non except max min up than within price budget just if
        as because shirt shirts""",
    )
)
_EN_FILLER = re.compile(r"\s?(?:an?|any|the|of|some|made of|for)(?![a-z])")
_FREE = re.compile(r"[ -]free(?![a-z])")


def _cues(folded: str) -> list[_Cue]:
    pattern, kinds = _cue_pattern()
    found = []
    position = 0
    while match := pattern.search(folded, position):
        chinese, words = kinds[(match.lastindex or 1) - 1]
        exception = _exceptions().match(folded, match.start())
        if exception is None and _is_cue(folded, match, chinese):
            found.append(_Cue(match.start(), match.end(), words, chinese))
        position = max(match.end(), exception.end() if exception else 0, match.start() + 1)
    return found


def _is_cue(folded: str, match: re.Match[str], chinese: bool) -> bool:
    word, before = match[0], folded[max(0, match.start() - 3) : match.start()]
    if chinese:
        return not (word == "非" and _BEFORE_NON.search(before)) and not (
            word[0] == "不" and _ASKED.search(before) and word[1:2] == before[-1:]
        )
    if word.startswith("not") and _IDIOM_BEFORE.search(folded, max(0, match.start() - 12), match.start()):
        return False
    return not (word.startswith("no") and _NUMBERED.match(folded, match.end()))


def _chinese_phrases(folded: str, cue: _Cue, limit: int) -> Iterator[tuple[int, int]]:
    start = cue.end
    while start < limit and folded[start] in " :：":
        start += 1
    first = folded[start : start + 1]
    counted = first.isdigit()  # "不要500ml的" negates a measure; elsewhere an amount ends the phrase
    stop = _ZH_STOP.search(folded, start + (1 if counted else 0), min(limit, start + 40))
    border = min(stop.start() if stop else limit, limit)
    attributive = stop is not None and stop[0] == "的"
    for begin, end in _pieces(folded, start, border):
        switch = None if attributive else _SWITCH.search(folded, begin + 1, end)
        if switch:
            end = switch.start()
        if end > begin:
            yield begin, min(end, begin + cue.words)
        if switch:
            return


def _pieces(folded: str, start: int, border: int) -> Iterator[tuple[int, int]]:
    begin = start
    for split in _ZH_SPLIT.finditer(folded, start, border):
        if split.start() == begin == start:
            continue
        yield begin, split.start()
        begin = split.end()
    yield begin, border


def _english_phrases(folded: str, cue: _Cue, limit: int) -> Iterator[tuple[int, int]]:
    position = cue.end
    most = cue.words
    if most == 2 and not folded[: cue.start].strip():
        most = 1  # "no logo t shirt": the words after the first are the product
    while True:
        filler = _EN_FILLER.match(folded, position, limit)
        while filler:
            position = filler.end()
            filler = _EN_FILLER.match(folded, position, limit)
        words: list[tuple[int, int]] = []
        while len(words) <= most:
            word = _EN_WORD.match(folded, position, limit)
            if word is None or word[1].rstrip(".") in _EN_STOP or word[1][0].isdigit():
                break
            words.append(word.span(1))
            position = word.end()
        if not words:
            return
        if most == 2 and len(words) > 2:
            words = words[:1]  # more follows than an attribute: take the word next to the cue
        words = words[:most]
        last, end = words[-1]
        end = last + len(folded[last:end].rstrip(".'-"))
        if not _FREE.match(folded, end):
            yield words[0][0], end
        join = _EN_JOIN.match(folded, words[-1][1], limit)
        if join is None:
            return
        position = join.end()


def find_negations(text: str) -> list[Negation]:
    """Every unwanted thing in a query, left to right; spans are into `text` (its first `MAX_CHARACTERS` characters)."""
    folded = fold(text)
    cues = _cues(folded)
    found = []
    for number, cue in enumerate(cues):
        limit = cues[number + 1].start if number + 1 < len(cues) else len(folded)
        phrases = _chinese_phrases if cue.chinese else _english_phrases
        for start, end in phrases(folded, cue, limit):
            found.append(Negation(start, end, text[start:end], cue.start, text[cue.start : cue.end]))
    return found
