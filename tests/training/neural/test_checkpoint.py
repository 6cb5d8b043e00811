import errno
from pathlib import Path
from typing import Any

import pytest
import torch

from lingsou.core.errors import StorageError, StorageFullError
from lingsou.training.neural.checkpoint import (
    Checkpoint,
    Kept,
    load_weights,
    mean_of,
    moments_of,
    restore_moments,
    save_weights,
)


def kept(step: int) -> Kept:
    value = torch.full((3,), float(step))
    return Kept({"a": value}, {"exp_avg/a": value + 1}, {"mask": value > 2}, {"step": step})


def test_the_newest_checkpoint_is_read_whole(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path)
    assert checkpoint.read() is None
    for step in (1, 2, 3):
        checkpoint.write(kept(step))
        found = Checkpoint(tmp_path).read()
        assert found is not None
        assert found.state["step"] == step
        assert found.weights["a"].tolist() == [step] * 3
        assert found.moments["exp_avg/a"].tolist() == [step + 1] * 3
        assert found.method["mask"].dtype is torch.bool
    assert len(list(tmp_path.glob("*.safetensors"))) == 2


@pytest.mark.parametrize("killed_at", range(4))
def test_a_kill_at_any_write_leaves_the_last_one(
    tmp_path: Path, killed_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = Checkpoint(tmp_path)
    checkpoint.write(kept(1))
    calls = 0
    for name in ("open", "replace"):
        real = getattr(Path, name)

        def dying(self: Path, *args: Any, real: Any = real, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > killed_at:
                raise KeyboardInterrupt
            return real(self, *args, **options)

        monkeypatch.setattr(Path, name, dying)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.write(kept(2))
    monkeypatch.undo()
    found = Checkpoint(tmp_path).read()
    assert found is not None
    assert (found.state["step"], found.weights["a"].tolist()) == (1, [1.0] * 3)


def test_a_full_disk_is_said_and_the_last_one_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = Checkpoint(tmp_path)
    checkpoint.write(kept(1))
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(full))
    with pytest.raises(StorageFullError, match="no space is left"):
        checkpoint.write(kept(2))
    monkeypatch.undo()
    assert not list(tmp_path.glob(".*"))
    found = checkpoint.read()
    assert found is not None
    assert found.state["step"] == 1


def test_damaged_files_say_how_to_go_on(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path)
    checkpoint.write(kept(1))
    (tmp_path / "a.safetensors").write_bytes(b"\x00" * 10)
    with pytest.raises(StorageError, match="--restart"):
        checkpoint.read()
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(StorageError, match="--restart"):
        checkpoint.read()


def test_moments_come_back_to_their_own_weights() -> None:
    def made() -> tuple[dict[str, torch.nn.Parameter], torch.optim.AdamW]:
        weights = {name: torch.nn.Parameter(torch.ones(2) * place) for place, name in enumerate("ab", start=1)}
        return weights, torch.optim.AdamW(weights.values(), lr=0.1)

    weights, optimiser = made()
    for _ in range(3):
        sum((value * value).sum() for value in weights.values()).backward()  # type: ignore[union-attr]
        optimiser.step()
    names = {id(value): name for name, value in weights.items()}
    again, other = made()
    restore_moments(other, moments_of(optimiser, names), again)
    for name, value in again.items():
        for key, moment in optimiser.state[weights[name]].items():
            assert torch.equal(other.state[value][key], moment)


def test_moments_go_to_the_device_of_their_weights() -> None:
    weight = torch.nn.Parameter(torch.ones(2, device="meta"))
    optimiser = torch.optim.AdamW([weight], lr=0.1)
    restore_moments(optimiser, {"exp_avg/a": torch.ones(2), "step/a": torch.tensor(1.0)}, {"a": weight})
    assert {value.device.type for value in optimiser.state[weight].values()} == {"meta"}


def test_the_mean_of_several_files(tmp_path: Path) -> None:
    for number in (1, 3):
        save_weights(tmp_path / f"{number}.safetensors", {"a": torch.full((2,), float(number))})
    assert mean_of(sorted(tmp_path.iterdir()))["a"].tolist() == [2.0, 2.0]
    with pytest.raises(StorageError):
        load_weights(tmp_path / "none.safetensors")
