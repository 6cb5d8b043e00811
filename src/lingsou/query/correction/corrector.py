"""What corrects a query: the protocol, what a shop's words are learned from, and several correctors as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lingsou.core.plan import Correction
from lingsou.query.correction.guard import protected
from lingsou.query.places import Piece, overlaps


@dataclass(frozen=True)
class ShopWords:
    """Where correctors learn which words are a shop's; every part may be missing.

    `titles` are the living products' own, `values` maps a keyword field (`brand`, `category`, `attributes.*`) to its
    values and the number of products of each, `terms` the index terms (stems, Chinese words) of all searched fields to
    the number of products that have them, `queries` are searches that led to clicks, with how often.
    """

    titles: Sequence[str] = ()
    values: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    terms: Mapping[str, int] = field(default_factory=dict)
    queries: Sequence[tuple[str, int]] = ()


class Corrector(Protocol):
    """Corrects one kind of error. Immutable after construction, so threads may share it."""

    def correct(self, raw: str, closed: Sequence[Piece]) -> Sequence[Correction]:
        """Corrections of pieces of `raw`, none of which overlaps another or a piece of `closed`. Never raises.

        `applied` says that the corrector is sure enough to search for the replacement unasked; what is not even worth a
        "did you mean" is left out. `confidence` is the probability that the shopper meant the replacement, so that
        those of different correctors can be compared.
        """
        ...


class Correctors:
    """Several correctors as one: of corrections that overlap, the most probable one is kept.

    With `offer_only` nothing is applied, however sure: the shopper is asked.
    """

    def __init__(self, correctors: Sequence[Corrector], *, offer_only: bool = False):
        self._correctors = tuple(correctors)
        self._offer_only = offer_only

    def correct(self, raw: str, closed: Sequence[Piece] = ()) -> tuple[Correction, ...]:
        """The corrections of a query, from left to right; identifiers and `closed` pieces are left as they are."""
        untouched = [*closed, *protected(raw)]
        found = [each for corrector in self._correctors for each in corrector.correct(raw, untouched)]
        kept: list[Correction] = []
        for each in sorted(found, key=lambda each: (-each.confidence, each.start)):
            if not overlaps([(other.start, other.end) for other in kept], each.start, each.end):
                kept.append(each)
        if self._offer_only:
            kept = [each.model_copy(update={"applied": False}) for each in kept]
        return tuple(sorted(kept, key=lambda each: each.start))


def corrected(raw: str, corrections: Sequence[Correction]) -> str:
    """The query with the corrections made."""
    pieces: list[str] = []
    place = 0
    for each in sorted(corrections, key=lambda each: each.start):
        pieces += (raw[place : each.start], each.replacement)
        place = each.end
    return "".join([*pieces, raw[place:]])
