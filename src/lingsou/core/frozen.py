"""The base of every border type."""

from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

_Model = TypeVar("_Model", bound=BaseModel)


class Frozen(BaseModel):
    """Immutable, unknown keys forbidden, white space around strings stripped."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def assembled(model: type[_Model], values: dict[str, Any]) -> _Model:
    """A model of `values` that are valid already, every field given; the dictionary becomes the model's own.

    `model_construct` does the same, but takes nine times as long (measured: 15.7 µs instead of 1.8).
    """
    made = model.__new__(model)
    object.__setattr__(made, "__dict__", values)
    object.__setattr__(made, "__pydantic_fields_set__", _names(model))
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", None)
    return made


@cache
def _names(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)
