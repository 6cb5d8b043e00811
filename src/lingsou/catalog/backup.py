"""Backup and restore of a data folder: one `.tar.gz` of the store, the settings, the shop's own words and models.

The store is always kept as a SQLite file, whatever database it lives in: such a file carries its schema version,
so an old backup is upgraded like an old store, and may be restored into either kind of database. The index is
derived and left out.
"""

import errno
import gzip
import hashlib
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from sqlalchemy import delete, select
from sqlalchemy.engine import make_url

import lingsou
from lingsou.catalog.store import SCHEMAS, Store
from lingsou.catalog.tables import load_seen, loads
from lingsou.catalog.transfer import copy_tables, copy_to_sqlite
from lingsou.catalog.writes import Counter
from lingsou.core.database import Database, Schema, get_meta, schema_versions, set_meta, sqlite_url
from lingsou.core.errors import (
    ConfigurationError,
    ConflictError,
    InputError,
    LockedError,
    NotFoundError,
    StorageError,
    StorageFullError,
)
from lingsou.core.model_store import ModelStore
from lingsou.core.settings import SETTINGS_FILE, DataFolder, Settings, StoreSettings, load_settings
from lingsou.core.types import Frozen, Instant

FORMAT = 3
MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1 << 20
COMPRESSION = 4
OWNER_ONLY = 0o600  # the settings may hold a password
_MODELS = "models"
_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Companion:
    """Another database of the data folder. The archive holds it as a SQLite file of its own."""

    file: str
    schema: Schema
    url: Callable[[DataFolder, Settings], str]


class BackedFile(Frozen):
    """One file of a backup."""

    size: int = Field(ge=0, description="bytes")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(Frozen):
    """What a backup holds. It is the archive's first member."""

    format: int = Field(description="of the archive; a newer one is refused")
    created_at: Instant
    version: str = Field(description="of the Lingsou that made it")
    identity: str = Field(description="of the store that was backed up")
    sequence: int = Field(description="the last change it holds")
    products: int
    schemas: dict[str, int] = Field(description="schema name → version")
    files: dict[str, BackedFile]


class Restored(Frozen):
    """What a restore did."""

    manifest: Manifest
    notes: tuple[str, ...] = Field((), description="what the user should know or do, in plain words")


def backup(folder: DataFolder, store: Store, target: Path, companions: Sequence[Companion] = ()) -> Manifest:
    """Write a consistent backup of a data folder that may be in use.

    Raises:
        ConflictError: the target exists.
        StorageFullError: no space is left for it; nothing remains of it.
        StorageError: the target's folder cannot be written.
    """
    if target.exists():
        raise ConflictError(f"{target} exists.", cure="Name a file that does not exist yet.")
    with _disk_errors(target), tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as temporary:
        copy = Path(temporary) / folder.database.name
        store.backup(copy, [each.schema.name for each in companions])
        files = {folder.database.name: copy}
        for companion in companions:
            files[companion.file] = _copied(companion, folder, Path(temporary) / companion.file)
        for source in (folder.settings_file, folder.lexicon, folder.secret, folder.query_labels, *_names(folder)):
            if source.is_file():
                # They may be edited meanwhile: what is hashed must be what is packed.
                files[source.name] = Path(shutil.copyfile(source, Path(temporary) / source.name))
        with ExitStack() as held:
            for root in sorted(folder.models.iterdir()) if folder.models.is_dir() else ():
                if root.is_dir():
                    own = held.enter_context(ModelStore(root).snapshot())
                    files |= {f"{_MODELS}/{root.name}/{name}": path for name, path in own.items()}
            manifest = _describe(copy, files)
            partial = Path(temporary) / "archive"
            _pack(partial, manifest, files)
        partial.replace(target)
    return manifest


def restore(
    archive: Path,
    folder: DataFolder,
    *,
    url: str | None = None,
    force: bool = False,
    companions: Sequence[Companion] = (),
) -> Restored:
    """Make a data folder from a backup. Stop the service that uses the folder first.

    Product numbers, sequence numbers, keys and tasks stay as they were. The store gets a new identity, since its
    history may now go on differently from what an index has seen; every index is rebuilt from it.

    Args:
        archive: what `backup` wrote.
        folder: where to; made if absent.
        url: the database for the store; none: the one that the backed-up settings name, else SQLite in the folder.
        force: replace what is there. Files are moved to a folder `replaced-<time>` inside; rows of a database given
            by URL are deleted.
        companions: the databases that the archive may hold beside the store.

    Raises:
        NotFoundError: no such archive.
        InputError: it is no backup, or was damaged or tampered with.
        ConfigurationError: it was made by a newer Lingsou.
        ConflictError: the target is in use already, and not `force`.
        LockedError: a running service holds the folder's store.
    """
    if not archive.is_file():
        raise NotFoundError(f"There is no file {archive}.", cure="Check the path.")
    with _disk_errors(folder.root):
        folder.root.mkdir(parents=True, exist_ok=True)
        _refuse_unless_free(folder, force)
        with tempfile.TemporaryDirectory(dir=folder.root, prefix=".restore-") as temporary:
            staged = DataFolder(temporary)
            manifest = _unpack(archive, staged, companions)
            named = load_settings(staged).store.url if staged.exists() else None
            settled = named.get_secret_value() if named else None
            destination = url or settled
            _renew(staged)
            if destination and not _is_file_of(destination, folder):
                _move_into(staged, destination, force)
                staged.database.unlink()
            for companion in companions:
                _settle(companion, staged, folder, url, force)
            notes = _swap(staged, folder)
    if url and url != settled:
        notes += ("The restored settings do not name the database restored to: set store.url in lingsou.toml.",)
    return Restored(manifest=manifest, notes=notes)


def _describe(copy: Path, files: dict[str, Path]) -> Manifest:
    with Store.open(sqlite_url(copy)) as store, store.database.read() as connection:
        manifest = Manifest(
            format=FORMAT,
            created_at=datetime.now(UTC).replace(microsecond=0),
            version=lingsou.__version__,
            identity=get_meta(connection, "identity") or "",
            sequence=store.sequence(),
            products=store.count(),
            schemas=schema_versions(connection),
            files={},
        )
    entries = {name: BackedFile(size=path.stat().st_size, sha256=_sha256(path)) for name, path in files.items()}
    return manifest.model_copy(update={"files": entries})


def _pack(target: Path, manifest: Manifest, files: dict[str, Path]) -> None:
    page = target.with_name(MANIFEST)
    page.write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    with target.open("xb") as raw:
        target.chmod(OWNER_ONLY)
        with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=COMPRESSION, format=tarfile.PAX_FORMAT) as tar:
            for name, path in {MANIFEST: page, **files}.items():
                member = tarfile.TarInfo(name)
                member.size, member.mode = path.stat().st_size, OWNER_ONLY
                member.mtime = int(manifest.created_at.timestamp())
                with path.open("rb") as content:
                    tar.addfile(member, content)
        raw.flush()
        os.fsync(raw.fileno())


def _names(folder: DataFolder) -> tuple[Path, ...]:
    """What was mined and dropped of other names."""
    return folder.mined_names, folder.dropped_names


def _unpack(archive: Path, staged: DataFolder, companions: Sequence[Companion]) -> Manifest:
    # Members are written under names of our own choosing, so no path in the archive can lead anywhere else.
    allowed = {staged.database.name: staged.database, SETTINGS_FILE: staged.settings_file}
    allowed |= {path.name: path for path in (staged.lexicon, staged.secret, staged.query_labels, *_names(staged))}
    allowed |= {each.file: staged.root / each.file for each in companions}
    try:
        with tarfile.open(archive, mode="r:gz") as tar:
            manifest = _read_manifest(tar, archive)
            allowed |= {name: place for name in manifest.files if (place := _of_a_model(name, staged))}
            for member in tar:
                if member.name == MANIFEST:
                    continue
                listed = manifest.files.get(member.name)
                content = tar.extractfile(member) if member.isreg() else None
                if member.name not in allowed or listed is None or content is None:
                    raise _not_a_backup(archive, f"it holds '{member.name}', which no backup does")
                path = allowed[member.name]
                if member.size != listed.size or path.exists():
                    raise _not_a_backup(archive, f"'{member.name}' is not as the manifest says")
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as sink:
                    path.chmod(OWNER_ONLY)
                    shutil.copyfileobj(content, sink)
    except (tarfile.TarError, EOFError, ValidationError, zlib.error) as error:
        raise _not_a_backup(archive, "it cannot be read") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise _not_a_backup(archive, "it cannot be read") from error  # gzip's own errors carry no number
    for name, listed in manifest.files.items():
        if name not in allowed or not allowed[name].is_file() or _sha256(allowed[name]) != listed.sha256:
            raise _not_a_backup(archive, f"'{name}' is absent or not as it was written")
    if staged.database.name not in manifest.files:
        raise _not_a_backup(archive, "it holds no store")
    return manifest


def _of_a_model(name: str, staged: DataFolder) -> Path | None:
    """Where a file of a model store goes; none if `name` is no such file's, or would lead out of the stores."""
    first, *parts = name.split("/")
    if first != _MODELS or len(parts) < 2 or {"", ".", ".."} & {*parts} or "\\" in name or "\0" in name:
        return None
    return staged.models.joinpath(*parts)


def _read_manifest(tar: tarfile.TarFile, archive: Path) -> Manifest:
    member = tar.next()
    if member is None or member.name != MANIFEST or not member.isreg() or member.size > MAX_MANIFEST_BYTES:
        raise tarfile.ReadError("the first member is not a manifest")
    content = tar.extractfile(member)
    assert content is not None
    manifest = Manifest.model_validate_json(content.read())
    known = {schema.name: schema.version for schema in SCHEMAS}
    newer = [name for name, version in manifest.schemas.items() if version > known.get(name, 0)]
    if manifest.format > FORMAT or newer:
        with gzip.open(archive) as whole:  # up to its checksum: a damaged byte may read as a newer version
            while whole.read(_AT_ONCE):
                pass
        raise ConfigurationError(
            f"This backup was made by a newer Lingsou ({manifest.version}).",
            cure=f"Install lingsou {manifest.version} or later and restore with it.",
        )
    return manifest


def _refuse_unless_free(folder: DataFolder, force: bool) -> None:
    if not force and any(folder.root.iterdir()):
        raise ConflictError(
            f"{folder.root} is not empty.", cure="Restore into a new folder, or use force to replace what is there."
        )
    if not folder.database.exists():
        return
    # SQLite leaves its write-ahead log only when no other connection is open.
    with closing(sqlite3.connect(folder.database, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise LockedError(f"{folder.database} is in use.", cure="Stop lingsou serve, then restore.") from error
        except sqlite3.DatabaseError:
            return  # damaged: a good reason to restore


def _renew(staged: DataFolder) -> None:
    with Store.open(sqlite_url(staged.database)) as store, store.database.write() as connection:
        connection.execute(delete(load_seen))
        connection.execute(delete(loads))
        set_meta(connection, "identity", os.urandom(16).hex())


def _is_file_of(url: str, folder: DataFolder) -> bool:
    parsed = make_url(url)
    return parsed.get_backend_name() == "sqlite" and Path(parsed.database or "").resolve() == folder.database.resolve()


def _move_into(staged: DataFolder, url: str, force: bool) -> None:
    source = Database.open(sqlite_url(staged.database))
    with closing(source), Store.open(url) as target, source.snapshot() as rows, target.database.write() as sink:
        if Counter(sink).sequence and not force:
            raise ConflictError(
                f"{target.database.where} holds a store already.",
                cure="Give an empty database, or use force to replace what is there.",
            )
        copy_tables(rows, sink, SCHEMAS)


def _copied(companion: Companion, folder: DataFolder, target: Path) -> Path:
    with closing(Database.open(companion.url(folder, load_settings(folder)))) as database:
        database.prepare(companion.schema)
        copy_to_sqlite(database, target, [companion.schema], [schema.name for schema in SCHEMAS])
    return target


def _settle(companion: Companion, staged: DataFolder, folder: DataFolder, url: str | None, force: bool) -> None:
    """Move a companion's rows to the database that the settings name; in the folder it stays a file."""
    file = staged.root / companion.file
    if not file.exists() or not staged.exists():
        return
    settings = load_settings(staged)
    if url:
        settings = settings.model_copy(update={"store": StoreSettings(url=SecretStr(url))})
    destination = companion.url(folder, settings)
    if destination == sqlite_url(folder.root / companion.file):
        return
    source, target = Database.open(sqlite_url(file)), Database.open(destination)
    with closing(source), closing(target):
        source.prepare(companion.schema)
        target.prepare(companion.schema)
        with source.snapshot() as rows, target.write() as sink:
            if not force and any(sink.execute(select(table).limit(1)).first() for table in companion.schema.tables):
                raise ConflictError(
                    f"{target.where} holds {companion.schema.name} already.",
                    cure="Give an empty database, or use force to replace what is there.",
                )
            copy_tables(rows, sink, [companion.schema], facts=False)
    file.unlink()


def _swap(staged: DataFolder, folder: DataFolder) -> tuple[str, ...]:
    """Move the new files in and the old ones aside; nothing but the derived index is deleted."""
    notes: tuple[str, ...] = ()
    if folder.index.is_dir():
        shutil.rmtree(folder.index)
    old = [path for path in folder.root.iterdir() if path != staged.root]
    if old:
        aside = folder.root / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        aside.mkdir()
        for path in old:
            path.rename(aside / path.name)
        notes = (f"What was in the folder is now in {aside}; delete it when you no longer need it.",)
    for path in staged.root.iterdir():
        path.rename(folder.root / path.name)
    return notes


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _not_a_backup(archive: Path, why: str) -> InputError:
    return InputError(
        f"{archive} is not a usable backup: {why}.", cure="Use a file that lingsou backup wrote, or an older one."
    )


@contextmanager
def _disk_errors(where: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFullError(f"No space is left for {where}.", cure="Free disk space and try again.") from error
        raise StorageError(
            f"{where} cannot be written: {error.strerror or error}.",
            cure="Check that the folder exists and its permissions.",
        ) from error
