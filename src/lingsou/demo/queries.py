"""Judged queries: what a shopper asks, and how good an answer each product is, told by its facts alone.

The grades come from category, attributes and price, never from the words of title or query, so that they hold
for products in either language and favour no way of searching:

- 3 the category is right and every criterion is met;
- 2 the category is right and at least half of the criteria are met, the hard ones (price, audience, type) among them;
- 1 the category is right, or a related one;
- 0 anything else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache

from lingsou.core.types import Attribute, Product
from lingsou.demo.vocabulary import table, vocabulary

_HARD = {"price", "audience", "type"}


@dataclass(frozen=True)
class Criterion:
    """One thing asked for: a fact by name, with the values that satisfy it or the range it must lie in.

    `names` are alternatives. Values are in both languages. With `negated`, the fact must be none of them.
    """

    names: tuple[str, ...]
    values: frozenset[str] = frozenset()
    low: float | None = None
    high: float | None = None
    negated: bool = False

    @property
    def hard(self) -> bool:
        """Whether missing it makes a product no real answer."""
        return not _HARD.isdisjoint(self.names)

    def met(self, product: Product) -> bool:
        """Whether the product satisfies it."""
        if self.values:
            facts = {text for name in self.names for text in _texts(product, name)}
            if not facts and "audience" in self.names:
                return True  # made for nobody in particular
            return bool(facts) and self.negated == self.values.isdisjoint(facts)
        numbers = [number for name in self.names for number in _numbers(product, name)]
        return any(
            (self.low is None or number >= self.low) and (self.high is None or number <= self.high)
            for number in numbers
        )


@dataclass(frozen=True)
class JudgedQuery:
    """A query with its language (`zh en mixed`), intent, what it asks for, and the grades of the relevant products."""

    query: str
    language: str
    intent: str
    leaves: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    grades: Mapping[str, int] = field(default_factory=dict)


def judged_queries(products: Iterable[Product]) -> list[JudgedQuery]:
    """All queries that the products can answer, graded; a product that is not in `grades` has grade 0."""
    everything = list(products)
    shelves: dict[str, list[Product]] = {}
    for product in everything:
        leaf = _leaf_keys().get(product.category)
        if leaf:
            shelves.setdefault(leaf, []).append(product)
    found = []
    for query in _written():
        grades = {
            product.id: mark
            for leaf in (*query.leaves, *query.related)
            for product in shelves.get(leaf, ())
            if (mark := grade(query, product))
        }
        found.append(_with(query, grades))
    return [query for query in (*found, *_identifiers(everything)) if 3 in query.grades.values()]


def grade(query: JudgedQuery, product: Product) -> int:
    """The grade of one product, 0 to 3, by the rules above."""
    leaf = _leaf_keys().get(product.category, "")
    if leaf in query.related:
        return 1
    if leaf not in query.leaves:
        return 0
    unmet = [criterion for criterion in query.criteria if not criterion.met(product)]
    if not unmet:
        return 3
    if any(criterion.hard for criterion in unmet) or 2 * len(unmet) > len(query.criteria):
        return 1
    return 2


def _with(query: JudgedQuery, grades: Mapping[str, int]) -> JudgedQuery:
    return JudgedQuery(
        query.query,
        query.language,
        query.intent,
        query.leaves,
        query.related,
        query.criteria,
        dict(sorted(grades.items())),
    )


@cache
def _written() -> tuple[JudgedQuery, ...]:
    return tuple(
        JudgedQuery(
            row["query"],
            row["language"],
            row["intent"],
            tuple(row["leaves"].split(",")),
            tuple(filter(None, row["related"].split(","))),
            tuple(criterion(text) for text in row["criteria"].split("; ")),
        )
        for row in table("queries.tsv")
    )


def criterion(text: str) -> Criterion:
    """Read one criterion: `colour=blue`, `colour!=black`, `price=50..100`, `capacity=500`, `theme/animal=dinosaur`."""
    name, _, value = text.partition("=")
    negated = name.endswith("!")
    names = tuple(name.removesuffix("!").split("/"))
    low, dots, high = value.partition("..")
    if dots:
        return Criterion(names, low=float(low) if low else None, high=float(high) if high else None)
    if value.replace(".", "", 1).isdigit():
        return Criterion(names, low=float(value), high=float(value))
    wanted = [option.strip() for option in value.split(",")]
    return Criterion(
        names,
        frozenset(word for each in names for option in wanted for word in accepted(each, option)),
        negated=negated,
    )


@lru_cache(maxsize=2_000)
def accepted(name: str, value: str) -> frozenset[str]:
    """Every way a product may state a value: both languages, the shades of a colour, unisex for men."""
    words = vocabulary()
    if name == "brand":
        return frozenset((value,))
    if name == "colour":
        return frozenset(
            text for colour in words.colours if value in (colour.family, colour.key) for text in colour.term
        )
    if name == "audience":
        extra = ("unisex",) if value in ("men", "women") else ()
        return frozenset(text for key in (value, *extra) for text in words.audiences[key].term)
    if name == "type":
        return frozenset(text for kind in words.kinds if value in kind.term for text in kind.term)
    slot = {"features": "feature", "use": "scene"}.get(name, name)
    pairs = {term for kind in words.kinds for term in kind.slots.get(slot, ())}
    return frozenset(text for term in pairs if value in term for text in term)


def _texts(product: Product, name: str) -> tuple[str, ...]:
    if name == "brand":
        return (product.brand,)
    attribute = product.attributes.get(name)
    if attribute is None:
        return ()
    return attribute.value if isinstance(attribute.value, tuple) else (str(attribute.value),)


def _numbers(product: Product, name: str) -> tuple[float, ...]:
    if name == "price":
        return () if product.price is None else (float(product.price),)
    attribute = product.attributes.get(name)
    if attribute is None or isinstance(attribute.value, bool | str | tuple):
        return ()
    return (_in_gigabytes(attribute, float(attribute.value)),)


def _in_gigabytes(attribute: Attribute, value: float) -> float:
    return value * 1024 if attribute.unit == "TB" else value


@cache
def _leaf_keys() -> dict[tuple[str, ...], str]:
    return {leaf.path: leaf.key for leaf in vocabulary().leaves.values()}


def _identifiers(products: list[Product]) -> list[JudgedQuery]:
    """Exact numbers of some products of the shop: the product itself is the answer, its variants nearly so."""
    with_model = [product for product in products if product.mpn]
    picked = [
        *((product, product.sku) for product in products[10:12]),
        *((product, product.ean[0]) for product in products[20:22] if product.ean),
        *((product, product.mpn) for product in with_model[30:32]),
    ]
    found = []
    for product, text in picked:
        siblings = [other.id for other in products if product.group_id and other.group_id == product.group_id]
        grades = dict.fromkeys(siblings, 2) | {product.id: 3}
        found.append(JudgedQuery(text, "mixed", "identifier", grades=grades))
    return found
