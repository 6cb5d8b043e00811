"""What pydantic found wrong with a row, in plain words with a cure."""

from collections.abc import Mapping as AbstractMapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lingsou.catalog.feeds.base import RowProblem
from lingsou.catalog.values import shown


def unfit(error: ValidationError, row: AbstractMapping[str, Any], sources: AbstractMapping[str, str]) -> RowProblem:
    """The first error of a row; `sources` names the columns that each field comes from."""
    details = error.errors(include_url=False)
    first = details[0]
    place = [str(part) for part in first["loc"]]
    name = place[0] if place else ""
    field = ".".join(place[:2]) if name == "attributes" else name
    kind, reason, cure = _words(field, first, sources.get(name, ""))
    if len(details) > 1:
        reason += f" (and {len(details) - 1} more)"
    return RowProblem(f"{name}: {kind}" if name else kind, reason, cure, field, dict(row))


def _words(field: str, detail: ErrorDetails, source: str) -> tuple[str, str, str]:
    """Kind, reason and cure of one error."""
    limits = detail.get("ctx", {})
    given = detail["input"]
    column = f" in column '{source}'" if source else ""
    match detail["type"]:
        case "missing":
            return "missing", f"the row has no {field}", f"Give it{column}." if source else "Map a column to it."
        case "string_too_short":
            return "empty", f"{field} is empty", f"Give it{column}."
        case "string_too_long":
            limit = limits["max_length"]
            return (
                f"longer than {limit:,}",
                f"{field} has {len(given):,} characters, more than {limit:,}",
                "Shorten it.",
            )
        case "greater_than_equal":
            return f"below {limits['ge']}", f"{field} is {given}, below {limits['ge']}", f"Correct it{column}."
        case "less_than_equal":
            cure = "Correct it, or give the mapping a `scale`."
            return f"above {limits['le']}", f"{field} is {given}, above {limits['le']}", cure
        case "less_than":
            return f"not below {limits['lt']}", f"{field} is {given}, not below {limits['lt']}", f"Correct it{column}."
        case "finite_number":
            return "not a finite number", f"{field} is {given}", "Give a number, or leave it empty."
        case "string_pattern_mismatch" if field == "currency":
            cure = "Use three capital letters, such as CNY or USD."
            return "not a currency code", f"{field} {shown(given)} is not an ISO 4217 code", cure
        case _:
            message = detail["msg"].removeprefix("Value error, ")
            return message[:1].lower() + message[1:], f"{field} is {shown(given)}: {message}", f"Correct it{column}."
