"""The gate before production: worked by hand, both sides of every bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.gates import Gate, compare, objections
from lingsou.core.manifests import Measurement, ModelManifest

DATA, OTHER = "a" * 64, "b" * 64


def model(value: float, *, data: str = DATA, metric: str = "ndcg@10", **slices: float) -> ModelManifest:
    parts = {name: {metric: part} for name, part in slices.items()}
    measured = Measurement(data=data, rows=10, values={metric: value, "mrr": 0.5}, slices=parts)
    return ModelManifest(task="ranker", measurements={"held out": measured})


@pytest.mark.parametrize(
    ("gate", "new", "before", "passes"),
    [
        (Gate(), model(0.70), model(0.70), True),
        (Gate(), model(0.69), model(0.70), False),
        (Gate(margin=0.1), model(0.3), model(0.2), True),  # 0.3 - 0.2 is a little less than 0.1
        (Gate(margin=0.1), model(0.29), model(0.2), False),
        (Gate(margin=-0.02), model(0.68), model(0.70), True),
        (Gate(margin=-0.02), model(0.67), model(0.70), False),
        (Gate(metric="mrr", margin=0.0), model(0.1), model(0.9), True),
        (Gate(metric="log-loss"), model(0.2, metric="log-loss"), model(0.3, metric="log-loss"), True),
        (Gate(metric="log-loss"), model(0.3, metric="log-loss"), model(0.2, metric="log-loss"), False),
        (Gate(slice_margin=0.05), model(0.8, zh=0.65), model(0.7, zh=0.70), True),
        (Gate(slice_margin=0.05), model(0.8, zh=0.64), model(0.7, zh=0.70), False),
        (Gate(), model(0.8, zh=0.9, en=0.1), model(0.7, zh=0.70), True),  # nothing to compare the new slice with
        (Gate(), model(0.8), model(0.7, zh=0.70), False),  # a slice cannot be left out to get through
        (Gate(), model(0.8), model(0.7, data=OTHER), False),
        (Gate(), model(0.8), ModelManifest(task="ranker"), False),
        (Gate(metric="ndcg@10"), model(0.8), model(0.7, metric="map"), False),
    ],
)
def test_against_production(gate: Gate, new: ModelManifest, before: ModelManifest, passes: bool) -> None:
    assert (objections(gate, new, before) == []) is passes


def several(data: str = DATA, **values: float) -> ModelManifest:
    measured = {name: Measurement(data=data, rows=10, values={"accuracy": value}) for name, value in values.items()}
    return ModelManifest(task="encoder", measurements=measured)


def test_every_head_of_production_is_looked_at() -> None:
    before = several(matching=0.5, category=0.95)
    assert objections(Gate(), several(matching=0.6, category=0.94), before) == []
    assert objections(Gate(), several(matching=0.6, category=0.5), before) == [
        "accuracy on 'category' is 0.5000 against production's 0.9500: worse by more than 0.02."
    ]
    assert objections(Gate(), several(matching=0.6), before) == [
        "Production was measured on 'category' and it was not, as if it had no such head."
    ]
    assert objections(Gate(), several(tone=0.9, matching=0.6, category=0.95), before) == [], "it may have more"
    assert objections(Gate(margin=0.1), several(matching=0.6, category=0.95), before) == [], "one decides"
    other = several(matching=0.6)
    other = other.model_copy(update={"measurements": {**other.measurements, **several(OTHER, category=1).measurements}})
    assert "other data of the name 'category'" in objections(Gate(), other, before)[0]
    assert objections(Gate(test_set="category"), several(matching=0.49, category=0.95), before) == []


def test_the_first_needs_only_the_metric() -> None:
    assert objections(Gate(margin=0.5), model(0.1), None) == []
    assert "no metric 'map'" in objections(Gate(metric="map"), model(0.1), None)[0]
    assert "'other'" in objections(Gate(test_set="other"), model(0.1), None)[0]
    assert "not measured on any" in objections(Gate(), ModelManifest(task="ranker"), None)[0]


def test_every_reason_is_told() -> None:
    found = objections(Gate(), model(0.5, zh=0.4, en=0.4), model(0.6, zh=0.5, en=0.5))
    assert found == [
        "ndcg@10 on 'held out' is 0.5000 against production's 0.6000: not +0.",
        "ndcg@10 on the slice 'zh' of 'held out' is 0.4000 against production's 0.5000: worse by more than 0.02.",
        "ndcg@10 on the slice 'en' of 'held out' is 0.4000 against production's 0.5000: worse by more than 0.02.",
    ]


def test_figures_side_by_side() -> None:
    rows = compare(model(0.5, zh=0.4, en=0.3), model(0.6, zh=0.1))
    assert [(row.slice, row.metric, row.difference) for row in rows] == [
        ("", "ndcg@10", pytest.approx(0.1)),
        ("", "mrr", 0.0),
        ("zh", "ndcg@10", pytest.approx(-0.3)),
    ]
    assert {row.difference for row in compare(model(0.5), model(0.6, data=OTHER))} == {None}
    assert compare(model(0.5), ModelManifest(task="ranker")) == []


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1))
def test_it_passes_exactly_what_beats_production_by_the_margin(new: float, before: float, margin: float) -> None:
    passes = not objections(Gate(margin=margin), model(new), model(before))
    assert passes == (new - before >= margin - 1e-9)
