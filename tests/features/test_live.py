"""Aggregates of a running service follow a real log, over both databases; and forget whom the log forgets."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lingsou.core.settings import SETTINGS_FILE, DataFolder, EventSettings, Settings, load_settings
from lingsou.core.types import Context, Product
from lingsou.events.arrivals import Follower
from lingsou.events.behaviour import Behaviour, open_behaviour
from lingsou.events.persons import erase
from lingsou.events.schema import Event
from lingsou.features import live as module
from lingsou.features.events_view import COUNTED
from lingsou.features.live import LiveEvents

NOW = datetime.now(UTC).replace(microsecond=0)
CLICK = COUNTED.index("click")


@pytest.fixture(params=["sqlite", "postgres"])
def behaviour(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Behaviour]:
    (tmp_path / SETTINGS_FILE).write_text("", encoding="utf-8")
    folder = DataFolder(tmp_path)
    settings = load_settings(folder)
    if request.param == "postgres":
        settings = Settings(events=EventSettings(url=request.getfixturevalue("postgres_url")))
    with open_behaviour(folder, settings) as opened:
        yield opened


def event(seconds_ago: float, action: str = "click", object_id: str = "a", **more: object) -> Event:
    values = {"action_name": action, "time": NOW - timedelta(seconds=seconds_ago), "object_id": object_id}
    return Event.model_validate({**values, **more})


def clicks(live: LiveEvents, context: Context = Context()) -> float:  # noqa: B008
    view = live.view(["a"], "shoes", context, NOW + timedelta(seconds=1))
    assert view is not None
    return float(view.counts[0, CLICK, 2].round(2))


def test_new_events_are_seen_at_the_next_refresh(behaviour: Behaviour) -> None:
    live = LiveEvents(behaviour, lambda ids: {id_: Product(id=id_, title="A", brand="Kestrel") for id_ in ids})
    assert live.view(["a"], "", Context(), NOW) is None, "not read yet"
    behaviour.events.append([event(60)])
    assert live.refresh()
    assert clicks(live) == 1
    assert not live.refresh()
    behaviour.events.append([event(50), event(4_000)], bot=False)
    behaviour.events.append([event(40)], bot=True)
    live.refresh()
    assert clicks(live) == 3, "a late one too, a robot's not"


def test_a_shopper_is_known_by_any_of_the_ids_and_only_with_consent(behaviour: Behaviour) -> None:
    live = LiveEvents(behaviour, lambda ids: {id_: Product(id=id_, title="A", brand="Kestrel") for id_ in ids})
    behaviour.events.append(
        [event(9, user_id="anna", session_id="s"), event(8, session_id="s"), event(7, session_id="other")]
    )
    live.refresh()

    def actions(**context: object) -> int:
        view = live.view(["a"], "", Context.model_validate(context), NOW)
        assert view is not None
        return len(view.trail) if view.trail else 0

    assert actions(user_id="anna") == 1
    assert actions(user_id="anna", session_id="s") == 2
    assert actions() == 0
    assert actions(user_id="anna", session_id="s", personalise=False) == 0


def test_the_words_of_a_search_reach_its_clicks(behaviour: Behaviour) -> None:
    live = LiveEvents(behaviour, lambda ids: {})
    shown = [event(30, "impression", query_id="q", ordinal=1), event(29, query_id="q", ordinal=1)]
    behaviour.events.append(shown)
    behaviour.events.append(
        [Event(action_name="search", time=NOW - timedelta(seconds=31), query_id="q2", message="ＳＨＯＥＳ")]
    )
    behaviour.events.append([event(28, "impression", query_id="q2", ordinal=2)])
    live.refresh()
    view = live.view(["a"], "shoes", Context(), NOW)
    assert view is not None
    assert view.query_shown[0, :3].round(2).tolist() == [0, 1, 0], "q has no words, q2 has these"
    assert view.shown[0, :3].round(2).tolist() == [1, 1, 0]


def test_an_erased_shopper_is_forgotten(behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch) -> None:
    live = LiveEvents(behaviour, lambda ids: {})
    behaviour.events.append([event(9, user_id="anna"), event(8, user_id="ben")])
    live.refresh()
    assert clicks(live) == 2
    erase(behaviour.database, behaviour.privacy, "anna")
    monkeypatch.setattr(module, "_CHECK_S", -1.0)
    live.refresh()
    assert clicks(live) == 1
    view = live.view(["a"], "", Context(user_id="anna"), NOW)
    assert view is not None
    assert view.trail is None


def test_an_erased_shopper_is_forgotten_in_a_busy_shop_too(
    behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = LiveEvents(behaviour, lambda ids: {})
    behaviour.events.append([event(9, user_id="anna")])
    live.refresh()
    behaviour.events.append([event(8 - n, user_id=f"other {n}") for n in range(5)])
    live.refresh()
    erase(behaviour.database, behaviour.privacy, "anna")
    monkeypatch.setattr(module, "_CHECK_S", -1.0)
    live.refresh()
    assert clicks(live) == 5, "more came than went since the last look"


def test_an_event_from_the_future_counts_from_its_arrival(behaviour: Behaviour) -> None:
    behaviour.events.append([event(-7_200)])
    follower = Follower(behaviour.database, NOW - timedelta(days=1))
    arrivals = follower.take()
    assert arrivals is not None
    assert arrivals.events.time[0] / 1_000 < datetime.now(UTC).timestamp() + 1


def test_what_becomes_visible_late_is_not_missed(behaviour: Behaviour) -> None:
    """A number below the highest that was read appears afterwards, as with two writers."""
    follower = Follower(behaviour.database, NOW - timedelta(days=1))
    behaviour.events.append([event(9, object_id=f"p{n}") for n in range(3)])
    assert follower.take() is not None
    behaviour.events.append([event(9, object_id=f"p{n}") for n in range(3, 6)])
    with behaviour.database.write() as connection:
        connection.exec_driver_sql("UPDATE events SET number = number + 100 WHERE object_id = 'p4'")
    first = follower.take()
    assert first is not None
    assert set(first.events.object_id) == {"p3", "p5", "p4"}
    behaviour.events.append([event(9, object_id="late")])
    with behaviour.database.write() as connection:
        connection.exec_driver_sql("UPDATE events SET number = 50 WHERE object_id = 'late'")
    second = follower.take()
    assert second is not None
    assert list(second.events.object_id) == ["late"]
    assert follower.take() is None
    assert follower.held() == 7
