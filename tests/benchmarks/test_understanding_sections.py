"""The sections find their files by form, not by name, and count as they say."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from benchmarks.understanding import category, entities, intent, robustness

from lingsou.training.examples import Span, TagSet

BIO = "红 O\n耐 B-HP\n克 I-HP\n鞋 B-HC\n\n"
BIEOS = "红\tO\n耐\tB-HP\n克\tE-HP\n鞋\tS-HC\n\n"


def test_tagged_files_are_known_by_their_lines(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,category\nhello,greeting\n", encoding="utf-8")
    assert not entities.SECTION.runs_on(tmp_path)
    with gzip.open(tmp_path / "train.txt.gz", "wt", encoding="utf-8") as file:
        file.write(BIO * 12)
    (tmp_path / "dev.any.bieos").write_text(BIEOS * 4, encoding="utf-8")
    assert entities.SECTION.runs_on(tmp_path)
    splits = entities.splits_of(tmp_path)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [11, 1, 4]
    assert splits.test.spans[0] == (Span(1, 3, "HP"), Span(3, 4, "HC"))


def test_labelled_and_categorised_files_are_known_by_their_columns(tmp_path: Path) -> None:
    texts, titles = tmp_path / "a", tmp_path / "b"
    texts.mkdir()
    titles.mkdir()
    (texts / "rows.csv").write_text("text,intent\n" + "".join(f"t{n},c{n % 2}\n" for n in range(50)), encoding="utf-8")
    (titles / "rows.csv").write_text("name,main_category\nred shoe,shoes\nred shoe,sale\nlamp,light\n", "utf-8")
    assert (intent.SECTION.runs_on(texts), intent.SECTION.runs_on(titles)) == (True, False)
    assert (category.SECTION.runs_on(texts), category.SECTION.runs_on(titles)) == (False, True)
    assert category.rows_of(titles) == (["red shoe", "lamp"], ["shoes", "light"])
    rows = category.folded(titles, 7)
    assert (rows.titles, rows.labels, rows.expected.tolist()) == (["red shoe", "lamp"], ["light", "shoes"], [1, 0])
    parts = intent.parts_of(texts, 7)
    assert [len(part) for part in (parts.train, parts.dev, parts.test)] == [36, 4, 10]
    assert len({*parts.train, *parts.dev, *parts.test}) == 50
    assert [len([row for row in intent.few_of(parts).train if row[1] == name]) for name in ("c0", "c1")] == [10, 10]


def test_unseen_spans_are_those_that_training_does_not_have() -> None:
    """`耐克` is a known brand, but no known product; of three new ones two are found, and one that is none."""
    train = TagSet(("耐克",), ((Span(0, 2, "HP"),),))
    test = TagSet(
        ("耐克", "苹果耐克", "灯"), ((Span(0, 2, "HP"),), (Span(0, 2, "HP"), Span(2, 4, "HC")), (Span(0, 1, "HC"),))
    )
    found = [{(0, 2, "HP")}, {(0, 2, "HP"), (2, 4, "HC")}, {(0, 1, "HP")}]
    counted = entities.unseen_f1(train, test, found)
    assert counted == {"span_f1": pytest.approx(2 * 2 / (3 + 3)), "recall": pytest.approx(2 / 3), "spans": 3}
    assert entities.f1(test, found) == pytest.approx(2 * 3 / (4 + 4))
    assert entities.f1(test, found, "HP") == pytest.approx(2 * 2 / (3 + 2))


def test_the_gain_over_oneself_is_nothing() -> None:
    test = TagSet(("耐克",) * 5, ((Span(0, 2, "HP"),),) * 5)
    found = [{(0, 2, "HP")}, set(), {(0, 1, "HP")}, {(0, 2, "HP")}, set()]
    assert entities.interval(test, found, found) == [0, 0]
    low, high = entities.interval(test, found)
    assert low < entities.f1(test, found) < high


def test_a_class_that_training_did_not_have_is_an_error() -> None:
    told = intent.figures(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, -1]))
    assert told["accuracy"] == 0.5
    assert told["ece"] == pytest.approx((0.1 + 0.6) / 2)


def test_changes_move_spans_with_their_words() -> None:
    """`ab` in full width keeps its place; a change that finds nothing leaves the text, and is counted as such."""
    examples = TagSet(("红ab鞋", "红鞋"), ((Span(1, 3, "HP"),), (Span(1, 2, "HC"),)))
    wide, loud = (robustness.changed_tags(examples, kind, 7) for kind in ("width", "case"))
    assert (wide.texts, wide.spans) == (("红ａｂ鞋", "红鞋"), examples.spans)
    assert (loud.texts, loud.spans) == (("红AB鞋", "红鞋"), examples.spans)
    assert robustness.share_changed(examples.texts, wide.texts) == 0.5
    assert robustness.changed_texts(["ab c"], "width", 7) == ["ａｂ　ｃ"]
    assert robustness.changed_texts(["one two"], "order", 7) == ["two one"]
    told = robustness.losses(0.75, {"case": 0.5}, {"case": 1.0, "sound": 0.0})
    assert told == {"as_typed": 0.75, "case": {"loss": 25.0, "changed": 1.0}}


def test_a_mixture_is_the_mean_of_honest_members() -> None:
    """One member is overconfident and wrong once in four: its temperature is above 1; the mean sums to 1."""
    texts, labels = ["a", "b", "c", "d"], ["x", "y"]
    logits = {"a": [9.0, 0.0], "b": [0.0, 9.0], "c": [9.0, 0.0], "d": [9.0, 0.0]}
    members = {"frozen": lambda asked: np.array([logits[each] for each in asked])}
    dev = list(zip(texts, ["x", "y", "x", "y"], strict=True))
    found = intent.Mixture.of(labels, dev, members, members)
    assert found.temperatures["frozen"] == pytest.approx(9 / np.log(3), rel=1e-3)
    assert found.chances(texts)["both"].sum(axis=1) == pytest.approx(1)
    assert found.chances(["a"])["both"][0, 0] == pytest.approx(0.75, abs=1e-3)
