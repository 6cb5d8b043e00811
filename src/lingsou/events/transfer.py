"""Events in files: JSON Lines in the wire form, and CSV and Parquet with one column for each flat field."""

import csv
import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Literal

import orjson

from lingsou.core.errors import FeedError, InputError
from lingsou.core.types import Frozen
from lingsou.events.log import EventLog
from lingsou.events.schema import Event
from lingsou.events.wire import from_wire, to_wire

Form = Literal["jsonl", "csv", "parquet"]
BATCH = 1_000
KEPT_PROBLEMS = 100
MAX_CELL = 1 << 20
_FIELDS = tuple(Event.model_fields)
_ENDINGS: dict[str, Form] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}
_WIRE_NAMES = {"timestamp": "time"}


class RowProblem(Frozen):
    """Why a row was refused."""

    row: int
    field: str | None = None
    reason: str


class Imported(Frozen):
    """What an import did."""

    rows: int
    accepted: int
    duplicates: int
    rejected: int
    problems: tuple[RowProblem, ...] = ()


def form_of(path: Path) -> Form:
    """By the ending of its name, `.gz` aside.

    Raises:
        FeedError: none that is known.
    """
    ending = (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()
    if ending not in _ENDINGS:
        raise FeedError(
            f"'{path.name}' is no event file.", cure="Name it .jsonl, .csv or .parquet; .gz may follow the first two."
        )
    return _ENDINGS[ending]


def import_events(log: EventLog, path: Path) -> Imported:
    """Append the events of a file. Rows that are wrong are counted and the first hundred reported; the rest goes in.

    Raises:
        FeedError: the file as a whole cannot be read.
    """
    rows = accepted = duplicates = rejected = 0
    problems: list[RowProblem] = []
    batch: list[Event] = []

    def store() -> None:
        nonlocal accepted, duplicates
        done = log.append(batch)
        accepted, duplicates = accepted + done.accepted, duplicates + done.duplicates
        batch.clear()

    for rows, row in enumerate(_rows(path), 1):
        try:
            batch.append(from_wire(_parsed(row) if isinstance(row, bytes) else _nested(row)))
        except InputError as error:
            rejected += 1
            if len(problems) < KEPT_PROBLEMS:
                problems.append(RowProblem(row=rows, field=error.field, reason=error.message))
        if len(batch) == BATCH:
            store()
    store()
    return Imported(rows=rows, accepted=accepted, duplicates=duplicates, rejected=rejected, problems=tuple(problems))


def export_events(pages: Iterable[Sequence[Event]], path: Path) -> int:
    """Write events into a new file; how many. Ids of people are pseudonyms, which an import takes as they are."""
    form, count = form_of(path), 0
    if form == "parquet":
        return _export_parquet(pages, path)
    with _opened(path, "x") as file:
        writer = csv.writer(file, lineterminator="\n") if form == "csv" else None
        if writer:
            writer.writerow(_FIELDS)
        for page in pages:
            count += len(page)
            for event in page:
                if writer:
                    writer.writerow(_flat(event).values())
                else:
                    file.write(orjson.dumps(to_wire(event)).decode() + "\n")
    return count


def _export_parquet(pages: Iterable[Sequence[Event]], path: Path) -> int:
    pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
    kinds = {"ordinal": pa.int64(), "quantity": pa.int64(), "rating": pa.float64(), "price": pa.float64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in _FIELDS])
    count = 0
    with path.open("xb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for page in pages:
            writer.write_table(pa.Table.from_pylist([_flat(event) for event in page], schema))
            count += len(page)
    return count


def _flat(event: Event) -> dict[str, Any]:
    values = event.model_dump(exclude={"attributes", "time"})
    values["time"] = event.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    values["attributes"] = orjson.dumps(dict(event.attributes)).decode() if event.attributes else None
    return {name: values[name] for name in _FIELDS}


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InputError(f"not JSON: {error}", cure="Write one JSON object a line.") from error


def _nested(row: dict[str, Any]) -> Any:
    """A flat row in the wire form; empty cells are none."""
    values = {_WIRE_NAMES.get(name, name): value for name, value in row.items() if value not in (None, "")}
    try:
        attributes = json.loads(values.pop("attributes", None) or "{}")
    except ValueError as error:
        raise InputError("is not JSON.", field="attributes", cure="Write an object such as {}.") from error
    if not isinstance(attributes, dict):
        raise InputError("is not a JSON object.", field="attributes", cure="Write an object such as {}.")
    wire = {"timestamp": values.pop("time")} if "time" in values else {}
    for name, fields in (("object", ("object_id", "object_id_field")), ("position", ("ordinal",))):
        inner = {field: values.pop(field) for field in fields if field in values}
        if inner:
            attributes[name] = {**attributes.get(name, {}), **inner}
    attributes |= {name: values.pop(name) for name in ("rating", "quantity", "price") if name in values}
    return {**values, **wire, "event_attributes": attributes}


def _rows(path: Path) -> Iterator[Any]:
    """Lines as bytes, or flat rows."""
    form = form_of(path)
    try:
        if form == "parquet":
            with import_module("pyarrow.parquet").ParquetFile(path) as file:
                for batch in file.iter_batches(BATCH):
                    yield from batch.to_pylist()
        elif form == "csv":
            csv.field_size_limit(MAX_CELL)
            with _opened(path, "r") as text:
                yield from csv.DictReader(text)
        else:
            with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
                yield from (line for line in lines if line.strip())
    except (OSError, EOFError, ValueError, csv.Error) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise FeedError(
            f"'{path.name}' cannot be read: {error}.", cure=f"Check that it is {form}, in UTF-8."
        ) from error


def _opened(path: Path, mode: Literal["r", "x"]) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, f"{mode}t", encoding="utf-8", newline="")  # type: ignore[return-value]
    return path.open(mode, encoding="utf-8-sig" if mode == "r" else "utf-8", newline="")
