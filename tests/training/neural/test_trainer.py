import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lingsou.core.errors import ConfigurationError, ConflictError, StorageFullError
from lingsou.training.neural.base import Base
from lingsou.training.neural.device import Device
from lingsou.training.neural.run import Prepared, assemble
from lingsou.training.recipe import Recipe
from tests.training.neural.conftest import make_tiny_base
from tests.training.neural.shops import label_splits, pair_splits

CPU = Device(torch.device("cpu"), None)
TASKS = {
    "matching": {"kind": "matching", "data": {"format": "pairs"}, "max_tokens": 32},
    "mood": {"kind": "classes", "data": {"format": "labels"}, "max_tokens": 32},
}
SPLITS: dict[str, Any] = {"matching": pair_splits(), "mood": label_splits()}


def recipe(*tasks: str, method: str = "full", **train: Any) -> Recipe:
    told = {"epochs": 3, "batch": 12, "learning_rate": 3e-3, "evaluations": 2, **train}
    chosen = {name: TASKS[name] for name in tasks or TASKS}
    return Recipe.model_validate(
        {"name": "tiny", "tasks": chosen, "method": {"name": method, "rank": 4}, "train": told}
    )


def prepared(folder: Path, made: Recipe, base: Base | None = None) -> Prepared:
    splits = {name: SPLITS[name] for name in made.tasks}
    return assemble(made, base or make_tiny_base(), splits, {}, CPU, folder)


def weights(run: Prepared) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in run.trainer.moving.items()}


def test_two_heads_learn_together(tmp_path: Path) -> None:
    run = prepared(tmp_path, recipe(epochs=20, evaluations=0))
    before = run.evaluate("validation")
    trained = run.train()
    after = run.evaluate("validation")
    assert after["matching"].values["ndcg@10"] > before["matching"].values["ndcg@10"]
    assert after["mood"].values["accuracy"] >= 0.75
    first, last = trained.points[0].losses, trained.points[-1].losses
    assert {name for name in last if last[name] < first[name]} == {"matching", "mood"}


@pytest.mark.parametrize("method", ["full", "lora", "adalora", "adapter", "prefix", "prompt", "frozen"])
def test_a_resumed_run_ends_as_an_unbroken_one(tmp_path: Path, method: str) -> None:
    made = recipe(method=method, dropout=0.1, average=2, mixing="uncertainty")
    whole = prepared(tmp_path / "whole", made)
    unbroken = whole.train()
    prepared(tmp_path / "broken", made).trainer.run(until=7)
    again = prepared(tmp_path / "broken", made)
    resumed = again.train()
    assert [point.losses for point in resumed.points] == [point.losses for point in unbroken.points]
    assert [point.values for point in resumed.points] == [point.values for point in unbroken.points]
    assert resumed.kept == unbroken.kept
    one, other = weights(whole), weights(again)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_every_evaluation_is_told_those_before_a_kill_too(tmp_path: Path) -> None:
    whole: list[tuple[int, float]] = []
    broken: list[tuple[int, float]] = []
    again: list[tuple[int, float]] = []
    run = prepared(tmp_path / "whole", recipe())
    trained = run.train(on_score=lambda *each: whole.append(each))
    assert [step for step, _ in whole] == [point.step for point in trained.points if point.values]
    prepared(tmp_path / "broken", recipe()).trainer.run(until=7, on_score=lambda *each: broken.append(each))
    prepared(tmp_path / "broken", recipe()).train(on_score=lambda *each: again.append(each))
    assert broken == whole[: len(broken)] != []
    assert again == whole


def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    """A process that is killed with SIGKILL in the middle, started again, ends as one that was left alone."""
    script = tmp_path / "train.py"
    script.write_text(
        textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parents[3])!r})
        import torch
        torch.set_num_threads(1)
        from pathlib import Path
        from tests.training.neural.test_trainer import prepared, recipe
        run = prepared(Path(sys.argv[1]), recipe("matching", epochs=4, checkpoint_minutes=1e-6))
        run.train(lambda done, of, loss: print(done, of, flush=True))
        print("ended", run.evaluate("test")["matching"].values["ndcg@10"], flush=True)
        """)
    )
    command = [sys.executable, str(script), str(tmp_path / "killed")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("9 "):
                os.kill(process.pid, signal.SIGKILL)
                break
    resumed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert int(resumed[0].split()[0]) in (9, 10, 11)  # it did not begin anew
    run = prepared(tmp_path / "alone", recipe("matching", epochs=4))
    run.train()
    assert resumed[-1] == f"ended {run.evaluate('test')['matching'].values['ndcg@10']}"


def test_a_checkpoint_of_another_recipe_is_not_taken(tmp_path: Path) -> None:
    prepared(tmp_path, recipe("matching")).trainer.run(until=2)
    with pytest.raises(ConflictError, match="--restart"):
        prepared(tmp_path, recipe("matching", learning_rate=1e-3)).train()


def test_a_checkpoint_of_other_texts_or_other_weights_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(tmp_path, recipe("matching")).trainer.run(until=2)
    prepared(tmp_path, recipe("matching")).trainer.run(until=3)
    with pytest.raises(ConflictError, match="--restart"):
        prepared(tmp_path, recipe("matching"), make_tiny_base(seed=1)).train()
    told = pair_splits()
    first, *others = told.train.texts
    mended = replace(told.train, texts=(f"{first} mended", *others))
    monkeypatch.setitem(SPLITS, "matching", replace(told, train=mended))
    with pytest.raises(ConflictError, match="--restart"):
        prepared(tmp_path, recipe("matching")).train()


def test_a_finished_run_makes_room_for_the_next(tmp_path: Path) -> None:
    run = prepared(tmp_path, recipe("matching", checkpoint_minutes=1e-6))
    run.train()
    run.trainer.forget()
    prepared(tmp_path, recipe("matching", learning_rate=1e-3)).trainer.run(until=1)


def test_patience_ends_a_training_that_gets_no_better(tmp_path: Path) -> None:
    run = prepared(tmp_path, recipe("mood", epochs=50, learning_rate=1e-9, head_learning_rate=1e-9, patience=2))
    trained = run.train()
    assert trained.steps < run.trainer.steps / 2
    assert trained.kept == [trained.points[0].step]  # nothing after the first evaluation was better


def test_the_best_weights_are_kept_and_not_the_last(tmp_path: Path) -> None:
    run = prepared(tmp_path, recipe("matching", epochs=6, learning_rate=0.3, schedule="constant"))
    trained = run.train()
    values = {point.step: point.values["matching"]["ndcg@10"] for point in trained.points if point.values}
    assert values[trained.kept[0]] == max(values.values())
    assert run.evaluate("validation")["matching"].values["ndcg@10"] == pytest.approx(max(values.values()))
    assert [path.stem for path in (tmp_path / "best").iterdir()] == [str(trained.kept[0])]


def test_a_loss_that_is_no_number_ends_the_training_with_the_cure(tmp_path: Path) -> None:
    run = prepared(tmp_path, recipe("mood", learning_rate=1e30, clip=1e30, optimiser="sgd", head_learning_rate=1e30))
    with pytest.raises(ConfigurationError, match="lower learning rate"):
        run.train()


def test_adversarial_steps_train_too(tmp_path: Path) -> None:
    run = prepared(tmp_path, recipe("mood", adversarial=0.5, epochs=20))
    run.train()
    assert run.evaluate("validation")["mood"].values["accuracy"] >= 0.75


def test_accumulated_batches_move_as_one_large_batch(tmp_path: Path) -> None:
    """Sixteen rows at once, or four times four with their gradients averaged."""
    made: dict[str, Any] = {"evaluations": 0, "epochs": 1, "optimiser": "sgd", "learning_rate": 0.1}
    large = prepared(tmp_path / "large", recipe("mood", batch=16, **made))
    small = prepared(tmp_path / "small", recipe("mood", batch=4, accumulate=4, **made))
    large.train()
    small.train()
    one, other = weights(large), weights(small)
    assert all(torch.allclose(one[name], other[name], atol=1e-5) for name in one)


def test_the_plan_says_what_will_run_and_moves_nothing(tmp_path: Path) -> None:
    run = prepared(tmp_path, recipe(method="lora", adversarial=0.5, weight_decay=0.1))
    before = weights(run)
    plan = run.plan()
    assert plan.rows == {"matching": 72, "mood": 16}
    assert plan.steps == run.trainer.steps
    assert 0 < plan.trainable < plan.total / 2
    assert plan.seconds > 0
    assert plan.disk_mb > 0
    assert all(torch.equal(value, before[name]) for name, value in weights(run).items())
    untouched = prepared(tmp_path / "other", run.recipe)
    run.train()
    untouched.train()
    other = weights(untouched)
    assert all(torch.equal(value, other[name]) for name, value in weights(run).items()), "no moment was left either"


def test_the_plan_of_a_frozen_encoder_reads_a_few_batches_and_counts_each_text_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepared(tmp_path, recipe("mood", method="frozen", epochs=8, batch=4))
    read = list[int]()
    run.model.register_forward_hook(lambda _model, tokens, _states: read.append(len(tokens[0].ids)))
    run.plan()
    assert read == [4] * 4, "three batches that are timed, and one before them"
    run.train()
    assert sum(read[4:]) == run.tasks[0].rows + len(SPLITS["mood"].validation), "each text once"
    monkeypatch.setattr(run.trainer, "rehearse", lambda steps: 2.0)
    assert (run.plan().steps, run.plan().seconds) == (32, 8.0), "four batches an epoch"


def test_a_plan_whose_gradients_overflow_float16_moves_nothing(tmp_path: Path) -> None:
    half = Device(torch.device("cpu"), torch.float16)
    run = assemble(recipe("mood"), make_tiny_base(), {"mood": SPLITS["mood"]}, {}, half, tmp_path)
    run.trainer._scaler = torch.amp.GradScaler("cpu", init_scale=2.0**120)
    before = weights(run)
    run.plan()
    assert all(torch.equal(value, before[name]) for name, value in weights(run).items())
    assert run.trainer._scaler.get_scale() == 2.0**120, "training begins with the scale that it would have had"


def test_the_disk_holds_checkpoints_and_exports_at_once(tmp_path: Path) -> None:
    run = prepared(tmp_path, recipe("mood", method="frozen"))
    moving = 4 * sum(value.numel() for value in run.trainer.moving.values())
    exported = 4 * sum(value.numel() for value in run.model.parameters())
    # two checkpoints of the weights with two moments each, one average and the best; float32, int8 and two copies
    assert run.trainer.disk_bytes() == 8 * moving + round(3.25 * exported)


def test_a_disk_that_is_too_small_is_said_before_hours_are_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(StorageFullError, match="Checkpoints and exports take"):
        prepared(tmp_path, recipe())


def test_a_frozen_encoder_with_a_head_trains_the_head_alone(tmp_path: Path) -> None:
    run = prepared(tmp_path, recipe("mood", method="frozen", epochs=40, head_learning_rate=0.05))
    assert set(run.trainer.moving) == {"head.mood.weight", "head.mood.bias"}
    run.train()
    assert run.evaluate("validation")["mood"].values["accuracy"] >= 0.75
