"""Names that the catalogue itself treats as one: aliases in brackets or behind slashes, variants of one title, values
that go together.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import combinations

from lingsou.core.types import Product
from lingsou.query.vocabulary import is_asked_for
from lingsou.text.normalise import HAN, normalise
from lingsou.training.expansions.phrases import words_of

Pair = tuple[str, str]

_BRACKETS = re.compile(r"([^()（）\[\]【】/]{2,40})[(（\[【]([^()（）\[\]【】]{2,40})[)）\]】]")
_WORD = rf"({HAN.pattern}{{2,6}}|[A-Za-z]{{3,20}})"
_SLASH = re.compile(rf"(?<![\w/]){_WORD}\s?/\s?{_WORD}(?![\w/])")
_LONGEST = 2
_MOST_VARIANTS = 20
_LEAST_TOGETHER = 0.6
_MOST_VALUES = 40
_MOST_PAIRS = 2_000_000


def aliases(products: Iterable[Product]) -> Counter[Pair]:
    """Words that titles, categories and values put in brackets or behind a slash of others, with the products."""
    found: Counter[Pair] = Counter()
    for product in products:
        texts = [product.title, *product.category[-1:]]
        texts += [
            value
            for name, attribute in product.attributes.items()
            if is_asked_for(name)
            for value in _texts(attribute.value)
        ]
        of_product: set[Pair] = set()
        for text in texts:
            whole = _BRACKETS.fullmatch(text.strip())
            for match in [whole] if whole else _SLASH.finditer(text):
                one, other = (words_of(part) for part in match.groups())
                if _are_names(one, other):
                    of_product.add(_pair(_text(one), _text(other)))
        found.update(of_product)
    return found


def variants(products: Iterable[Product]) -> Counter[Pair]:
    """Words that stand in each other's place in titles of one product: the same code, or variants of one group.

    What a product states as an attribute tells variants apart, and is no other name.
    """
    groups: dict[str, list[Product]] = defaultdict(list)
    for product in products:
        codes = {f"e {code}" for code in product.ean} | ({f"m {product.mpn}"} if len(product.mpn) > 4 else set())
        for key in codes | ({f"g {product.group_id}"} if product.group_id else set()):
            if len(groups[key]) < _MOST_VARIANTS:
                groups[key].append(product)
    found: Counter[Pair] = Counter()
    for members in groups.values():
        if len(members) > 1:
            of_group: set[Pair] = set()
            for one, other in combinations(members, 2):
                if one.id != other.id:
                    of_group.update(_replaced(one, other))
            found.update(of_group)
    return found


def values_together(products: Sequence[Product], *, least: int) -> Iterator[tuple[str, str, float, int]]:
    """(value, value, the smaller of their shares in each other, products) of two fields whose values go together."""
    counts: Counter[tuple[str, str]] = Counter()
    own: list[list[tuple[str, str]]] = []
    for product in products:
        held = {
            (name, " ".join(normalise(value).split()))
            for name, attribute in product.attributes.items()
            if is_asked_for(name)
            for value in _texts(attribute.value)
            if value[:1].isalpha() and len(value) <= 30
        }
        own.append(sorted(held)[:_MOST_VALUES])
        counts.update(own[-1])
    frequent = {value for value, count in counts.items() if least <= count <= len(products) / 10}
    pairs: Counter[tuple[tuple[str, str], tuple[str, str]]] = Counter()
    for held_by in own:
        if len(pairs) > _MOST_PAIRS:
            break
        pairs.update(combinations([value for value in held_by if value in frequent], 2))
    for (one, other), count in pairs.items():
        share = count / max(counts[one], counts[other])
        if one[0] != other[0] and share >= _LEAST_TOGETHER and count >= least:
            left, right = words_of(one[1]), words_of(other[1])
            if _are_names(left, right, most=3):
                yield one[1], other[1], share, count


def _replaced(one: Product, other: Product) -> Iterator[Pair]:
    left, right = words_of(one.title), words_of(other.title)
    said = {word for product in (one, other) for a in product.attributes.values() for t in _texts(a.value)
            for word in words_of(t)}  # fmt: skip
    said.update(word for product in (one, other) for word in words_of(product.brand))
    for kind, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "replace" and _are_names(left[a:b], right[c:d]) and not said & {*left[a:b], *right[c:d]}:
            yield _pair(_text(left[a:b]), _text(right[c:d]))


def _are_names(one: Sequence[str], other: Sequence[str], most: int = _LONGEST) -> bool:
    """Both are one word or a few, none of them a break, and have none in common."""
    if not (0 < len(one) <= most and 0 < len(other) <= most and all((*one, *other))):
        return False
    return min(len("".join(one)), len("".join(other))) > 1 and not {*one} & {*other}


def _pair(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def _text(words: Sequence[str]) -> str:
    return ("" if all(HAN.match(word) for word in words) else " ").join(words)


def _texts(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ()
