"""From pairs to products: clusters that no contradiction joins, and the one record that stands for each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Product
from lingsou.quality.matching.records import Records

Ints = NDArray[np.int64]
_UNITED = ("ean", "images", "tags")
"""Fields of several values: all of them are kept."""


class _Group:
    """What the records of a cluster say that no two products share."""

    def __init__(self, gtins: frozenset[str], brand: str, mpn: str):
        self.gtins = set(gtins)
        self.mpns = {brand: mpn} if mpn else {}

    def contradicts(self, other: "_Group") -> bool:
        """Whether both have trade item numbers and none in common, or two numbers of one manufacturer."""
        if self.gtins and other.gtins and not self.gtins & other.gtins:
            return True
        return any(other.mpns.get(brand, mpn) != mpn for brand, mpn in self.mpns.items())

    def take(self, other: "_Group") -> None:
        self.gtins |= other.gtins
        self.mpns |= other.mpns


def clusters(records: Records, left: Ints, right: Ints, probabilities: NDArray[np.float64], threshold: float) -> Ints:
    """The cluster of each record [N], named by its first record.

    Likely pairs are joined first. A pair is left out when the clusters that it would join contradict each other: with
    different trade item numbers, or with different model numbers of one brand, two records are two products, however
    alike their words are, and through however many others they are linked.

    Args:
        records: N records.
        left: first record of each pair, [n].
        right: second, [n].
        probabilities: that a pair is one product, [n].
        threshold: pairs below are not joined.
    """
    parent = list(range(len(records)))
    facts = zip(records.gtins, records.brands, records.mpns, strict=True)
    groups = [_Group(gtins, brand, mpn) for gtins, brand, mpn in facts]

    def root(record: int) -> int:
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    likely = np.flatnonzero(probabilities >= threshold)
    for pair in likely[np.argsort(-probabilities[likely], kind="stable")].tolist():
        one, other = sorted((root(int(left[pair])), root(int(right[pair]))))
        if one != other and not groups[one].contradicts(groups[other]):
            parent[other] = one
            groups[one].take(groups[other])
    return np.array([root(record) for record in range(len(records))], np.int64)


@dataclass(frozen=True)
class Merged:
    """The record that stands for several, and where each of its values came from."""

    product: Product
    provenance: Mapping[str, str]
    """Field, or `attributes.NAME` → id of the product that the value came from."""


def golden_record(products: Sequence[Product]) -> Merged:
    """One record of several products that are the same.

    The fullest record, by the number of filled fields and attributes, is its frame and gives its id; what it lacks
    comes from the next. Attributes take the value that most records have, of equals the fuller record's. Lists are
    united; the provenance of a list is the first record that has any of it.
    """
    told = [product.model_dump(exclude_defaults=True) for product in products]
    fullness = [len(values) + len(values.get("attributes", ())) for values in told]
    ranked = [(products[place], told[place]) for place in sorted(range(len(told)), key=lambda each: -fullness[each])]
    frame = ranked[0][0]
    values: dict[str, Any] = {"id": frame.id}
    provenance = {"id": frame.id}
    for name in Product.model_fields:
        holders = [(product, own[name]) for product, own in ranked if name in own]
        if not holders or name in ("id", "attributes", "group_id"):
            continue
        values[name] = holders[0][1]
        provenance[name] = holders[0][0].id
        if name in _UNITED:
            values[name] = tuple(dict.fromkeys(each for _, listed in holders for each in listed))
    attributes: dict[str, Any] = {}
    for name in dict.fromkeys(each for product, _ in ranked for each in product.attributes):
        having = [product for product, _ in ranked if name in product.attributes]
        votes = Counter(product.attributes[name].model_dump_json() for product in having)
        most = max(votes.values())
        chosen = next(product for product in having if votes[product.attributes[name].model_dump_json()] == most)
        attributes[name] = chosen.attributes[name]
        provenance[f"attributes.{name}"] = chosen.id
    if "currency" in provenance and "price" in provenance:
        # A price means nothing without its own currency.
        values["currency"] = next(product for product, _ in ranked if product.id == provenance["price"]).currency
        provenance["currency"] = provenance["price"]
    if frame.group_id:
        values["group_id"], provenance["group_id"] = frame.group_id, frame.id
    return Merged(Product.model_validate(values | {"attributes": attributes}), provenance)
