"""Who looks at the shop's pages: a random name in a cookie, for whoever does not mind."""

import re
import secrets
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response

COOKIE = "lingsou_visitor"
_OFF = "off"
_NAME = re.compile(r"[0-9a-f]{32}")
_COOKIE_SECONDS = 365 * 86_400


@dataclass(frozen=True)
class Visitor:
    """One browser, as far as the shopper wants to be known."""

    name: str | None = None
    """Random; none: nothing is noted of this shopper, and nothing is made for them."""
    back: bool = False
    """Whether the browser brought the name, so that something may be known."""
    may_choose: bool = False
    """Whether the pages offer to switch it off and on again."""

    @classmethod
    def of(cls, request: Request, *, personal: bool) -> "Visitor":
        """From the cookie, and `?personal=`, which changes it.

        Do Not Track and Global Privacy Control are obeyed, and with `personal` off nobody is known at all.
        """
        if not personal or "1" in (request.headers.get("dnt"), request.headers.get("sec-gpc")):
            return cls()
        kept, wanted = request.cookies.get(COOKIE, ""), request.query_params.get("personal")
        if wanted == _OFF or (kept == _OFF and wanted != "on"):
            return cls(may_choose=True)
        known = _NAME.fullmatch(kept) is not None
        return cls(kept if known else secrets.token_hex(16), known, may_choose=True)

    def remember(self, request: Request, response: Response) -> None:
        """Keep the name, or the choice to have none; out of reach of scripts and other sites' forms."""
        if not self.may_choose or self.back or (self.name is None and request.cookies.get(COOKIE) == _OFF):
            return
        response.set_cookie(
            COOKIE,
            self.name or _OFF,
            max_age=_COOKIE_SECONDS,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
