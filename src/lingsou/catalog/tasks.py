"""The record of one write request: what was accepted, what was rejected and why, and whether search shows it yet."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson
from pydantic import Field
from sqlalchemy import delete, insert, select

from lingsou.catalog.tables import tasks
from lingsou.core.database import Database
from lingsou.core.errors import LingsouError, NotFoundError
from lingsou.core.types import Frozen, Instant

KEPT_PROBLEMS = 100
KEPT_FOR = timedelta(days=7)

TaskStatus = Literal["indexing", "succeeded"]


class Problem(Frozen):
    """Why one row of a request was rejected."""

    row: int | None = Field(None, description="1-based place in the list that was sent")
    field: str | None = None
    reason: str
    cure: str | None = None

    @classmethod
    def of(cls, error: LingsouError) -> "Problem":
        """The error, as a record."""
        return cls(**error.as_dict())


class Task(Frozen):
    """One write request, after it was stored."""

    id: str
    kind: str = Field(description="what was asked for: `upsert`, `patch` or `delete`")
    created_at: Instant
    accepted: int = Field(description="rows written")
    rejected: int
    problems: tuple[Problem, ...] = Field((), description=f"of the first {KEPT_PROBLEMS} rejected rows")
    sequence: int = Field(description="searches show the whole write once the index has reached this")


def status(task: Task, indexed_sequence: int) -> TaskStatus:
    """Whether the index, which has reached `indexed_sequence`, shows all that the task wrote."""
    return "succeeded" if indexed_sequence >= task.sequence else "indexing"


def create_task(
    database: Database,
    kind: str,
    *,
    accepted: int,
    sequence: int,
    rejected: int = 0,
    problems: Sequence[Problem] = (),
) -> Task:
    """Record a request that has been written; records older than a week go."""
    now = datetime.now(UTC)
    task = Task(
        id=str(uuid.uuid4()),
        kind=kind,
        created_at=now,
        accepted=accepted,
        rejected=rejected,
        problems=tuple(problems[:KEPT_PROBLEMS]),
        sequence=sequence,
    )
    row: dict[str, Any] = task.model_dump(exclude={"problems", "created_at"})
    row["created_at"] = _moment(now)
    row["problems"] = orjson.dumps([each.model_dump(exclude_none=True) for each in task.problems]).decode()
    with database.write() as connection:
        connection.execute(delete(tasks).where(tasks.c.created_at < _moment(now - KEPT_FOR)))
        connection.execute(insert(tasks).values(row))
    return task


def get_task(database: Database, task_id: str) -> Task:
    """One recorded request.

    Raises:
        NotFoundError: no such task, or it is older than a week.
    """
    row = None
    if "\0" not in task_id:
        with database.read() as connection:
            row = connection.execute(select(tasks).where(tasks.c.id == task_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no task '{task_id}'.", field="task_id", cure="Tasks are kept for 7 days; check the id."
        )
    return Task.model_validate({**row, "problems": orjson.loads(row["problems"])})


def _moment(when: datetime) -> str:
    # Fixed width, so that text order is time order.
    return when.isoformat(timespec="microseconds")
