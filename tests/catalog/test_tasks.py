"""Tasks: what is kept, and for how long. The rest is in the store's contract."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from lingsou.catalog.store import Store
from lingsou.catalog.tables import tasks
from lingsou.catalog.tasks import KEPT_FOR, Problem
from lingsou.core.database import sqlite_url
from lingsou.core.errors import NotFoundError, ProductError


def test_week_old_task_goes_when_the_next_comes(tmp_path: Path) -> None:
    with Store.open(sqlite_url(tmp_path / "store.sqlite3")) as store:
        old, young = (store.create_task("upsert", accepted=1, sequence=1) for _ in range(2))
        for task, age in ((old, KEPT_FOR + timedelta(minutes=1)), (young, KEPT_FOR - timedelta(minutes=1))):
            then = (datetime.now(UTC) - age).isoformat(timespec="microseconds")
            with store.database.write() as connection:
                connection.execute(update(tasks).where(tasks.c.id == task.id).values(created_at=then))
        assert store.task(old.id).id == old.id
        store.create_task("patch", accepted=1, sequence=2)
        assert store.task(young.id).kind == "upsert"
        with pytest.raises(NotFoundError, match="no task"):
            store.task(old.id)


def test_problem_of_an_error() -> None:
    error = ProductError("negative price", field="price", row=3, cure="Mend it.")
    assert Problem.of(error) == Problem(row=3, field="price", reason="negative price", cure="Mend it.")
