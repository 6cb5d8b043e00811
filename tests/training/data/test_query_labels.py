"""Merchandisers' labels as examples: what is in force, of one kind, and nothing else."""

from pathlib import Path

import pytest

from lingsou.core.errors import ConfigurationError, InputError, NotFoundError
from lingsou.query.labels import QueryLabels, new_label
from lingsou.training.data.load import load
from lingsou.training.examples import LabelSet, Span, TagSet
from lingsou.training.recipe import DataSpec


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    labels = QueryLabels(tmp_path / "queries.jsonl")
    labels.add(new_label("苹果 手机壳", intent="browse"))
    labels.add(new_label("苹果 手机壳", intent="find", entities=[{"start": 0, "end": 2, "kind": "brand"}]))
    labels.add(new_label("red shoes", category="Clothing > Shoes", entities=[]))
    labels.add(new_label("refund", intent="after_sales"))
    labels.add(new_label("hello", intent="off_topic"))
    labels.add(new_label("hello", forget=True))
    return tmp_path


def spec(**columns: str) -> DataSpec:
    return DataSpec(format="query-labels", path="queries.jsonl", columns=columns)


def test_intents_are_classes(folder: Path) -> None:
    found = load(spec(), "classes", folder)
    assert isinstance(found, LabelSet)
    assert dict(zip(found.texts, found.given, strict=True)) == {"苹果 手机壳": ("find",), "refund": ("after_sales",)}


def test_a_column_names_another_aspect(folder: Path) -> None:
    found = load(spec(label="category"), "classes", folder)
    assert isinstance(found, LabelSet)
    assert (found.texts, found.given) == (("red shoes",), (("Clothing > Shoes",),))


def test_entities_are_tags_and_none_is_one_too(folder: Path) -> None:
    found = load(spec(), "tags", folder)
    assert isinstance(found, TagSet)
    assert dict(zip(found.texts, found.spans, strict=True)) == {
        "苹果 手机壳": (Span(0, 2, "brand"),),
        "red shoes": (),
    }


def test_what_cannot_be_read_is_said(folder: Path) -> None:
    with pytest.raises(InputError, match=r"No query of queries\.jsonl has a label of the kind 'sentiment'"):
        load(spec(label="sentiment"), "classes", folder)
    with pytest.raises(ConfigurationError, match="no column 'mood'"):
        load(spec(label="mood"), "classes", folder)
    with pytest.raises(ConfigurationError, match="no column 'text'"):
        load(spec(text="query"), "tags", folder)
    with pytest.raises(NotFoundError, match="no file"):
        load(DataSpec(format="query-labels", path="none.jsonl"), "classes", folder)
    with pytest.raises(ConfigurationError, match="none is named"):
        load(DataSpec(format="query-labels"), "classes", folder)
