"""What a section of the benchmark of query understanding is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    seeds: Sequence[int]
    work: Path | None = None
    """Keeps encoded vectors between runs."""


@dataclass(frozen=True)
class Section:
    """One part of understanding, measured against its baselines.

    `name` is its key in `metrics`. `files` are the names that a folder must have, all of them; a section without any
    needs no data of others and runs once. `measure` gets that folder (without files: the working directory) and gives
    numbers by name, nested as it likes.
    """

    name: str
    files: tuple[str, ...]
    measure: Callable[[Path, Options], Mapping[str, Any]]

    def runs_on(self, folder: Path) -> bool:
        """Whether the folder has what the section needs."""
        return all((folder / name).exists() for name in self.files)
