"""The files of mined names: plain tab-separated tables that people can read.

# lingsou names 1    version 3
phrase    name    weight    source    evidence
sofa      couch   0.35      searches  12
"""

import re
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, ValidationError

from lingsou.core.errors import InputError, StorageError
from lingsou.core.frozen import Frozen

MinedSource = Literal["catalogue", "encoder", "searches", "clicks"]
MINED_SOURCES: tuple[MinedSource, ...] = get_args(MinedSource)

_COLUMNS = ("phrase", "name", "weight", "source", "evidence")
_HEAD = re.compile(r"# lingsou names 1\tversion (\d+)")
_Words = Field(min_length=1, max_length=200, pattern=r"^[^\t\r\n]+$")


class MinedName(Frozen):
    """A name that stands for a phrase of a query, in this shop."""

    phrase: str = _Words
    name: str = _Words
    weight: float = Field(gt=0, lt=1, description="what the name is worth beside the phrase itself")
    source: MinedSource = Field(
        description="`catalogue`: products write both; `encoder`: near in meaning and in the same categories; "
        "`searches`: visitors asked again so; `clicks`: led to the same products"
    )
    evidence: int = Field(ge=1, description="products, visitors, or products that have the rarer of the two")


def read_names(path: Path) -> tuple[int, tuple[MinedName, ...]]:
    """The version of a table and its rows; 0 and none where there is no file.

    Raises:
        StorageError: it cannot be read.
        InputError: a line is no name; it is named.
    """
    lines = _lines(path)
    if not lines:
        return 0, ()
    head = _HEAD.fullmatch(lines[0])
    if head is None or len(lines) < 2 or tuple(lines[1].split("\t")) != _COLUMNS:
        raise InputError(f"{path} is no table of names.", row=1, cure="lingsou query expansions mine")
    return int(head.group(1)), tuple(_row(path, number, line) for number, line in enumerate(lines[2:], start=3) if line)


def write_names(path: Path, version: int, names: Iterable[MinedName]) -> None:
    """Write a table in place of the one before, atomically; the likeliest names of a phrase first.

    Raises:
        StorageError: it cannot be written.
    """
    rows = sorted(names, key=lambda each: (each.phrase, -each.weight, each.name, each.source))
    lines = [f"# lingsou names 1\tversion {version}", "\t".join(_COLUMNS)]
    lines += [f"{r.phrase}\t{r.name}\t{r.weight:g}\t{r.source}\t{r.evidence}" for r in rows]
    _replace(path, lines)


def read_dropped(path: Path) -> tuple[tuple[str, str], ...]:
    """The (phrase, name) pairs that a merchandiser dropped, one a line.

    Raises:
        StorageError: the file cannot be read.
        InputError: a line is no pair.
    """
    found = []
    for number, line in enumerate(_lines(path), start=1):
        phrase, tab, name = line.partition("\t")
        if not (phrase and tab and name):
            raise InputError(f"{path}: no phrase and name.", row=number, cure="Mend or remove that line.")
        found.append((phrase, name))
    return tuple(found)


def write_dropped(path: Path, pairs: Sequence[tuple[str, str]]) -> None:
    """Write the pairs in place of those before, atomically.

    Raises:
        StorageError: the file cannot be written.
    """
    _replace(path, [f"{phrase}\t{name}" for phrase, name in sorted(pairs)])


def _row(path: Path, number: int, line: str) -> MinedName:
    try:
        return MinedName.model_validate(dict(zip(_COLUMNS, line.split("\t"), strict=True)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or None
        raise InputError(f"{path}: {first['msg']}.", row=number, field=where, cure="Mend or remove it.") from error
    except ValueError as error:
        raise InputError(f"{path}: not {len(_COLUMNS)} columns.", row=number, cure="Mend or remove it.") from error


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path} cannot be read: {error}.", cure="Check file and permissions.") from error


def _replace(path: Path, lines: Sequence[str]) -> None:
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StorageError(f"{path} cannot be written: {error}.", cure="Check folder and disk.") from error
