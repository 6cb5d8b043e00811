"""The sections of docs/benchmarks.md on results that are figures within figures."""

from collections.abc import Iterator
from typing import Any

from benchmarks.report_training import machine_of

NESTED = {
    "query_understanding": ("Understanding of queries, part by part", "{folders} --sections {sections}"),
    "sequential_recommendation": ("The next product of a shopper", " --data … --name {data}{options}"),
    "session_recommendation": ("The next product of a session", " --data … --name {data}"),
    "recommend_latency": ("What a recommendation costs, made-up shops", ""),
    "product_matching": ("The same product or not", " --data … --name {data} --methods {methods}"),
    "matching_cost": ("What looking for the same product costs", " --data …/{data} --audit"),
    "data_quality": ("Faults put into a catalogue, and what is found of them", " --data …/{data}"),
    "quality_effect": ("What faults in a catalogue cost, and what repairing them brings back", " --data …/{data}"),
    "multi_task": ("One encoder, several heads", " --data …"),
}
"""Benchmark → title, and what its command needs."""
BESIDE = ("published", "refitted", "cold", "training_cpu_s", "resident_mb")
"""What of a result stands beside its metrics."""
METHODS = ("lightgbm", "cross_encoder")


def nested(result: dict[str, Any]) -> Iterator[str]:
    """Figures within figures, one a row."""
    title, needs = NESTED[result["benchmark"]]
    metrics = result["metrics"]
    yield f"## {title}: {result['data']}\n"
    folders = [] if result["data"] == "none" else result["data"].split(", ")
    sections = metrics if len(folders) < 2 else metrics[folders[0]]
    told = needs.format(
        data=result["data"],
        folders=" --data" + "".join(f" …/{name}" for name in folders) if folders else "",
        sections=" ".join(sections),
        methods=",".join(name for name in METHODS if name in metrics),
        options="".join(f" --{name}" for name, key in (("refit", "refitted"), ("cold", "cold")) if key in result),
    )
    yield f"`python -m benchmarks.{result['benchmark']}{told}`. {machine_of(result)}\n"
    yield "| what | figures |"
    yield "|---|---|"
    beside = {key: result[key] for key in BESIDE if key in result}
    for name, figures in _groups(metrics | beside):
        yield f"| {name} | {figures} |"
    yield ""


def _groups(value: dict[str, Any], name: str = "") -> Iterator[tuple[str, str]]:
    """(path, the figures right there) of every mapping that holds some; lists of mappings are left to the file."""
    told = [f"{key} {_figure(each)}" for key, each in value.items() if _is_figure(each)]
    if told:
        yield name, "; ".join(told)
    for key, each in value.items():
        if isinstance(each, dict):
            yield from _groups(each, f"{name}, {key}" if name else str(key))


def _is_figure(value: Any) -> bool:
    return not isinstance(value, dict) and not (isinstance(value, list) and any(isinstance(e, dict) for e in value))


def _figure(value: Any) -> str:
    if isinstance(value, list):
        return " to ".join(map(_figure, value)) if len(value) == 2 else ", ".join(map(_figure, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
