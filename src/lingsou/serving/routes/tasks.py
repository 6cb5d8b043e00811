"""`/v1/tasks/{id}`: whether a write can be searched yet."""

from fastapi import APIRouter, Path, Request

from lingsou.catalog.tasks import Task, TaskStatus, status
from lingsou.serving.auth import WriteKey
from lingsou.serving.problems import ProblemDetails
from lingsou.serving.worker import worker_of

router = APIRouter(prefix="/v1", tags=["products"])


class TaskReport(Task):
    """A write request and whether searches show it."""

    status: TaskStatus


@router.get(
    "/tasks/{task_id}", response_model=TaskReport, responses={404: {"model": ProblemDetails}}, dependencies=[WriteKey]
)
def get(request: Request, task_id: str = Path(max_length=64)) -> TaskReport:
    """`indexing` until searches show the write, then `succeeded`."""
    shop = worker_of(request).shop
    task = shop.store.task(task_id)
    return TaskReport(**task.model_dump(), status=status(task, shop.engine.sequence))
