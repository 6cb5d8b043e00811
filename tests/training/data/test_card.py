"""Data cards of small files; what cannot be learned from; the noise report; slices."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lingsou.core.errors import ConfigurationError, InputError
from lingsou.training.data import DataCard, splits_of
from lingsou.training.data.label_noise import noise_of, suspects
from lingsou.training.data.slices import price_band, slices_of
from lingsou.training.data.soundness import require_learnable
from lingsou.training.examples import ExampleSet, HistorySet, LabelSet, PairSet, Span, TagSet, TextSet
from lingsou.training.recipe import DataSpec, TaskKind

HEADER = "text,label\n"


def rows(count: int, start: int = 0) -> str:
    colours = ("red", "green", "blue")
    return "".join(f"{colours[n % 3]} shoe {n},{colours[n % 3]}\n" for n in range(start, start + count))


def test_a_card_says_what_was_read_and_taken_out(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(HEADER + rows(60) + "red shoe 0,red\nred shoe 60,\n", encoding="utf-8")
    (tmp_path / "test.csv").write_text(HEADER + rows(10, 55), encoding="utf-8")
    spec = DataSpec(format="labels", path="train.csv", test_path="test.csv", validation=0.2)
    splits, card = splits_of(spec, "classes", tmp_path)
    assert card.source == "train.csv, test.csv"
    assert (card.rows, card.groups) == (71, 65)
    assert (card.crossing, card.duplicates, card.limited) == (5, 1, 0)
    assert card.parts["test"].rows == len(splits.test) == 10
    assert card.parts["train"].rows + card.parts["validation"].rows == 55
    assert sum(card.classes.values()) == len(splits.train)
    assert card.rejected == {"there is no label": 1}
    assert (card.rejected_rows[0].row, card.rejected_rows[0].field) == (63, "label")
    assert (card.lengths.p50, card.lengths.most) == (12, 13)
    card.write(tmp_path / "card.json")
    assert DataCard.read(tmp_path / "card.json") == card
    for part in ("train.csv, test.csv", "1 duplicates, 5 crossing", "there is no label 1", "row 63"):
        assert part in card.as_text()
    assert str(tmp_path) not in card.model_dump_json()


def test_the_hash_is_of_the_content_alone(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + rows(30), encoding="utf-8")
    (tmp_path / "b.csv").write_text(HEADER + "".join(reversed(rows(30).splitlines(True))), encoding="utf-8")
    cards = [
        splits_of(DataSpec(format="labels", path=name), "classes", tmp_path, noise=False)[1]
        for name in ("a.csv", "b.csv")
    ]
    assert cards[0].sha256 == cards[1].sha256
    assert cards[0].parts == cards[1].parts


def test_a_card_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is not a data card"):
        DataCard.read(tmp_path / "card.json")


def test_the_shop_has_no_files_of_its_own_for_a_part(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no files for a part, such as"):
        splits_of(DataSpec(format="log", test_path="x.csv"), "matching", tmp_path)


def test_further_rows_are_learned_from_and_never_measured_by(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(HEADER + rows(60), encoding="utf-8")
    sheet = HEADER + "pink shoe,red\nRED shoe 0,green\n" + "".join(f"not yet {n},\n" for n in range(8))
    (tmp_path / "sheet.csv").write_text(sheet, encoding="utf-8")  # mostly empty: a person goes on tomorrow
    (tmp_path / "pseudo.csv").write_text(HEADER + "pink shoe,blue\ncyan shoe,blue\n" + rows(60), encoding="utf-8")
    plain = DataSpec(format="labels", path="own.csv", validation=0.2, test=0.2)
    more = plain.model_copy(update={"train_paths": ("sheet.csv", "pseudo.csv")})
    (before, _), (after, card) = (splits_of(spec, "classes", tmp_path, noise=False) for spec in (plain, more))
    assert (after.validation, after.test) == (before.validation, before.test)
    assert isinstance(after.train, LabelSet)
    assert isinstance(before.train, LabelSet)
    assert after.train.texts == (*before.train.texts, "pink shoe", "cyan shoe")
    assert after.train.given[-2:] == (("red",), ("blue",)), "the file that is named first says it"
    assert card.rejected == {"there is no label": 8}
    assert card.crossing == 62  # a text that is labelled already, in capitals too; the 60; the second pink shoe
    (tmp_path / "sheet.csv").write_text(HEADER + "not yet,\nnor this,\n", encoding="utf-8")
    with pytest.raises(InputError, match="2 of 2 rows of sheet"):
        splits_of(more, "classes", tmp_path)


def test_further_pairs_join_their_query_unless_it_is_measured(tmp_path: Path) -> None:
    header = "query,text,grade\n"
    own = "".join(f"shoe {n},red shoe {n},1\nshoe {n},blue dress,0\n" for n in range(20))
    (tmp_path / "own.csv").write_text(header + own, encoding="utf-8")
    (tmp_path / "more.csv").write_text(header + "".join(f"shoe {n},green shoe,1\n" for n in range(20)), "utf-8")
    spec = DataSpec(format="pairs", path="own.csv", train_paths=("more.csv",), validation=0.2, test=0.2)
    splits, card = splits_of(spec, "matching", tmp_path, noise=False)
    held = {*splits.validation.keys(), *splits.test.keys()}
    assert len(splits.train) == 3 * (20 - len(held))
    assert card.crossing == len(held) == len({*splits.validation.keys()}) + len({*splits.test.keys()})


@pytest.mark.parametrize(
    ("examples", "kind", "reason"),
    [
        (LabelSet(("a", "b"), (("x",), ("x",))), "classes", "one class, 'x'"),
        (LabelSet(("a", "b"), ((), ()), multiple=True), "labels", "no labels"),
        (PairSet.of([("q", "a", 1), ("q", "b", 1)]), "relevance", "nothing to tell apart"),
        (PairSet.of([("q", "a", 0), ("q", "b", 0)]), "matching", "No training pair is relevant"),
        (PairSet.of([("q", "a", 1), ("q", "b", float("nan"))]), "relevance", "not a number"),
        (TagSet(("a",), ((),)), "tags", "No training row has a tagged span"),
        (HistorySet(("a", "b"), ((0, 1), (0, 1)), ("s", "t"), np.array([1.0, 2.0])), "history", "one product"),
        (HistorySet(("a", "b"), ((0, 1), (1, 0)), ("s", "t"), np.array([1.0, np.nan])), "history", "not a number"),
        (TextSet(()), "masking", "no training rows"),
    ],
)
def test_what_teaches_nothing_is_refused(examples: ExampleSet, kind: TaskKind, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        require_learnable(examples, kind)
    assert caught.value.cure


def test_what_teaches_something_passes_and_rare_classes_are_told() -> None:
    assert require_learnable(PairSet.of([("q", "a", 1), ("r", "b", 1)]), "matching") == ()
    warnings = require_learnable(LabelSet(("a", "b", "c"), (("x",), ("x",), ("y",))), "classes")
    assert warnings == ("1 classes have fewer than 2 training rows: y",)


def test_suspects_by_hand() -> None:
    """Rows labelled 0 have a mean chance of 0.65 of 0; the last of them, with 0.9 of class 1, is likely a 1."""
    chances = np.array([[0.9, 0.1], [0.95, 0.05], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.2, 0.8]])
    likely, share = suspects(chances, np.array([0, 0, 0, 1, 1, 1]))
    assert likely.tolist() == [0, 0, 1, 1, 1, 1]
    # Of label 0: two sure zeros, one sure one; of label 1: two are at least the mean 0.767, both sure ones.
    assert share == pytest.approx(1 / 6)


def test_planted_wrong_labels_are_found() -> None:
    rng = np.random.default_rng(0)
    words = {"good": ["great", "love", "fine", "happy"], "bad": ["broken", "awful", "refund", "poor"]}
    names = ["good" if n % 2 else "bad" for n in range(300)]
    texts = tuple(" ".join(rng.choice(words[name], 4)) + f" {n}" for n, name in enumerate(names))
    wrong = {7, 20, 101, 222}
    given = tuple((("bad" if name == "good" else "good") if n in wrong else name,) for n, name in enumerate(names))
    report = noise_of(LabelSet(texts, given))
    assert report is not None
    assert {each.row for each in report.worst} == wrong
    assert report.suspected == pytest.approx(4 / 300, abs=0.005)
    assert all(each.suggested == names[each.row] for each in report.worst)
    assert report == noise_of(LabelSet(texts, given))


def test_a_set_with_too_many_doubtful_labels_is_refused(tmp_path: Path) -> None:
    text = "query,text,grade\nangle bracket,Tie,2\nBracket  angle,tie,0\nhook,Steel hook,1\n"
    text += "".join(f"lamp {n},Lamp number {n},{n % 3}\n" for n in range(17))
    (tmp_path / "pairs.csv").write_text(text, encoding="utf-8")
    spec = DataSpec(format="pairs", path="pairs.csv")
    assert splits_of(spec, "matching", tmp_path)[1].noise is not None
    splits_of(spec.model_copy(update={"max_suspected": 0.1}), "matching", tmp_path)
    with pytest.raises(InputError, match=r"10.0% of 20 rows .* more than 5.0%") as caught:
        splits_of(spec.model_copy(update={"max_suspected": 0.05}), "matching", tmp_path)
    assert (caught.value.row, caught.value.field) == (0, "data.max_suspected")
    assert "raise the bound" in (caught.value.cure or "")


def test_too_few_rows_say_nothing_of_noise() -> None:
    assert noise_of(LabelSet(("a", "b"), (("x",), ("y",)))) is None
    assert noise_of(TextSet(("a",))) is None


def test_grades_that_contradict_each_other() -> None:
    found = [("angle bracket", "Tie", 2.0), ("Bracket  angle", "tie", 0.0), ("angle bracket", "Nail", 1.0)]
    report = noise_of(PairSet.of(found))
    assert report is not None
    assert report.suspected == pytest.approx(2 / 3, abs=1e-4)
    assert [(each.row, each.given, each.suggested, each.doubt) for each in report.worst] == [
        (0, "2", "1", 0.5),
        (1, "0", "1", 0.5),
    ]


def test_a_phrase_tagged_otherwise_than_everywhere() -> None:
    usual = [("买iPhone", (Span(1, 7, "BRAND"),))] * 9
    examples = [*usual, ("看iphone", (Span(1, 7, "ITEM"),))]
    report = noise_of(TagSet(tuple(text for text, _ in examples), tuple(spans for _, spans in examples)))
    assert report is not None
    assert [(each.row, each.given, each.suggested) for each in report.worst] == [(9, "ITEM", "BRAND")]


def test_slices_by_hand() -> None:
    pairs = PairSet.of(
        [("红色连衣裙", "a", 1), ("红色连衣裙", "b", 0), ("shoes for him", "c", 1), ("运动鞋 kids", "d", 1)],
        {"price": ["₹1,299", "12", "", "29.9"], "brand": ["A", "A", "", "B"], "category": ["x"] * 4},
    )
    assert slices_of(pairs) == {
        "language": ["zh", "zh", "en", "mixed"],
        "length": ["to 10 characters"] * 2 + ["11 to 30 characters"] + ["to 10 characters"],
        "audience": ["none", "none", "men", "children"],
        "frequency": ["head", "head", "tail", "tail"],
        "price": ["1000 to 3000", "10 to 30", "none", "10 to 30"],
        "brand": ["A", "A", "none", "B"],
    }


def test_rare_values_are_put_together() -> None:
    names = [f"b{n}" for n in range(20)] + ["b0"]
    examples = TextSet(tuple(f"t{n}" for n in range(21)), slices={"brand": names})
    found = slices_of(examples)["brand"]
    assert len(set(found)) == 13
    assert found[0] == found[20] == "b0"
    assert "other" in found


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        ("women's shoes", "women"), ("Men shirt", "men"), ("女童裙", "children"), ("老人手机", "seniors"),
        ("男女通用", "several"), ("document", "none"), ("成人", "none"), ("gift for her", "women"),
    ],
)  # fmt: skip
def test_audiences(text: str, whom: str) -> None:
    found = slices_of(TextSet((text, "men and women", "lamp")))
    assert found["audience"][0] == whom


@pytest.mark.parametrize(("price", "band"), [("0", "none"), ("1", "1 to 3"), ("2.99", "1 to 3"), ("3", "3 to 10")])
def test_price_bands(price: str, band: str) -> None:
    assert price_band(price) == band


def test_slices_are_cut_with_their_rows() -> None:
    examples = TextSet(("a lamp", "灯"))
    sliced = replace(examples, slices=slices_of(examples))
    assert sliced.take(np.array([1])).slices["language"] == ["zh"]
