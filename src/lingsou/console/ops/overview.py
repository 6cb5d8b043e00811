"""The first page: how the service is, and what is to be done."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from lingsou import __version__
from lingsou.console.ops.analytics import Window, volume_chart
from lingsou.console.ops.desk import desk_of, labels_of, show
from lingsou.pipeline.encoding import QueryEncoder

router = APIRouter(include_in_schema=False)
_DAYS = 14
_TO_DO = 6


@router.get("/")
def overview(request: Request) -> Response:
    """Products, index, encoder, searches of today, and the queries that most need a rule."""
    desk = desk_of(request)
    shop, text = desk.shop, labels_of(request).text
    database, window = shop.behaviour.database, Window(_DAYS)
    index = shop.engine.view()
    today = str(datetime.now(UTC).date())
    by_day = window.rows("volume", database, _DAYS + 1)
    return show(
        request,
        "overview.html",
        version=__version__,
        products=index.size,
        lag=desk.worker.lag(),
        generation=index.generation,
        sequence=index.sequence,
        encoder=shop.encoder_name,
        encoder_problem=_encoder_problem(shop.encoder),
        waiting=shop.engine.count_without_vectors(),
        rules=shop.rules.store.sets(),
        today=next((day for day in by_day if day.day == today), None),
        today_latency=next((day for day in window.rows("latency", database, 1) if day.day == today), None),
        volume=by_day,
        volume_chart=volume_chart(window.all_days(), by_day, text),
        zero=Window(7).rows("zero", database, _TO_DO),
    )


def _encoder_problem(encoder: QueryEncoder) -> str | None:
    """Why queries have no vectors; none when they have."""
    return None if encoder.encoder else encoder.encode("?").fallback
