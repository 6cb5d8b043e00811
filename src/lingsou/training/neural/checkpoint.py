"""Checkpoints: everything that a training needs to go on after a kill as if nothing had happened.

    checkpoint/state.safetensors   weights that move, and the optimiser's moments
    checkpoint/state.json          the step, what was measured so far, which file belongs to it
    best/<step>.safetensors        the weights of the best evaluations

Random numbers need no place here: each step draws its own from the seed and its number.
"""

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from lingsou.core.errors import StorageError, StorageFullError

_STATE = "state.json"
Weights = Mapping[str, Tensor]


def save_weights(path: Path, weights: Weights) -> None:
    """Write `weights` to `path`, whole or not at all.

    Raises:
        StorageFullError: no space is left; the file that was there stays.
    """
    content = save({name: value.detach().cpu().contiguous() for name, value in weights.items()})
    write_whole(path, content)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a kill at any moment leaves either the old one or the new one.

    Raises:
        StorageFullError: no space is left.
        StorageError: it cannot be written for another reason.
    """
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.errno == errno.ENOSPC:
            raise StorageFullError(
                f"{path} cannot be written: no space is left.", cure="Free some space and start again: it resumes."
            ) from error
        raise StorageError(
            f"{path} cannot be written: {error}.", cure="Check the folder and its permissions."
        ) from error


def load_weights(path: Path) -> dict[str, Tensor]:
    """The weights in `path`.

    Raises:
        StorageError: the file is missing or damaged.
    """
    try:
        found: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise StorageError(f"{path} cannot be read: {error}.", cure=_ANEW) from error
    return found


@dataclass(frozen=True)
class Kept:
    """What a checkpoint holds."""

    weights: Weights
    """By name, those that move."""
    moments: Weights
    """The optimiser's, as `moments_of` gives them."""
    method: Weights
    """What the method needs beside its weights."""
    state: Mapping[str, Any]
    """The rest, as JSON values."""


class Checkpoint:
    """The newest checkpoint in a folder. Two files take turns, so that one is always whole."""

    def __init__(self, folder: Path):
        self._folder = folder

    def write(self, kept: Kept) -> None:
        """Keep this in place of the last one.

        Raises:
            StorageFullError: no space is left; the last one stays.
        """
        known = self._state()
        name = "b.safetensors" if known and known["file"] == "a.safetensors" else "a.safetensors"
        parts = {"weight": kept.weights, "moment": kept.moments, "method": kept.method}
        tensors = {f"{part}.{key}": value for part, named in parts.items() for key, value in named.items()}
        save_weights(self._folder / name, tensors)
        write_whole(self._folder / _STATE, orjson.dumps({**kept.state, "file": name}))

    def read(self) -> Kept | None:
        """The newest one; none: there is no checkpoint.

        Raises:
            StorageError: it is damaged.
        """
        state = self._state()
        if state is None:
            return None
        parts: dict[str, dict[str, Tensor]] = {"weight": {}, "moment": {}, "method": {}}
        for name, value in load_weights(self._folder / state["file"]).items():
            part, _, key = name.partition(".")
            parts[part][key] = value
        return Kept(parts["weight"], parts["moment"], parts["method"], state)

    def _state(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = orjson.loads((self._folder / _STATE).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, orjson.JSONDecodeError) as error:
            raise StorageError(f"{self._folder / _STATE} cannot be read: {error}.", cure=_ANEW) from error
        return found


_ANEW = "Start anew: --restart."


def moments_of(optimiser: torch.optim.Optimizer, names: Mapping[int, str]) -> dict[str, Tensor]:
    """The optimiser's state as plain tensors: `<moment>.<parameter>`; `names` is id(parameter) → name."""
    found: dict[str, Tensor] = {}
    for parameter, state in optimiser.state.items():
        for key, value in state.items():
            if value is not None:
                found[f"{key}/{names[id(parameter)]}"] = torch.as_tensor(value)
    return found


def restore_moments(optimiser: torch.optim.Optimizer, moments: Weights, parameters: Mapping[str, Tensor]) -> None:
    """Put back what `moments_of` gave, on the device of each parameter."""
    for name, value in moments.items():
        key, _, parameter = name.partition("/")
        own = parameters[parameter]
        optimiser.state[own][key] = value.to(own.device, copy=True)


def mean_of(paths: list[Path]) -> dict[str, Tensor]:
    """The mean of the weights in several files: checkpoint averaging."""
    total = load_weights(paths[0])
    for path in paths[1:]:
        for name, value in load_weights(path).items():
            total[name] += value
    return {name: value / len(paths) if value.is_floating_point() else value for name, value in total.items()}
