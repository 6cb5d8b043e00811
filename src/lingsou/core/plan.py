"""What the shopper meant: the plan that understanding hands to retrieval, each belief with its source."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from lingsou.core.frozen import Frozen

EntityKind = Literal["brand", "category", "attribute", "model"]


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
    source: str = Field(description="how it was found: `catalogue`, `alias`, `case-folded` …")
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


class CategoryBelief(Frozen):
    """How likely the shopper means a category; path joined by ` > `."""

    category: str
    probability: float = Field(ge=0, le=1)


class QueryPlan(Frozen):
    """The understood query."""

    raw: str
    language: str = Field(description="`zh`, `en`, `mixed` or `other`")
    text: str = Field(description="the words left for retrieval: prices, negations and their cue words removed")
    tokens: tuple[str, ...] = Field(description="index terms of `text`")
    entities: tuple[Entity, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    categories: tuple[CategoryBelief, ...] = Field((), description="most likely first")
    expansions: tuple[Expansion, ...] = ()
