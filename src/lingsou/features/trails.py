"""The last deliberate actions of each shopper and session, in bounded memory."""

from bisect import insort
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from weakref import WeakValueDictionary

import numpy as np

from lingsou.core.types import Product
from lingsou.features.events_view import Facts, Trail

LONGEST = 32
"""Actions kept of one shopper, the latest."""

_SIZES = frozenset({"size", "sizes", "shoe size", "clothing size", "尺码", "尺寸", "鞋码", "码数"})
_Step = tuple[int, str, Facts]
_time = itemgetter(0)

Lookup = Callable[[Sequence[str]], Mapping[str, Product]]
"""Products by external id; unknown ids are left out."""


def facts_of(product: Product) -> Facts:
    """What a trail keeps of a product."""
    price = float("nan") if product.price is None else float(product.price)
    return Facts(product.id, product.brand, " > ".join(product.category), price, sizes_of(product))


def is_size_field(name: str) -> bool:
    """Whether an attribute of that name has sizes of wear."""
    return name.lower() in _SIZES


def sizes_of(product: Product) -> frozenset[str]:
    """The sizes of wear that a product names, in lower case."""
    values = (attribute.value for name, attribute in product.attributes.items() if is_size_field(name))
    parts = (part for value in values for part in (value if isinstance(value, tuple) else (value,)))
    return frozenset(str(part).lower() for part in parts)


class Trails:
    """Person → latest actions. When more than `capacity` actions are held, whoever did nothing longest goes."""

    def __init__(self, lookup: Lookup, capacity: int):
        self._lookup = lookup
        self._capacity = capacity
        self._held = 0
        self._steps: OrderedDict[str, list[_Step]] = OrderedDict()
        self._facts: WeakValueDictionary[str, Facts] = WeakValueDictionary()

    def __len__(self) -> int:
        return self._held

    def add(self, steps: Iterable[tuple[str, int, str, str]]) -> None:
        """Take up actions: person, time in milliseconds, action, product id."""
        taken = list(steps)
        known = self._known({id_ for *_, id_ in taken})
        for person, time, action, id_ in taken:
            own = self._steps.setdefault(person, [])
            insort(own, (time, action, known[id_]), key=_time)
            self._steps.move_to_end(person)
            if len(own) > LONGEST:
                own.pop(0)
            else:
                self._held += 1
        while self._held > self._capacity:
            self._held -= len(self._steps.popitem(last=False)[1])

    def of(self, people: Sequence[str], time: int) -> Trail | None:
        """What these names of one shopper did before a time, the latest `LONGEST`; none where nothing is known."""
        steps = [step for person in people for step in self._steps.get(person, ()) if step[0] < time]
        if not steps:
            return None
        steps = sorted(steps, key=_time)[-LONGEST:]
        times, actions, facts = zip(*steps, strict=True)
        return Trail(facts, actions, (time - np.asarray(times, np.float64)) / 1_000)

    def _known(self, ids: set[str]) -> dict[str, Facts]:
        known = {id_: found for id_ in ids if (found := self._facts.get(id_)) is not None}
        missing = sorted(ids - known.keys())
        if missing:
            products = self._lookup(missing)
            for id_ in missing:
                known[id_] = facts_of(products[id_]) if id_ in products else Facts(id_)
                self._facts[id_] = known[id_]
        return known
