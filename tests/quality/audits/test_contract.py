"""Every registered audit keeps the contract."""

from pathlib import Path
from typing import Any

import pytest

from lingsou.core import plugins
from lingsou.testing.audit import CONTRACT

NAMES = plugins.names("audit")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("clause", CONTRACT, ids=lambda clause: clause.__name__)
def test_contract(clause: Any, name: str) -> None:
    clause(name, plugins.resolve("audit", name))


def test_every_built_in_audit_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "quality.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"| `{name}` |" in page
