"""The demo shop, small, with its pages, served for real; and the system's Chromium."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from lingsou.cli.app import app
from lingsou.core.settings import DataFolder, EncoderSettings
from lingsou.pipeline.shop import open_shop
from tests.pipeline.test_recommending import PRODUCTS as TEAS_AND_BIKES
from tests.pipeline.test_recommending import shopping
from tests.serving.conftest import Service, make_folder, serving

PRODUCTS = 500
BROWSER_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def has_encoder() -> bool:
    """Whether this machine has the encoder, which similar products need."""
    return (EncoderSettings().models_dir / "e5-small").is_dir()


@pytest.fixture(scope="package")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running demo shop with pictures."""
    root = tmp_path_factory.mktemp("storefront") / "shop"
    with contextlib.ExitStack() as started:
        with pytest.MonkeyPatch.context() as patch:  # for the service alone: other tests of the run go without encoder
            patch.setenv("LINGSOU_ENCODER__NAME", "e5-small" if has_encoder() else "")
            patch.setenv("LINGSOU_ENCODER__BUDGET_MS", "5000")  # a busy machine must not change what is found
            making = [sys.executable, "-m", "lingsou.cli", "demo", "--no-serve", "--data", str(root)]
            subprocess.run(
                [*making, "--products", str(PRODUCTS)], check=True, capture_output=True, env=dict(os.environ)
            )
            running = started.enter_context(serving(DataFolder(root), ""))
        wait_until_learnt(running)
        yield running


def wait_until_learnt(running: Service) -> None:
    """Until queries are understood, and every product has its vector where there is an encoder."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        answer = running.client.get("/v1/search", params={"q": "T恤"}).json()
        similar = running.client.get(f"/v1/similar/p{PRODUCTS:06}").json()
        if "plan" in answer and bool(similar.get("hits")) == has_encoder():
            return
        time.sleep(0.2)
    raise AssertionError(f"still loading: {answer['stages']}")


@pytest.fixture(scope="package")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A shop of teas and bikes whose recommender was trained; a busy machine must not change what its pages show."""
    pytest.importorskip("lightgbm")
    folder, _ = make_folder(tmp_path_factory.mktemp("learnt") / "shop")
    with folder.settings_file.open("a", encoding="utf-8") as settings:
        settings.write("[console]\nrows_budget_ms = 10000\n")
    opened = open_shop(folder.root)
    opened.store.upsert(TEAS_AND_BIKES)
    opened.indexer().catch_up()
    opened.behaviour.events.append(shopping())
    opened.close()
    told = CliRunner().invoke(app, ["train", "recommend", "--data", str(folder.root)])
    assert told.exit_code == 0, told.output
    return folder


@pytest.fixture(scope="module")  # while it is open, no other test can call asyncio.run
def browser() -> Iterator[Any]:
    """Headless Chromium of this machine."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[dev]'")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=found, args=list(BROWSER_ARGUMENTS))
        yield running
        running.close()
