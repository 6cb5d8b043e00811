"""Two processes on one training take the steps of one with twice the batches a step."""

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from lingsou.core.errors import ConfigurationError
from lingsou.training.neural.checkpoint import load_weights
from lingsou.training.neural.processes import Processes, require_one

from .test_trainer import prepared, recipe, weights

ROOT = Path(__file__).parents[3]
SCRIPT = """
    import sys
    sys.path.insert(0, {root!r})
    from pathlib import Path
    from accelerate import PartialState
    import lingsou.training.neural.device as device
    from lingsou.training.neural.checkpoint import save_weights
    from tests.training.neural import test_trainer as one
    folder = Path(sys.argv[1])
    one.CPU = device.choose("fp32", 1)
    told = one.recipe(method=sys.argv[2], epochs=4, mixing="uncertainty")
    if "killed" in sys.argv:
        one.prepared(folder, told).trainer.run(until=5)
        PartialState().wait_for_everyone()  # those who are started anew find a checkpoint that is whole
    run = one.prepared(folder, told)
    trained = run.train()
    if one.CPU.processes.first:
        save_weights(folder / "end.safetensors", one.weights(run))
        print(trained.steps, run.evaluate("test")["matching"].values["ndcg@10"])
"""


def together(folder: Path, *arguments: str) -> str:
    """What the first of two processes prints."""
    folder.mkdir()
    script = folder / "train.py"
    script.write_text(textwrap.dedent(SCRIPT.format(root=str(ROOT))))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    started = [
        subprocess.Popen(
            [sys.executable, str(script), str(folder), *arguments],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    told = [process.communicate(timeout=240)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert told[1] == "", "the second one neither measures nor prints"
    return told[0]


@pytest.mark.parametrize("arguments", [("lora",), ("full", "killed")])
def test_two_processes_are_one_with_twice_the_batches(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    alone = prepared(tmp_path / "alone", recipe(method=arguments[0], epochs=4, mixing="uncertainty", accumulate=2))
    trained = alone.train()
    told = together(tmp_path / "two", *arguments).split()
    assert int(told[0]) == trained.steps
    assert float(told[1]) == pytest.approx(alone.evaluate("test")["matching"].values["ndcg@10"], abs=1e-6)
    ended = load_weights(tmp_path / "two" / "end.safetensors")
    for name, value in weights(alone).items():
        assert torch.allclose(ended[name], value, atol=2e-4), name
    assert len(list((tmp_path / "two" / "best").iterdir())) == 1


def test_alone_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    Processes().add_up([weight])
    assert weight.grad is None
    assert Processes().agree(enough=True, device=weight.device)
    require_one("A search")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigurationError, match="A search is done by one process"):
        require_one("A search")
