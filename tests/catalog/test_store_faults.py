"""Killed writers and many writing processes: nothing acknowledged is lost, and the log has no gaps."""

import itertools
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lingsou.catalog.store import Store
from lingsou.core.database import sqlite_url

WRITER = """
import sys
from lingsou.catalog.store import Store
from lingsou.testing.store import product
url, start, count, size = sys.argv[1], *map(int, sys.argv[2:])
store = Store.open(url)
for number in range(start, start + count, size):
    batch = [product(each, description="x" * 500) for each in range(number, number + size)]
    result = store.upsert(batch)
    print(result.sequence, number + size, flush=True)
"""


def writer(url: str, start: int, count: int, size: int) -> "subprocess.Popen[str]":
    arguments = [sys.executable, "-c", WRITER, url, str(start), str(count), str(size)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def test_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    url, start = sqlite_url(tmp_path / "store.sqlite3"), 0
    for pause in (0.02, 0.05, 0.11, 0.17, 0.23):
        process = writer(url, start, 10**9, 20)
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.read().splitlines(keepends=True)
        process.wait()
        process.stdout.close()
        sequence, end = map(int, next(line for line in reversed(lines) if line.endswith("\n")).split())
        with Store.open(url) as store:
            assert store.sequence() >= sequence
            assert store.count() == store.sequence()
            assert store.count() % 20 == 0, "a batch is kept whole or not at all"
            assert len(store.get([f"p{number}" for number in range(end)])) == end
            assert [each.sequence for each in store.changes(0, 10**6)] == list(range(1, store.sequence() + 1))
            start = store.count()


def check_processes(url: str) -> None:
    with Store.open(url) as store:
        writers = [writer(url, start, 200, 5) for start in (0, 1000)]
        cursor = 0
        while any(process.poll() is None for process in writers) or store.sequence() > cursor:
            for change in store.changes(cursor, 1000):
                assert change.sequence == cursor + 1, "a later change was visible before an earlier one"
                cursor = change.sequence
        acknowledged = [[int(line.split()[0]) for line in process.communicate()[0].splitlines()] for process in writers]
        assert [process.returncode for process in writers] == [0, 0]
        assert sorted(itertools.chain(*acknowledged)) == list(range(5, 401, 5))
        assert all(own == sorted(own) for own in acknowledged)
        assert sorted(each.number for each in store.changes(0, 1000)) == list(range(1, 401))


def test_two_processes_on_sqlite(tmp_path: Path) -> None:
    check_processes(sqlite_url(tmp_path / "store.sqlite3"))


@pytest.mark.slow
def test_two_processes_on_postgres(postgres_url: str) -> None:
    check_processes(postgres_url)
