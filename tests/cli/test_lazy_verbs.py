"""Only the module of the verb that was asked for is imported; the help still lists them all."""

import subprocess
import sys

import pytest

from .conftest import lingsou

HEAVY = ("numpy", "onnxruntime", "sqlalchemy", "rjieba", "fastapi")
CODE = """
import sys
from lingsou.cli import main
sys.argv = ["lingsou", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
print(*(name for name in sys.modules), file=sys.stderr)
"""


def imported(*arguments: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", CODE, *arguments], capture_output=True, timeout=120, check=True)
    return set(done.stderr.decode().split())


@pytest.mark.parametrize("arguments", [("--version",), ("serach",)])
def test_nothing_heavy_for_no_verb(arguments: tuple[str, ...]) -> None:
    assert not imported(*arguments) & set(HEAVY)


def test_one_verb_imports_its_own_module_alone() -> None:
    modules = imported("serve", "--help")
    assert {name for name in modules if name.endswith("_verb")} == {"lingsou.cli.serve_verb"}
    assert not modules & set(HEAVY)


def test_the_help_lists_every_verb_with_its_line() -> None:
    shown = {" ".join(line.split()) for line in lingsou("--help").out.splitlines()}
    models = "models Text encoders, and the models of the shop's own."
    lines = ("serve Serve until interrupted.", models, "import Load a feed.")
    assert shown.issuperset(lines)


def test_a_slip_is_told_the_verb_that_was_meant() -> None:
    assert "Did you mean 'search'?" in lingsou("serach", code=2).err


def test_subverbs_work() -> None:
    assert "pull" in lingsou("models", "--help").out
    assert lingsou("models", "list", "--json").json["models"] is not None
