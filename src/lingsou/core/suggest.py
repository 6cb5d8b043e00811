"""What `/v1/suggest` returns: completions of what a shopper is typing, by kind."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from lingsou.core.frozen import Frozen

SuggestionKind = Literal["recent", "query", "category", "brand", "product"]


class Suggestion(Frozen):
    """One completion."""

    text: str
    kind: SuggestionKind
    id: str | None = Field(None, description="of a product: where the shopper can go at once")
    filters: Mapping[str, str] = Field(
        default_factory=dict, description="of a category or a brand: what to filter by instead of searching the words"
    )
    highlight: str = Field(description="`text` as safe HTML, what was typed in `<em>`")
    count: int | None = Field(None, description="products that have it, where that is known")


class SuggestionGroup(Frozen):
    """The completions of one kind, best first."""

    kind: SuggestionKind
    items: tuple[Suggestion, ...]


class SuggestResponse(Frozen):
    """Completions in groups; groups without any are left out."""

    q: str
    groups: tuple[SuggestionGroup, ...]
    took_ms: float
