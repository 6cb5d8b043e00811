"""Opening, schema versions and upgrades. Durability and errors under load are tested with the store."""

import builtins
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from lingsou.catalog.store import SCHEMAS, Store
from lingsou.catalog.tables import CATALOG_SCHEMA
from lingsou.core.database import Database, get_meta, schema_versions, set_meta, sqlite_url
from lingsou.core.errors import ConfigurationError, MissingExtraError, StorageError
from lingsou.testing.store import product

VERSION_1 = """
CREATE TABLE lingsou_meta (key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (key));
CREATE TABLE api_keys (id TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, secret_hash TEXT NOT NULL,
  created_at TEXT NOT NULL, revoked_at TEXT, PRIMARY KEY (id));
CREATE TABLE products (number BIGINT NOT NULL, id TEXT NOT NULL, content_hash TEXT NOT NULL, price_e4 BIGINT,
  stock INTEGER, rating DOUBLE PRECISION, review_count INTEGER, sales INTEGER, sequence BIGINT NOT NULL,
  content_sequence BIGINT NOT NULL, deleted BOOLEAN NOT NULL, PRIMARY KEY (number), UNIQUE (id));
CREATE UNIQUE INDEX products_sequence ON products (sequence);
CREATE TABLE documents (number BIGINT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (number),
  FOREIGN KEY(number) REFERENCES products (number));
CREATE TABLE counter (id INTEGER NOT NULL, sequence BIGINT NOT NULL, number BIGINT NOT NULL, PRIMARY KEY (id));
CREATE TABLE loads (id TEXT NOT NULL, touched_at TEXT NOT NULL, sequence BIGINT NOT NULL, products BIGINT NOT NULL,
  PRIMARY KEY (id));
CREATE TABLE load_seen (load_id TEXT NOT NULL, number BIGINT NOT NULL, PRIMARY KEY (load_id, number),
  FOREIGN KEY(load_id) REFERENCES loads (id) ON DELETE CASCADE);
INSERT INTO lingsou_meta VALUES ('identity', '0123456789abcdef0123456789abcdef'), ('schema.keys', '1'),
  ('schema.catalog', '1');
INSERT INTO counter VALUES (1, 7, 1);
INSERT INTO products VALUES (1, 'p1', 'stale hash', 199000, 3, NULL, NULL, NULL, 7, 5, FALSE);
INSERT INTO documents VALUES (1, '{"title":"Product 1","currency":"CNY"}');
"""
"""The layout of version 1 as it was, with one product. Recorded: never edit it."""

SQLITE_TYPES = ((r"(?<=[ (]number) BIGINT(?! NOT NULL, PRIMARY KEY \(id)", " INTEGER"), ("DOUBLE PRECISION", "DOUBLE"))
"""Where the two databases differ: the key of a product, but not the counter of keys."""

NEW = "import sys; from lingsou.catalog.store import Store; s = Store.open(sys.argv[1]); sys.stdout.write(s.identity())"


def build_version_1(url: str) -> None:
    database = Database.open(url)
    with database.write() as connection:
        for statement in VERSION_1.split(";"):
            if statement.strip():
                for postgres, sqlite in SQLITE_TYPES if database.is_sqlite else ():
                    statement = re.sub(postgres, sqlite, statement)
                connection.execute(text(statement))
    database.close()


def layout(url: str) -> dict[str, Any]:
    database = Database.open(url)
    with database.read() as connection:
        found = inspect(connection)
        tables = {
            name: (
                [(column["name"], str(column["type"]), column["nullable"]) for column in found.get_columns(name)],
                found.get_pk_constraint(name)["constrained_columns"],
                sorted((index["name"] or "", tuple(index["column_names"])) for index in found.get_indexes(name)),
            )
            for name in found.get_table_names()
        }
    database.close()
    return tables


def check_upgrade(old: str, fresh: str) -> None:
    build_version_1(old)
    with Store.open(old) as store:
        assert store.identity() == "0123456789abcdef0123456789abcdef"
        assert store.get(["p1"])["p1"] == product(1, price="19.9", stock=3, currency="CNY")
        assert (store.sequence(), store.upsert([product(2)]).sequence) == (7, 8)
        assert store.task(store.create_task("upsert", accepted=1, sequence=8).id).sequence == 8
        with store.database.read() as connection:
            assert schema_versions(connection) == {schema.name: schema.version for schema in SCHEMAS}
    Store.open(fresh).close()
    assert layout(old) == layout(fresh)


def test_version_1_file_is_upgraded(tmp_path: Path) -> None:
    check_upgrade(sqlite_url(tmp_path / "old.sqlite3"), sqlite_url(tmp_path / "fresh.sqlite3"))


def test_version_1_postgres_is_upgraded(postgres_server: str, postgres_url: str) -> None:
    import psycopg

    fresh = postgres_url.replace("/test_", "/fresh_")
    name = fresh.split("@/")[1].split("?")[0]
    with psycopg.connect(host=postgres_server, user="postgres", dbname="postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            check_upgrade(postgres_url, fresh)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def test_failed_upgrade_leaves_the_old_layout(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "old.sqlite3")
    build_version_1(url)
    with closing(sqlite3.connect(tmp_path / "old.sqlite3")) as raw:
        raw.execute("CREATE INDEX tasks_created_at ON products (id)")  # the upgrade's second statement now fails
    before = layout(url)
    with pytest.raises(Exception, match="tasks_created_at"):
        Store.open(url)
    assert layout(url) == before


def test_newer_store_is_refused(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "store.sqlite3")
    with Store.open(url) as store, store.database.write() as connection:
        set_meta(connection, "schema.catalog", str(CATALOG_SCHEMA.version + 1))
    with pytest.raises(ConfigurationError, match="newer Lingsou") as caught:
        Store.open(url)
    assert "Upgrade" in (caught.value.cure or "")


@pytest.mark.parametrize("version", [0, 1])
def test_processes_that_start_at_once_agree(tmp_path: Path, version: int) -> None:
    url = sqlite_url(tmp_path / "store.sqlite3")
    if version:
        build_version_1(url)
    started = [subprocess.Popen([sys.executable, "-c", NEW, url], stdout=subprocess.PIPE) for _ in range(4)]
    identities = {process.communicate()[0] for process in started}
    assert [process.returncode for process in started] == [0] * 4
    assert len(identities) == 1


def test_processes_that_start_at_once_agree_on_postgres(postgres_url: str) -> None:
    started = [subprocess.Popen([sys.executable, "-c", NEW, postgres_url], stdout=subprocess.PIPE) for _ in range(3)]
    identities = {process.communicate()[0] for process in started}
    assert [process.returncode for process in started] == [0] * 3
    assert len(identities) == 1


def test_database_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "shop.sqlite3"
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("CREATE TABLE products (sku TEXT)")
    with pytest.raises(ConfigurationError, match="someone else's: products"):
        Store.open(sqlite_url(file))
    assert list(layout(sqlite_url(file))) == ["products"]


@pytest.mark.parametrize("url", ["no url", "mysql://localhost/shop", "sqlite://", "sqlite:///:memory:"])
def test_url_that_does_not_fit(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Database.open(url)
    assert (caught.value.field, bool(caught.value.cure)) == ("store.url", True)


def test_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def without_psycopg(name: str, *rest: Any) -> Any:
        if name.split(".")[0] == "psycopg":
            raise ModuleNotFoundError("No module named 'psycopg'")
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_psycopg)
    with pytest.raises(MissingExtraError) as caught:
        Database.open("postgresql://host/shop")
    assert "lingsou[postgres]" in (caught.value.cure or "")


def test_unreachable_server_keeps_the_password_to_itself() -> None:
    with pytest.raises(StorageError, match="cannot be reached") as caught:
        Store.open("postgresql://user:hunter2@127.0.0.1:1/shop")
    assert "hunter2" not in str(caught.value)
    assert "store.url" in (caught.value.cure or "")


def test_store_comes_back_when_the_server_does(postgres_url: str) -> None:
    with Store.open(postgres_url) as store:
        store.upsert([product(1)])
        with store.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                     " AND pid <> pg_backend_pid()")
            )  # fmt: skip
        assert store.count() == 1


def test_write_is_undone_as_a_whole(tmp_path: Path) -> None:
    database = Database.open(sqlite_url(tmp_path / "store.sqlite3"))
    database.prepare(*SCHEMAS)

    def fail_half_way() -> None:
        with database.write() as connection:
            set_meta(connection, "key", "value")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    with database.read() as connection:
        assert get_meta(connection, "key") is None
    database.close()
