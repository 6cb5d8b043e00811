"""What the shopper meant: the plan that understanding hands to retrieval, each belief with its source."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from lingsou.core.frozen import Frozen

EntityKind = Literal["brand", "category", "product", "attribute", "model"]


class Span(Frozen):
    """A piece of the raw query, `raw[start:end]`."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    surface: str


class Entity(Span):
    """Words of the query that name something in this catalogue."""

    kind: EntityKind
    field: str = Field(description="filterable field, such as `brand` or `attributes.colour`")
    values: tuple[str, ...] = Field(
        description="values of the field that the words stand for, as the index spells them"
    )
    negated: bool = Field(False, description="the shopper does not want it")
    source: str = Field(description="how it was found: `catalogue`, `alias`, `case-folded`, `tagger` …")
    confidence: float = Field(ge=0, le=1)


class Constraint(Span):
    """A condition on one field, in the filter grammar of docs/http.md."""

    field: str
    condition: Mapping[str, Any] = Field(description='what stands behind the field, such as `{"gte": 50, "lte": 100}`')
    hard: bool = Field(description="the shopper was explicit: filter; else only prefer")
    source: str
    confidence: float = Field(ge=0, le=1)


class Expansion(Frozen):
    """Another name of something that the query names. It may widen recall."""

    term: str = Field(description="index terms of the name, separated by spaces; a product must have all of them")
    weight: float = Field(gt=0, le=1, description="what the name is worth beside the word itself")
    source: str
    of: str = Field("", description="the words of the query that it stands for; empty: all of them")


class Preference(Frozen):
    """What this shopper chose before, in a query that leaves it open. It only lifts products."""

    field: str = Field(description="`brand`, or an attribute with sizes")
    values: tuple[str, ...] = Field(description="values of the field, as the index spells them")
    share: float = Field(gt=0, le=1, description="of the shopper's latest actions, by weight")
    source: str = "shopper"


class Correction(Span):
    """Words of the query that were typed, it seems, in place of others."""

    replacement: str = Field(description="what was meant")
    source: str = Field(description="the kind of error: `spelling`, `keyboard`, `sound`, `split`, `join`, `pinyin` …")
    confidence: float = Field(ge=0, le=1, description="probability that the replacement was meant")
    applied: bool = Field(description="the replacement was searched for; else it is only suggested")


class CategoryBelief(Frozen):
    """How likely the shopper means a category; path joined by ` > `."""

    category: str
    probability: float = Field(ge=0, le=1)
    source: str = Field("", description="`words`, `hits`, `head`, several of them joined by `+`, or `merchandiser`")


class IntentBelief(Frozen):
    """How likely the shopper wants something; docs/understanding.md lists the intents."""

    intent: str
    probability: float = Field(ge=0, le=1)
    source: str = Field(description="`built-in`, `head`, the name of rules, or `merchandiser`")


class SentimentBelief(Frozen):
    """How likely the words are of one sentiment, as the labels of a trained head name it."""

    sentiment: str
    probability: float = Field(ge=0, le=1)
    source: str


class Attribution(Span):
    """What some words of `text` do for a belief of a learned head."""

    head: str = Field(description="role of the head, such as `intent`")
    label: str = Field(description="the belief, the head's likeliest")
    change: float = Field(ge=-1, le=1, description="its probability less that without the words")


class QueryPlan(Frozen):
    """The understood query. Spans are into `raw`, except that those of entities and constraints are into `read`."""

    raw: str
    corrected: str = Field("", description="what was read in place of `raw`; empty: the query was read as it stands")
    suggested: str = Field("", description="what the shopper may have meant instead, not searched for; empty: nothing")
    corrections: tuple[Correction, ...] = Field((), description="pieces of `raw` that were corrected or may need it")
    language: str = Field(description="`zh`, `en`, `mixed` or `other`")
    text: str = Field(description="the words left for retrieval: prices, negations and their cue words removed")
    tokens: tuple[str, ...] = Field(description="index terms of `text`")
    entities: tuple[Entity, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    intents: tuple[IntentBelief, ...] = Field((), description="most likely first; none while no encoder answers")
    sentiment: tuple[SentimentBelief, ...] = Field((), description="most likely first; only where a head is trained")
    categories: tuple[CategoryBelief, ...] = Field((), description="most likely first")
    expansions: tuple[Expansion, ...] = ()
    preferences: tuple[Preference, ...] = Field((), description="the shopper's own; only with consent and in a search")
    attributions: tuple[Attribution, ...] = Field((), description="spans of `text`; only where they were asked for")

    @property
    def read(self) -> str:
        """The words that the plan is made of: the shopper's own, or the corrected ones."""
        return self.corrected or self.raw
