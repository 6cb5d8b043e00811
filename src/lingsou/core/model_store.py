"""The versions of one task's model, which of them is in production, and the way back.

    models/ranker/20260131T120000-1a2b3c4d/          the files of a version and manifest.json
    models/ranker/20260131T120000-1a2b3c4d.json      figures measured since, if any
    models/ranker/aliases.json                       production, candidate, productions before; replaced at once

A version is complete and on the disk before it has its name, and is never changed afterwards. Whoever changes aliases
holds `store.lock`; readers need no lock. What a killed process leaves (`.new-*`, `.gone-*`) has no name that anybody
reads, and `collect` removes it.
"""

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import orjson
from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from lingsou import __version__
from lingsou.core.errors import ConflictError, LockedError, NotFoundError, StorageError
from lingsou.core.gates import Gate, objections
from lingsou.core.manifests import MANIFEST, Measurement, ModelManifest, facts, write_manifest
from lingsou.core.types import Frozen

_ALIASES, _LOCK = "aliases.json", "store.lock"
_VERSION = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
_LOCK_SECONDS = 30.0
MOST_BACK = 5
"""Productions that `rollback` can go back to, one after the other; older ones may be collected."""

Alias = Literal["production", "candidate"]
Manifest = TypeVar("Manifest", bound=ModelManifest)
_Measured = TypeAdapter(dict[str, Measurement])


class Aliases(Frozen):
    """Versions that have a role."""

    production: str | None = None
    candidate: str | None = None
    history: tuple[str, ...] = ()
    """Productions before, the latest last."""


class _AnyManifest(ModelManifest):
    """What all tasks' manifests have; the fields of one task are passed over."""

    model_config = ModelManifest.model_config | {"extra": "ignore"}


class ModelStore:
    """The store of one task in the folder `root`, which need not exist yet. Its name is the task's.

    Any method may raise `StorageError` where the disk does not do its part.
    """

    def __init__(self, root: Path):
        self.root = root
        self.task = root.name

    def add(self, content: Path | Callable[[Path], None], manifest: ModelManifest, created: datetime) -> str:
        """Keep a model and make it the candidate; its version. The same model of the same second is kept once.

        Args:
            content: a folder that is copied, or what writes the files into the empty folder it is given. A
                manifest among them is replaced.
            manifest: all but `created`, `code` and `files`, which are filled in.
            created: when it was made; begins the version's name.
        """
        with self._storing(), self._draft() as folder:
            if isinstance(content, Path):
                shutil.copytree(content, folder, dirs_exist_ok=True)
            else:
                content(folder)
            (folder / MANIFEST).unlink(missing_ok=True)
            paths = sorted(path for path in folder.rglob("*") if path.is_file())
            files = {path.relative_to(folder).as_posix(): facts(path) for path in paths}
            own = {**dict(manifest), "created": created, "code": __version__, "files": files}
            complete = type(manifest).model_validate(own)
            write_manifest(complete, folder)
            for path in (*folder.rglob("*"), folder):
                _sync(path)
            made = (complete.created or created).astimezone(UTC)
            version = f"{made:%Y%m%dT%H%M%S}-{facts(folder / MANIFEST).sha256[:8]}"
            with self._locked():
                if not (self.root / version).exists():
                    folder.rename(self.root / version)
                    _sync(self.root)
                self._write(self.aliases().model_copy(update={"candidate": version}))
        return version

    def versions(self) -> list[str]:
        """Every version, oldest first."""
        with self._storing():
            if not self.root.is_dir():
                return []
            return sorted(path.name for path in self.root.iterdir() if _VERSION.fullmatch(path.name) and path.is_dir())

    def aliases(self) -> Aliases:
        """Which version has which role. One small file is read."""
        path = self.root / _ALIASES
        try:
            return Aliases.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return Aliases()
        except (OSError, ValidationError) as error:
            raise StorageError(
                f"{path} cannot be read: {_reason(error)}.",
                cure=f"Remove it and choose anew: lingsou models promote {self.task} VERSION --force",
            ) from error

    def alias(self, name: Alias) -> str | None:
        """The version with this role."""
        aliases = self.aliases()
        return aliases.production if name == "production" else aliases.candidate

    def path(self, version: str) -> Path:
        """The folder of a version.

        Raises:
            NotFoundError: there is none.
        """
        folder = self.root / version
        if not _VERSION.fullmatch(version) or not folder.is_dir():
            raise NotFoundError(
                f"There is no version '{version}' of the {self.task}.",
                cure=f"Have: {', '.join(self.versions()) or 'none'}.",
            )
        return folder

    def manifest(self, version: str, kind: type[Manifest]) -> Manifest:
        """The manifest of a version, with the figures that were recorded since.

        Raises:
            NotFoundError: there is no such version.
            StorageError: its manifest is missing, damaged or not of this kind.
        """
        path = self.path(version) / MANIFEST
        try:
            found = kind.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise StorageError(f"{path} cannot be read: {_reason(error)}.", cure=self._cure) from error
        return found.model_copy(update={"measurements": {**found.measurements, **self._recorded(version)}})

    def about(self, version: str) -> ModelManifest:
        """What the manifest of a version says that does not depend on the task. Raises as `manifest` does."""
        return self.manifest(version, _AnyManifest)

    def verify(self, version: str) -> None:
        """Compare every file of a version with its manifest.

        Raises:
            NotFoundError: there is no such version.
            StorageError: a file is missing or was changed.
        """
        folder = self.path(version)
        for name, known in self.about(version).files.items():
            try:
                same = (folder / name).resolve().is_relative_to(folder.resolve()) and facts(folder / name) == known
            except OSError as error:
                raise StorageError(f"{folder / name} cannot be read: {error}.", cure=self._cure) from error
            if not same:
                raise StorageError(f"{folder / name} is not the file that was stored.", cure=self._cure)

    def record(self, version: str, test_set: str, measurement: Measurement) -> None:
        """Add what a version that is kept already was measured at, such as production on a new test set."""
        with self._storing(), self._locked():
            self.path(version)
            measured = {**self._recorded(version), test_set: measurement}
            _replace(self._records(version), _Measured.dump_json(measured, indent=2))

    def promote(self, version: str, gate: Gate | None = None, *, force: bool = False) -> None:
        """Put a version into production, if the gate lets it; none: one with all its defaults.

        Raises:
            NotFoundError: there is no such version.
            ConflictError: the gate refuses, with every reason, and it is not forced.
            LockedError: another process changes the store.
        """
        with self._storing(), self._locked():
            self.verify(version)
            aliases = self.aliases()
            before = aliases.production
            if not force and before != version:
                reasons = objections(gate or Gate(), self.about(version), self.about(before) if before else None)
                if reasons:
                    raise ConflictError(
                        f"{version} does not become the {self.task} in production. {' '.join(reasons)}",
                        cure="Improve it; where the data differ, train by its recipe again, which measures both on the "
                        "same rows; or promote it with --force.",
                    )
            candidate = None if aliases.candidate == version else aliases.candidate
            history = _followed(aliases) if before != version else aliases.history
            self._write(Aliases(production=version, candidate=candidate, history=history))

    def rollback(self) -> str:
        """Put the production before this one back; its version.

        Raises:
            ConflictError: there is none.
            LockedError: another process changes the store.
        """
        with self._storing(), self._locked():
            aliases, known = self.aliases(), set(self.versions())
            *history, version = [None, *(each for each in aliases.history if each in known)]
            if version is None:
                raise ConflictError(
                    f"There is no {self.task} to go back to.", cure=f"lingsou models withdraw {self.task}"
                )
            self.verify(version)
            self._write(aliases.model_copy(update={"production": version, "history": tuple(filter(None, history))}))
        return version

    def withdraw(self) -> str | None:
        """Have no production; the version that was. `rollback` brings it back."""
        with self._storing(), self._locked():
            aliases = self.aliases()
            if aliases.production:
                self._write(aliases.model_copy(update={"production": None, "history": _followed(aliases)}))
        return aliases.production

    def collect(self, keep: int) -> list[str]:
        """Remove versions, and what killed processes left; the versions removed.

        Kept are the newest `keep`, production, candidate and what `rollback` can go back to.
        """
        with self._storing(), self._locked():
            aliases, versions = self.aliases(), self.versions()
            kept = {aliases.production, aliases.candidate, *aliases.history, *versions[max(0, len(versions) - keep) :]}
            removed = [version for version in versions if version not in kept]
            for version in removed:
                # Out of sight first: a version that is half removed must not look like one.
                (self.root / version).rename(self.root / f".gone-{uuid.uuid4().hex}")
                self._records(version).unlink(missing_ok=True)
            for path in self.root.glob(".gone-*"):
                shutil.rmtree(path)
            for name in {path.name.removesuffix(".lock") for path in self.root.glob(".new-*")}:
                with contextlib.suppress(Timeout), self._held(name, seconds=0):
                    shutil.rmtree(self.root / name, ignore_errors=True)
        return removed

    @contextmanager
    def snapshot(self) -> Iterator[dict[str, Path]]:
        """Path in the store → a file that stays as it is during the block, whatever is promoted or collected meanwhile.

        Versions, their figures and aliases of one moment. The files are further names of those of the store, so they
        cost neither time nor space; a killed holder's are removed by `collect`.
        """
        with self._draft() as folder:
            found: dict[str, Path] = {}
            with self._storing(), self._locked():
                own = [self.root / _ALIASES, *(self._records(version) for version in self.versions())]
                own += [path for version in self.versions() for path in (self.root / version).rglob("*")]
                for path in own:
                    if path.is_file():
                        name = path.relative_to(self.root)
                        (folder / name).parent.mkdir(parents=True, exist_ok=True)
                        found[name.as_posix()] = _linked(path, folder / name)
            yield found

    @property
    def _cure(self) -> str:
        return f"Train it anew, or go back: lingsou models rollback {self.task}"

    def _records(self, version: str) -> Path:
        return self.root / f"{version}.json"

    def _recorded(self, version: str) -> dict[str, Measurement]:
        path = self._records(version)
        try:
            return _Measured.validate_json(path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            raise StorageError(
                f"{path} cannot be read: {_reason(error)}.", cure="Remove it and measure again."
            ) from error

    def _write(self, aliases: Aliases) -> None:
        _replace(self.root / _ALIASES, orjson.dumps(aliases.model_dump(), option=orjson.OPT_INDENT_2))

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        """An empty folder that no `collect` removes while the block runs; gone after it, or renamed within."""
        self.root.mkdir(parents=True, exist_ok=True)
        name = f".new-{uuid.uuid4().hex}"
        with contextlib.ExitStack() as held:
            with self._locked():  # so that no `collect` takes the lock's file for one left behind
                held.enter_context(self._held(name))
            folder = self.root / name
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _held(self, name: str, seconds: float = _LOCK_SECONDS) -> Iterator[None]:
        """Hold the lock of a draft, whose file goes afterwards; a killed holder's is free at once."""
        path = self.root / f"{name}.lock"
        with FileLock(path, timeout=seconds):
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.root / _LOCK)
        try:
            lock.acquire(timeout=_LOCK_SECONDS)
        except Timeout as error:
            raise LockedError(f"Another process changes '{self.root}'.", cure="Wait until it is done.") from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"The store of the {self.task} in '{self.root}' failed: {error}.",
                cure="Check the folder and free space.",
            ) from error


def _reason(error: OSError | ValidationError) -> str:
    """What is wrong, on one line."""
    if isinstance(error, OSError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    return ": ".join([*(str(part) for part in first["loc"]), first["msg"]])


def _followed(aliases: Aliases) -> tuple[str, ...]:
    """The history once another production follows."""
    return (*aliases.history, *filter(None, [aliases.production]))[-MOST_BACK:]


def _replace(path: Path, content: bytes) -> None:
    """Replace a file at once and for good. Only the holder of the store's lock does."""
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_bytes(content)
    _sync(draft)
    draft.replace(path)
    _sync(path.parent)


def _linked(path: Path, target: Path) -> Path:
    """`target` as another name of the file, or as a copy where the file system has no such names."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)
    return target


def _sync(path: Path) -> None:
    """Wait until a file, or what a folder lists, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
