"""One entry: from a recipe's `DataSpec` to example sets, their splits and their data card."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from lingsou.core.errors import ConfigurationError, InputError
from lingsou.core.types import Product
from lingsou.pipeline.shop import Shop
from lingsou.ranking import reranker
from lingsou.retrieval import embedding
from lingsou.training.data import catalogue, histories, judged, labels, logged, pairs, query_labels, tags, texts
from lingsou.training.data.card import DataCard, card_of
from lingsou.training.data.content import joined
from lingsou.training.data.label_noise import noise_of
from lingsou.training.data.rejects import MOST_REJECTED, Tally
from lingsou.training.data.slices import slices_of
from lingsou.training.data.soundness import require_learnable, require_trusted
from lingsou.training.data.splits import DRAWN, TEST, TRAIN, VALIDATION, cut, partition
from lingsou.training.examples import ExampleSet, Splits
from lingsou.training.recipe import DataFormat, DataSpec, TaskKind

_PAIRS: tuple[TaskKind, ...] = ("matching", "relevance", "click")
KINDS: dict[DataFormat, tuple[TaskKind, ...]] = {
    "pairs": _PAIRS,
    "judgements": _PAIRS,
    "labels": ("classes", "labels"),
    "tags": ("tags",),
    "histories": ("history",),
    "texts": ("masking",),
    "log": (*_PAIRS, "history"),
    "catalogue": ("masking", "classes"),
    "query-labels": ("classes", "tags"),
}
"""Which tasks each format has the examples of."""


def load(
    spec: DataSpec, kind: TaskKind, root: Path, shop: Shop | None = None, *, tally: Tally | None = None
) -> ExampleSet:
    """The examples of one source. Bad rows are left out and counted.

    Args:
        spec: which source; files of their own for validation and test are not read here.
        kind: what they are to teach.
        root: the folder that relative paths start from.
        shop: opened; needed for `log` and `catalogue`, and for judgements of its products.
        tally: counts the rows, used and rejected.

    Raises:
        ConfigurationError: the format has no examples of that kind, or needs a path or a shop that is not there.
        FeedError: a file cannot be read, is empty, is not UTF-8, or lacks a column.
        InputError: more than a tenth of the rows cannot be used, or none can.
        StorageError: the shop's log cannot be read.
    """
    if kind not in KINDS[spec.format]:
        fitting = [name for name, kinds in KINDS.items() if kind in kinds]
        raise ConfigurationError(
            f"The format '{spec.format}' has no examples for a task of kind '{kind}'.",
            field="data.format",
            cure=f"Use {' or '.join(fitting)}.",
        )
    counted = tally or Tally(source_of(spec))
    if spec.format in ("log", "catalogue"):
        if shop is None:
            raise ConfigurationError(
                f"The format '{spec.format}' reads a shop, and none is given.",
                field="data.format",
                cure="Name the shop: --data FOLDER",
            )
        return _of_shop(spec.format, kind)(shop, counted)
    if spec.format == "query-labels" and not spec.path and shop is not None:
        return _of_file(spec.format, kind, shop)(shop.folder.query_labels, spec, counted)
    if not spec.path:
        raise ConfigurationError(
            f"The format '{spec.format}' reads a file, and none is named.",
            field="data.path",
            cure='Add path = "FILE" to the task\'s data.',
        )
    return _of_file(spec.format, kind, shop)(root / spec.path, spec, counted)


def splits_of(
    spec: DataSpec, kind: TaskKind, root: Path, shop: Shop | None = None, *, seed: int = 0, noise: bool = True
) -> tuple[Splits[ExampleSet], DataCard]:
    """The examples of a task, with slices, cut in three; and the card that says what they are.

    Rows of a file of its own for validation or test stay there, and their groups leave training. Rows of `train_paths`
    are learned from alone; such a file may be a sheet that is not filled in to the end.

    Args:
        spec: the sources, shares and limit.
        kind: what they are to teach.
        root: the folder that relative paths start from.
        shop: as for `load`.
        seed: decides the split, the limit, and which rows the noise report looks at.
        noise: whether to look for wrong labels, which takes seconds.

    Raises:
        ConfigurationError, FeedError, InputError, StorageError: as `load` says; or the set cannot be split or teaches
            nothing: empty, one class, all rows alike, a part without rows; or more labels are doubtful than allowed.
        MissingExtraError: scikit-learn, which the noise report of labels needs, is not installed.
    """
    more = [(path, TRAIN) for path in spec.train_paths]
    named = [(spec.path, DRAWN), *more, (spec.validation_path, VALIDATION), (spec.test_path, TEST)]
    if spec.format in ("log", "catalogue") and (own := [path for path, _ in named[1:] if path]):
        fields = ("train_paths", "validation_path", "test_path")
        raise ConfigurationError(
            f"The format '{spec.format}' has no files for a part, such as '{own[0]}'.",
            field=next(f"data.{each}" for each in fields if getattr(spec, each)),
            cure="Use shares: validation = 0.1, test = 0.1",
        )
    sets: list[ExampleSet] = []
    tallies: list[Tally] = []
    given: list[int] = []
    for path, part in named:
        if path or part == DRAWN:
            one = spec.model_copy(update={"path": path})
            tallies.append(Tally(source_of(one), most=1.0 if part == TRAIN else MOST_REJECTED))
            sets.append(load(one, kind, root, shop, tally=tallies[-1]))
            given += [part] * len(sets[-1])
    if not all(len(each) for each in sets):
        raise InputError(f"{source_of(spec)} has no examples.", cure="Give a source with more rows.")
    examples = joined(sets)
    examples = replace(examples, slices=slices_of(examples))
    shares = (0.0 if spec.validation_path else spec.validation, 0.0 if spec.test_path else spec.test)
    parts = partition(examples, *shares, seed, limit=spec.limit, given=np.array(given, np.int64))
    splits = cut(examples, parts)
    warnings = require_learnable(splits.train, kind)
    found = noise_of(examples, seed) if noise else None
    require_trusted(found, spec.max_suspected)
    card = card_of(
        examples,
        parts,
        splits,
        source=", ".join(tally.source for tally in tallies),
        format=spec.format,
        kind=kind,
        seed=seed,
        tallies=tallies,
        noise=found,
        warnings=warnings,
    )
    return splits, card


def given_to_train(spec: DataSpec, kind: TaskKind, root: Path, shop: Shop | None = None) -> ExampleSet | None:
    """The rows of `train_paths`; none: there are no such files. Arguments and errors as for `splits_of`."""
    found = []
    for path in spec.train_paths:
        one = spec.model_copy(update={"path": path})
        found.append(load(one, kind, root, shop, tally=Tally(source_of(one), most=1.0)))
    return joined(found) if found else None


def source_of(spec: DataSpec) -> str:
    """The name of a source without the folders of this machine."""
    return Path(spec.path).name if spec.path else f"the shop's {spec.format}"


def _of_shop(format: DataFormat, kind: TaskKind) -> Callable[[Shop, Tally], ExampleSet]:  # noqa: A002
    if format == "catalogue":
        return catalogue.classes if kind == "classes" else catalogue.texts
    if kind == "history":
        return logged.histories
    return logged.clicks if kind == "click" else partial(logged.pairs, text_of=_text_for(kind))


def _text_for(kind: TaskKind) -> Callable[[Product], str]:
    """What the model that is trained will be given of a product when it serves."""
    return reranker.document_text if kind == "relevance" else embedding.document_text


def _of_file(
    format: DataFormat,  # noqa: A002
    kind: TaskKind,
    shop: Shop | None,
) -> Callable[[Path, DataSpec, Tally], ExampleSet]:
    readers: dict[DataFormat, Callable[[Path, DataSpec, Tally], ExampleSet]] = {
        "pairs": pairs.read,
        "judgements": partial(judged.read, shop=shop, text_of=_text_for(kind)),
        "labels": partial(labels.read, multiple=kind == "labels"),
        "tags": tags.read,
        "histories": partial(histories.read, shop=shop),
        "texts": texts.read,
        "query-labels": partial(query_labels.read, kind=kind),
    }
    return readers[format]
