"""A training that nobody ran, with everything that its report can show; texts try to be markup."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from lingsou.evaluation.significance import Interval
from lingsou.training.data.card import DataCard, Lengths, Part
from lingsou.training.data.label_noise import NoiseReport, Suspect
from lingsou.training.evaluations import Evaluation, Perturbed, Worst
from lingsou.training.neural.journal import Point
from lingsou.training.recipe import DataFormat, TaskKind
from lingsou.training.report import Precision, TaskReport, TrainingReport

HOSTILE = "<script>alert(1)</script>"
ATTRIBUTE = '"\' onmouseover=alert(1) x="'


def card(kind: TaskKind, format_: DataFormat, classes: dict[str, int]) -> DataCard:
    return DataCard(
        source=f"{kind}.csv",
        format=format_,
        kind=kind,
        sha256="ab" * 32,
        rows=12_345,
        groups=2_100,
        parts={name: Part(rows=9_000, groups=1_500, sha256="cd" * 32) for name in ("train", "validation", "test")},
        seed=7,
        classes=classes,
        lengths=Lengths(p50=18, p95=120, most=702),
        duplicates=31,
        crossing=17,
        limited=0,
        rejected={"no text": 4},
        noise=NoiseReport(
            method="confident learning",
            rows=9_000,
            suspected=0.031,
            worst=(Suspect(row=12, text="儿童雨靴 防滑", given="men", suggested="children", doubt=0.97),),
        ),
        warnings=("one class has 9 of 10 rows",),
        created=datetime(2026, 5, 1, 12, 30, tzinfo=UTC),
    )


def matching() -> TaskReport:
    """Pairs: slices of every bias dimension, one of them bad, one of them small."""
    slices = {
        "language: en": 0.62, "language: zh": 0.44, "language: other": 0.10,
        "brand: Apple": 0.60, "brand: 华为": 0.58, f"brand: {HOSTILE}": 0.20,
        "audience: women": 0.59, "audience: men": 0.57,
        "price: 10 to 30": 0.55, "price: 30 to 100": 0.56,
        "length: to 10 characters": 0.50, "length: 11 to 30 characters": 0.57, "frequency: head": 0.61,
        "frequency: tail": 0.47,
    }  # fmt: skip
    counts = dict.fromkeys(slices, 120) | {"language: other": 7, f"brand: {HOSTILE}": 12, "frequency: unseen": 2}
    test = Evaluation(
        {"recall@10": 0.71, "mrr@10": 0.64, "ndcg@10": 0.55},
        4_210,
        {name: {"ndcg@10": value} for name, value in slices.items()},
        worst=(
            Worst(f"红色连衣裙 → {HOSTILE}", "3 of 3", "0.112, above 2% of all pairs", 0.98),
            Worst("usb c cable → " + "USB-C cable, braided, 2 m " * 30, "3 of 3", "0.201, above 4% of all pairs", 0.96),
        ),
    )
    before = Evaluation(
        {"recall@10": 0.66, "mrr@10": 0.60, "ndcg@10": 0.53},
        4_210,
        {name: {"ndcg@10": value} for name, value in {**slices, "frequency: tail": 0.52, "language: zh": 0.40}.items()},
    )
    perturbed = {
        kind: Perturbed(
            Evaluation({"recall@10": value + 0.1, "mrr@10": value + 0.05, "ndcg@10": value}, 4_210), changed
        )
        for kind, value, changed in (
            ("keyboard", 0.41, 1.0),
            ("pinyin", 0.52, 0.48),
            ("case-width", 0.55, 0.9),
            ("synonym", 0.54, 0.31),
            ("swap", 0.551, 0.87),
        )
    }
    return TaskReport(
        name="match",
        metric="ndcg@10",
        card=card("matching", "pairs", {"0": 6_000, "1": 2_000, "3": 1_000}),
        before=before,
        validation=Evaluation({"recall@10": 0.72, "mrr@10": 0.66, "ndcg@10": 0.58}, 4_100),
        test=test,
        interval=Interval(0.55, 0.5321, 0.5679),
        counts=counts,
        robustness=perturbed,
    )


def classes() -> TaskReport:
    """Four classes, one of them never found; no slices that tell of bias."""
    names = ("buy", "ask", "return", ATTRIBUTE)
    table = np.array([[90, 8, 2, 0], [10, 60, 0, 0], [5, 3, 22, 0], [4, 0, 0, 0]])
    right = float(table.trace() / table.sum())
    return TaskReport(
        name="intent",
        metric="accuracy",
        card=card("classes", "labels", {"buy": 700, "ask": 400, "return": 200, ATTRIBUTE: 20}),
        before=Evaluation({"accuracy": 0.24, "macro_f1": 0.11, "ece_loss": 0.31}, int(table.sum())),
        validation=Evaluation({"accuracy": right, "macro_f1": 0.61, "ece_loss": 0.02}, 204),
        test=Evaluation(
            {"accuracy": right, "macro_f1": 0.60, "ece_loss": 0.03},
            int(table.sum()),
            {"length: to 10 characters": {"accuracy": 0.84, "macro_f1": 0.6}},
            confusion=(names, table),
            worst=(Worst("想退货", ATTRIBUTE, "buy 0.99", float("inf")),),
        ),
        counts={"length: to 10 characters": 150},
    )


def many_classes(k: int = 40) -> TaskReport:
    """More classes than a matrix can show."""
    rng = np.random.default_rng(3)
    table = rng.integers(0, 4, (k, k)) + np.diag(rng.integers(20, 200, k))
    names = tuple(f"category {number:02}" for number in range(k))
    base = classes()
    return replace(base, name="category", test=replace(base.test, confusion=(names, table)))


def points(steps: int = 320) -> list[Point]:
    """A loss that falls, a metric that rises, each ten steps; measured at each quarter."""
    rng = np.random.default_rng(0)
    found = []
    for step in range(10, steps + 1, 10):
        done = step / steps
        noise = float(rng.normal(0, 0.06))
        values = {"match": {"ndcg@10": 0.53 + 0.05 * done}, "intent": {"accuracy": 0.3 + 0.54 * done}}
        found.append(
            Point(
                step=step,
                epoch=1.0 if done < 0.5 else 2.0,
                losses={"match": 2.4 - 1.5 * done + noise, "intent": 1.4 - 1.1 * done + noise / 2},
                rate=3e-4 * (1 - done),
                seconds=step * 0.4,
                values=values if step % (steps // 4) == 0 else {},
            )
        )
    return found


def example() -> TrainingReport:
    """Two tasks, int8 refused."""
    return TrainingReport(
        name="shop-intent-and-match",
        about="Matching and intent in one encoder.",
        recipe_text=f'name = "shop"\nabout = "{HOSTILE}"\n\n[method]\nname = "lora"\n',
        base="e5-small",
        method="lora, rank 16",
        trainable=1_327_104,
        total=118_980_000,
        seconds=4_321.0,
        peak_mb=2_345.6,
        machine="2 cores, CPU, fp32",
        points=points(),
        tasks=(matching(), classes()),
        kept=(240, 320),
        precision=Precision(
            "fp32", "int8 lost 0.0111 of ndcg@10, more than 0.005.", {"match": (0.55, 0.5389), "intent": (0.84, 0.84)}
        ),
        versions={"lingsou": "0.5", "torch": "2.9"},
    )
