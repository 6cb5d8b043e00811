"""`lingsou keys`."""

from pathlib import Path

import pytest

from lingsou.catalog.store import Store
from lingsou.core.errors import AuthenticationError
from lingsou.core.keys import verify_key
from lingsou.core.settings import DataFolder, load_settings

from .conftest import Run


@pytest.fixture
def root(tmp_path: Path, lingsou_here: Run) -> Path:
    lingsou_here("init", "--data", tmp_path / "shop")
    return tmp_path / "shop"


def test_a_key_is_made_listed_and_revoked(root: Path, lingsou_here: Run) -> None:
    made = lingsou_here("keys", "create", "Ann", "--scope", "read", "--data", root, "--json").json
    assert (made["name"], made["scopes"], made["revoked_at"]) == ("Ann", ["read"], None)
    folder = DataFolder(root)
    with Store.of(folder, load_settings(folder)) as store:
        assert verify_key(store.database, made["api_key"]).name == "Ann"
    listed = lingsou_here("keys", "list", "--data", root)
    assert "Ann" in listed.out
    assert made["api_key"].split("_")[2] not in listed.out
    assert "Revoked" in lingsou_here("keys", "revoke", made["key_id"], "--data", root).err
    known = lingsou_here("keys", "list", "--data", root, "--json").json["keys"]
    assert [(key["name"], key["revoked_at"] is None) for key in known] == [("init", True), ("Ann", False)]
    with Store.of(folder, load_settings(folder)) as store, pytest.raises(AuthenticationError):
        verify_key(store.database, made["api_key"])


def test_a_key_for_all_is_alone_on_standard_output(root: Path, lingsou_here: Run) -> None:
    made = lingsou_here("keys", "create", "feed [red]", "--data", root)
    assert made.out.startswith("ls_")
    assert len(made.out.split()) == 1
    assert "feed [red]" in made.err
    assert made.out.strip() not in made.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("create", " "), "A key needs a name"),
        (("create", "Ann", "--scope", "rule"), "Unknown scopes: rule"),
        (("revoke", "5f94dc7bc918"), "There is no API key"),
        (("revoke", "'; --"), "There is no API key"),
    ],
)
def test_wrong_arguments_are_refused(root: Path, lingsou_here: Run, arguments: tuple[str, ...], told: str) -> None:
    assert told in lingsou_here("keys", *arguments, "--data", root, code=2).err
