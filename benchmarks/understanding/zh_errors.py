"""Errors that Chinese shoppers make while typing, put into words of product titles: the protocol of its measurement.

Written and frozen before the corrector was begun, and sharing no table with it (`zh_slips` says whose tables these
are). A case is a stretch of one to four neighbouring words of a test title, since shoppers type queries and not titles.
One word of it is wrong; it stands at least twice in the training titles, so that a lexicon of those can know it. The
kinds of error take turns:

- `homophone`: the pinyin is right, tones aside, but the wrong entry of the input method was taken: for two characters
  (another word of the dictionary), for one, or for each;
- `fuzzy`: one syllable as dialects mix it up (z/zh, c/ch, s/sh, n/l, r/l, f/h, an/ang, en/eng, in/ing), and a common
  character of it;
- `shape`: one character for another that looks like it;
- `omitted`: one character left out of a word of three or more;
- `pinyin`: the word, or a part of it, left in Latin letters, a quarter of them with one slip on the keyboard. Between
  them and other Latin letters or digits stands a space, in the right text too.

Left out is what nothing shows to be wrong, or does not show what is right: wrong words that are words of any title, of
training or of test; stretches that, spoilt, stand in the training titles; single words that became another word of the
dictionary; and errors that another training word explains by the same kind as well, if the stretch with that word
stands in the training titles and does so no less often than the right one.
"""

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import rjieba

from benchmarks.understanding.zh_slips import KINDS, Slips
from lingsou.text.normalise import HAN, normalise

LENGTHS = {1: 0.25, 2: 0.35, 3: 0.25, 4: 0.15}
"""Words of a stretch → share of the cases; where a word has fewer neighbours, the stretch is shorter."""

LEAST_COUNT = 2
"""Words that stand only once in the training titles are often none: the cutter's mistakes."""

_HAN_WORD = re.compile(rf"{HAN.pattern}{{2,6}}")
_LATIN_WORD = re.compile(r"[a-z0-9]+")
_DRAWS = 6
"""Errors tried on a word before the next word is taken."""

_SELLING = """
包邮 正品 热卖 热销 促销 特价 特惠 现货 代购 专柜 直销 批发 供应 转卖 秒杀 清仓 抢购 爆款 新品 新款
正版 原装 全国 联保 顺丰 包装 直邮 授权 官方 旗舰店 专卖 专卖店 厂家 厂家直销 亏本 甩卖 折扣 优惠 免邮 全新
淘宝
"""
"""What sellers write and shoppers do not type: a stretch ends before it."""

_SELLING_WORDS = frozenset(_SELLING.split())


@dataclass(frozen=True)
class Case:
    """What was typed and what was meant. `wrong[start:end]` is the spoilt word; all else is the same in both."""

    wrong: str
    right: str
    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class _Place:
    """One Chinese word of a title, and the run of words that it stands in."""

    title: str
    run: Sequence[tuple[str, int, int]]
    index: int


def words(text: str) -> Iterator[tuple[str, int, int]]:
    """The words of a normalised text as rjieba cuts it: word, start and end."""
    place = 0
    for word in rjieba.cut(text):
        yield word, place, place + len(word)
        place += len(word)


def cases(test_titles: Iterable[str], train_titles: Iterable[str], seed: int, count: int) -> list[Case]:
    """At most `count` cases, the kinds in turn until one has no word left. No word of a title is used twice.

    The same for the same titles and seed. The texts are normalised (`lingsou.text.normalise`).
    """
    rng = random.Random(seed)
    titles = _distinct(test_titles)
    slips = Slips(_distinct(train_titles), words, {word for title in titles for word, _, _ in words(title)})
    places = [
        place for title in titles for place in _places(title) if slips.counts[place.run[place.index][0]] >= LEAST_COUNT
    ]
    queues = {kind: iter(rng.sample(places, len(places))) for kind in KINDS}
    used: set[tuple[str, int]] = set()
    found: list[Case] = []
    while queues and len(found) < count:
        for kind, queue in list(queues.items()):
            for place in queue:
                key = place.title, place.run[place.index][1]
                if key not in used and (case := _spoilt(place, kind, slips, rng)):
                    used.add(key)
                    found.append(case)
                    break
            else:
                del queues[kind]
    return found[:count]


def clean(of: Iterable[Case]) -> list[str]:
    """The stretches of cases without their errors, each once: what a corrector must not change."""
    return list(dict.fromkeys(case.right for case in of))


def any_stretches(test_titles: Iterable[str], seed: int, count: int) -> list[str]:
    """At most `count` stretches, each once, around any Chinese words, also such as the training titles do not have.

    Harder not to change than `clean`: rare but valid words are among them.
    """
    rng = random.Random(seed)
    places = [place for title in _distinct(test_titles) for place in _places(title)]
    drawn = ("".join(_stretch(place, rng)) for place in rng.sample(places, len(places)))
    return list(dict.fromkeys(drawn))[:count]


def correction_at_1(of: Sequence[Case], corrected: Sequence[str]) -> float:
    """Share of the cases whose corrected text is the right one, once both are normalised; 0 without cases."""
    hits = sum(normalise(text) == normalise(case.right) for case, text in zip(of, corrected, strict=True))
    return hits / len(of) if of else 0.0


def by_kind(of: Sequence[Case], corrected: Sequence[str]) -> Mapping[str, float]:
    """`correction_at_1` of each kind that there is."""
    pairs = list(zip(of, corrected, strict=True))
    shares = {}
    for kind in KINDS:
        if chosen := [(case, text) for case, text in pairs if case.kind == kind]:
            shares[kind] = correction_at_1([case for case, _ in chosen], [text for _, text in chosen])
    return shares


def false_rate(texts: Sequence[str], corrected: Sequence[str]) -> float:
    """Share of clean texts that were changed, width, case and the like aside; 0 without texts."""
    changed = sum(normalise(text) != normalise(now) for text, now in zip(texts, corrected, strict=True))
    return changed / len(texts) if texts else 0.0


def _distinct(titles: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(map(normalise, titles)))


def _places(title: str) -> Iterator[_Place]:
    """The Chinese words of two to six characters, each in its run of words that a query may hold."""
    run: list[tuple[str, int, int]] = []
    # The last piece closes the last run.
    for word, start, end in [*words(title), ("", 0, 0)]:
        if word not in _SELLING_WORDS and (_HAN_WORD.fullmatch(word) or _LATIN_WORD.fullmatch(word)):
            run.append((word, start, end))
        elif run:
            yield from (_Place(title, run, index) for index, piece in enumerate(run) if _HAN_WORD.fullmatch(piece[0]))
            run = []


def _stretch(place: _Place, rng: random.Random) -> tuple[str, str, str]:
    """What stands before the word, the word, and what stands after it."""
    length = min(rng.choices(list(LENGTHS), list(LENGTHS.values()))[0], len(place.run))
    first = rng.randint(max(0, place.index - length + 1), min(place.index, len(place.run) - length))
    word, start, end = place.run[place.index]
    return place.title[place.run[first][1] : start], word, place.title[end : place.run[first + length - 1][2]]


def _spoilt(place: _Place, kind: str, slips: Slips, rng: random.Random) -> Case | None:
    """The first of a few draws that shows that it is wrong and what is right."""
    before, word, after = _stretch(place, rng)
    for _ in range(_DRAWS):
        typed = slips.drawn(kind, word, rng)
        if typed is None or typed == word or not slips.telling(kind, typed, word, before, after):
            continue
        # Letters would become one word with their neighbours; people type a space there.
        left = before + " " * _latin(before[-1:] + typed[:1])
        right = " " * _latin(typed[-1:] + after[:1]) + after
        return Case(left + typed + right, left + word + right, len(left), len(left + typed), kind)
    return None


def _latin(neighbours: str) -> bool:
    return len(neighbours) == 2 and _LATIN_WORD.fullmatch(neighbours) is not None
