"""From a catalogue and a search log to an index of suggestions."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lingsou.core.suggest import SuggestionKind
from lingsou.retrieval.suggest.entries import Entry, Shelf
from lingsou.retrieval.suggest.index import SuggestIndex
from lingsou.retrieval.suggest.phrases import CutTitle, phrases
from lingsou.retrieval.suggest.romanise import Cut, cut, words
from lingsou.text.normalise import HAN, fold_with_places
from lingsou.text.segment import Segmenter

_SEPARATOR = " > "
_A_SEARCH = 5
"""One search says as much about what will be searched as so many titles with the words."""
_A_VALUE = 0.2
"""And an attribute's value, for each product that has it: what colour it is says less than its name."""
_LEAST_VALUE = 2
_LONGEST_VALUE = 30
_LONGEST_QUERY = 60
_WEIGHTS: dict[SuggestionKind, tuple[float, float]] = {
    "query": (0.0, 0.49),
    "category": (0.2, 0.49),
    "brand": (0.2, 0.49),
    "product": (0.0, 0.19),
}
"""Weight of the least and of the most popular entry of each kind: one product is seldom what half a word means."""


class ProductTitle(NamedTuple):
    """What suggestions need of a product; `category` is its path joined by ` > `."""

    id: str
    title: str
    brand: str
    category: str
    group_id: str
    sales: int


class SuggestBuilder:
    """Builds indexes, one after the other: what was cut for the last is not cut again. For one thread at a time."""

    def __init__(self, segmenter: Segmenter):
        self._segmenter = segmenter
        self._cuts: dict[str, Cut] = {}
        self._known = self._cuts

    def build(
        self,
        products: Iterable[ProductTitle],
        brands: Mapping[str, int],
        categories: Mapping[str, int],
        values: Iterable[tuple[str, int]] = (),
        popular: Iterable[tuple[str, int]] = (),
    ) -> SuggestIndex:
        """An index over products; brands, category paths and attribute `values`, with how many products have each;
        and `popular` queries, with how often they were searched.
        """
        chosen = _best_of_groups(products)
        self._known, self._cuts = self._cuts, {}
        titles = list(self._titles(chosen))
        names = [*self._brands(brands), *self._categories(categories)]
        taken = {entry.folded for entry in names}
        queries = [entry for entry in self._queries(chosen, titles, values, popular) if entry.folded not in taken]
        most = max((product.sales for product in chosen), default=0)
        weights = (_weight("product", product.sales, most) for product in chosen)
        listed = [
            Entry("product", one_line(product.title), title.text, title.cut, weight, product.id)
            for product, title, weight in zip(chosen, titles, weights, strict=True)
        ]
        return SuggestIndex(Shelf([*names, *queries], in_full=True), Shelf(listed, in_full=False))

    def _titles(self, chosen: Iterable[ProductTitle]) -> Iterator[CutTitle]:
        brands: dict[str, frozenset[str]] = {}
        categories: dict[str, int] = {}
        for product in chosen:
            if product.brand not in brands:
                name = _folded(product.brand)
                brands[product.brand] = frozenset(name[start:end] for start, end in words(self._cut(name)))
            title = _folded(product.title)
            category = categories.setdefault(product.category, len(categories))
            yield CutTitle(title, self._cut(title), brands[product.brand], category)

    def _cut(self, folded: str) -> Cut:
        bounds = self._cuts.get(folded)
        if bounds is None:
            bounds = self._known.get(folded)
            bounds = self._cuts[folded] = cut(folded, self._segmenter) if bounds is None else bounds
        return bounds

    def _entry(self, kind: SuggestionKind, text: str, weight: float, value: str, count: int | None) -> Entry:
        folded = _folded(text)
        return Entry(kind, text, folded, self._cut(folded), weight, value, count)

    def _brands(self, brands: Mapping[str, int]) -> Iterator[Entry]:
        most = max(brands.values(), default=0)
        for brand, count in brands.items():
            yield self._entry("brand", one_line(brand), _weight("brand", count, most), brand, count)

    def _categories(self, categories: Mapping[str, int]) -> Iterator[Entry]:
        """By the last name of the path; with the one above it where several paths end alike."""
        most = max(categories.values(), default=0)
        leaves = Counter(path.rpartition(_SEPARATOR)[2] for path in categories)
        for path, count in categories.items():
            steps = path.split(_SEPARATOR)
            name = steps[-1] if leaves[steps[-1]] == 1 else " / ".join(reversed(steps[-2:]))
            yield self._entry("category", one_line(name), _weight("category", count, most), path, count)

    def _queries(
        self,
        chosen: Sequence[ProductTitle],
        titles: Sequence[CutTitle],
        values: Iterable[tuple[str, int]],
        popular: Iterable[tuple[str, int]],
    ) -> Iterator[Entry]:
        """What was searched, what titles have in common, what attributes say: one entry where they say the same."""
        found: dict[str, _Query] = {}
        for text, searches in popular:
            folded = _folded(text)
            if folded and len(folded) <= _LONGEST_QUERY:
                query = found.setdefault(folded, _Query(one_line(text), asked=True))
                query.worth += _A_SEARCH * searches
        for phrase in phrases(titles):
            text = one_line(chosen[phrase.title].title)
            folded, starts, ends = fold_with_places(text)
            query = found.setdefault(folded[phrase.start : phrase.end], _Query(""))
            query.text = text[starts[phrase.start] : ends[phrase.end - 1]]
            query.worth += phrase.count * phrase.purity
            query.products = phrase.count
        for text, count in values:
            folded = _folded(text)
            if count >= _LEAST_VALUE and _is_wordlike(folded):
                query = found.setdefault(folded, _Query(one_line(text)))
                query.worth = max(query.worth, _A_VALUE * count)
                query.products = max(query.products or 0, count)
        most = max((query.worth for query in found.values()), default=0)
        for query in found.values():
            entry = self._entry("query", query.text, _weight("query", query.worth, most), "", query.products)
            yield entry._replace(asked=query.asked)


@dataclass
class _Query:
    text: str
    worth: float = 0.0
    products: int | None = None
    asked: bool = False


def _is_wordlike(folded: str) -> bool:
    """Whether an attribute's value may be what somebody types: a few letters, no measure or number."""
    letters = sum(2 if HAN.match(character) else character.isalpha() for character in folded)
    return letters >= 3 and len(folded) <= _LONGEST_VALUE and not any(character.isdigit() for character in folded)


def one_line(text: str) -> str:
    """Without breaks and doubled spaces, as suggestions show it."""
    line = " ".join(text.split())
    return text if line == text else line  # one string, not two, for each title


def _folded(text: str) -> str:
    return fold_with_places(one_line(text))[0]


def _weight(kind: SuggestionKind, popularity: float, most: float) -> float:
    low, high = _WEIGHTS[kind]
    return low + (high - low) * math.log1p(max(popularity, 0)) / math.log1p(most) if most > 0 else low


def _best_of_groups(products: Iterable[ProductTitle]) -> list[ProductTitle]:
    """Of variants the best sold, of every other product itself."""
    best: dict[str, ProductTitle] = {}
    for product in products:
        key = f"g{product.group_id}" if product.group_id else f"p{product.id}"
        known = best.get(key)
        if known is None or product.sales > known.sales:
            best[key] = product
    return list(best.values())
