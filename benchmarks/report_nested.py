"""The sections of docs/benchmarks.md on results that are figures within figures."""

from collections.abc import Iterator
from typing import Any

from benchmarks.report_training import machine_of

NESTED = {
    "query_understanding": "Understanding of queries, part by part",
    "recommend_latency": "What a recommendation costs, made-up shops",
}


def nested(result: dict[str, Any]) -> Iterator[str]:
    """Figures within figures, one a row."""
    yield f"## {NESTED[result['benchmark']]}: {result['data']}\n"
    data = f" --data …/{result['data']}" if result["benchmark"] == "query_understanding" else ""
    sections = f" --sections {' '.join(result['metrics'])}" if data else ""
    yield f"`python -m benchmarks.{result['benchmark']}{data}{sections}`. {machine_of(result)}\n"
    yield "| what | figures |"
    yield "|---|---|"
    for name, figures in _groups(result["metrics"]):
        yield f"| {name} | {figures} |"
    yield f"\n{result['remark']}\n" if "remark" in result else ""


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
