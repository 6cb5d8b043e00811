"""From words to an engine query: the plan, its hard limits as filters, its wishes as boosts."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from lingsou.core.plan import Constraint, Entity, QueryPlan
from lingsou.query import CatalogLexicon, NumberField, Understander, Vocabulary, hard_filters
from lingsou.retrieval.engine import Boost, FieldContents, SearchEngine
from lingsou.retrieval.filters import FieldKind, Terms, parse_filters
from lingsou.text.segment import Segmenter

WISH_WEIGHT = 0.03
"""What a wish of confidence 1 adds to a score that words and meaning make up to about 1."""

_LEAST_CONFIDENCE = 0.5
_REBUILD_SHARE = 20
"""After learning the catalogue's words, rest for so many times as long: a busy large shop spends a twentieth on it."""
_LABEL = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)? (.+)")


class Understanding:
    """Plans queries against the catalogue as it was at the last `refresh`. Safe to share between threads."""

    def __init__(self, engine: SearchEngine, segmenter: Segmenter, currency: str):
        self._engine = engine
        self._segmenter = segmenter
        self._currency = currency
        self._understander: Understander | None = None
        self._sequence = -1
        self._rest_until = 0.0
        self._building = threading.Lock()

    def refresh(self, *, at_once: bool = False) -> bool:
        """Learn the catalogue's words anew if it changed, unless that was done just now; whether it did."""
        start, sequence = time.monotonic(), self._engine.sequence
        if sequence == self._sequence or (start < self._rest_until and not at_once):
            return False
        with self._building:
            lexicon = CatalogLexicon(vocabulary_of(self._engine.contents()), self._segmenter)
            self._understander = Understander(lexicon, self._segmenter, self._currency)
            end = time.monotonic()
            self._sequence, self._rest_until = sequence, end + _REBUILD_SHARE * (end - start)
        return True

    def plan(self, text: str) -> QueryPlan | None:
        """The plan; none before the first `refresh`, or for no words."""
        understander = self._understander
        return understander.understand(text) if understander and text.strip() else None


def vocabulary_of(contents: FieldContents) -> Vocabulary:
    """The index's contents in the terms of understanding; units are read off the labels (`17 inch`)."""
    numbers = {}
    for name, summary in contents.numbers.items():
        units: Counter[str] = Counter()
        for label, count in contents.values.get(name, {}).items():
            match = _LABEL.fullmatch(label)
            units[match.group(1) if match else ""] += count
        numbers[name] = NumberField(summary.count, dict(units), summary.low, summary.high)
    return Vocabulary(contents.values, numbers)


def filters_of(plan: QueryPlan, fields: Mapping[str, FieldKind]) -> dict[str, Any]:
    """The plan's hard limits in the filter grammar, on fields that the index has."""
    return hard_filters(each for each in plan.constraints if each.field in fields)


def boosts_of(plan: QueryPlan, fields: Mapping[str, FieldKind]) -> tuple[Boost, ...]:
    """What the shopper would rather have, without insisting."""
    return tuple(_boosts(plan, fields))


def _boosts(plan: QueryPlan, fields: Mapping[str, FieldKind]) -> Iterator[Boost]:
    wishes: tuple[Entity | Constraint, ...] = (*plan.entities, *plan.constraints)
    for wish in wishes:
        if wish.confidence < _LEAST_CONFIDENCE or wish.field not in fields:
            continue
        weight = WISH_WEIGHT * wish.confidence
        if isinstance(wish, Entity) and not wish.negated and wish.values:
            yield Boost(Terms(wish.field, wish.values, ()), weight, f"{wish.field}: {wish.surface}")
        elif isinstance(wish, Constraint) and not wish.hard:
            condition = parse_filters({wish.field: wish.condition}, fields)
            yield Boost(condition, weight, f"{wish.field}: {wish.surface}")


def relaxed_notice(plan: QueryPlan) -> str:
    """What to tell the shopper when no product fits a limit that was read from the words."""
    limits = [each.surface for each in plan.constraints if each.hard]
    if plan.language in ("zh", "mixed"):
        return f"没有商品符合“{'、'.join(limits)}”，已为您放宽这一条件。"
    return f"Nothing fits '{', '.join(limits)}': shown without that limit."
