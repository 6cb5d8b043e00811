"""The data card: what a model was trained on, saved beside it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import Field, ValidationError

from lingsou.core.errors import ConfigurationError, StorageError
from lingsou.core.types import Frozen, Instant
from lingsou.training.data.content import fingerprint, texts_of
from lingsou.training.data.label_noise import NoiseReport
from lingsou.training.data.rejects import MOST_LISTED, Rejected, Tally
from lingsou.training.data.splits import PARTS, Partition
from lingsou.training.examples import ExampleSet, LabelSet, PairSet, Splits, TagSet
from lingsou.training.recipe import DataFormat, TaskKind

S = TypeVar("S", bound=ExampleSet)
MOST_CLASSES = 100


class Lengths(Frozen):
    """Characters of the texts."""

    p50: int
    p95: int
    most: int


class Part(Frozen):
    """One part of the split."""

    rows: int
    groups: int = Field(description="queries, texts or shoppers: what is never parted")
    sha256: str = Field(description="of the rows in any order")


class DataCard(Frozen):
    """What the examples of one task are, where they are from, and what is wrong with them."""

    source: str = Field(description="names of the files, or the shop's log or catalogue")
    format: DataFormat
    kind: TaskKind
    sha256: str = Field(description="of all rows as read, in any order")
    rows: int = Field(description="read and usable, before any were taken out")
    groups: int
    parts: Mapping[str, Part] = Field(description="train, validation, test")
    seed: int
    classes: Mapping[str, int] = Field(description="training rows of each class, grade or kind; the most frequent ones")
    lengths: Lengths
    duplicates: int = Field(description="rows taken out, as another of their part says the same")
    crossing: int = Field(description="rows taken out of training (or validation), as their group is in a later part")
    limited: int = Field(description="training rows left out by the recipe's limit")
    rejected: Mapping[str, int] = Field({}, description="reason → rows that cannot be used")
    rejected_rows: tuple[Rejected, ...] = Field((), description="the first of them")
    noise: NoiseReport | None = Field(None, description="labels that are likely wrong")
    warnings: tuple[str, ...] = ()
    created: Instant

    def write(self, path: Path) -> None:
        """Write the card as JSON.

        Raises:
            StorageError: it cannot be written.
        """
        try:
            path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise StorageError(f"'{path}' cannot be written: {error.strerror}.", cure="Check the disk.") from error

    @classmethod
    def read(cls, path: Path) -> "DataCard":
        """The card in the file `path`.

        Raises:
            ConfigurationError: it cannot be read, or is no data card.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise ConfigurationError(f"'{path}' is not a data card.", cure="Train again to have it written.") from error

    def as_text(self) -> str:
        """The card for people, a fact a line."""
        lines = [
            f"source      {self.source} ({self.format} for {self.kind})",
            f"sha256      {self.sha256}",
            f"rows        {self.rows:,} in {self.groups:,} groups",
        ]
        lines += [
            f"{name:<11} {part.rows:,} rows, {part.groups:,} groups" for name, part in self.parts.items() if part.rows
        ]
        lines.append(f"lengths     {self.lengths.p50} characters, p95 {self.lengths.p95}, most {self.lengths.most}")
        if self.classes:
            lines.append(f"classes     {_listed(self.classes)}")
        lines.append(
            f"taken out   {self.duplicates:,} duplicates, {self.crossing:,} crossing parts, "
            f"{self.limited:,} beyond the limit"
        )
        if self.rejected:
            lines.append(f"rejected    {_listed(self.rejected)}")
            lines += [f"            {each.source}, row {each.row}: {each.reason}" for each in self.rejected_rows[:3]]
        if self.noise:
            lines.append(
                f"noise       {self.noise.suspected:.1%} of {self.noise.rows:,} suspected ({self.noise.method})"
            )
            lines += [
                f"            {each.text[:60]}: {each.given}, rather {each.suggested}" for each in self.noise.worst[:3]
            ]
        return "\n".join(lines + [f"warning     {each}" for each in self.warnings])


def card_of(
    examples: ExampleSet,
    parts: Partition,
    splits: Splits[S],
    *,
    source: str,
    format: DataFormat,  # noqa: A002 (the name that recipes use)
    kind: TaskKind,
    seed: int,
    tallies: Sequence[Tally],
    noise: NoiseReport | None,
    warnings: Sequence[str],
) -> DataCard:
    """The card of a set that was read and split."""
    rejected: Counter[str] = Counter()
    for tally in tallies:
        rejected.update(tally.reasons)
    three = (splits.train, splits.validation, splits.test)
    return DataCard(
        source=source,
        format=format,
        kind=kind,
        sha256=fingerprint(examples),
        rows=len(examples),
        groups=len(set(parts.groups.tolist())),
        parts={
            name: Part(rows=len(each), groups=len(set(parts.groups[rows].tolist())), sha256=fingerprint(each))
            for name, each, rows in zip(PARTS, three, (parts.train, parts.validation, parts.test), strict=True)
        },
        seed=seed,
        classes=balance(splits.train),
        lengths=_lengths(examples),
        duplicates=parts.duplicates,
        crossing=parts.crossing,
        limited=parts.limited,
        rejected=dict(rejected.most_common()),
        rejected_rows=tuple(each for tally in tallies for each in tally.listed)[:MOST_LISTED],
        noise=noise,
        warnings=tuple(warnings),
        created=datetime.now(UTC),
    )


def balance(examples: ExampleSet) -> Mapping[str, int]:
    """Class (or label, grade, kind of span) → how many of it, most frequent first; empty where nothing is labelled."""
    if isinstance(examples, LabelSet):
        counts = Counter(name for row in examples.given for name in row)
    elif isinstance(examples, TagSet):
        counts = Counter(span.kind for row in examples.spans for span in row)
    elif isinstance(examples, PairSet):
        counts = Counter(examples.labels())
    else:
        return {}
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:MOST_CLASSES])


def _lengths(examples: ExampleSet) -> Lengths:
    lengths = np.array([len(text) for text in texts_of(examples)])
    middle, most_of_them = np.percentile(lengths, (50, 95))
    return Lengths(p50=round(float(middle)), p95=round(float(most_of_them)), most=int(lengths.max()))


def _listed(counts: Mapping[str, int]) -> str:
    shown = ", ".join(f"{name} {count:,}" for name, count in list(counts.items())[:10])
    return f"{shown} … ({len(counts)} in all)" if len(counts) > 10 else shown
