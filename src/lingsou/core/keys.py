"""API keys: made once, shown once, kept as a hash.

A key is `ls_<id>_<secret>`. The secret has 256 random bits, so one round of SHA-256 is a safe store for it: there
is nothing to guess that a slow password hash would protect.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import Column, Row, Table, Text, insert, select, update

from lingsou.core.database import Database, Schema, metadata
from lingsou.core.errors import AuthenticationError, InputError, NotFoundError
from lingsou.core.types import Frozen, Instant

Scope = Literal["read", "write"]

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("revoked_at", Text),
)

KEYS_SCHEMA = Schema("keys", (api_keys,))

_PREFIX = "ls"
_ID = re.compile(r"[0-9a-f]{12}")
_NO_HASH = "0" * 64


class ApiKey(Frozen):
    """What is known of a key; never its secret."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: Instant
    revoked_at: Instant | None = None

    def allows(self, scope: Scope) -> bool:
        """Whether the key may be used for `scope`."""
        return self.revoked_at is None and scope in self.scopes


def create_key(database: Database, name: str, scopes: Sequence[Scope] = ("read", "write")) -> tuple[ApiKey, str]:
    """Make a key; the second value is its plain text, which is kept nowhere.

    Raises:
        InputError: no name, or a scope that does not exist.
    """
    if not name.strip() or "\0" in name:
        raise InputError("A key needs a name.", field="name", cure="Name who or what will use it.")
    if not scopes or not set(scopes) <= set(get_args(Scope)):
        raise InputError(
            f"Unknown scopes: {', '.join(scopes) or 'none'}.", field="scopes", cure="Use read, write or both."
        )
    secret = secrets.token_urlsafe(32)
    key = ApiKey(id=secrets.token_hex(6), name=name, scopes=tuple(dict.fromkeys(scopes)), created_at=datetime.now(UTC))
    row = {
        "id": key.id,
        "name": key.name,
        "scopes": " ".join(key.scopes),
        "secret_hash": _hash(secret),
        "created_at": key.created_at.isoformat(timespec="microseconds"),
    }
    with database.write() as connection:
        connection.execute(insert(api_keys).values(row))
    return key, f"{_PREFIX}_{key.id}_{secret}"


def verify_key(database: Database, text: str) -> ApiKey:
    """The key whose plain text this is, compared in constant time.

    Raises:
        AuthenticationError: unknown, wrong or revoked; the message does not say which.
    """
    prefix, _, rest = text.strip().partition("_")
    key_id, _, secret = rest.partition("_")
    row = None
    if prefix == _PREFIX and _ID.fullmatch(key_id):
        with database.read() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
    matches = hmac.compare_digest(row.secret_hash if row else _NO_HASH, _hash(secret))
    if row is None or not matches or row.revoked_at is not None:
        raise AuthenticationError(
            "The API key is not valid.", cure="Send a key made by lingsou keys create, as 'Authorization: Bearer KEY'."
        )
    return _key(row)


def revoke_key(database: Database, key_id: str) -> ApiKey:
    """Make a key useless from now on; revoking twice keeps the first time.

    Raises:
        NotFoundError: no key has this id.
    """
    row = None
    if _ID.fullmatch(key_id):
        mine, now = api_keys.c.id == key_id, datetime.now(UTC).isoformat(timespec="microseconds")
        with database.write() as connection:
            connection.execute(update(api_keys).where(mine, api_keys.c.revoked_at.is_(None)).values(revoked_at=now))
            row = connection.execute(select(api_keys).where(mine)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no API key '{key_id}'.", cure="lingsou keys list shows the ids.")
    return _key(row)


def list_keys(database: Database) -> list[ApiKey]:
    """Every key, revoked ones too, oldest first."""
    with database.read() as connection:
        rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id))
        return [_key(row) for row in rows]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=row.scopes.split(),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
