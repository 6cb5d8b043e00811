"""`lingsou train pseudo-label` and `lingsou train to-label`: more labelled texts, from a model and a pile without."""

import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from pydantic import ValidationError

from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json, progress_bar
from lingsou.core.errors import ConflictError, NotFoundError
from lingsou.core.model_store import ModelStore
from lingsou.encoders.encoder import Vectors
from lingsou.encoders.runtime import OnnxEncoder
from lingsou.training.active import By, next_to_label
from lingsou.training.data.unlabelled import read_unlabelled, write_labels
from lingsou.training.examples import TextSet
from lingsou.training.recipe import Recipe
from lingsou.training.scoring import class_head, class_scores
from lingsou.training.semi import sure_rows

Texts = Annotated[Path, typer.Argument(metavar="TEXTS", help="Texts without labels: a table, or a .txt, one a line.")]
Target = Annotated[Path, typer.Argument(metavar="OUT", help="The CSV to write.")]
Model = Annotated[
    str, typer.Option(help="A version of the shop's encoder, production, candidate, or the folder of an artefact.")
]
Head = Annotated[str | None, typer.Option(help="The head of classes; default: the only one.", show_default=False)]
Without = Annotated[
    list[Path] | None,
    typer.Option(help="Pass over the texts of this file, such as those labelled already; repeatable."),
]


def pseudo_label_texts(
    texts: Texts,
    out: Target,
    model: Model = "candidate",
    head: Head = None,
    confidence: Annotated[float, typer.Option(min=0, max=1, help="Only labels that are at least so likely.")] = 0.95,
    most: Annotated[
        int | None, typer.Option(min=1, help="At most so many a class, the surest; default: all.", show_default=False)
    ] = None,
    without: Without = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Label texts by a model where it is sure. Learn from them by train_paths = ["OUT"] in the recipe's data."""
    scored = _Scored(texts, out, model, head, without or [], data)
    found = sure_rows(scored.probabilities, scored.pile.texts, scored.names, confidence, most)
    labels = [scored.names[label] for label in found.labels]
    write_labels(
        out, scored.pile, found.rows, labels, scored.columns,
        {"confidence": [f"{each:.4f}" for each in found.confidences]},
    )  # fmt: skip
    classes = Counter(labels)
    told = {
        "taken": len(found.rows),
        "unsure": found.unsure,
        "alike": found.alike,
        "beyond_most": found.beyond,
        "passed_over": scored.passed,
        "classes": {name: classes[name] for name in scored.names},
    }
    if missing := [name for name in scored.names if not classes[name]]:
        errors.print(
            f"none taken of: {', '.join(missing)}. A model that learns from these alone forgets them: a lower "
            "--confidence, with --most to keep the classes even.",
            highlight=False,
            markup=False,
        )
    if as_json:
        print_json({"head": scored.head, "confidence": confidence, **told, "file": str(out)})
        return
    output.print(
        f"{len(found.rows):,} taken, each with a probability of {confidence:g} or more: "
        + ", ".join(f"{name} {count:,}" for name, count in told["classes"].items()),  # type: ignore[attr-defined]
        highlight=False,
    )
    output.print(
        f"dropped: {found.unsure:,} unsure, {found.alike:,} alike, {found.beyond:,} beyond the most of a class, "
        f"{scored.passed:,} passed over",
        highlight=False,
    )
    output.print(f'learn from them: train_paths = ["{out.name}"] in the data of the recipe', highlight=False)


def to_label(
    texts: Texts,
    out: Target,
    model: Model = "candidate",
    head: Head = None,
    count: Annotated[int, typer.Option(min=1, help="So many texts.")] = 100,
    by: Annotated[
        By, typer.Option(help="The least certain by margin or entropy; coreset: the least alike of them.")
    ] = "margin",
    without: Without = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Choose the texts whose labels would teach a model most, as a CSV for a person to fill in.

    It goes back by train_paths = ["OUT"] in the recipe's data; rows without a label are left out.
    """
    scored = _Scored(texts, out, model, head, without or [], data)
    rows = next_to_label(scored.probabilities, scored.vectors, count, by)
    likeliest = scored.probabilities[rows].argmax(1) if len(rows) else np.empty(0, np.int64)
    guesses = [scored.names[each] for each in likeliest]
    sure = [f"{each:.4f}" for each in scored.probabilities[rows].max(1, initial=0.0)]
    write_labels(out, scored.pile, rows, [""] * len(rows), scored.columns, {"guess": guesses, "confidence": sure})
    if as_json:
        print_json({"head": scored.head, "rows": len(rows), "of": len(scored.pile), "labels": list(scored.names),
                    "passed_over": scored.passed, "file": str(out)})  # fmt: skip
        return
    output.print(f"{out}: {len(rows):,} of {len(scored.pile):,} texts, the most useful first", highlight=False)
    output.print(f"fill in one of: {', '.join(scored.names)}", highlight=False, markup=False)
    output.print(f'then: train_paths = ["{out.name}"] in the data of the recipe', highlight=False, markup=False)


class _Scored:
    """The texts of a file, but for those of others, and what the model says of them."""

    def __init__(self, texts: Path, out: Path, model: str, head: str | None, without: list[Path], data: Path | None):
        if out.exists():  # before minutes are spent
            raise ConflictError(f"{out} exists.", cure="Name a file that does not exist yet.")
        encoder = OnnxEncoder.open(_folder(model, data))
        self.head = class_head(encoder.manifest, head)
        self.names = encoder.manifest.heads[self.head].labels
        self.columns = _columns(encoder.manifest.recipe, self.head)
        pile = read_unlabelled(texts, self.columns)
        known = {key for path in without for key in read_unlabelled(path, self.columns).keys()}  # noqa: SIM118
        rows = np.array([row for row, key in enumerate(pile.keys()) if key not in known], np.int64)
        self.passed = len(pile) - len(rows)
        self.pile: TextSet = pile.take(rows)
        with progress_bar() as bar:
            line = bar.add_task("scoring", total=len(rows))
            found = class_scores(encoder, self.head, self.pile.texts, lambda done: bar.update(line, completed=done))
        self.probabilities = found[0]
        self.vectors: Vectors = found[1]


def _folder(model: str, data: Path | None) -> Path:
    if Path(model).is_dir():
        return Path(model)
    store = ModelStore(folder_of(data).encoder)
    named = store.alias(model) if model in ("production", "candidate") else model  # type: ignore[arg-type]
    if named is None:
        raise NotFoundError(
            f"No encoder of the shop is {model}.", cure="lingsou train RECIPE first; or --model with another one."
        )
    return store.path(named)


def _columns(recipe: str, head: str) -> Mapping[str, str]:
    """How the data that the head learned from calls its columns; none where that is not told."""
    try:
        told = Recipe.model_validate(tomllib.loads(recipe))
    except (tomllib.TOMLDecodeError, ValidationError):
        return {}
    return told.tasks[head].data.columns if head in told.tasks else {}
