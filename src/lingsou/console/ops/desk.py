"""What the pages under `/ops/` share: the worker, who is signed in, and how a page is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from lingsou.console.labels import Labels
from lingsou.console.ops.forms import Form, read_form
from lingsou.console.ops.session import COOKIE, LIFE_S, LOGIN_COOKIE, Attempts, Session, Sessions
from lingsou.console.rendering import Renderer
from lingsou.core.errors import LingsouError
from lingsou.core.keys import ApiKey, list_keys
from lingsou.pipeline.shop import Shop
from lingsou.serving.worker import Worker

ROOT = "/ops"
NAVIGATION = (
    ("overview", f"{ROOT}/"),
    ("rules", f"{ROOT}/rules"),
    ("preview", f"{ROOT}/preview"),
    ("understand", f"{ROOT}/understand"),
    ("analytics", f"{ROOT}/analytics"),
    ("quality", f"{ROOT}/quality"),
    ("shoppers", f"{ROOT}/shoppers"),
    ("judging", f"{ROOT}/judge"),
)
"""(name, address) of the pages at the side; the text of each is `nav_…`."""

_OPEN = (f"{ROOT}/login", f"{ROOT}/static/")


class SignInError(LingsouError):
    """Nobody is signed in."""

    slug, status = "unauthenticated", 401


class StaleFormError(LingsouError):
    """The form was not made by this session's pages."""

    slug, status = "stale-form", 403


@dataclass(frozen=True)
class Desk:
    """State of the pages in one process."""

    worker: Worker
    renderer: Renderer
    sessions: Sessions
    attempts: Attempts

    @property
    def shop(self) -> Shop:
        """The opened data folder."""
        return self.worker.shop

    def operator(self, session: Session) -> ApiKey | None:
        """The key behind a session, looked up each time: a revoked one is out at once."""
        keys = list_keys(self.shop.store.database)
        return next((key for key in keys if key.id == session.key_id and key.allows("write")), None)


def desk_of(request: Request) -> Desk:
    """The desk that answers this request."""
    desk: Desk = request.app.state.desk
    return desk


def labels_of(request: Request) -> Labels:
    """Names and texts in the language of the request."""
    return desk_of(request).renderer.labels(request)


def author_of(request: Request) -> str:
    """Whose name stands in the history."""
    operator: ApiKey = request.state.operator
    return operator.name


def form_of(request: Request) -> Form:
    """The form that was sent; the guard has read and accepted it."""
    form: Form = request.state.form
    return form


async def guard(request: Request) -> None:
    """Let nobody pass without a login, and no form without its token.

    Raises:
        SignInError, StaleFormError: so.
    """
    desk, open_to_all = desk_of(request), request.url.path.startswith(_OPEN)
    cookie = LOGIN_COOKIE if request.url.path == f"{ROOT}/login" else COOKIE
    session = desk.sessions.read(request.cookies.get(cookie))
    operator = await run_in_threadpool(desk.operator, session) if session and not open_to_all else None
    request.state.session, request.state.operator = session, operator
    if operator is None and not open_to_all:
        raise SignInError("Nobody is signed in.", cure="Sign in with an API key.")
    if request.method == "POST":
        request.state.form = form = await read_form(request)
        if session is None or not desk.sessions.accepts(session, form.get("csrf", "")):
            raise StaleFormError("This form is too old, or not from here.", cure="Load the page again.")


def show(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A page of the console, never kept by a browser or a cache."""
    desk = desk_of(request)
    session: Session | None = getattr(request.state, "session", None)
    operator: ApiKey | None = getattr(request.state, "operator", None)
    common: Mapping[str, Any] = {
        "csrf": desk.sessions.token(session) if session else "",
        "operator": operator.name if operator else "",
        "navigation": NAVIGATION,
        "here": request.url.path,
        "done": request.query_params.get("done", ""),
        "storefront": desk.shop.settings.console.storefront,
    }
    response = desk.renderer.page(request, f"ops/{template}", status, **{**common, **values})
    response.headers["Cache-Control"] = "no-store"
    if session and operator and session.half_over:
        set_cookie(request, response, COOKIE, desk.sessions.renewed(session))
    return response


def set_cookie(request: Request, response: Response, name: str, session: Session) -> None:
    """Hand a session to the browser: for these pages alone, out of reach of scripts and other sites."""
    response.set_cookie(
        name,
        desk_of(request).sessions.cookie(session),
        max_age=LIFE_S,
        path=f"{ROOT}/login" if name == LOGIN_COOKIE else ROOT,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def to(path: str, **parameters: str | int) -> Response:
    """On to another page after a form, so that reloading does not send it twice."""
    query = f"?{urlencode(parameters)}" if parameters else ""
    return RedirectResponse(f"{ROOT}{path}{query}", 303)
