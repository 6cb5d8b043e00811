"""What merchandisers said of single queries (`lingsou query label`), as examples for heads."""

from pathlib import Path

from lingsou.core.errors import ConfigurationError, InputError
from lingsou.query.labels import merged_labels, read_labels
from lingsou.training.data.rejects import Tally
from lingsou.training.examples import LabelSet, Span, TagSet
from lingsou.training.recipe import DataSpec, TaskKind

ASPECTS = ("intent", "category", "sentiment")
_CURE = "lingsou query label WORDS --intent … --category … --entity START:END:KIND"


def read(path: Path, spec: DataSpec, tally: Tally, *, kind: TaskKind) -> LabelSet | TagSet:
    """The labels in force. Queries that have none of what the task learns are passed over; they are no bad rows.

    Args:
        path: a shop's `labels/queries.jsonl`, or a file of its form.
        spec: for classes, `columns = { label = "category" }` names what is learned; without it the intent.
        tally: counts the rows.
        kind: `classes` or `tags`.

    Raises:
        NotFoundError: there is no such file.
        InputError: a line is no label, or no query has what is learned.
        ConfigurationError: `columns` names something else.
    """
    columns = dict(spec.columns)
    aspect = columns.pop("label", "intent") if kind == "classes" else "entities"
    if columns or aspect not in (*ASPECTS, "entities"):
        raise ConfigurationError(
            f"Labels of queries have no column '{next(iter(columns), aspect)}'.",
            field="data.columns",
            cure=f"For classes: label = one of {', '.join(ASPECTS)}. For tags: none.",
        )
    labels = [each for each in merged_labels(read_labels(path)).values() if getattr(each, aspect) is not None]
    if not labels:
        raise InputError(f"No query of {path.name} has a label of the kind '{aspect}'.", cure=_CURE)
    for _ in labels:
        tally.take()
    texts = tuple(each.query for each in labels)
    if aspect == "entities":
        spans = [tuple(Span(s.start, s.end, s.kind) for s in each.entities or ()) for each in labels]
        return TagSet(texts, tuple(spans))
    return LabelSet(texts, tuple((str(getattr(each, aspect)),) for each in labels))
