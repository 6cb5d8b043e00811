"""What a model must show before it goes into production, and two models' figures side by side."""

from collections.abc import Mapping

from pydantic import Field

from lingsou.core.manifests import Measurement, ModelManifest
from lingsou.core.types import Finite, Frozen

_ROUNDING = 1e-9
"""0.3 - 0.2 is a little less than 0.1 and still enough where 0.1 is asked for."""


class Gate(Frozen):
    """A promotion passes if production is beaten by the margin and nothing else gets worse than allowed."""

    test_set: str = Field("", description="that decides; empty: the new model's first that production has too")
    metric: str = Field("", description="that decides; empty: the first of that measurement")
    margin: Finite = Field(0.0, description="production must be beaten by at least so much; may be negative")
    slice_margin: float = Field(
        0.02, ge=0, description="no slice and no other test set may be worse than production's by more than that"
    )


class Difference(Frozen):
    """One figure of two models."""

    test_set: str
    slice: str = Field("", description="part of the test set; empty: all of it")
    metric: str
    a: float
    b: float
    difference: float | None = Field(description="b - a; none where the two were measured on different data")


def gain(metric: str, before: float, after: float) -> float:
    """By how much `after` is better: for a loss, by how much it is lower."""
    return before - after if metric.endswith("loss") else after - before


def objections(gate: Gate, new: ModelManifest, production: ModelManifest | None) -> list[str]:
    """Every reason against promoting `new`; the first production of a task needs only to carry the metric.

    One test set decides. On the others that production was measured on, such as those of its other heads, the new
    model is judged by its own first metric of each; one that it lacks is a reason too.
    """
    own, before = new.measurements, production.measurements if production else {}
    decides = gate.test_set or next((name for name in own if name in before), next(iter(own), ""))
    if decides not in own:
        return [f"It was not measured on '{decides}'." if decides else "It was not measured on any test set."]
    metric = gate.metric or next(iter(own[decides].values), "")
    if metric not in own[decides].values:
        return [f"Its measurement on '{decides}' has no metric '{metric}'."]
    if production is None:
        return []
    if decides not in before:
        return [f"Production was not measured on '{decides}'."]
    found = _objections(gate, decides, metric, own[decides], before[decides], decides=True)
    for test_set, old in before.items():
        if test_set not in own:
            found.append(f"Production was measured on '{test_set}' and it was not, as if it had no such head.")
        elif test_set != decides:
            first = next(iter(own[test_set].values), "")
            found += _objections(gate, test_set, first, own[test_set], old, decides=False)
    return found


def _objections(
    gate: Gate, test_set: str, metric: str, new: Measurement, before: Measurement, *, decides: bool
) -> list[str]:
    """On one test set, by one metric: all of it and its slices."""
    if before.data != new.data:
        return [f"Production was measured on other data of the name '{test_set}': the two cannot be compared."]
    if metric not in before.values:
        return [f"Production's measurement on '{test_set}' has no metric '{metric}'."]
    found = []
    old, own = before.values[metric], new.values[metric]
    told = f"{metric} on '{test_set}' is {own:.4f} against production's {old:.4f}"
    if gain(metric, old, own) < (gate.margin if decides else -gate.slice_margin) - _ROUNDING:
        said = f"not {gate.margin:+g}" if decides else f"worse by more than {gate.slice_margin:g}"
        found.append(f"{told}: {said}.")
    return found + _slice_objections(gate.slice_margin, test_set, metric, new, before)


def _slice_objections(allowed: float, test_set: str, metric: str, new: Measurement, before: Measurement) -> list[str]:
    found = []
    for name, values in before.slices.items():
        if metric not in values:
            continue
        old, own = values[metric], new.slices.get(name, {}).get(metric)
        if own is None:
            found.append(f"The slice '{name}' of '{test_set}' was measured for production and not for it.")
        elif gain(metric, old, own) < -allowed - _ROUNDING:
            found.append(
                f"{metric} on the slice '{name}' of '{test_set}' is {own:.4f} against production's {old:.4f}: "
                f"worse by more than {allowed:g}."
            )
    return found


def compare(a: ModelManifest, b: ModelManifest) -> list[Difference]:
    """Every metric that both were measured by, for each test set that they share and each of its slices."""
    rows: list[Difference] = []
    for test_set, first in a.measurements.items():
        if second := b.measurements.get(test_set):
            same = first.data == second.data
            rows += _rows(test_set, "", first.values, second.values, same=same)
            for name, values in first.slices.items():
                rows += _rows(test_set, name, values, second.slices.get(name, {}), same=same)
    return rows


def _rows(test_set: str, part: str, a: Mapping[str, float], b: Mapping[str, float], *, same: bool) -> list[Difference]:
    return [
        Difference(
            test_set=test_set,
            slice=part,
            metric=metric,
            a=value,
            b=b[metric],
            difference=b[metric] - value if same else None,
        )
        for metric, value in a.items()
        if metric in b
    ]
