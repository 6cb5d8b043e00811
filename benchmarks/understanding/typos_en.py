"""Section `typos_en`: typing errors of real shoppers in English, and clean queries that must stay as they are.

`homedepot_query_typos.tsv` has queries as they were typed and as they were meant. A third is held back by each seed;
our corrector's weights are fitted to the rest, anew for each seed, and nothing else is chosen here. Where the folder
has that shop's `pairs.csv.gz`, its titles are the lexicon, and its searches, but for those that are a side of any row
here, are the log, which teaches what is searched for, and which words together; `without_log` has the rates of the same
weights with the titles alone. The weights are fitted over both, and over every tenth and fiftieth title. Else the
lexicon is the right-hand column of what is not held back, and there is no log: the weights are then fitted on each half
of it with the lexicon of the other. The general list is the one that the
package reads. SymSpell (`lookup_compound`, two edits, tokens with digits ignored) gets the general list with its own
pairs of words (`symspell_general`), the words of the lexicon (`symspell_shop`), both with the shop's words first
(`symspell_both`), and the words of lexicon and log (`symspell_log`).

A correction is right when the whole query is, but for case and white space. `correction@1`: of held-back queries,
those whose first answer is right, made at once or offered as "did you mean"; `applied@1`: those made at once.
`false_rate`: of the right-hand column of the held-back rows, those that are changed at once; `suggested_false_rate`:
those for which anything is made or offered. SymSpell knows no difference between the two.
"""

import csv
import gzip
import inspect
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from symspellpy.symspellpy import SymSpell

from benchmarks.understanding.english_fit import examples, fit
from benchmarks.understanding.section import Options as Asked
from benchmarks.understanding.section import Section
from lingsou.query.correction import Correctors, ShopWords, corrected
from lingsou.query.correction.english import EnglishCorrector
from lingsou.query.correction.shop import EnglishWords
from lingsou.text.segment import Segmenter

TYPOS, PAIRS = "homedepot_query_typos.tsv", "pairs.csv.gz"
_WORD = re.compile(r"[a-z]+")
_SHOP_COUNT = 1_000_000
"""What a title's word counts beside the general list, whose rarest words have 12,711: the shop's come first."""

_SMALLER = (10, 50)
"""Of every so many titles one makes a smaller shop to fit weights for."""

Row = tuple[str, str]
Answer = tuple[str, str, float]
"""A query with its applied corrections, with all, and the least confidence of them."""


@dataclass(frozen=True)
class Outcome:
    """Rates over held-back rows of one seed."""

    rates: Mapping[str, float]
    hits: Sequence[bool]


def key(text: str) -> str:
    """What is compared: case and white space do not count."""
    return " ".join(text.lower().split())


def rows_of(folder: Path) -> list[Row]:
    """(typed, meant) of each row."""
    lines = (folder / TYPOS).read_text(encoding="utf-8").splitlines()[1:]
    return [(left, right) for left, _, right in (line.partition("\t") for line in lines)]


def split(rows: Sequence[Row], seed: int) -> tuple[list[Row], list[Row]]:
    """The part for fitting, and the third that is held back."""
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    third = len(rows) // 3
    return shuffled[third:], shuffled[:third]


def titles_of(folder: Path) -> list[str]:
    """The shop's titles; none without its file."""
    if not (folder / PAIRS).exists():
        return []
    with gzip.open(folder / PAIRS, "rt", encoding="utf-8") as file:
        return sorted({row["product_title"] for row in csv.DictReader(file)})


def searches_of(folder: Path, rows: Sequence[Row]) -> list[tuple[str, int]]:
    """The searches of the shop's file, each once, without both sides of all rows."""
    if not (folder / PAIRS).exists():
        return []
    known = {key(side) for row in rows for side in row}
    with gzip.open(folder / PAIRS, "rt", encoding="utf-8") as file:
        found = {row["search_term"] for row in csv.DictReader(file)}
    return sorted((query, 1) for query in found if key(query) not in known)


def measure(folder: Path, asked: Asked) -> dict[str, Any]:
    """Rates by method: the mean over the seeds, each seed's, and an interval over all held-back rows."""
    rows, titles = rows_of(folder), titles_of(folder)
    log = searches_of(folder, rows)
    lexicons = lexicons_of(titles, log) if titles else []
    general = symspell_general()
    outcomes: dict[str, list[Outcome]] = {}
    for seed in asked.seeds:
        train, held = split(rows, seed)
        texts = titles or [meant for _, meant in train]
        if lexicons:
            found = [example for words in lexicons for example in examples(words, with_clean(train))]
            used = {"lingsou": lexicons[0], "without_log": lexicons[1]}
        else:
            halves = train[: len(train) // 2], train[len(train) // 2 :]
            found = [
                example
                for half, other in (halves, halves[::-1])
                for example in examples(_lexicon([meant for _, meant in other]), with_clean(half))
            ]
            used = {"lingsou": _lexicon(texts)}
        fitted = fit(found)
        for name, words in used.items():
            corrector = Correctors([EnglishCorrector(words, fitted)])
            outcomes.setdefault(name, []).append(judged(held, partial(_ours, corrector)))
        spellers = {
            "symspell_general": general,
            "symspell_shop": symspell_shop(texts),
            "symspell_both": symspell_shop(texts, symspell_general(), _SHOP_COUNT),
            "symspell_log": symspell_shop([*texts, *(query for query, _ in log)]),
        }
        for name, speller in spellers.items():
            outcomes.setdefault(name, []).append(judged(held, partial(_symspell, speller)))
    summaries = {name: summary(found, asked.seeds) for name, found in outcomes.items()}
    ours = summaries.pop("lingsou")
    more = {name: summaries.pop(name) for name in ("without_log",) if name in summaries}
    best = max(("symspell_general", "symspell_shop"), key=lambda name: float(summaries[name]["correction@1"]))
    gains = [
        float(own) - float(other)
        for mine, theirs in zip(outcomes["lingsou"], outcomes[best], strict=True)
        for own, other in zip(mine.hits, theirs.hits, strict=True)
    ]
    interval = [100 * each for each in _bootstrapped(gains)]
    return {
        **ours,
        "baseline": summaries,
        "gain": {"over": best, "points": 100 * float(np.mean(gains)), "interval_95": interval},
        **more,
        "rows_held_back": len(rows) // 3,
        "titles": len(titles),
    }


def lexicons_of(titles: Sequence[str], log: Sequence[tuple[str, int]]) -> list[EnglishWords]:
    """The lexicon with the log and without, and those of smaller shops: weights are to serve them all."""
    return [_lexicon(titles, log), _lexicon(titles), *(_lexicon(titles[::step]) for step in _SMALLER)]


def _lexicon(titles: Sequence[str], log: Sequence[tuple[str, int]] = ()) -> EnglishWords:
    return EnglishWords(ShopWords(titles, queries=log), Segmenter())


def with_clean(rows: Sequence[Row]) -> list[Row]:
    """The rows, and what was meant as typed right."""
    return [*rows, *((meant, meant) for _, meant in rows)]


def judged(held: Sequence[Row], correct: Callable[[str], Answer]) -> Outcome:
    """How a method does on held-back rows."""
    start = time.process_time()
    answers = [correct(typed) for typed, _ in held]
    middle = time.process_time()
    kept = [correct(meant) for _, meant in held]
    end = time.process_time()
    gold = [key(meant) for _, meant in held]
    hits = [key(answer[1]) == right for answer, right in zip(answers, gold, strict=True)]
    applied = [key(answer[0]) == right for answer, right in zip(answers, gold, strict=True)]
    sure = [(answer[2], hit) for (typed, _), answer, hit in zip(held, answers, hits, strict=True) if answer[1] != typed]
    rates = {
        "correction@1": float(np.mean(hits)),
        "applied@1": float(np.mean(applied)),
        "false_rate": float(np.mean([key(one[0]) != right for one, right in zip(kept, gold, strict=True)])),
        "suggested_false_rate": float(np.mean([key(one[1]) != right for one, right in zip(kept, gold, strict=True)])),
        "calibration_error": _calibration_error(sure),
        "cpu_ms_misspelt": (middle - start) / len(held) * 1_000,
        "cpu_ms_clean": (end - middle) / len(held) * 1_000,
    }
    return Outcome(rates, hits)


def summary(found: Sequence[Outcome], seeds: Sequence[int]) -> dict[str, Any]:
    """Means over seeds, and each seed's rate of right corrections."""
    means = {name: float(np.mean([each.rates[name] for each in found])) for name in found[0].rates}
    hits = [float(hit) for each in found for hit in each.hits]
    by_seed = {str(seed): each.rates["correction@1"] for seed, each in zip(seeds, found, strict=True)}
    return {**means, "interval_95": _bootstrapped(hits), "by_seed": by_seed}


def symspell_general() -> SymSpell:
    """SymSpell with the words and pairs of words that it comes with."""
    speller = SymSpell(2, 7)
    folder = Path(inspect.getfile(SymSpell)).parent
    speller.load_dictionary(folder / "frequency_dictionary_en_82_765.txt", 0, 1, encoding="utf-8-sig")
    speller.load_bigram_dictionary(folder / "frequency_bigramdictionary_en_243_342.txt", 0, 2)
    return speller


def symspell_shop(titles: Sequence[str], speller: SymSpell | None = None, weight: int = 1) -> SymSpell:
    """SymSpell with the words of titles, alone or on top of others."""
    speller = speller or SymSpell(2, 7)
    for word, count in Counter(word for title in titles for word in _WORD.findall(title.lower())).items():
        speller.create_dictionary_entry(word, count * weight)
    return speller


def _symspell(speller: SymSpell, query: str) -> Answer:
    found = speller.lookup_compound(
        key(query), 2, ignore_non_words=True, split_by_space=True, ignore_term_with_digits=True
    )[0].term
    return found, found, 1.0


def _ours(correctors: Correctors, query: str) -> Answer:
    found = correctors.correct(query)
    sure = min((each.confidence for each in found), default=1.0)
    return corrected(query, [each for each in found if each.applied]), corrected(query, found), sure


def _calibration_error(sure: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """Expected calibration error of the least confidence in a query's corrections, over queries that get one."""
    if not sure:
        return 0.0
    confidences, right = np.array([each for each, _ in sure]), np.array([hit for _, hit in sure])
    places = np.minimum((confidences * bins).astype(int), bins - 1)
    gaps = [
        abs(confidences[places == each].mean() - right[places == each].mean()) * (places == each).mean()
        for each in range(bins)
        if (places == each).any()
    ]
    return float(sum(gaps))


def _bootstrapped(values: Sequence[float], draws: int = 2_000) -> list[float]:
    """95 % interval of the mean over all rows and seeds; rows that several seeds held back count for each."""
    found = np.array(values)
    rng = np.random.default_rng(7)
    means = [found[rng.integers(0, len(found), len(found))].mean() for _ in range(draws)]
    return [float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))]


SECTION = Section("typos_en", (TYPOS,), measure)
