"""JSON Lines: one object a line."""

from dataclasses import dataclass
from pathlib import Path

import orjson

from lingsou.catalog.feeds.base import OnBytes, RowProblem, Rows, guarded
from lingsou.catalog.feeds.source import text_lines
from lingsou.core.errors import FeedError

_TYPES = {
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


@dataclass(frozen=True)
class JsonLinesFeed:
    """Rows are JSON objects, nested or flat."""

    name: str = "jsonl"

    @guarded
    def rows(self, path: Path, *, encoding: str | None = None, on_bytes: OnBytes | None = None) -> Rows:
        """See `Feed.rows`."""
        first = True
        for number, line in enumerate(text_lines(path, encoding, on_bytes), start=1):
            if isinstance(line, RowProblem):
                yield number, _with_columns(line)
                continue
            stripped = line.strip()
            if not stripped:
                continue
            if first and (stripped in ("[", "{") or stripped.startswith("[{")):
                raise FeedError(
                    f"'{path.name}' is one JSON document, not one object a line.",
                    cure="Write one object a line, for example: jq -c '.[]' FILE > FILE.jsonl",
                )
            first = False
            yield number, _parsed(stripped, number)


def _parsed(line: str, number: int) -> dict[str, object] | RowProblem:
    try:
        row = orjson.loads(line)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        where = f" at character {error.colno}" if isinstance(error, orjson.JSONDecodeError) else ""
        what = error.msg if isinstance(error, orjson.JSONDecodeError) else "it holds half a character"
        return RowProblem(
            "not valid JSON",
            f"line {number} is not valid JSON{where}: {what}",
            "Write one JSON object a line.",
            data=line,
        )
    if isinstance(row, dict):
        return row
    kind = _TYPES.get(type(row), "no object")
    return RowProblem(
        "not a JSON object", f"line {number} is {kind}, not an object", "Write one JSON object a line.", data=line
    )


def _with_columns(problem: RowProblem) -> RowProblem:
    """What can still be read of an undecodable line, so that its id is known."""
    if isinstance(problem.data, str):
        row = _parsed(problem.data, 0)
        if isinstance(row, dict):
            return RowProblem(problem.kind, problem.reason, problem.cure, problem.field, row)
    return problem
