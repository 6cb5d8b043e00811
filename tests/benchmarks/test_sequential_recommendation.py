"""The benchmark of sequences on a small set of its format: every figure is there, and says what it should."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import sequential_recommendation as benchmark
from lingsou.recommend.interactions import items_of

pytest.importorskip("lightgbm")
pytest.importorskip("scipy")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """260 shoppers go up by one of 40 items, and now and then skip one; neighbours share an attribute."""
    random = np.random.default_rng(1)
    lines = []
    for user in range(1, 261):
        steps = np.cumsum(1 + (random.random(7) < 0.2)) + random.integers(0, 40)
        lines.append(" ".join(map(str, [user, *(1 + steps % 40)])))
    with gzip.open(tmp_path / "Walks.txt.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    with gzip.open(tmp_path / "Walks_item2attributes.json.gz", "wt", encoding="utf-8") as file:
        json.dump({str(item): [item // 4, 20 + item // 10] for item in range(1, 41)}, file)
    return tmp_path


def test_all_of_it(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--data", str(folder), "--name", "Walks", "--seeds", "2", "--refit", "--cold", "--users", "200"]
    monkeypatch.setattr("sys.argv", ["benchmark", *arguments])
    benchmark.main()
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    metrics = result["metrics"]
    assert set(metrics) == {*benchmark.CLASSICAL, "transitions+attributes", "blend"}
    for values in metrics.values():
        assert {f"{what}@{cut}" for what in ("hr", "ndcg") for cut in (5, 10, 20)} <= set(values)
        assert {"coverage@10", "train_cpu_s", "ms_a_user", "ndcg@10 head", "ndcg@10 tail"} <= set(values)
        assert values["hr@5"] <= values["hr@10"] <= values["hr@20"]
    assert metrics["blend"]["ndcg@10"] > 0.7 > metrics["popularity"]["ndcg@10"]
    assert len(result["seeds"]) == 2
    assert result["published"] == {}
    assert set(result["gain"]["transitions+attributes"]["difference"]) == {"value", "low", "high"}
    assert result["refitted"]["blend"]["ndcg@10"] > 0.7
    cold = result["cold"]
    assert cold["popularity"]["hr@20 new"] == 0, "what nobody knows is not popular"
    assert cold["blend"]["hr@10 new"] > 0
    assert cold["answers"]["new"] + cold["answers"]["known"] > 200


def test_the_protocol_cuts_as_it_says() -> None:
    items = items_of([[], [], [], [], []])
    rows = benchmark.Rows([[0, 1, 2, 3], [4, 3, 2]], items)
    assert rows.train.items.tolist() == [0, 1, 4]
    assert rows.tuning.tolist() == [2, 3]
    assert rows.before.items.tolist() == [0, 1, 2, 4, 3]
    assert rows.targets.tolist() == [3, 2]
    hidden = benchmark.Rows([[0, 1, 2, 3], [4, 3, 2]], items, np.arange(5) == 2)
    assert hidden.tuning.tolist() == [-1, 3]
    assert hidden.before.items.tolist() == [0, 1, 4, 3]
