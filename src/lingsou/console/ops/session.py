"""Who is signed in: a signed cookie, the token that every form carries, and a limit of attempts."""

import hmac
import secrets
import threading
import time
from dataclasses import dataclass

COOKIE = "lingsou_ops"
LOGIN_COOKIE = "lingsou_ops_login"
"""Before the login, on the login page alone: a visit from another site must not end a session that is there."""

LIFE_S = 8 * 3_600
_NOBODY = "-"


@dataclass(frozen=True)
class Session:
    """One login, or a visit to the login page."""

    key_id: str
    """Of the API key that signed in; `-` before."""
    nonce: str
    expires: int
    """Seconds since 1970."""

    @property
    def half_over(self) -> bool:
        """Whether it is time for a new cookie, so that nobody is thrown out while working."""
        return self.expires - time.time() < LIFE_S / 2


class Sessions:
    """Makes and reads cookies. Nothing is kept: any worker with the same secret reads them."""

    def __init__(self, secret: bytes):
        self._secret = secret

    def start(self, key_id: str = _NOBODY) -> Session:
        """A new session."""
        return Session(key_id, secrets.token_urlsafe(18), int(time.time()) + LIFE_S)

    def renewed(self, session: Session) -> Session:
        """The same session for longer; forms that are open elsewhere stay valid."""
        return Session(session.key_id, session.nonce, int(time.time()) + LIFE_S)

    def cookie(self, session: Session) -> str:
        """The value of the cookie."""
        content = f"{session.key_id}.{session.nonce}.{session.expires}"
        return f"{content}.{self._signed('session', content)}"

    def read(self, cookie: str | None) -> Session | None:
        """The session of a cookie; none when it is absent, forged or too old."""
        content, _, signature = (cookie or "").rpartition(".")
        if not content or not self._is_signed("session", content, signature):
            return None
        key_id, nonce, expires = content.split(".")
        session = Session(key_id, nonce, int(expires))
        return session if session.expires > time.time() else None

    def token(self, session: Session) -> str:
        """What a form of this session carries, so that no other site can send it."""
        return self._signed("form", f"{session.key_id}.{session.nonce}")

    def accepts(self, session: Session, token: str) -> bool:
        """Whether a form was made for this session."""
        return self._is_signed("form", f"{session.key_id}.{session.nonce}", token)

    def _signed(self, purpose: str, content: str) -> str:
        return hmac.digest(self._secret, f"{purpose}\0{content}".encode(), "sha256").hex()

    def _is_signed(self, purpose: str, content: str, signature: str) -> bool:
        given = signature.encode("utf-8", "surrogatepass")
        return hmac.compare_digest(self._signed(purpose, content).encode(), given)


class Attempts:
    """Counts failed logins of each address in this process, and says who has to wait."""

    def __init__(self, most: int = 10, window_s: float = 900, addresses: int = 10_000):
        self._most, self._window, self._addresses = most, window_s, addresses
        self._failed: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def wait(self, address: str) -> int:
        """Seconds until this address may try again; 0: now."""
        with self._lock:
            recent = self._recent(address)
            return int(recent[0] + self._window - time.monotonic()) + 1 if len(recent) >= self._most else 0

    def failed(self, address: str) -> None:
        """Count one."""
        with self._lock:
            recent = [*self._recent(address), time.monotonic()][-self._most :]
            self._failed.pop(address, None)
            self._failed[address] = recent
            if len(self._failed) > self._addresses:
                del self._failed[next(iter(self._failed))]  # the one that failed longest ago

    def succeeded(self, address: str) -> None:
        """Forget what went wrong before."""
        with self._lock:
            self._failed.pop(address, None)

    def _recent(self, address: str) -> list[float]:
        since = time.monotonic() - self._window
        return [moment for moment in self._failed.get(address, ()) if moment > since]
