"""The command line as a shop's operator runs it: processes of their own, and data folders that tests share."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lingsou.cli import main

FEED = """id,title,brand,price,stock,category
l1,Orbit Book 14 laptop,Orbit,5299,5,Electronics > Laptops
l2,Orbit Book 17 laptop,Orbit,8999.50,3,Electronics > Laptops
s1,疾风 男士跑步鞋 黑色,疾风,269,31,Clothing > Shoes
s3,Kestrel trail running shoes,Kestrel,549,0,Clothing > Shoes
"""
MAPPING = """[fields]
id = "id"
title = "title"
brand = "brand"
price = "price"
stock = "stock"
category = { source = "category", split = ">" }
"""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output, which is one line of JSON."""
        assert self.out.count("\n") == 1, self
        return json.loads(self.out)


Run = Callable[..., Outcome]


def lingsou(*arguments: str | Path, code: int = 0) -> Outcome:
    """Run `lingsou` as a process; `code` is how it must end, and never with a traceback."""
    command = [sys.executable, "-m", "lingsou.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    return _ended(Outcome(done.returncode, done.stdout.decode(), done.stderr.decode()), code)


def prepare(*arguments: str | Path) -> None:
    """Run it in this process, for fixtures: what tests start from, and do not look at itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["lingsou", *map(str, arguments)])
        code: Any = None
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        assert not code, arguments


@pytest.fixture(autouse=True, scope="package")
def words_alone() -> Iterator[None]:
    """No encoder, whatever this machine has: what it finds is not the same everywhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINGSOU_ENCODER__NAME", "")
        patch.setenv("LINGSOU_RANKING__BUDGET_MS", "1000")  # a busy machine must not change the order
        patch.delenv("LINGSOU_DATA_DIR", raising=False)
        yield


@pytest.fixture
def lingsou_here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The same entry point in this process, which takes no second to start: for what is many and small."""

    def run(*arguments: str | Path, code: int = 0) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["lingsou", *map(str, arguments)])
        capfd.readouterr()
        ended = 0
        try:
            main()
        except SystemExit as error:
            ended = error.code if isinstance(error.code, int) else int(error.code is not None)
        out, err = capfd.readouterr()
        return _ended(Outcome(ended, out, err), code)

    return run


def _ended(outcome: Outcome, code: int) -> Outcome:
    assert outcome.code == code, outcome
    assert "Traceback" not in outcome.err, outcome
    return outcome


@pytest.fixture(scope="package")
def shop(words_alone: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An indexed shop of four products that tests only read."""
    root = tmp_path_factory.mktemp("cli") / "shop"
    feed, mapping = root.with_name("feed.csv"), root.with_name("mapping.toml")
    feed.write_text(FEED, encoding="utf-8")
    mapping.write_text(MAPPING, encoding="utf-8")
    prepare("init", "--data", root)
    prepare("import", feed, "--mapping", mapping, "--data", root)
    prepare("index", "--data", root)
    return root


@pytest.fixture(scope="package")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny base model. Needs PyTorch."""
    from .recipes import save_base

    return save_base(tmp_path_factory.mktemp("base"))
