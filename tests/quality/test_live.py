"""Scores in memory follow the last run that came to its end."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lingsou.catalog.store import Store
from lingsou.core.database import sqlite_url
from lingsou.quality.live import LiveScores
from lingsou.quality.runs import QualityRun, RunStore
from lingsou.quality.scores import Scores


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(sqlite_url(tmp_path / "store.sqlite3")) as opened:
        yield opened


def run(store: Store, scores: list[tuple[str, float]], *, ends: bool = True) -> None:
    runs = RunStore(store.database)
    number = runs.begin()
    runs.put_scores(number, scores)
    if ends:
        whole = Scores(all=90, categories=(), brands=(), sellers=())
        runs.finish(
            QualityRun(
                number=number,
                began_at=datetime.now(UTC),
                took_s=1,
                author="test",
                profile="default",
                deep=False,
                products=2,
                scores=whole,
                checks=(),
            ),
            0,
        )


def test_nothing_is_known_before_the_first_run(store: Store) -> None:
    live = LiveScores(store.database)
    assert not live.refresh()
    assert live.of(["a"]) is None
    run(store, [("a", 40.0)], ends=False)
    assert not live.refresh()


def test_the_last_run_counts_and_is_read_once(store: Store) -> None:
    live = LiveScores(store.database)
    run(store, [("a", 40.0)])
    assert live.refresh()
    assert not live.refresh()
    found = live.of(["b", "a"])
    assert found is not None
    assert found.tolist() == [100, 40]
    run(store, [("b", 70.0)])
    assert live.refresh()
    found = live.of(["b", "a"])
    assert found is not None
    assert found.tolist() == [70, 100]
