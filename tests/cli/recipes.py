"""Recipes over a random encoder of two layers, in the place of e5-small, that train within a second."""

import csv
import json
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast

from tests.training.neural.conftest import make_tiny_base
from tests.training.neural.shops import COLOURS, THINGS


def save_base(folder: Path) -> Path:
    """The encoder in a folder as `transformers` writes it."""
    made = make_tiny_base()
    made.model.save_pretrained(folder)
    (folder / "raw.json").write_bytes(made.tokenizer)
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(folder / "raw.json"), bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    )
    fast.save_pretrained(folder)
    return folder


def write_pairs(path: Path, queries: range) -> None:
    """Four graded pairs for each query."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("query", "text", "grade"))
        for number in queries:
            colour, thing = COLOURS[number % 4], THINGS[number // 4 % 4]
            for size, (other, kind) in enumerate(
                [(colour, thing), (colour, THINGS[number % 4]), (COLOURS[number // 3 % 4], thing), ("nike", "apple")]
            ):
                grade = (other == colour) + (kind == thing)
                rows.writerow((f"{colour} {thing} {number}", f"{other} {kind} {size} {number}", grade))


def write_recipe(path: Path, base: Path, kind: str = "matching", **train: Any) -> Path:
    """A recipe of one task, `main`, over `pairs.csv` beside it."""
    told = {"epochs": 3, "learning_rate": 0.003, "evaluations": 1, **train}
    lines = [
        'name = "tiny"',
        f'base = "{base}"',
        "[tasks.main]",
        f'kind = "{kind}"',
        "max_tokens = 32",
        'data = { format = "pairs", path = "pairs.csv", validation = 0.2, test = 0.3 }',
        "[method]",
        'name = "lora"',
        "[train]",
        *(f"{key} = {json.dumps(value)}" for key, value in told.items() if value is not None),
        "[export]",
        "most_lost = 1.0",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
