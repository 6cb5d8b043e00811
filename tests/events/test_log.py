"""The SQL event log keeps the contract, in SQLite and in PostgreSQL."""

import pytest

from lingsou.core.database import Database
from lingsou.events.behaviour import Behaviour
from lingsou.events.log import EventLog
from lingsou.testing.events import ALL, EventLogContract, click


class TestSqlEventLog(EventLogContract):
    @pytest.fixture
    def log(self, behaviour: Behaviour) -> EventLog:
        return behaviour.events


def test_waiting_batches_share_one_commit(behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    log, commits = behaviour.events, 0
    plain = Database.write

    def counted(self: Database):  # type: ignore[no-untyped-def]
        nonlocal commits
        commits += 1
        return plain(self)

    monkeypatch.setattr(Database, "write", counted)
    with log._commit_lock:  # as if a commit were under way
        threads = [threading.Thread(target=log.append, args=([click(n)],)) for n in range(8)]
        for thread in threads:
            thread.start()
        while len(log._waiting) < 8:
            pass
    for thread in threads:
        thread.join()
    assert commits == 1
    assert len(log.read(ALL)) == 8


def test_an_error_reaches_every_waiting_thread(behaviour: Behaviour) -> None:
    behaviour.events.append([click(1)])
    with pytest.raises(Exception, match="number"):
        behaviour.events._commit([{"number": "not one", "key": "k"}])
    assert behaviour.events.append([click(2)]).accepted == 1, "the log goes on"
