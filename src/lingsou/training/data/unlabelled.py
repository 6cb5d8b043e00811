"""Texts without labels, and the tables that labels come back in."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from lingsou.catalog.profile import key_of
from lingsou.core.errors import ConflictError, StorageError
from lingsou.training.data import texts
from lingsou.training.data.rejects import Tally
from lingsou.training.data.table import SLICES, TEXT_NAMES, Column, open_table
from lingsou.training.examples import Rows, TextSet
from lingsou.training.recipe import DataSpec


def read_unlabelled(path: Path, columns: Mapping[str, str] | None = None) -> TextSet:
    """The texts of a file: each line of a `.txt`, or a column of a table.

    Args:
        path: the file.
        columns: how the labelled data calls its columns; they go before the usual names, and may be missing.

    Raises:
        FeedError: the file cannot be read, is empty, or has no column of texts.
        InputError: more than a tenth of its rows cannot be used.
    """
    tally = Tally(path.name)
    if path.name.removesuffix(".gz").endswith(".txt"):
        return texts.read(path, DataSpec(format="texts"), tally)
    named = {ours: key_of(theirs) for ours, theirs in (columns or {}).items()}
    wanted = [Column("text", tuple(filter(None, [named.get("text"), *TEXT_NAMES])))]
    wanted += [Column(ours, (theirs,), required=False) for ours, theirs in named.items() if ours in SLICES]
    return texts.of_table(open_table(path, wanted, {}), tally)


def write_labels(
    path: Path,
    examples: TextSet,
    rows: Rows,
    labels: Sequence[str],
    columns: Mapping[str, str] | None = None,
    beside: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write a CSV that a recipe with the same `columns` reads as the format `labels`.

    It begins with a byte order mark, without which spreadsheets do not take it for UTF-8.

    Args:
        path: the file; must not exist.
        examples: the texts.
        rows: which of them, in this order.
        labels: of each row; empty for a person to fill in.
        columns: how the labelled data calls its columns; none: `text` and `label`.
        beside: further columns, for people to read.

    Raises:
        ConflictError: the file exists.
        StorageError: it cannot be written.
    """
    named, beside = dict(columns or {}), beside or {}
    slices = [ours for ours in SLICES if ours in named]
    header = [named.get("text", "text"), named.get("label", "label"), *(named[ours] for ours in slices), *beside]
    try:
        with path.open("x", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            for place, row in enumerate(rows.tolist()):
                own = [examples.slices[ours][row] if ours in examples.slices else "" for ours in slices]
                more = [values[place] for values in beside.values()]
                writer.writerow([examples.texts[row], labels[place], *own, *more])
    except FileExistsError as error:
        raise ConflictError(f"{path} exists.", cure="Name a file that does not exist yet.") from error
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.", cure="Check the folder.") from error
