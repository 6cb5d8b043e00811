"""The training loop: one encoder, any number of tasks, resumable at any step.

`transformers.Trainer` and `sentence_transformers` train one loss on rows of one shape; heads that take turns, batches
of whole queries, and a resumed run that equals an unbroken one to the last bit are why there is a loop of our own.
"""

import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lingsou.core.errors import ConfigurationError, ConflictError
from lingsou.training.examples import Rows
from lingsou.training.neural.adversarial import FastGradient
from lingsou.training.neural.checkpoint import (
    Checkpoint,
    Kept,
    load_weights,
    mean_of,
    moments_of,
    restore_moments,
    save_weights,
)
from lingsou.training.neural.device import Device
from lingsou.training.neural.journal import Journal, Point
from lingsou.training.neural.methods.attached import Attached
from lingsou.training.neural.multitask import Step, Weighing
from lingsou.training.neural.optimiser import make_optimiser, schedule_of
from lingsou.training.neural.tasks.task import Evaluation, Task
from lingsou.training.neural.text_model import TextModel
from lingsou.training.recipe import TrainSpec

_EACH = 10
"""Steps between two points of the curves."""

OnStep = Callable[[int, int, float], None]
"""Called with steps done, all steps, and the last loss."""
OnScore = Callable[[int, float], None]
"""Called with steps done and what weights are chosen by, on validation."""


@dataclass(frozen=True)
class Trained:
    """What a training came to; the model holds the weights that were kept."""

    points: Sequence[Point]
    steps: int
    kept: Sequence[int]
    """The step whose weights were kept, or those that were averaged."""
    seconds: float
    """Of training, evaluations included, over all starts."""


class Trainer:
    """Trains `attached` weights of `model` and one head a task; heads are in `heads` by the task's name."""

    def __init__(
        self,
        model: TextModel,
        attached: Attached,
        tasks: Sequence[Task],
        steps: Sequence[Step],
        weights: Mapping[str, float],
        spec: TrainSpec,
        device: Device,
        folder: Path,
        *,
        key: str = "",
    ):
        """Nothing moves yet.

        Args:
            model: with the method attached.
            attached: says which weights move.
            tasks: at least one.
            steps: what `plan_steps` made of them.
            weights: of each task's loss, by its name.
            spec: how they move.
            device: where.
            folder: for checkpoints.
            key: names recipe and data; a checkpoint of another key is not resumed.
        """
        torch.manual_seed(spec.seed)
        self.model = model.to(device.device)
        self.tasks = tasks
        self.heads = nn.ModuleDict({task.name: task.head(model.hidden) for task in tasks}).to(device.device)
        self._attached = attached
        self._spec = spec
        self._device = device
        self._folder = folder
        self._key = key
        learned = spec.mixing == "uncertainty" and len(tasks) > 1
        self._weighing = Weighing([weights[task.name] for task in tasks], learned=learned).to(device.device)
        self._steps = steps
        if not self.moving:
            raise ConfigurationError(
                "Nothing would move: a frozen encoder with a task that has no head of its own.",
                field="method.name",
                cure="Another method, or another task.",
            )
        extra = [self._weighing.spread] if learned else []
        self._optimiser = make_optimiser(attached, dict(self.heads.items()), spec, extra)
        self._rates = [float(group["lr"]) for group in self._optimiser.param_groups]
        self._factor = schedule_of(spec, len(self._steps))
        self._scaler = torch.amp.GradScaler(device.device.type, enabled=device.precision is torch.float16)
        self._adversary = FastGradient(model, spec.adversarial) if spec.adversarial else None

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return len(self._steps)

    @property
    def moving(self) -> dict[str, nn.Parameter]:
        """Every weight that moves, by name."""
        found = {f"encoder.{name}": value for name, value in self._attached.parameters().items()}
        found |= {f"head.{name}": value for name, value in self.heads.named_parameters()}
        if self._weighing.spread.requires_grad:
            found["weighing.spread"] = self._weighing.spread
        return found

    def disk_bytes(self) -> int:
        """What may lie on the disk at once.

        Checkpoints: two turns with the optimiser's two moments, and the best weights. Exports: the graph in float32,
        its int8 form of a quarter, the weights to go on from, and the copy of one of them in the model store.
        """
        weights = sum(value.numel() * value.element_size() for value in self.moving.values())
        whole = 4 * sum(value.numel() for value in self.model.parameters())
        return weights * (2 * 3 + max(self._spec.average, 1) + 1) + round(whole * (1 + 0.25 + 1 + 1))

    def rehearse(self, steps: int) -> float:
        """Seconds that a step takes, by `steps` steps at a rate of 0: nothing moves, memory is what it will be.

        Texts are read, also where a frozen encoder will have read them before.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = 0.0
        scale = self._scaler.state_dict()
        self.model.train()
        self.model.keeps_states = False
        chosen = np.random.default_rng(0).choice(len(self._steps), min(steps + 1, len(self._steps)), replace=False)
        seconds = []
        with self.model.frozen_weights_cast():
            for number in chosen.tolist():
                began = time.perf_counter()
                for task, rows in self._own(self._steps[number]):
                    self._gradients(task, rows, 1)
                self._scaler.step(self._optimiser)  # leaves out a step whose float16 gradients overflowed
                self._scaler.update()
                self._optimiser.zero_grad(set_to_none=True)
                seconds.append(time.perf_counter() - began)
        self.model.keeps_states = True
        self._scaler.load_state_dict(scale)
        self._optimiser.state.clear()
        return float(np.median(seconds[1:] or seconds))  # the first one also sets memory up

    def run(
        self, on_step: OnStep | None = None, *, until: int | None = None, on_score: OnScore | None = None
    ) -> Trained:
        """Train to the end, or from the folder's checkpoint on; then put the best weights in place.

        Args:
            on_step: told of every step.
            until: stop after so many steps, as a kill would.
            on_score: told of every evaluation, of those before a kill too; what it raises ends the training.

        Raises:
            ConflictError: the checkpoint is of another recipe or other data.
            ConfigurationError: the loss is no number any more.
            StorageError: a checkpoint cannot be written or read.
        """
        with self.model.frozen_weights_cast():
            return self._run(on_step, until, on_score or (lambda _step, _score: None))

    def _run(self, on_step: OnStep | None, until: int | None, on_score: OnScore) -> Trained:
        checkpoint, processes = Checkpoint(self._folder / "checkpoint"), self._device.processes
        run = self._resume(checkpoint)
        for point in run.journal.points:
            if point.values:
                on_score(point.step, self._mean(point.values))
        began, kept_at = time.monotonic() - run.seconds, time.monotonic()
        every = max(len(self._steps) // max(round(self._spec.epochs * self._spec.evaluations), 1), 1)
        self.model.train()
        for number in range(run.step, len(self._steps) if until is None else min(until, len(self._steps))):
            losses = self._step(number, self._steps[number])
            run.note(losses)
            run.step = number + 1
            run.seconds = time.monotonic() - began
            due = self._spec.evaluations and (run.step % every == 0 or run.step == len(self._steps))
            if due:
                self._require_sane(number)
            if due or run.step % _EACH == 0:
                evaluations = self.evaluate() if due and processes.first else {}
                run.journal.add(run.point(self._steps[number].epoch + 1, self._rate(number), evaluations))
                run.seconds = time.monotonic() - began
                enough = bool(evaluations) and self._enough(run, evaluations)
                if evaluations:
                    on_score(run.step, self._score(evaluations))
                if due and processes.agree(enough=enough, device=self._device.device):
                    break
            if on_step is not None:
                on_step(run.step, len(self._steps), sum(losses.values()))
            if processes.first and time.monotonic() - kept_at > self._spec.checkpoint_minutes * 60:
                self._keep(checkpoint, run)
                kept_at = time.monotonic()
        if processes.first and until is not None and run.step < len(self._steps):
            self._keep(checkpoint, run)
        kept = self._best_in_place(run) if processes.first else [run.step]
        run.journal.close()
        return Trained(run.journal.points, run.step, kept, run.seconds)

    def forget(self) -> None:
        """Remove the checkpoint of a training whose model is kept: another one may begin in the same folder."""
        shutil.rmtree(self._folder / "checkpoint", ignore_errors=True)

    def evaluate(self) -> dict[str, Evaluation]:
        """Every task on its validation part."""
        return {task.name: task.evaluate(self.model, self.heads[task.name], "validation") for task in self.tasks}

    def _step(self, number: int, step: Step) -> dict[str, float]:
        """One move of the weights; the mean loss of each task in it."""
        # Dropout draws from the step's own numbers, so that a resumed run draws the same.
        torch.manual_seed(self._spec.seed * 1_000_003 + number)
        factor = self._factor(number)
        for group, rate in zip(self._optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        losses: dict[str, list[float]] = {}
        for task, rows in self._own(step):
            loss = self._gradients(task, rows, len(step.batches))
            value = float(loss.detach()) * len(step.batches)
            if not math.isfinite(value):
                raise _astray(f"The loss of '{self.tasks[task].name}' is {value}", number)
            losses.setdefault(self.tasks[task].name, []).append(value)
        self._device.processes.add_up(self.moving.values())
        self._scaler.unscale_(self._optimiser)
        nn.utils.clip_grad_norm_(self.moving.values(), self._spec.clip)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        self._attached.after_step(number + 1)
        self._optimiser.zero_grad(set_to_none=True)
        return {name: sum(values) / len(values) for name, values in losses.items()}

    @torch.no_grad()
    def _require_sane(self, number: int) -> None:
        """Weights that went astray in the last step must not be measured, let alone kept."""
        for task, rows in self._steps[number].batches:
            value = float(self._loss(task, rows, 1))
            if not math.isfinite(value):
                raise _astray(f"The loss of '{self.tasks[task].name}' is {value}", number)

    def _loss(self, task: int, rows: object, batches: int) -> Tensor:
        head = self.heads[self.tasks[task].name]
        loss: Tensor = self._weighing(task, self.tasks[task].loss(self.model, head, rows))  # type: ignore[arg-type]
        extra = self._attached.extra_loss()
        return (loss if extra is None else loss + extra) / batches

    def _gradients(self, task: int, rows: Rows, batches: int) -> Tensor:
        """Add up the gradients of a batch, and those of its adversarial twin; the loss of the batch itself."""
        loss = self._loss(task, rows, batches)
        self._backward(loss)
        if self._adversary is not None:
            with self._adversary.perturbed():
                self._backward(self._loss(task, rows, batches))
        return loss

    def _backward(self, loss: Tensor) -> None:
        try:
            self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        except torch.cuda.OutOfMemoryError as error:
            raise ConfigurationError(
                "The device has too little memory for a step.",
                field="train.batch",
                cure="A smaller batch with more `accumulate`, or gradient_checkpointing = true.",
            ) from error

    def _rate(self, number: int) -> float:
        return max(self._rates) * self._factor(number)

    def _score(self, evaluations: Mapping[str, Evaluation]) -> float:
        """What the best weights are chosen by: the mean of the tasks' metrics."""
        return self._mean({name: each.values for name, each in evaluations.items()})

    def _mean(self, values: Mapping[str, Mapping[str, float]]) -> float:
        return sum(values[task.name][task.metric] for task in self.tasks) / len(self.tasks)

    def _own(self, step: Step) -> Sequence[tuple[int, Rows]]:
        """The batches of a step that this process computes."""
        return step.batches[self._device.processes.rank :: self._device.processes.count]

    def _enough(self, run: "_Run", evaluations: Mapping[str, Evaluation]) -> bool:
        """Keep the weights if they are among the best; whether to stop."""
        score = self._score(evaluations)
        better = not run.best or score > run.best[0][0]
        run.bad = 0 if better else run.bad + 1
        run.best = sorted([*run.best, (score, run.step)], key=lambda each: -each[0])
        most = max(self._spec.average, 1)
        if any(step == run.step for _, step in run.best[:most]):
            save_weights(self._best(run.step), self.moving)
        for _, step in run.best[most:]:
            self._best(step).unlink(missing_ok=True)
        del run.best[most:]
        return bool(self._spec.patience) and run.bad >= self._spec.patience

    def _best_in_place(self, run: "_Run") -> list[int]:
        """Load the best weights, or their mean when that is at least as good on validation."""
        if not run.best:
            return [run.step]
        if len(run.best) > 1:
            self._put(mean_of([self._best(step) for _, step in run.best]))
            if self._score(self.evaluate()) >= run.best[0][0]:
                return sorted(step for _, step in run.best)
        self._put(load_weights(self._best(run.best[0][1])))
        return [run.best[0][1]]

    def _put(self, weights: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self.moving.items():
                parameter.copy_(weights[name])

    def _best(self, step: int) -> Path:
        return self._folder / "best" / f"{step}.safetensors"

    def _keep(self, checkpoint: Checkpoint, run: "_Run") -> None:
        names = {id(parameter): name for name, parameter in self.moving.items()}
        state = {
            "key": self._key,
            "step": run.step,
            "seconds": run.seconds,
            "best": run.best,
            "bad": run.bad,
            "losses": run.losses,
            "points": run.journal.plain(),
            "scaler": self._scaler.state_dict(),
        }
        moments = moments_of(self._optimiser, names)
        checkpoint.write(Kept(self.moving, moments, self._attached.state(), state))

    def _resume(self, checkpoint: Checkpoint) -> "_Run":
        told = self._folder if self._device.processes.first else None
        kept = checkpoint.read()
        if kept is None:
            return _Run(Journal(told))
        state = kept.state
        if state["key"] != self._key:
            raise ConflictError(
                f"The checkpoint in '{self._folder}' is of another recipe or other data.",
                cure="--restart to begin anew, or another folder.",
            )
        self._attached.restore(kept.method)
        self._put(kept.weights)
        restore_moments(self._optimiser, kept.moments, self.moving)
        self._scaler.load_state_dict(state["scaler"])
        run = _Run(Journal(told, state["points"]))
        run.step, run.seconds, run.bad = state["step"], state["seconds"], state["bad"]
        run.best = [(score, step) for score, step in state["best"]]
        run.losses = state["losses"]
        return run


def _astray(what: str, number: int) -> ConfigurationError:
    return ConfigurationError(
        f"{what} at step {number + 1}.",
        field="train.learning_rate",
        cure='A lower learning rate, or precision = "fp32".',
    )


class _Run:
    """Where a training stands."""

    def __init__(self, journal: Journal):
        self.journal = journal
        self.step = 0
        self.seconds = 0.0
        self.best: list[tuple[float, int]] = []
        self.bad = 0
        self.losses: dict[str, list[float]] = {}

    def note(self, losses: Mapping[str, float]) -> None:
        for task, loss in losses.items():
            self.losses.setdefault(task, []).append(loss)

    def point(self, epoch: float, rate: float, evaluations: Mapping[str, Evaluation]) -> Point:
        means = {task: sum(values) / len(values) for task, values in self.losses.items()}
        self.losses = {}
        values = {task: dict(each.values) for task, each in evaluations.items()}
        return Point(step=self.step, epoch=epoch, losses=means, rate=rate, seconds=self.seconds, values=values)
