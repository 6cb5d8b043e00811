"""The record of one request: what was accepted, what was rejected and why, and whether search shows it yet.

A write is done when its task is made. Longer work, such as a run of the quality checks, makes its task first.
"""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson
from pydantic import Field
from sqlalchemy import delete, insert, select, update

from lingsou.catalog.tables import tasks
from lingsou.core.database import Database
from lingsou.core.errors import LingsouError, NotFoundError
from lingsou.core.types import Frozen, Instant

KEPT_PROBLEMS = 100
KEPT_FOR = timedelta(days=7)

TaskStatus = Literal["running", "indexing", "succeeded", "failed"]
TaskState = Literal["running", "written", "failed"]


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
    kind: str = Field(description="what was asked for: `upsert`, `patch`, `delete` or `quality`")
    created_at: Instant
    accepted: int = Field(description="rows written")
    rejected: int
    quarantined: int = Field(0, description="products that were held back")
    problems: tuple[Problem, ...] = Field(
        (), description=f"of the first {KEPT_PROBLEMS} rows that were rejected or held back"
    )
    sequence: int = Field(description="searches show the whole write once the index has reached this")
    state: TaskState = Field("written", exclude=True, description="whether the work goes on, is done, or was in vain")


def status(task: Task, indexed_sequence: int) -> TaskStatus:
    """Whether the work is done, and the index, which has reached `indexed_sequence`, shows all that it wrote."""
    if task.state != "written":
        return task.state
    return "succeeded" if indexed_sequence >= task.sequence else "indexing"


def create_task(
    database: Database,
    kind: str,
    *,
    accepted: int,
    sequence: int,
    rejected: int = 0,
    quarantined: int = 0,
    problems: Sequence[Problem] = (),
    state: TaskState = "written",
) -> Task:
    """Record a request that has been written, or work that begins; records older than a week go."""
    now = datetime.now(UTC)
    task = Task(
        id=str(uuid.uuid4()),
        kind=kind,
        created_at=now,
        accepted=accepted,
        rejected=rejected,
        quarantined=quarantined,
        problems=tuple(problems[:KEPT_PROBLEMS]),
        sequence=sequence,
        state=state,
    )
    row: dict[str, Any] = task.model_dump(exclude={"problems", "created_at"})
    row["state"] = state
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


def finish_task(database: Database, task_id: str, *, accepted: int, sequence: int, problem: Problem | None) -> None:
    """Record the end of work that went on after its request; with a problem, it was in vain."""
    problems = [problem.model_dump(exclude_none=True)] if problem else []
    values = {"accepted": accepted, "sequence": sequence, "problems": orjson.dumps(problems).decode()}
    with database.write() as connection:
        ended = values | {"state": "failed" if problem else "written"}
        connection.execute(update(tasks).where(tasks.c.id == task_id).values(ended))


def fail_running(database: Database, kind: str, problem: Problem) -> None:
    """Record that work of this kind which was under way will never end: its process died."""
    problems = orjson.dumps([problem.model_dump(exclude_none=True)]).decode()
    with database.write() as connection:
        left = (tasks.c.kind == kind) & (tasks.c.state == "running")
        connection.execute(update(tasks).where(left).values(state="failed", problems=problems))


def _moment(when: datetime) -> str:
    # Fixed width, so that text order is time order.
    return when.isoformat(timespec="microseconds")
