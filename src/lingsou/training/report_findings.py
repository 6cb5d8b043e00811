"""What a training report says in sentences: how good each task became, and what a person should look at first."""

from lingsou.core.gates import gain
from lingsou.training.report import TaskReport, TrainingReport
from lingsou.training.report_tables import BIAS, RobustLine, SliceLine, confusion_of, gaps, robust_lines, slice_lines

FAR_BEHIND = 0.05
"""Slices that fall behind the whole by more are told."""
WIDE = 0.1
"""Gaps between slices of one bias dimension that are told."""
HARMED = 0.02
"""Slices that lost so much by the training are told; and a test part so much worse than validation."""
FRAGILE = 0.9
"""Perturbations that leave less of the metric are told."""
_NAMED = 3
_ROUNDING = 1e-9
"""0.55 - 0.5 is a little more than 0.05 and still not farther behind."""


def verdict(task: TaskReport) -> str:
    """The first sentence about a task."""
    value, metric = task.test.values[task.metric], task.metric
    sure = f"95 % interval {task.interval.low:.4f} to {task.interval.high:.4f}, " if task.interval else ""
    told = f"{metric} on the test part is {value:.4f} ({sure}{task.test.rows:,} rows)"
    if task.before is None:
        return f"{told}; the untrained base was not measured."
    before = task.before.values[metric]
    difference = gain(metric, before, value)
    if not difference:
        return f"{told}, the same as the untrained base."
    how = "better" if difference > 0 else "worse"
    return f"{told}, {abs(difference):.4f} {how} than the untrained base ({before:.4f})."


def findings(report: TrainingReport) -> list[str]:
    """What speaks against the model, in sentences; empty where nothing does."""
    found = [sentence for task in report.tasks for sentence in _of_task(task)]
    if report.precision and report.precision.chosen == "fp32" and report.precision.figures:
        found.append(f"int8 was not taken: {report.precision.why}")
    return found


def _of_task(task: TaskReport) -> list[str]:
    metric, value = task.metric, task.test.values[task.metric]
    found = []
    if task.before and gain(metric, task.before.values[metric], value) < 0:
        found.append(f"{metric} is worse than that of the untrained base.")
    validated = task.validation.values[metric]
    if gain(metric, validated, value) < -HARMED - _ROUNDING:
        found.append(
            f"{metric} is {value:.4f} on test and {validated:.4f} on validation, which the weights were chosen by: "
            "trust the former, and look for a difference between the two parts."
        )
    lines = [line for line in slice_lines(task) if not line.few]
    found += _slices(metric, lines)
    for gap in gaps(lines):
        if gap.width > WIDE + _ROUNDING and gap.best and gap.worst:
            found.append(
                f"By {BIAS[gap.dimension]}, {metric} reaches from {gap.worst.value:.4f} ({gap.worst.name}) "
                f"to {gap.best.value:.4f} ({gap.best.name})."
            )
    found += _robustness(
        metric, [line for line in robust_lines(task) if line.kept is not None and line.kept < FRAGILE - _ROUNDING]
    )
    confusion = confusion_of(task.test)
    missed = [line.name for line in confusion.labels if line.expected and not line.recall] if confusion else []
    if missed:
        found.append(f"Never found although expected: {_some(missed)}.")
    found += [f"Of the data: {warning.rstrip('.')}." for warning in task.card.warnings]
    return [f"{task.name}: {sentence}" for sentence in found]


def _slices(metric: str, lines: list[SliceLine]) -> list[str]:
    found = []
    behind = [line for line in lines if line.ahead is not None and line.ahead < -FAR_BEHIND - _ROUNDING]
    if behind:
        named = [f"{line.dimension} {line.name} ({line.value:.4f})" for line in behind]
        found.append(f"{metric} is more than {FAR_BEHIND:g} behind the whole on {_some(named)}.")
    harmed = [line for line in lines if line.change is not None and line.change < -HARMED - _ROUNDING]
    if harmed:
        named = [f"{line.dimension} {line.name} ({line.change:+.4f})" for line in harmed]
        found.append(f"The training made {metric} worse on {_some(named)}.")
    return found


def _robustness(metric: str, lines: list[RobustLine]) -> list[str]:
    fragile = [
        f"{line.name} ({100 * line.kept:.0f} %)"
        for line in lines
        if line.kept is not None and line.kept < FRAGILE - _ROUNDING
    ]
    return [f"Less than {100 * FRAGILE:.0f} % of {metric} is left with {_some(fragile)}."] if fragile else []


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
