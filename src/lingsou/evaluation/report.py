"""The one JSON line that every benchmark ends with."""

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lingsou.core.errors import InputError

_FIXED = ("benchmark", "data", "machine", "metrics")


def machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> dict[str, Any]:
    """What the figures were measured on: `cpu`, `cores`, `python`, `platform`. Never the host's name."""
    return {
        "cpu": _cpu_model(cpuinfo),
        "cores": _cores(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def result_line(benchmark: str, data: str, metrics: Mapping[str, Any], **extra: Any) -> str:
    """One line of JSON with `benchmark`, `data`, `machine`, `metrics` and whatever else `extra` names.

    NumPy scalars and arrays become plain numbers and lists.

    Raises:
        InputError: `extra` takes the name of a fixed key, or a number is not finite: JSON has no NaN.
    """
    taken = sorted(set(_FIXED) & set(extra))
    if taken:
        raise InputError(f"'{taken[0]}' is a fixed key of a result.", cure="Choose another name.")
    result = {"benchmark": benchmark, "data": data, "machine": machine(), "metrics": dict(metrics), **extra}
    try:
        return json.dumps(result, ensure_ascii=False, allow_nan=False, default=_plain)
    except ValueError as error:
        raise InputError(
            "A result holds a number that is not finite.", cure="Leave out what was not measured."
        ) from error


def _plain(value: object) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _cores() -> int:
    """Cores this process may use; a container often grants fewer than the machine has."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _cpu_model(cpuinfo: Path) -> str:
    try:
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine()
