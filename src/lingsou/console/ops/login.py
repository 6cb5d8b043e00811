"""Signing in with an API key, and out."""

import re

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from lingsou.console.ops.desk import ROOT, desk_of, form_of, set_cookie, show, to
from lingsou.console.ops.session import COOKIE, LOGIN_COOKIE
from lingsou.core.errors import AuthenticationError
from lingsou.core.keys import verify_key

router = APIRouter(include_in_schema=False)
_OWN_PAGE = re.compile(rf"{ROOT}/[^\s\\]*")


@router.get("/login")
def ask(request: Request) -> Response:
    """The form for the key."""
    return _form(request, request.query_params.get("next", ""))


@router.post("/login")
def sign_in(request: Request) -> Response:
    """Check the key and start a session."""
    desk, form = desk_of(request), form_of(request)
    address, target = request.client.host if request.client else "", form.get("next", "")
    if seconds := desk.attempts.wait(address):
        return _form(request, target, 429, "login_wait", minutes=-(-seconds // 60))
    try:
        key = verify_key(desk.shop.store.database, form.get("key", ""))
    except AuthenticationError:
        desk.attempts.failed(address)
        return _form(request, target, 401, "login_wrong")
    if not key.allows("write"):
        return _form(request, target, 403, "login_read_only")
    desk.attempts.succeeded(address)
    response = RedirectResponse(target if _OWN_PAGE.fullmatch(target) else f"{ROOT}/", 303)
    set_cookie(request, response, COOKIE, desk.sessions.start(key.id))
    response.delete_cookie(LOGIN_COOKIE, path=f"{ROOT}/login")
    return response


@router.post("/logout")
def sign_out(request: Request) -> Response:
    """End the session in this browser."""
    response = to("/login", done="signed_out")
    response.delete_cookie(COOKIE, path=ROOT, httponly=True, samesite="strict")
    return response


def _form(request: Request, target: str, status: int = 200, problem: str = "", **places: int) -> Response:
    desk = desk_of(request)
    session = request.state.session or desk.sessions.start()
    request.state.session = session
    response = show(request, "login.html", status, target=target, problem=problem, places=places)
    set_cookie(request, response, LOGIN_COOKIE, session)
    return response
