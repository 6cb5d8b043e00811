"""The event, flat: what one shopper did, once. `wire.py` has the nested form that travels."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, get_args

import orjson
from pydantic import AfterValidator, Field, model_validator

from lingsou.core.types import Frozen, Id, Instant

Action = Literal[
    "query",
    "impression",
    "click",
    "detail",
    "cart",
    "purchase",
    "rating",
    "review",
    "ad_impression",
    "ad_click",
    "other",
]
ACTIONS: tuple[Action, ...] = get_args(Action)
NAMES: dict[str, Action] = {
    **{action: action for action in ACTIONS},
    "search": "query", "on_search": "query",
    "view": "impression", "product_impression": "impression",
    "click_through": "click", "product_click": "click", "item_click": "click",
    "product_view": "detail", "view_item": "detail", "product_detail": "detail",
    "add_to_cart": "cart", "cart_add": "cart",
    "buy": "purchase", "order": "purchase", "conversion": "purchase", "checkout_complete": "purchase",
    "rate": "rating", "comment": "review",
    "sponsored_impression": "ad_impression", "sponsored_click": "ad_click",
}  # fmt: skip
"""The shop's `action_name` (any case) → what it means here; any other name is `other`."""

NEEDS_OBJECT = frozenset({"impression", "detail", "cart", "purchase", "rating", "review", "ad_impression", "ad_click"})
MAX_ATTRIBUTES_BYTES = 4_096
MAX_DEPTH = 5
MAX_MESSAGE = 4_000
LATEST = timedelta(days=1)
"""How far a shopper's clock may be ahead."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("holds a NUL character, which databases refuse")
    return value


def _plausible(value: datetime) -> datetime:
    if value < EARLIEST:
        raise ValueError("lies before the year 2000")
    if value > datetime.now(UTC) + LATEST:
        raise ValueError("lies more than a day in the future")
    return value.replace(microsecond=value.microsecond // 1_000 * 1_000)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return 1 + max(map(_depth, inner), default=0) if isinstance(value, Mapping | list | tuple) else 0


def _bounded(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if _depth(value) > MAX_DEPTH:
        raise ValueError(f"is nested more than {MAX_DEPTH} deep")
    try:
        text = orjson.dumps(value)
    except (TypeError, ValueError) as error:
        raise ValueError("cannot be written as JSON") from error
    if len(text) > MAX_ATTRIBUTES_BYTES:
        raise ValueError(
            f"has {len(text)} bytes of attributes that are not of the schema; {MAX_ATTRIBUTES_BYTES} are allowed"
        )
    if b"\\u0000" in text:
        raise ValueError("holds a NUL character, which databases refuse")
    return value


Short = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_without_nul)]
Person = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_without_nul)]


class Event(Frozen):
    """One thing that a shopper did. Before storage ids of people are hashed and free text is masked."""

    event_id: Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_without_nul)] | None = Field(
        None, description="makes the event idempotent; none: its content does"
    )
    action_name: Short = Field(description="as the shop calls it")
    time: Annotated[Instant, AfterValidator(_plausible)] = Field(description="when it happened, in milliseconds")
    application: Short | None = None
    query_id: Short | None = Field(None, description="of the search that it belongs to")
    user_id: Person | None = None
    client_id: Person | None = Field(None, description="of the browser or app")
    session_id: Person | None = None
    object_id: Id | None = Field(None, description="of the product")
    object_id_field: Short | None = Field(None, description="of which field that is an id; none: `id`")
    ordinal: int | None = Field(None, ge=0, le=1_000_000, description="place in the list, from 1")
    rating: float | None = Field(None, ge=0, le=5, allow_inf_nan=False)
    quantity: int | None = Field(None, ge=0, le=1_000_000)
    price: float | None = Field(None, ge=0, lt=10**12, allow_inf_nan=False, description="of one unit")
    message_type: Short | None = None
    message: Annotated[str, Field(max_length=MAX_MESSAGE), AfterValidator(_without_nul)] | None = Field(
        None, description="free text: the query, the review"
    )
    attributes: Annotated[Mapping[str, Any], AfterValidator(_bounded)] = Field(
        default_factory=dict, description="everything else, as it stood in `event_attributes`"
    )

    @property
    def action(self) -> Action:
        """What the event means."""
        return NAMES.get(self.action_name.lower().replace("-", "_").replace(" ", "_"), "other")

    @model_validator(mode="after")
    def _is_whole(self) -> "Event":
        action = self.action
        if self.object_id is None and action in NEEDS_OBJECT:
            raise ValueError(f"an event '{self.action_name}' needs event_attributes.object.object_id")
        if self.rating is None and action == "rating":
            raise ValueError("a rating needs event_attributes.rating, from 0 to 5")
        return self
