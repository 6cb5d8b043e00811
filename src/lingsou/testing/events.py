"""What every event log must do.

Subclass `EventLogContract` in a test module and give it a fixture `log` that yields a new, empty `EventLog`.
"""
# ruff: noqa: D102 (the name of each test says what it holds a log to)

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from lingsou.events.log import Appended, EventLog, Selection
from lingsou.events.schema import Event
from lingsou.events.wire import from_wire

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL = Selection(bots=True)


def click(number: int, **more: Any) -> Event:
    """A click on product `p<number>`, so many seconds after `START`."""
    values = {"action_name": "click", "time": START + timedelta(seconds=number), "object_id": f"p{number}"}
    return Event(**{**values, "query_id": "q", "session_id": "s", **more})


class EventLogContract:
    """Run by pytest once for each subclass."""

    def test_is_a_log(self, log: EventLog) -> None:
        assert isinstance(log, EventLog)
        assert len(log.read(ALL)) == 0
        assert log.append([]) == Appended(accepted=0, duplicates=0)

    def test_events_come_back_in_order_of_time(self, log: EventLog) -> None:
        log.append([click(3), click(1)])
        log.append([click(2)])
        found = log.read(ALL)
        assert list(found.object_id) == ["p1", "p2", "p3"]
        assert list(found.time) == [round((START.timestamp() + n) * 1_000) for n in (1, 2, 3)]
        assert list(found.action) == ["click"] * 3

    def test_the_same_event_counts_once(self, log: EventLog) -> None:
        assert log.append([click(1), click(2), click(1)]) == Appended(accepted=2, duplicates=1)
        assert log.append([click(2), click(3)]) == Appended(accepted=1, duplicates=1)
        assert len(log.read(ALL)) == 3

    def test_an_event_id_decides_instead_of_the_content(self, log: EventLog) -> None:
        assert log.append([click(1, event_id="a"), click(1, event_id="b")]).accepted == 2
        assert log.append([click(9, event_id="a")]) == Appended(accepted=0, duplicates=1)

    def test_selections(self, log: EventLog) -> None:
        log.append([click(1, user_id="anna"), click(2, session_id="other"), click(3, action_name="add_to_cart")])
        log.append([click(4)], bot=True)

        def ids(**selection: Any) -> list[str]:
            return list(log.read(Selection(**selection)).object_id)

        assert ids() == ["p1", "p2", "p3"]
        assert ids(bots=True) == ["p1", "p2", "p3", "p4"]
        assert ids(user_id="anna") == ["p1"]
        assert ids(session_id="other") == ["p2"]
        assert ids(object_id="p3") == ["p3"]
        assert ids(actions=("cart",)) == ["p3"]
        assert ids(query_id="nothing") == []
        assert ids(since=START + timedelta(seconds=2), until=START + timedelta(seconds=3)) == ["p2"]

    def test_ids_of_people_and_contacts_are_not_kept(self, log: EventLog) -> None:
        message = "call 13800138000 or mail anna@example.com"
        secret = click(
            1, user_id="anna", client_id="browser", message=message, attributes={"phone": "x", "a": 13800138000}
        )
        log.append([secret])
        ((found,),) = log.pages(ALL)
        text = found.model_dump_json()
        for trace in ("anna", "browser", "13800138000", '"s"'):
            assert trace not in text
        assert found.message == "call [phone] or mail [email]"
        assert found.object_id == "p1"

    def test_pages_can_be_appended_again(self, log: EventLog) -> None:
        full = {
            "event_attributes": {
                "object": {"object_id": "p", "object_id_field": "sku", "name": "杯"},
                "position": {"ordinal": 2, "x": 1.5},
                "rating": 4.5, "quantity": 2, "price": 9.5, "browser": "x",
            },
            "action_name": "Purchase", "timestamp": "2026-03-01T12:00:00.123Z", "application": "shop",
            "message_type": "INFO", "message": "好", "user_id": "u", "client_id": "c", "session_id": "s",
            "query_id": "q",
        }  # fmt: skip
        log.append([from_wire(full), *(click(n) for n in range(25))])
        pages = list(log.pages(ALL, size=10))
        assert [len(page) for page in pages] == [10, 10, 6]
        assert pages[0][0].attributes == {"object": {"name": "杯"}, "position": {"x": 1.5}, "browser": "x"}
        again = [event for page in pages for event in page]
        assert log.append(again) == Appended(accepted=0, duplicates=26)

    def test_what_is_too_old_goes(self, log: EventLog) -> None:
        log.append([click(n) for n in range(10)])
        assert log.expire(START + timedelta(seconds=4)) == 4
        assert list(log.read(ALL).object_id) == [f"p{n}" for n in range(4, 10)]

    def test_threads_lose_and_double_nothing(self, log: EventLog) -> None:
        done: list[Appended] = []

        def send(offset: int) -> None:
            done.extend(log.append([click(n) for n in range(start, start + 20)]) for start in range(offset, 400, 20))

        threads = [threading.Thread(target=send, args=(offset,)) for offset in (0, 0, 200, 200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(each.accepted for each in done) == 400
        assert len(log.read(ALL)) == 400
