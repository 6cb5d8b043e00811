"""Piles of texts, and the tables that labels come back in: read again as the recipe reads its own."""

from pathlib import Path

import numpy as np
import pytest

from lingsou.core.errors import ConflictError, FeedError, StorageError
from lingsou.training.data.load import load
from lingsou.training.data.unlabelled import read_unlabelled, write_labels
from lingsou.training.examples import LabelSet, TextSet
from lingsou.training.recipe import DataSpec

COLUMNS = {"text": "Bewertung", "label": "Stimmung", "brand": "Marke"}


def test_a_pile_in_the_columns_of_the_labelled_data(tmp_path: Path) -> None:
    (tmp_path / "pile.csv").write_text('Bewertung,text,Marke\n很好,no,Nike\n"a, b",no,\n', encoding="utf-8")
    found = read_unlabelled(tmp_path / "pile.csv", COLUMNS)
    assert (found.texts, found.slices) == (("很好", "a, b"), {"brand": ["Nike", ""]})
    assert read_unlabelled(tmp_path / "pile.csv").texts == ("no", "no")


def test_a_pile_in_other_columns_and_of_lines(tmp_path: Path) -> None:
    (tmp_path / "pile.csv").write_text("id,review\n1,fine\n", encoding="utf-8")
    (tmp_path / "pile.txt").write_text("fine\n\n很好\n", encoding="utf-8")
    assert read_unlabelled(tmp_path / "pile.csv", COLUMNS).texts == ("fine",)
    assert read_unlabelled(tmp_path / "pile.txt", COLUMNS).texts == ("fine", "很好")
    (tmp_path / "bad.csv").write_text("id,colour\n1,red\n", encoding="utf-8")
    with pytest.raises(FeedError, match="no column for 'text'"):
        read_unlabelled(tmp_path / "bad.csv", COLUMNS)


def test_labels_are_read_as_they_were_written(tmp_path: Path) -> None:
    pile = TextSet(("很好", 'a, "b"', "line"), slices={"brand": ["Nike", "", "耐克"]})
    rows = np.array([2, 1])
    write_labels(tmp_path / "out.csv", pile, rows, ["good", "bad"], COLUMNS, {"confidence": ["1.0", "0.9"]})
    found = load(DataSpec(format="labels", path="out.csv", columns=COLUMNS), "classes", tmp_path)
    assert found == LabelSet(("line", 'a, "b"'), (("good",), ("bad",)), slices={"brand": ["耐克", ""]})
    write_labels(tmp_path / "plain.csv", pile, rows, ["good", "bad"])
    assert load(DataSpec(format="labels", path="plain.csv"), "classes", tmp_path).labels() == ["good", "bad"]
    with pytest.raises(ConflictError, match="exists"):
        write_labels(tmp_path / "out.csv", pile, rows, ["", ""])
    with pytest.raises(StorageError, match="cannot be written"):
        write_labels(tmp_path / "no" / "out.csv", pile, rows, ["", ""])
