"""The report of a training as one HTML file."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Template

from lingsou.core.errors import StorageError
from lingsou.core.gates import gain
from lingsou.evaluation.pages import template
from lingsou.evaluation.slices import LEAST
from lingsou.training import report_plots
from lingsou.training.report import TaskReport, TrainingReport, plain
from lingsou.training.report_findings import FAR_BEHIND, findings, verdict
from lingsou.training.report_plots import Curve, curve
from lingsou.training.report_tables import (
    BIAS,
    FEW,
    MOST_LABELS,
    Confusion,
    Gap,
    RobustLine,
    SliceLine,
    confusion_of,
    counts_what,
    gaps,
    robust_lines,
    slice_lines,
)

HTML, JSON = "report.html", "report.json"
_NONE = "–"
_MOST_CHARACTERS = 400
"""Of a text on the page; `report.json` has all of it."""


@dataclass(frozen=True)
class _TaskView:
    """A task as the page shows it."""

    report: TaskReport
    verdict: str
    curves: tuple[Curve, ...]
    lines: tuple[SliceLine, ...]
    """Slices of other dimensions than those of bias."""
    gaps: tuple[Gap, ...]
    missing: tuple[str, ...]
    """Bias dimensions that the test part has no slices of."""
    reach: float
    """What the full length of a bar stands for: the largest difference of slices that are not few."""
    confusion: Confusion | None
    robust: tuple[RobustLine, ...]
    counted: str


def write_report(report: TrainingReport, folder: Path) -> Path:
    """Write `report.html` and `report.json` into `folder`, which is made where it is missing.

    Returns:
        The path of the page.

    Raises:
        StorageError: they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / JSON).write_bytes(orjson.dumps(plain(report), option=orjson.OPT_INDENT_2) + b"\n")
        (folder / HTML).write_text(page(report), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"The report cannot be written to '{folder}': {error.strerror}.",
            cure="Make room on the disk, or name a folder that may be written to.",
        ) from error
    return folder / HTML


def page(report: TrainingReport) -> str:
    """The HTML."""
    return _template().render(
        report=report,
        tasks=[_view(report, task) for task in report.tasks],
        findings=findings(report),
        rate=curve("Learning rate", [(point.step, point.rate) for point in report.points]),
        plot=report_plots,
        few=FEW,
        least=LEAST,
        most_labels=MOST_LABELS,
        bias=BIAS,
        gain=gain,
    )


def _view(report: TrainingReport, task: TaskReport) -> _TaskView:
    lines = slice_lines(task)
    found = gaps(lines)
    told = [abs(line.ahead) for line in lines if line.ahead is not None and not line.few]
    losses = [(point.step, point.losses[task.name]) for point in report.points if task.name in point.losses]
    values = [
        (point.step, point.values[task.name][task.metric])
        for point in report.points
        if task.metric in point.values.get(task.name, {})
    ]
    curves = (curve("Loss in training", losses), curve(f"{task.metric} on validation", values, report.kept))
    return _TaskView(
        task,
        verdict(task),
        tuple(each for each in curves if each),
        tuple(line for line in lines if line.dimension not in BIAS),
        tuple(found),
        tuple(name for key, name in BIAS.items() if key not in {gap.dimension for gap in found}),
        max([FAR_BEHIND, *told]),
        confusion_of(task.test),
        tuple(robust_lines(task)),
        counts_what(task.kind),
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"


@cache
def _template() -> Template:
    filters: dict[str, Callable[[Any], str]] = {
        "figure": lambda value: _NONE if value is None else f"{value:.4f}",
        "whole": lambda value: _NONE if value is None else f"{value:,}",
        "percent": lambda value: f"{100 * value:.1f} %",
        "off": lambda value: "∞" if value == inf else f"{value:.3g}",
        "duration": _duration,
        "cut": _cut,
    }
    return template("training.html", Path(__file__).parent / "templates", filters)
