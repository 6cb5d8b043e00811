"""The parts of the login: cookies that cannot be forged, attempts that are counted."""

import time

import pytest

from lingsou.console.ops import session
from lingsou.console.ops.session import Attempts, Sessions

SESSIONS = Sessions(b"s" * 32)


def test_a_cookie_is_read_by_every_process_with_the_secret_and_by_no_other() -> None:
    started = SESSIONS.start("abc")
    cookie = SESSIONS.cookie(started)
    assert Sessions(b"s" * 32).read(cookie) == started
    assert Sessions(b"t" * 32).read(cookie) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda cookie: cookie.replace("abc.", "abd."),
        lambda cookie: cookie[:-1] + ("0" if cookie[-1] != "0" else "1"),
        lambda cookie: cookie.rpartition(".")[0],
        lambda cookie: cookie + "é\udc80",
        lambda cookie: "",
        lambda cookie: ".",
        lambda cookie: "a.b.c.d",
    ],
)
def test_a_forged_cookie_is_nobody(change: object) -> None:
    assert callable(change)
    assert SESSIONS.read(change(SESSIONS.cookie(SESSIONS.start("abc")))) is None


def test_a_session_ends_and_can_be_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    started = SESSIONS.start("abc")
    cookie, now = SESSIONS.cookie(started), time.time()
    monkeypatch.setattr(time, "time", lambda: now + session.LIFE_S * 0.6)
    assert started.half_over
    renewed = SESSIONS.renewed(started)
    monkeypatch.setattr(time, "time", lambda: now + session.LIFE_S * 1.1)
    assert SESSIONS.read(cookie) is None
    assert SESSIONS.read(SESSIONS.cookie(renewed)) == renewed
    # Forms that were open before go on.
    assert SESSIONS.accepts(renewed, SESSIONS.token(started))


def test_a_form_belongs_to_its_session() -> None:
    mine, other = SESSIONS.start("abc"), SESSIONS.start("abc")
    assert SESSIONS.accepts(mine, SESSIONS.token(mine))
    assert not SESSIONS.accepts(mine, SESSIONS.token(other))
    assert not SESSIONS.accepts(mine, "")
    # What is signed as a cookie is no token, though the content were the same.
    assert not SESSIONS.accepts(mine, SESSIONS.cookie(mine).rpartition(".")[2])


def test_attempts_are_counted_by_address_and_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    attempts = Attempts(most=3, window_s=60, addresses=2)
    for _ in range(3):
        assert attempts.wait("a") == 0
        attempts.failed("a")
    assert attempts.wait("a") == 61
    assert attempts.wait("b") == 0
    clock[0] += 61
    assert attempts.wait("a") == 0
    for _ in range(3):
        attempts.failed("a")
    attempts.succeeded("a")
    assert attempts.wait("a") == 0
    for address in "xyz":  # two are remembered
        for _ in range(3):
            attempts.failed(address)
    assert [bool(attempts.wait(address)) for address in "xyz"] == [False, True, True]
