"""Section `ablation`: search relevance with each part of understanding switched off in turn.

A folder has judged products as `search_relevance` reads them. `full` is a search with the default settings, of a shop
without a log: corrected, limits as filters, wishes and category as boosts, other names, meaning. Each row takes one
part out (`searching.PARTS` says what they are), with its difference to `full`: negative is what the part is worth.
Intent and sentiment are said of a query and order nothing, so there is nothing to take out. `with mined` adds the
names that are off by default; `without all` leaves words and meaning.

`clean` are the queries as people judged them. `misspelt` are the same with one error in one word, so that correction
has something to do: in Chinese words by the frozen generator of `typos_zh` (its kinds in turn; an error must not be a
word of the titles), in others a letter by `lingsou.training.augment` (the neighbouring key's, doubled or missing).
Queries that cannot have one are left out.
"""

import random
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shops import PRODUCTS, RATINGS, judged_shop
from benchmarks.understanding.searching import PARTS, Part, SearchedShop, difference, searched_shop
from benchmarks.understanding.section import Options, Section
from benchmarks.understanding.zh_errors import words
from benchmarks.understanding.zh_slips import KINDS, Slips
from lingsou.core.settings import UnderstandingSettings
from lingsou.evaluation.judgements import Judgements
from lingsou.evaluation.runs import Evaluation, Run, evaluate
from lingsou.query import Understander
from lingsou.query.expansion import MINED_SOURCES, NameLookup
from lingsou.text.normalise import has_han, normalise
from lingsou.training.augment import perturb
from lingsou.training.expansions import mine

METRICS = ("ndcg@10", "mrr@10", "recall@100")
_DRAWS = 8
_LEAST_LETTERS = 4


def measure(folder: Path, options: Options) -> Mapping[str, Any]:
    """Clean and misspelt queries, of each part and seed the same."""
    shop = judged_shop(folder)
    asked = shop.judgements.relevant_queries()
    with searched_shop(shop.products, options, folder.resolve().name) as searched:
        misspelt = misspellings(asked, [product.title for product in shop.products], options.seeds[0])
        defaults = UnderstandingSettings().expansions
        mined = mine(shop.products, searched.segmenter, encode=searched.encode, vectors=searched.vectors)
        by_default = NameLookup(mined.names, searched.segmenter, (), defaults)
        everything = NameLookup(mined.names, searched.segmenter, (), {*defaults, *MINED_SOURCES})
        understanders = {
            "full": searched.understander(by_default, correct=True),
            "correction": searched.understander(by_default),
            "mined": searched.understander(everything, correct=True),
        }
        return {
            "clean": _switched(searched, shop.judgements, {query: query for query in asked}, understanders),
            "misspelt": _switched(searched, shop.judgements, misspelt, understanders),
        }


def misspellings(queries: Collection[str], titles: Collection[str], seed: int) -> dict[str, str]:
    """Query → the same with an error in one word; queries that could not be given one are left out."""
    slips = Slips(list(dict.fromkeys(map(normalise, titles))), words)
    found: dict[str, str] = {}
    for number, query in enumerate(sorted(queries)):
        folded = normalise(query)
        draw, rng = random.Random(f"{seed} {query}"), np.random.default_rng([seed, number])
        if has_han(folded):
            chosen = _chinese(folded, KINDS[number % len(KINDS)], slips, draw)
        else:
            chosen = _latin(folded, draw, rng)
        if chosen is not None:
            found[query] = chosen
    return found


def _chinese(query: str, kind: str, slips: Slips, draw: random.Random) -> str | None:
    places = [each for each in words(query) if has_han(each[0]) and len(each[0]) > 1]
    for _ in range(_DRAWS if places else 0):
        word, start, end = draw.choice(places)
        typed = slips.drawn(kind, word, draw)
        if typed and typed != word and slips.telling(kind, typed, word, query[:start], query[end:]):
            pieces = [query[:start], typed, query[end:]]
            return (" " if typed.isascii() else "").join(piece for piece in pieces if piece)
    return None


def _latin(query: str, draw: random.Random, rng: np.random.Generator) -> str | None:
    pieces = query.split(" ")
    places = [place for place, piece in enumerate(pieces) if piece.isalpha() and len(piece) >= _LEAST_LETTERS]
    if not places:
        return None
    place = draw.choice(places)
    pieces[place] = perturb(pieces[place], "keyboard", rng)
    return " ".join(pieces)


def _switched(
    shop: SearchedShop, judgements: Judgements, typed: Mapping[str, str], understanders: Mapping[str, Understander]
) -> dict[str, Any]:
    own = judgements.only(list(typed))

    def evaluated(name: str, without: Collection[Part]) -> Evaluation:
        understand = understanders[name].understand
        return evaluate(
            Run({query: shop.ranked(understand(text), without) for query, text in typed.items()}), own, METRICS
        )

    full = evaluated("full", ())
    found: dict[str, Any] = {"queries": len(full.queries), "full": full.means()}
    variants: dict[str, Evaluation] = {
        f"without {part}": evaluated("correction", ()) if part == "correction" else evaluated("full", (part,))
        for part in PARTS
    }
    variants["without all"] = evaluated("correction", [part for part in PARTS if part != "meaning"])
    variants["with mined"] = evaluated("mined", ())
    for name, evaluation in variants.items():
        differences = {
            f"{metric} - full": difference(evaluation.values[metric], full.values[metric]) for metric in METRICS
        }
        found[name] = evaluation.means() | differences
    return found


SECTION = Section("ablation", (PRODUCTS, RATINGS), measure)
