"""What a merchandiser says that a query means: it overrules understanding at once, and is a training example.

One JSON object a line, in `labels/queries.jsonl` of the data folder:

    {"query": "苹果", "intent": "browse", "at": "2026-01-31T12:00:00Z"}
    {"query": "苹果", "entities": [{"start": 0, "end": 2, "kind": "brand"}], "at": "2026-01-31T12:05:00Z"}

What a later line says of a query comes in place of what earlier ones said; `"forget": true` takes all of it back.
"""

import os
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError, model_validator

from lingsou.core.errors import InputError, LockedError, NotFoundError, StorageError
from lingsou.core.plan import CategoryBelief, Entity, IntentBelief, QueryPlan, SentimentBelief
from lingsou.core.types import MAX_QUERY_LENGTH, Frozen, Instant
from lingsou.query.lexicon import CatalogLexicon
from lingsou.query.tagged import Tagged, merged
from lingsou.text.normalise import normalise
from lingsou.text.segment import Segmenter

MERCHANDISER = "merchandiser"
_LOCK_SECONDS = 30.0
_ASPECTS = ("intent", "category", "sentiment", "entities")


class LabelledSpan(Frozen):
    """Characters `start` to `end` (exclusive) of the query are a `kind`."""

    start: int = Field(ge=0)
    end: int = Field(gt=0)
    kind: str = Field(pattern=r"^(?:brand|category|product|model|attributes\.\S+)$")


class QueryLabel(Frozen):
    """What one query means. What is none is left to understanding; no spans at all: nothing is named."""

    query: str = Field(min_length=1, max_length=MAX_QUERY_LENGTH)
    intent: str | None = Field(None, pattern=r"^\w+$")
    category: str | None = Field(None, min_length=1, description="path joined by ` > `")
    sentiment: str | None = Field(None, min_length=1)
    entities: tuple[LabelledSpan, ...] | None = Field(None, description="every one of the query, in order")
    forget: bool = Field(False, description="takes back what was said before")
    at: Instant

    @model_validator(mode="after")
    def _fits(self) -> "QueryLabel":
        end = 0
        for span in self.entities or ():
            if not end <= span.start < span.end <= len(self.query):
                raise ValueError(
                    f"the span {span.start}:{span.end} overlaps another one, is out of order, or lies outside the "
                    f"{len(self.query)} characters of the query"
                )
            end = span.end
        return self

    @property
    def key(self) -> str:
        """What queries have in common that are one and the same."""
        return key_of(self.query)


def key_of(query: str) -> str:
    """The query in the one spelling that labels go by: case, width, accents, traditional characters, white space."""
    return " ".join(normalise(query).split())


class QueryLabels:
    """The labels of one shop. Readers look for changes at `refresh`; whoever adds one holds the file's lock."""

    def __init__(self, path: Path):
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._labels: Mapping[str, QueryLabel] = {}
        self.version = 0
        """Counts what `refresh` read anew."""
        self._refreshing = threading.Lock()

    def __len__(self) -> int:
        return len(self._labels)

    def of(self, query: str) -> QueryLabel | None:
        """What was said of exactly this query."""
        return self._labels.get(key_of(query)) if self._labels else None

    def all(self) -> list[QueryLabel]:
        """The labels in force, by query."""
        return [self._labels[key] for key in sorted(self._labels)]

    def refresh(self) -> bool:
        """Read the file if it changed; whether it did.

        Raises:
            StorageError: it cannot be read.
            InputError: a line is no label; what was read before stays.
        """
        with self._refreshing:
            try:
                state = self.path.stat()
                seen = (state.st_ino, state.st_size, state.st_mtime_ns)
            except FileNotFoundError:
                seen = None
            if seen == self._seen:
                return False
            self._seen = seen  # a line that is no label is told once, not every second
            self._labels = {} if seen is None else merged_labels(read_labels(self.path))
            self.version += 1
            return True

    def add(self, label: QueryLabel) -> bool:
        """Keep a label for good; whether it says anything new.

        Raises:
            NotFoundError: it forgets a query that has no label.
            LockedError: another process holds the file.
            StorageError, InputError: as `refresh`, or it cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
                self.refresh()
                known = self._labels.get(label.key)
                if label.forget and known is None:
                    raise NotFoundError(f"'{label.query}' has no label.", cure="lingsou query labels")
                if known is not None and not label.forget and _joined(known, label) == known:
                    return False
                self._append(label)
                self.refresh()
        except Timeout as error:
            raise LockedError(f"Another process writes {self.path}.", cure="Wait until it is done.") from error
        except OSError as error:
            raise StorageError(f"{self.path} cannot be written: {error}.", cure="Check folder and disk.") from error
        return True

    def _append(self, label: QueryLabel) -> None:
        line = label.model_dump_json(exclude_none=True, exclude_defaults=True).encode() + b"\n"
        with self.path.open("ab+") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            if size and file.read(1) != b"\n":  # a killed process left half a line, which nobody was told was kept
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def read_labels(path: Path) -> list[QueryLabel]:
    """The lines of a file of labels, first to last; one that has no end yet is left out.

    Raises:
        NotFoundError: there is no such file.
        StorageError: it cannot be read.
        InputError: a line is no label; it is named.
    """
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}.", cure="lingsou query label WORDS --intent INTENT") from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.", cure="Check its permissions.") from error
    found = []
    for row, line in enumerate(lines, start=1):
        if line.strip():
            try:
                found.append(QueryLabel.model_validate_json(line))
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                where = ".".join(map(str, first["loc"])) or None
                raise InputError(
                    f"{path}: {first['msg']}.", row=row, field=where, cure="Mend or remove that line."
                ) from error
    return found


def merged_labels(lines: Iterable[QueryLabel]) -> dict[str, QueryLabel]:
    """What is in force after all lines, by the query's key."""
    found: dict[str, QueryLabel] = {}
    for label in lines:
        if label.forget:
            found.pop(label.key, None)
        else:
            found[label.key] = _joined(found[label.key], label) if label.key in found else label
    return found


def _joined(known: QueryLabel, label: QueryLabel) -> QueryLabel:
    said: dict[str, Any] = {name: getattr(label, name) for name in _ASPECTS if getattr(label, name) is not None}
    if all(getattr(known, name) == value for name, value in said.items()):
        return known
    # Spans are into the words as they were typed with them.
    return known.model_copy(update={**said, "at": label.at, **({"query": label.query} if "entities" in said else {})})


def labelled(plan: QueryPlan, label: QueryLabel | None, lexicon: CatalogLexicon, segmenter: Segmenter) -> QueryPlan:
    """The plan with what a merchandiser said in place of what was understood; limits and refusals stay."""
    if label is None:
        return plan
    update: dict[str, Any] = {}
    if label.intent is not None:
        update["intents"] = (IntentBelief(intent=label.intent, probability=1.0, source=MERCHANDISER),)
    if label.category is not None:
        update["categories"] = (CategoryBelief(category=label.category, probability=1.0, source=MERCHANDISER),)
    if label.sentiment is not None:
        update["sentiment"] = (SentimentBelief(sentiment=label.sentiment, probability=1.0, source=MERCHANDISER),)
    if label.entities is not None:
        update["entities"] = _entities(plan, label, lexicon, segmenter)
    return plan.model_copy(update=update)


def overruled(beliefs: Iterable[IntentBelief | CategoryBelief | SentimentBelief | Entity]) -> bool:
    """Whether a merchandiser said it, so that nothing that was learned changes it."""
    return any(each.source == MERCHANDISER for each in beliefs)


def _entities(plan: QueryPlan, label: QueryLabel, lexicon: CatalogLexicon, segmenter: Segmenter) -> tuple[Entity, ...]:
    kept = [each for each in plan.entities if each.negated or each.source == "field-syntax"]
    read, spans, place = plan.read, [], 0
    for span in label.entities or ():
        start = read.find(label.query[span.start : span.end], place)
        if start >= 0:
            place = start + span.end - span.start
            spans.append(Tagged(start, place, span.kind, 1.0))
    found = merged(read, kept, spans, lexicon, segmenter)
    return tuple(
        each.model_copy(update={"source": MERCHANDISER}) if each.source == "tagger" else each for each in found
    )


def new_label(query: str, **said: Any) -> QueryLabel:
    """A label of this moment.

    Raises:
        InputError: a part of it makes no sense.
    """
    try:
        return QueryLabel(query=query, at=datetime.now(UTC).replace(microsecond=0), **said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InputError(
            f"{first['msg']}.",
            field=".".join(map(str, first["loc"])) or None,
            cure="Kinds are brand, category, product, model and attributes.NAME; places count characters from 0.",
        ) from error
