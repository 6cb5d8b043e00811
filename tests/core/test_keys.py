"""API keys."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from lingsou.core.database import Database, sqlite_url
from lingsou.core.errors import AuthenticationError, InputError, NotFoundError
from lingsou.core.keys import KEYS_SCHEMA, api_keys, create_key, list_keys, revoke_key, verify_key


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(sqlite_url(tmp_path / "keys.sqlite3"))
    database.prepare(KEYS_SCHEMA)
    yield database
    database.close()


def test_key_opens_what_its_scopes_say(database: Database) -> None:
    key, plain = create_key(database, "nightly feed", ["write"])
    assert plain.startswith(f"ls_{key.id}_")
    assert len(plain) > 50
    found = verify_key(database, f" {plain}\n")
    assert found == key
    assert (found.allows("write"), found.allows("read")) == (True, False)


def test_secrets_with_underscores_work(database: Database) -> None:
    plain = [create_key(database, "k")[1] for _ in range(40)]
    assert any(each.count("_") > 2 for each in plain)
    assert len({verify_key(database, each).id for each in plain}) == 40


def test_secret_is_nowhere_in_the_database(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        key, plain = create_key(database, "k")
        verify_key(database, plain)
    secret = plain.removeprefix(f"ls_{key.id}_")
    with database.read() as connection:
        assert secret not in str(connection.execute(select(api_keys)).all())
    database.close()
    assert not [path for path in tmp_path.iterdir() if secret.encode() in path.read_bytes()]
    assert secret not in caplog.text + repr(key)


@pytest.mark.parametrize("change", [lambda k: k[:-1], lambda k: k + "x", lambda k: k[:-1] + "é", lambda k: k[3:]])
def test_wrong_key(database: Database, change: object) -> None:
    _, plain = create_key(database, "k")
    with pytest.raises(AuthenticationError):
        verify_key(database, change(plain))  # type: ignore[operator]


@pytest.mark.parametrize(
    "text", ["", "ls", "ls__", "ls_abc", "ls_000000000000_x", "ls_\0_x", "ls_' OR 1=1 --_x", "\ud800"]
)
def test_no_key(database: Database, text: str) -> None:
    with pytest.raises(AuthenticationError):
        verify_key(database, text)


def test_secret_of_another_key(database: Database) -> None:
    one, plain = create_key(database, "one")
    other, _ = create_key(database, "other")
    with pytest.raises(AuthenticationError):
        verify_key(database, plain.replace(one.id, other.id))


def test_revoked_key(database: Database) -> None:
    key, plain = create_key(database, "k")
    revoked = revoke_key(database, key.id)
    assert revoked.revoked_at is not None
    assert not revoked.allows("read")
    assert revoke_key(database, key.id) == revoked
    assert list_keys(database) == [revoked]
    with pytest.raises(AuthenticationError):
        verify_key(database, plain)
    with pytest.raises(NotFoundError):
        revoke_key(database, "ffffffffffff")


def test_bad_names_and_scopes(database: Database) -> None:
    with pytest.raises(InputError) as caught:
        create_key(database, " ")
    assert caught.value.field == "name"
    for scopes in ([], ["admin"]):
        with pytest.raises(InputError) as caught:
            create_key(database, "k", scopes)  # type: ignore[arg-type]
        assert caught.value.field == "scopes"
