"""Words that shoppers use for one another: asked again within a session, or leading to the same products.

What two queries have in common is taken off: of `wireless earbuds` and `bluetooth earbuds` the pair is `wireless` and
`bluetooth`. A pair needs several visitors, so that nothing one person typed is shown to others, and has to be met more
often than chance explains: the likelihood ratio of Dunning, "Accurate methods for the statistics of surprise and
coincidence" (1993).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from lingsou.events.searches import LEAST_VISITORS
from lingsou.events.sessions import cut_sessions
from lingsou.text.normalise import HAN, normalise
from lingsou.training.expansions.phrases import words_of

SIGNIFICANT = 10.83
"""Of chi squared with one degree of freedom, one time in a thousand by chance."""

_LONGEST = 3
_MOST_QUERIES = 200
"""A product that more queries lead to tells nothing of any two of them."""
_LEAST_SHARED = 2


@dataclass(frozen=True)
class Asked:
    """N searches, in any order."""

    query_id: Sequence[str]
    text: Sequence[str]
    visitor: Sequence[str]
    """The empty string for nobody."""
    time: NDArray[np.int64]
    """Milliseconds since 1970."""


@dataclass(frozen=True)
class SharedName:
    """Two phrases, how surprising their meeting is, how often it happened, and of how many chances."""

    phrase: str
    name: str
    share: float
    visitors: int


def reformulations(asked: Asked, clicked: Iterable[str]) -> list[SharedName]:
    """From words that led to no click to the words, next in the session, that did.

    Args:
        asked: the searches.
        clicked: ids of the queries that led to a click.
    """
    led = frozenset(clicked)
    texts = [normalise(text) for text in asked.text]
    sessions = cut_sessions(asked.visitor, asked.time)
    order = np.lexsort((asked.time, sessions))
    people: dict[tuple[str, str], set[str]] = defaultdict(set)
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    steps: Counter[tuple[str, str]] = Counter()
    for one, other in pairwise(order[sessions[order] >= 0].tolist()):
        if sessions[one] != sessions[other] or texts[one] == texts[other]:
            continue
        if asked.query_id[other] not in led or asked.query_id[one] in led:
            continue
        steps[texts[one], texts[other]] += 1
        first[texts[one]] += 1
        second[texts[other]] += 1
        people[texts[one], texts[other]].add(asked.visitor[one])
    total = sum(steps.values())
    found: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    for (one_text, other_text), count in steps.items():
        visitors = len(people[one_text, other_text])
        surprise = surprising(count, first[one_text], second[other_text], total)
        if visitors >= LEAST_VISITORS and surprise >= SIGNIFICANT:
            pair = difference(one_text, other_text)
            if pair is not None:
                found[pair].append((count / first[one_text], visitors))
    return [SharedName(*pair, max(s for s, _ in seen), sum(v for _, v in seen)) for pair, seen in found.items()]


def co_clicks(texts: Mapping[str, str], clicks: Iterable[tuple[str, str, str]]) -> list[SharedName]:
    """Words that lead to the same products, both ways round.

    Args:
        texts: query id → words.
        clicks: (query id, product id, visitor), the empty string for nobody.
    """
    products: dict[str, set[str]] = defaultdict(set)
    people: dict[str, set[str]] = defaultdict(set)
    queries: dict[str, set[str]] = defaultdict(set)
    for query_id, product, visitor in clicks:
        text = normalise(texts.get(query_id, ""))
        if text and visitor:
            products[text].add(product)
            people[text].add(visitor)
    for text in [text for text in products if len(people[text]) < LEAST_VISITORS]:
        del products[text]
    for text, of_text in products.items():
        for product in of_text:
            queries[product].add(text)
    shared: Counter[tuple[str, str]] = Counter()
    for of_product in queries.values():
        if len(of_product) <= _MOST_QUERIES:
            shared.update(combinations(sorted(of_product), 2))
    found: dict[tuple[str, str], tuple[float, int]] = {}
    for (one, other), count in shared.items():
        if count < _LEAST_SHARED:
            continue
        if surprising(count, len(products[one]), len(products[other]), len(queries)) < SIGNIFICANT:
            continue
        share = count / (len(products[one]) * len(products[other])) ** 0.5
        visitors = min(len(people[one]), len(people[other]))
        for pair in (difference(one, other), difference(other, one)):
            if pair is not None and (share, visitors) > found.get(pair, (0.0, 0)):
                found[pair] = share, visitors
    return [SharedName(*pair, *said) for pair, said in found.items()]


def surprising(together: int, one: int, other: int, total: int) -> float:
    """Dunning's likelihood ratio of a two-by-two table; 0 where the two meet less often than by chance."""
    if together * total <= one * other:
        return 0.0
    cells = np.array([[together, one - together], [other - together, total - one - other + together]], float)
    cells = np.maximum(cells, 0.0)
    expected = np.outer(cells.sum(axis=1), cells.sum(axis=0)) / max(cells.sum(), 1.0)
    inside = cells > 0
    return float(2 * np.sum(cells[inside] * np.log(cells[inside] / expected[inside])))


def difference(one: str, other: str) -> tuple[str, str] | None:
    """What the first query says in place of what the second says; none if too much or too little differs."""
    left, right = words_of(one), words_of(other)
    if not all((*left, *right)):
        return None
    phrase = [word for word in left if word not in right]
    name = [word for word in right if word not in left]
    if not (0 < len(phrase) <= _LONGEST and 0 < len(name) <= _LONGEST):
        return None
    whole = _runs(left, phrase), _runs(right, name)
    return whole if min(map(len, whole)) > 1 else None


def _runs(words: Sequence[str], part: Sequence[str]) -> str:
    """The part as text, if its words stand side by side; else the empty string."""
    for start in _starts(words, part):
        found = words[start : start + len(part)]
        return ("" if all(HAN.match(word) for word in found) else " ").join(found)
    return ""


def _starts(words: Sequence[str], part: Sequence[str]) -> Iterator[int]:
    return (n for n in range(len(words) - len(part) + 1) if list(words[n : n + len(part)]) == list(part))
