"""`/health` (the process lives), `/ready` (it can answer) and `/metrics`."""

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from lingsou import __version__
from lingsou.serving.worker import worker_of

router = APIRouter(tags=["operations"])


class Readiness(BaseModel):
    """Whether this worker can answer searches, and how far its index is behind."""

    ready: bool
    version: str
    generation: str = Field(description="of the index that searches show; empty: none that fits the settings")
    products: int = Field(description="products that can be found")
    sequence: int = Field(description="the store's sequence number that searches show")
    lag: int = Field(description="changes in the store that searches do not show yet")


@router.get("/health")
def health() -> dict[str, str]:
    """Alive."""
    return {"status": "ok"}


@router.get("/ready", response_model=Readiness, responses={503: {"model": Readiness}})
def ready(request: Request) -> Response:
    """200 when the index is there (or the shop is empty), else 503."""
    worker = worker_of(request)
    lag = worker.lag()
    engine = worker.shop.engine.view()
    answer = Readiness(
        ready=engine.sequence > 0 or lag == 0,
        version=__version__,
        generation=engine.generation,
        products=engine.size,
        sequence=engine.sequence,
        lag=lag,
    )
    return JSONResponse(answer.model_dump(), 200 if answer.ready else 503)


@router.get("/metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Prometheus text format, over all workers."""
    return Response(worker_of(request).telemetry.exposition(), media_type=CONTENT_TYPE_LATEST)
