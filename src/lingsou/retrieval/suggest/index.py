"""One state of the suggestions: finds, ranks and groups completions of what was typed."""

import heapq
import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import get_args

from lingsou.core.suggest import Suggestion, SuggestionGroup, SuggestionKind
from lingsou.retrieval.suggest.entries import Entry, Shelf
from lingsou.retrieval.suggest.marking import covered, marked
from lingsou.retrieval.suggest.matching import PREFIX, Match, as_written, in_latin, misspelt
from lingsou.retrieval.suggest.romanise import letters, squashed
from lingsou.text.normalise import fold_with_places, normalise

MAX_TYPED = 64
"""Characters of what was typed that are looked at."""

_ENOUGH = 5
"""Matches without an error, above which none with an error is looked for."""
_SHARES: Mapping[SuggestionKind, float] = {"query": 0.6, "category": 0.4, "brand": 0.2, "product": 0.2}
"""Of the suggestions asked for, what one kind may take while others have something too."""
_LEAST = 0.1
"""What each kind has at least that matches in as good a way as the best."""
_POPULAR = 100


class SuggestIndex:
    """Immutable and safe to share between threads."""

    def __init__(self, names: Shelf, products: Shelf):
        """`names` has brands, categories and queries; `products` the products' titles."""
        self._names = names
        self._products = products
        known = (Match(entry.weight, entry) for entry in names.entries if entry.kind != "query" or entry.asked)
        self._popular = heapq.nlargest(_POPULAR, known, key=lambda match: match.score)
        self._find = lru_cache(maxsize=2_048)(self._matches)

    @property
    def nbytes(self) -> int:
        """Memory of the key tables."""
        return self._names.nbytes + self._products.nbytes

    @property
    def entries(self) -> Iterator[Entry]:
        """Everything that can be suggested."""
        return chain(self._names.entries, self._products.entries)

    def suggest(self, typed: str, limit: int, recent: Sequence[str] = ()) -> tuple[SuggestionGroup, ...]:
        """At most `limit` suggestions in groups; `recent` are the shopper's own queries, latest first.

        Where nothing was typed: the recent ones, and the most popular brands, categories and searches.
        """
        q = normalise(normalise(typed)[:MAX_TYPED])
        own = list(_recent(q, recent))[: math.ceil(limit / 2)]
        matches = self._find(q) if q else self._popular
        chosen = _chosen(matches, limit - len(own), {match.entry.folded for match in own})
        groups = []
        for kind in get_args(SuggestionKind):
            items = tuple(_presented(match) for match in (*own, *chosen) if match.entry.kind == kind)
            if items:
                groups.append(SuggestionGroup.model_construct(kind=kind, items=items))
        return tuple(groups)

    def _matches(self, q: str) -> list[Match]:
        found = [*as_written(self._names, q), *in_latin(self._names, q)]
        if len({match.entry.folded for match in found}) < _ENOUGH:
            found += misspelt(self._names, q)
        listed = [*as_written(self._products, q), *in_latin(self._products, q)]
        if not listed and found:
            # Products have neither initials nor typing errors of their own: they follow the likeliest words.
            meant = max(found, key=lambda match: match.score)
            listed = [
                match._replace(score=meant.score - PREFIX + match.score)
                for match in as_written(self._products, meant.entry.folded)
            ]
        best: dict[str, Match] = {}
        for match in sorted((*found, *listed), key=lambda match: -match.score):
            best.setdefault(match.entry.folded, match)
        return list(best.values())


def _recent(q: str, recent: Sequence[str]) -> Iterator[Match]:
    """Those of the shopper's own queries that begin so, or have a word that does, or are spelt so."""
    spelt = squashed(q)
    for text in dict.fromkeys(" ".join(each.split()) for each in recent):
        folded = fold_with_places(text)[0]
        place = 0 if folded.startswith(q) else f" {folded}".find(f" {q}")
        if place >= 0 or (spelt and squashed(folded).startswith(spelt)):
            entry = Entry("recent", text, folded, array("I"), 0.0)
            yield Match(0.0, entry, ((place, place + len(q)),) if place >= 0 else ())


def _chosen(matches: Sequence[Match], limit: int, taken: set[str]) -> list[Match]:
    """The best, no kind beyond its share as long as another has something, none crowded out that matches as well."""
    room = {kind: math.ceil(share * limit) for kind, share in _SHARES.items()}
    free = [match for match in matches if match.entry.folded not in taken]
    likely = Counter(match.entry.kind for match in free if match.score >= math.floor(free[0].score))
    owed = {kind: min(count, math.floor(_LEAST * limit)) for kind, count in likely.items()}
    chosen: list[Match] = []
    spare: list[Match] = []
    for match in free:
        kind = match.entry.kind
        if room[kind] and (owed.get(kind) or len(chosen) + sum(owed.values()) < limit):
            room[kind] -= 1
            owed[kind] = max(0, owed.get(kind, 0) - 1)
            chosen.append(match)
        else:
            spare.append(match)
    return [*chosen, *spare[: max(limit - len(chosen), 0)]]


def _presented(match: Match) -> Suggestion:
    entry, spans = match.entry, match.spans
    if match.spell:
        ((start, typed),) = spans
        spans = ((start, covered(letters(entry.folded, entry.cut), start, typed, match.spell)),)
    return Suggestion.model_construct(
        text=entry.text,
        kind=entry.kind,
        id=entry.value if entry.kind == "product" else None,
        filters={entry.kind: entry.value} if entry.kind in ("brand", "category") else {},
        highlight=marked(entry.text, spans),
        count=entry.products,
    )
