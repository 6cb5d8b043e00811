"""The application that `lingsou serve` runs: the HTTP API, and the pages beside it."""

import logging
from pathlib import Path

import httpx
import structlog
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Mount
from starlette.types import Scope

from lingsou.client import AsyncClient
from lingsou.console import assets, media, storefront
from lingsou.console.labels import read_labels
from lingsou.console.ops.app import operations
from lingsou.console.ops.desk import ROOT
from lingsou.console.rendering import Renderer, SafeHeaders
from lingsou.console.rows import Shelves
from lingsou.core.errors import LingsouError
from lingsou.core.settings import ConsoleSettings, default_data_folder
from lingsou.serving.app import create_app as create_api
from lingsou.serving.telemetry import configure_logging

API_PATHS = frozenset({"v1", "health", "ready", "metrics", "docs", "redoc", "openapi.json"})
"""First parts of the paths that are the API's."""

_TIMEOUT_S = 30.0
_EXPLAINED = {400: "400", 404: "404", 422: "400"}


def create_app(root: Path | str) -> FastAPI:
    """API and pages over one data folder.

    Raises:
        ConfigurationError, StorageError: the folder cannot be opened.
    """
    app = create_api(root)
    settings = app.state.worker.shop.settings.console
    if settings.operations:
        app.add_route(ROOT, lambda _: RedirectResponse(f"{ROOT}/"), include_in_schema=False)
        app.mount(ROOT, operations(app.state.worker))
    if settings.storefront:
        # In process, but through the API's front door: the pages can do nothing that another front end could not.
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        client = AsyncClient("http://storefront", timeout=_TIMEOUT_S, transport=transport)
        app.router.routes.append(_Beside("/", app=pages(Path(root), settings, client)))
    return app


def app_from_environment() -> FastAPI:
    """What each server process calls: the folder of `LINGSOU_DATA_DIR`."""
    root = default_data_folder()
    app = create_app(root)
    configure_logging(app.state.worker.shop.settings.server.log_format)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the API logs each of these requests already
    return app


def pages(folder: Path, settings: ConsoleSettings, client: AsyncClient) -> FastAPI:
    """The pages as an application of their own, over any service that `client` reaches.

    Raises:
        ConfigurationError: `labels.tsv` is malformed.
    """
    app = FastAPI(openapi_url=None)
    app.state.client = client
    app.state.shelves = Shelves(client, settings.rows_budget_ms / 1_000)
    app.state.personal = settings.personal
    app.state.assets = assets.Assets()
    app.state.media = settings.media or folder / "feed"
    app.state.renderer = Renderer(settings, app.state.assets, read_labels(folder))
    app.add_middleware(SafeHeaders)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    for module in (storefront, assets, media):
        app.include_router(module.router)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(LingsouError, _refused)
    app.add_exception_handler(Exception, _refused)
    return app


class _Beside(Mount):
    """Takes every path whose first part is none of the API's, so that the API's own errors stay the API's."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """None for the API's paths."""
        if scope["type"] == "http" and scope["path"].lstrip("/").partition("/")[0] in API_PATHS:
            return Match.NONE, {}
        return super().matches(scope)


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else getattr(error, "status", 500)
    if status >= 500:
        structlog.get_logger("lingsou.console").error("page failed", path=request.url.path, error=str(error))
    renderer: Renderer = request.app.state.renderer
    return renderer.page(request, "error.html", status, kind=_EXPLAINED.get(status, "404" if status < 500 else "500"))
