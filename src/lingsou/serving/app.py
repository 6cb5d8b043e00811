"""The HTTP application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from lingsou import __version__
from lingsou.core.types import Product, ProductPatch
from lingsou.serving import problems
from lingsou.serving.middleware import BodyLimit, Observe
from lingsou.serving.routes import (
    events,
    health,
    products,
    quality,
    quarantine,
    rank,
    recommend,
    rules,
    search,
    shoppers,
    similar,
    suggest,
    tasks,
    understand,
)
from lingsou.serving.worker import open_worker

_DESCRIPTION = (
    "Self-hosted product search. Reads are open; writes need an API key. "
    "Errors are RFC 9457 problem details that name the field and the cure."
)


def create_app(root: Path | str) -> FastAPI:
    """The application over one data folder.

    Raises:
        ConfigurationError, StorageError: the folder cannot be opened.
    """
    worker = open_worker(root)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        worker.start()
        yield
        worker.close()

    app = FastAPI(title="Lingsou", version=__version__, description=_DESCRIPTION, lifespan=lifespan)
    app.state.worker = worker
    app.add_middleware(BodyLimit, limit=worker.shop.settings.server.max_body_mb * 2**20)
    app.add_middleware(Observe, telemetry=worker.telemetry)
    if origins := worker.shop.settings.server.cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["content-type"]
        )
    problems.install(app)
    for module in (
        search,
        understand,
        similar,
        suggest,
        rank,
        recommend,
        shoppers,
        products,
        rules,
        quality,
        quarantine,
        events,
        tasks,
        health,
    ):
        app.include_router(module.router)
    _publish_schemas(app, Product, ProductPatch)
    return app


def _publish_schemas(app: FastAPI, *models: type[Any]) -> None:
    """Bodies that are checked row by row are not in FastAPI's signatures; add their schemas to the OpenAPI document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for model in models:
                schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas.update(schema.pop("$defs", {}))
                schemas.setdefault(model.__name__, schema)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]
