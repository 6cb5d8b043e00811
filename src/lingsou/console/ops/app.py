"""The pages under `/ops/` as one application; `lingsou.console.app` mounts it beside the storefront."""

from urllib.parse import urlencode

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse, Response

from lingsou.console import assets, judging
from lingsou.console.labels import read_labels
from lingsou.console.ops import analytics, login, overview, preview, quality, rules, shoppers, teaching
from lingsou.console.ops.desk import ROOT, Desk, SignInError, guard, show
from lingsou.console.ops.session import Attempts, Sessions
from lingsou.console.ops.texts import TEXTS
from lingsou.console.rendering import Renderer, SafeHeaders
from lingsou.core.errors import LingsouError
from lingsou.serving.worker import Worker


def operations(worker: Worker) -> FastAPI:
    """The application.

    Raises:
        ConfigurationError: `labels.tsv` is malformed.
    """
    shop = worker.shop
    app = FastAPI(openapi_url=None, dependencies=[Depends(guard)])
    app.state.assets = assets.Assets(address=f"{ROOT}/static")
    renderer = Renderer(shop.settings.console, app.state.assets, read_labels(shop.folder.root), TEXTS)
    app.state.desk = Desk(worker, renderer, Sessions(shop.behaviour.privacy.derived("console")), Attempts())
    app.add_middleware(SafeHeaders)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    for module in (login, overview, rules, preview, teaching, analytics, quality, shoppers, judging, assets):
        app.include_router(module.router)
    app.add_exception_handler(SignInError, _sign_in)
    for kind in (LingsouError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _refused)
    return app


async def _sign_in(request: Request, error: Exception) -> Response:
    """To the login, and from there back to the page that was asked for."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = {"next": wanted} if request.method == "GET" else {}
    return RedirectResponse(f"{ROOT}/login{f'?{urlencode(target)}' if target else ''}", 303)


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        status = error.status_code
    else:
        status = 422 if isinstance(error, RequestValidationError) else getattr(error, "status", 500)
    if status >= 500:
        structlog.get_logger("lingsou.console").exception("page failed", path=request.url.path, exc_info=error)
    known = error if isinstance(error, LingsouError) and status < 500 else None
    kind = {403: "403", 404: "404", 405: "404", 409: "409"}.get(status, "500" if status >= 500 else "400")
    return show(request, "error.html", status, kind=kind, detail=known)
