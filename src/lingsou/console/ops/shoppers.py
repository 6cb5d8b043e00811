"""One shopper's tastes, for analysts. The id is sent as a form, so that it stands in no address and no log."""

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lingsou.console.ops.desk import desk_of, form_of, show

router = APIRouter(prefix="/shoppers", include_in_schema=False)
_MOST_OF_A_NAME = 256


@router.get("")
def ask(request: Request) -> Response:
    """Whose profile it is to be."""
    return show(request, "shopper.html", name="", profile=None, products={})


@router.post("")
async def told(request: Request) -> Response:
    """The profile."""
    name = form_of(request).get("name", "").strip()[:_MOST_OF_A_NAME]
    return await run_in_threadpool(_told, request, name) if name else ask(request)


def _told(request: Request, name: str) -> Response:
    desk = desk_of(request)
    profile = desk.worker.profile(name)
    return show(request, "shopper.html", name=name, profile=profile, products=desk.shop.store.get(list(profile.recent)))
