"""The form in which events travel: User Behavior Insights 1.3, nested (https://o19s.github.io/ubi/schema/1.3.0).

Ours beyond it: `event_id`, and `rating`, `quantity` and `price` in `event_attributes`. Fields that neither knows are
kept as attributes, within `MAX_ATTRIBUTES_BYTES`, so that existing collectors work unchanged.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from lingsou.core.errors import InputError
from lingsou.events.schema import Event

_TOP = {
    "event_id": "event_id",
    "application": "application",
    "action_name": "action_name",
    "query_id": "query_id",
    "session_id": "session_id",
    "client_id": "client_id",
    "user_id": "user_id",
    "timestamp": "time",
    "message_type": "message_type",
    "message": "message",
}
_ATTRIBUTES = {"rating": "rating", "quantity": "quantity", "price": "price"}
_PEOPLE = {"user_id": "user_id", "session_id": "session_id", "client_id": "client_id"}
_OBJECT = {"object_id": "object_id", "object_id_field": "object_id_field"}
_POSITION = {"ordinal": "ordinal"}
_PLACES = {
    **{flat: wire for wire, flat in _TOP.items()},
    **{flat: f"event_attributes.{wire}" for wire, flat in _ATTRIBUTES.items()},
    **{flat: f"event_attributes.object.{wire}" for wire, flat in _OBJECT.items()},
    **{flat: f"event_attributes.position.{wire}" for wire, flat in _POSITION.items()},
    "attributes": "event_attributes",
}
_NAMES_AS_NUMBERS = {"event_id", "object_id", "user_id", "client_id", "session_id", "query_id"}


def from_wire(row: Any) -> Event:
    """The event that a JSON object says.

    Raises:
        InputError: it is no object, or a field is wrong; the error names it as it stands on the wire.
    """
    if not isinstance(row, Mapping):
        raise InputError("An event is a JSON object.", cure='Send {"action_name": …, "timestamp": …}.')
    flat: dict[str, Any] = {}
    rest = _take(row, _TOP, flat)
    attributes = rest.pop("event_attributes", None)
    inner = _mapping(attributes, "event_attributes")
    object_ = _mapping(inner.pop("object", None), "event_attributes.object")
    position = _mapping(inner.pop("position", None), "event_attributes.position")
    extra = _take(inner, _ATTRIBUTES | {name: name for name in _PEOPLE if name not in flat}, flat)
    for name, left in (("object", _take(object_, _OBJECT, flat)), ("position", _take(position, _POSITION, flat))):
        if left:
            extra[name] = left
    try:
        return Event(**flat, attributes={**{name: value for name, value in rest.items() if value is not None}, **extra})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        raise InputError(
            first["msg"].removeprefix("Value error, "), field=_PLACES.get(name) or None, cure="See docs/events.md."
        ) from error


def to_wire(event: Event) -> dict[str, Any]:
    """The JSON object of an event, empty fields left out; `from_wire` gives the same event back."""
    values = event.model_dump(exclude={"attributes", "time"}, exclude_none=True)
    wire = {name: values[flat] for name, flat in _TOP.items() if flat in values}
    wire["timestamp"] = event.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    attributes = dict(event.attributes)
    for name, fields in (("object", _OBJECT), ("position", _POSITION)):
        known = {wire_name: values[flat] for wire_name, flat in fields.items() if flat in values}
        if known or name in attributes:
            attributes[name] = {**known, **attributes.get(name, {})}
    attributes |= {name: values[flat] for name, flat in _ATTRIBUTES.items() if flat in values}
    return {**wire, "event_attributes": attributes} if attributes else wire


def _take(source: Mapping[str, Any], names: Mapping[str, str], into: dict[str, Any]) -> dict[str, Any]:
    """Move the known fields into `into`; what is left."""
    rest: dict[str, Any] = {}
    for name, value in source.items():
        flat = names.get(name)
        if flat is None:
            rest[name] = value
        elif value is not None and value != "":
            number = flat in _NAMES_AS_NUMBERS and isinstance(value, int) and not isinstance(value, bool)
            into[flat] = str(value) if number else value
    return rest


def _mapping(value: Any, field: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError("is not an object.", field=field, cure="See docs/events.md.")
    return dict(value)
