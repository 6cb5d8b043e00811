"""Runs of the quality checks in the background of a serving process, one at a time."""

import threading
from contextlib import ExitStack

import structlog

from lingsou.catalog.tasks import Problem, Task, create_task, fail_running, finish_task
from lingsou.core.errors import LingsouError
from lingsou.pipeline.quality import quality_lock, run_quality
from lingsou.quality.profile import Profile, load_profile
from lingsou.serving.worker import Worker

KIND = "quality"
_DIED = Problem(reason="The process that ran the checks has ended.", cure="Start them again: POST /v1/quality/runs.")
_FAILED = Problem(reason="Something went wrong here.", cure="The service's log says what.")


def begin_run(worker: Worker, author: str, *, deep: bool) -> Task:
    """Begin to check the store; the task says how it ends.

    Raises:
        LockedError: a run is under way, here or in another process.
        ConfigurationError, NotFoundError: the profile cannot be read.
    """
    shop = worker.shop
    database = shop.store.database
    profile = load_profile(shop.settings.quality.profile, shop.folder.root)
    with ExitStack() as held:
        held.enter_context(quality_lock(shop.folder, database))
        fail_running(database, KIND, _DIED)  # whoever ran before, and did not say how it ended, held the lock then
        task = create_task(database, KIND, accepted=0, sequence=shop.store.sequence(), state="running")
        arguments = (worker, task.id, profile, author, deep, held.pop_all())
        threading.Thread(target=_run, args=arguments, name="quality-run", daemon=True).start()
    return task


def _run(worker: Worker, task_id: str, profile: Profile, author: str, deep: bool, held: ExitStack) -> None:
    shop, problem, checked = worker.shop, None, 0
    log = structlog.get_logger("lingsou.quality")
    try:
        with held:
            seller = shop.settings.quality.seller
            stopped = worker.stop.is_set
            run = run_quality(shop.store, profile, author=author, deep=deep, seller=seller, stopped=stopped)
            checked = run.products
    except LingsouError as error:
        problem = Problem.of(error)
        log.error("the quality checks did not end", error=str(error))
    except Exception as error:
        problem = _FAILED
        log.exception("the quality checks did not end", exc_info=error)
    try:
        finish_task(shop.store.database, task_id, accepted=checked, sequence=shop.store.sequence(), problem=problem)
    except LingsouError as error:
        log.error("the end of the quality checks was not recorded", error=str(error))
