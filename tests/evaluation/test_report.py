"""The last line of every benchmark."""

import json
import socket
from pathlib import Path

import numpy as np
import pytest

from lingsou.core.errors import InputError
from lingsou.evaluation.report import machine, result_line


def test_result_is_one_line_of_json_with_the_fixed_keys() -> None:
    line = result_line(
        "search_relevance",
        "icecat",
        {"lexical": {"ndcg@10": np.float64(0.5), "ndcg@10_ci": np.array([0.4, 0.6])}},
        备注="无",
    )
    assert "\n" not in line
    result = json.loads(line)
    assert list(result) == ["benchmark", "data", "machine", "metrics", "备注"]
    assert result["metrics"] == {"lexical": {"ndcg@10": 0.5, "ndcg@10_ci": [0.4, 0.6]}}


def test_machine_says_what_matters_and_not_who_it_is() -> None:
    described = machine()
    assert list(described) == ["cpu", "cores", "python", "platform"]
    assert described["cores"] >= 1
    assert all(described.values())
    assert socket.gethostname() not in json.dumps(described).split('"')


def test_cpu_model_is_read_where_linux_tells_it(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Example 3000 @ 2 GHz\n")
    assert machine(cpuinfo)["cpu"] == "Example 3000 @ 2 GHz"
    assert machine(tmp_path / "absent")["cpu"]


def test_refusals() -> None:
    with pytest.raises(InputError, match="fixed key"):
        result_line("b", "d", {}, machine="mine")
    with pytest.raises(InputError, match="finite"):
        result_line("b", "d", {"x": float("nan")})
    with pytest.raises(TypeError, match="set"):
        result_line("b", "d", {"x": {1}})
