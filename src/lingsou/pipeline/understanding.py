"""From words to an engine query: the plan, its hard limits as filters, its wishes and its category as boosts."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import structlog

from lingsou.core.errors import LingsouError
from lingsou.core.plan import Constraint, Entity, QueryPlan
from lingsou.core.settings import CorrectionUse
from lingsou.core.types import MAX_QUERY_LENGTH
from lingsou.encoders import Encoder, HeadOutputs
from lingsou.pipeline.heads import Heads
from lingsou.pipeline.rewriting import Rewriting
from lingsou.query import CatalogLexicon, NumberField, Understander, Vocabulary, category_beliefs, hard_filters
from lingsou.query.beliefs import CategoryNames
from lingsou.query.correction import ShopWords, build_correctors
from lingsou.query.expansion import ShopNames
from lingsou.query.labels import QueryLabels, labelled, overruled
from lingsou.retrieval.engine import Boost, EngineQuery, FieldContents, MatchedQuery, SearchEngine
from lingsou.retrieval.filters import AllOf, FieldKind, Filter, Terms, parse_filters
from lingsou.text.segment import Segmenter

NEIGHBOURS = 50
"""Best products whose categories say which one is meant."""

_WISHES: dict[str, tuple[float, float]] = {
    "product": (0.06, 0.3),
    "measure": (0.06, 0.25),
    "brand": (0.03, 0.5),
    "attribute": (0.03, 0.5),
}
"""What a wish adds at confidence 1 to a score that words and meaning make up to about 1.4, and from which confidence
on. A product word tells more than a property, and a measure is rarely meant otherwise, but both are read in many
fields, so their confidence is low."""

EVERYTHING_WISHED = 0.4
"""What a product gets beside that when it has all of two or more things wished for: readings that hold together in one
product are hardly chance. As much as all words together can give."""

CATEGORY_WEIGHT, CATEGORY_SURE = 0.1, 0.5
"""What the likeliest category adds at probability 1, and from which probability on."""

_REBUILD_SHARE = 20
"""After learning the catalogue's words, rest for so many times as long: a busy large shop spends a twentieth on it."""
_NEXT_WORD = re.compile(r"\s*([^\W\d_]+)")
_PARTICLES = frozenset(
    re.findall(
        r"\S+",
        "for with without in on of and or to by from under over up that which 的 和 与 或 带 给 送 用 不 要 非 以",
    )
)
_LABEL = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)? (.+)")


_PLANS = 5_000
"""Plans that are kept, those asked for last; one of a usual query takes 5 kB to 10 kB."""


@dataclass(frozen=True)
class _Planner:
    """What understands words, and remembers what it made of them. By the words as they were typed: a plan's spans and
    surfaces are into them.
    """

    understander: Understander
    plan: Callable[[str, bool], QueryPlan]

    @classmethod
    def of(cls, understander: Understander) -> "_Planner":
        def plan(text: str, correct: bool) -> QueryPlan:
            return understander.understand(text, correct=correct)

        return cls(understander, lru_cache(maxsize=_PLANS)(plan))


class Understanding:
    """Plans queries against the catalogue as it was at the last `refresh`. Safe to share between threads.

    Args:
        engine: whose values are the catalogue's words.
        segmenter: the shop's.
        currency: ISO code of the shop's prices.
        heads: read what an encoder's heads say; none: nothing learned is asked.
        labels: what a merchandiser said of single queries.
        titles: those of the products, for correction; none: nothing is corrected.
        searched: what was searched for, with how often.
        names: other names that were mined from the shop.
        correct: what becomes of a sure correction; `offer` only asks, `never` looks for none.
        rewriting: a language model's other words for a query; none: nobody is asked.
    """

    def __init__(
        self,
        engine: SearchEngine,
        segmenter: Segmenter,
        currency: str,
        heads: Heads | None = None,
        labels: QueryLabels | None = None,
        titles: Callable[[], Sequence[str]] | None = None,
        searched: Callable[[], Sequence[tuple[str, int]]] = tuple,
        names: ShopNames | None = None,
        correct: CorrectionUse = "apply",
        rewriting: Rewriting | None = None,
    ):
        self._engine = engine
        self._titles = titles if correct != "never" else None
        self._offer_only = correct == "offer"
        self._names = names
        self._rewriting = rewriting
        self._lookup = (lambda: names.lookup) if names is not None else None
        self._searched = searched
        self._heads = heads
        self._labels = labels
        self._categories = CategoryNames(())
        self._segmenter = segmenter
        self._currency = currency
        self._planner: _Planner | None = None
        self._sequence = -1
        self._rest_until = 0.0
        self._building = threading.Lock()

    @property
    def values(self) -> Mapping[str, Mapping[str, int]]:
        """The catalogue's values by field, as of the last `refresh`, with the number of products of each."""
        return self._planner.understander.lexicon.vocabulary.fields if self._planner else {}

    def refresh(self, *, at_once: bool = False) -> bool:
        """Learn the catalogue's words anew if it changed, unless that was done just now; whether it did.

        Raises:
            StorageError: the products' titles or the search log cannot be read.
        """
        if self._labels is not None:
            try:
                self._labels.refresh()
            except LingsouError as error:
                structlog.get_logger("lingsou.labels").error("labels of queries were not read", error=str(error))
        if self._names is not None:
            try:
                if self._names.refresh() and self._planner is not None:
                    self._planner = _Planner.of(self._planner.understander)
            except LingsouError as error:
                structlog.get_logger("lingsou.names").error("mined names were not read", error=str(error))
        start, sequence = time.monotonic(), self._engine.sequence
        if sequence == self._sequence or (start < self._rest_until and not at_once):
            return False
        with self._building:
            contents = self._engine.contents()
            lexicon = CatalogLexicon(vocabulary_of(contents), self._segmenter)
            self._categories = CategoryNames(lexicon.vocabulary.fields.get("category", ()))
            if self._planner is None or self._titles is None:
                plain = Understander(lexicon, self._segmenter, self._currency, names=self._lookup)
                self._planner = _Planner.of(plain)
            if self._titles is not None:
                words = ShopWords(self._titles(), contents.values, self._engine.terms(), self._searched())
                correctors = build_correctors(words, self._segmenter, offer_only=self._offer_only)
                full = Understander(lexicon, self._segmenter, self._currency, correctors, self._lookup)
                self._planner = _Planner.of(full)
            end = time.monotonic()
            # The first time reads dictionaries too, which says nothing of what the catalogue costs.
            rest = _REBUILD_SHARE * (end - start) if self._sequence >= 0 else 0.0
            self._sequence, self._rest_until = sequence, end + rest
        return True

    def plan(self, text: str, *, correct: bool = True) -> QueryPlan | None:
        """The plan; none before the first `refresh`, or for no words. Its categories are those that words name.

        Words are read as they are spelt where that is asked for, or a merchandiser said what the query means.
        """
        planner, typed = self._planner, text.strip()[:MAX_QUERY_LENGTH]
        if planner is None or not typed:
            return None
        label = self._labels.of(text) if self._labels is not None else None
        plan = planner.plan(typed, correct and label is None)
        if self._rewriting is not None and (others := self._rewriting.expansions(plan.text)):
            plan = plan.model_copy(update={"expansions": (*plan.expansions, *others)})
        return labelled(plan, label, planner.understander.lexicon, self._segmenter)

    def learned(self, plan: QueryPlan, outputs: HeadOutputs | None) -> tuple[QueryPlan, Mapping[str, float]]:
        """The plan with what heads say in the forward pass of its text, and what they say of categories, by path."""
        planner = self._planner
        if self._heads is None or planner is None:
            return plan, {}
        said = self._heads.say(plan.text, outputs)
        read = self._heads.read(plan, said, planner.understander.lexicon, self._segmenter)
        return read, self._categories.paths(said.beliefs.get("category", {}))

    def learn(self, encoder: Encoder | None) -> None:
        """Fit the default intent head where the encoder needs it and it is not known yet: seconds, for a thread."""
        if self._heads is not None:
            self._heads.learn(encoder)

    def explained(self, plan: QueryPlan, encoder: Encoder) -> QueryPlan:
        """The plan with what each word of its text does for what heads believe: a forward pass a word."""
        if self._heads is None or not plan.text:
            return plan
        found = self._heads.attributions(plan.text, encoder, self._segmenter)
        return plan.model_copy(update={"attributions": found})

    def close(self) -> None:
        """Ask no language model any more."""
        if self._rewriting is not None:
            self._rewriting.close()

    def understand(self, text: str) -> QueryPlan | None:
        """As `plan`, with the categories of what the words find as well; a search has the meaning's besides."""
        plan = self.plan(text)
        if plan is None:
            return None
        return with_categories(plan, self._engine.match(EngineQuery(text=plan.text, expansions=plan.expansions)))


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


def with_categories(plan: QueryPlan, matched: MatchedQuery, learned: Mapping[str, float] | None = None) -> QueryPlan:
    """The plan with the distribution over categories that its words, the best matches and a head give together."""
    if overruled(plan.categories):
        return plan
    beliefs = category_beliefs(matched.neighbours(NEIGHBOURS), plan.entities, learned)
    return plan.model_copy(update={"categories": beliefs})


def boosts_of(plan: QueryPlan, fields: Mapping[str, FieldKind]) -> tuple[Boost, ...]:
    """What the shopper would rather have, without insisting: wishes, all of them at once, the category if sure."""
    wishes = _boosts(plan, fields)
    boosts = list(wishes)
    if len(wishes) > 1:
        surfaces = ", ".join(boost.reason for boost in wishes)
        boosts.append(Boost(AllOf(tuple(boost.condition for boost in wishes)), EVERYTHING_WISHED, f"all of {surfaces}"))
    if plan.categories and plan.categories[0].probability >= CATEGORY_SURE and "category" in fields:
        likely = plan.categories[0]
        reason = f"likely category: {likely.category} ({likely.probability:.2f})"
        boosts.append(Boost(Terms("category", (likely.category,), ()), CATEGORY_WEIGHT * likely.probability, reason))
    return tuple(boosts)


def _boosts(plan: QueryPlan, fields: Mapping[str, FieldKind]) -> list[Boost]:
    """One wish for each piece of the query: the reading that weighs most."""
    readings: tuple[Entity | Constraint, ...] = (*plan.entities, *plan.constraints)
    best: dict[tuple[int, int], tuple[float, Entity | Constraint]] = {}
    for reading in readings:
        if reading.field not in fields or not _is_wish(reading):
            continue
        kind = _kind(reading)
        weight, least = _WISHES[kind]
        if reading.confidence < least or (kind == "product" and _is_modifier(reading, plan, readings)):
            continue
        piece, weight = (reading.start, reading.end), weight * reading.confidence
        if piece not in best or weight > best[piece][0]:
            best[piece] = weight, reading
    return [
        Boost(_condition(reading, fields), weight, f"{reading.field}: {reading.surface}")
        for weight, reading in best.values()
    ]


def _is_wish(reading: Entity | Constraint) -> bool:
    if isinstance(reading, Constraint):
        return not reading.hard
    return bool(reading.values) and not reading.negated


def _kind(reading: Entity | Constraint) -> str:
    if isinstance(reading, Constraint):
        return "measure"
    if reading.kind == "category" or reading.field.endswith("type"):
        return "product"
    return "brand" if reading.kind == "brand" else "attribute"


def _condition(reading: Entity | Constraint, fields: Mapping[str, FieldKind]) -> Filter:
    if isinstance(reading, Entity):
        return Terms(reading.field, reading.values, ())
    return parse_filters({reading.field: reading.condition}, fields)


def _is_modifier(product: Entity | Constraint, plan: QueryPlan, readings: Sequence[Entity | Constraint]) -> bool:
    """Whether a product word only says of what kind the next one is: the laptop of `laptop bag` is not wanted.

    So it does when right behind it stands another product word, or a word that this catalogue has no name for.
    """
    following = _NEXT_WORD.match(plan.read, product.end)
    if following is None or following.group(1).lower() in _PARTICLES or following.group(1)[0] in _PARTICLES:
        return False
    named = [each for each in readings if each.start == following.start(1)]
    return not named or any(_kind(each) == "product" for each in named)


def relaxed_notice(plan: QueryPlan) -> str:
    """What to tell the shopper when no product fits a limit that was read from the words."""
    limits = [each.surface for each in plan.constraints if each.hard]
    if plan.language in ("zh", "mixed"):
        return f"没有商品符合“{'、'.join(limits)}”，已为您放宽这一条件。"
    return f"Nothing fits '{', '.join(limits)}': shown without that limit."
