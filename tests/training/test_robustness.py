"""Perturbed sets: other texts, the same rows and the same truth."""

import numpy as np
import pytest

from lingsou.core.errors import ConfigurationError
from lingsou.text.normalise import normalise
from lingsou.training.augment import PERTURBATIONS
from lingsou.training.examples import HistorySet, LabelSet, PairSet, Span, TagSet, TextSet
from lingsou.training.robustness import changed, few, perturbed

PAIRS = PairSet.of(
    [("red dress", "Red dress, S", 3.0), ("red dress", "Shoe", 0.0), ("shoe", "Shoe", 3.0), ("shoe", "Case", 1.0)],
    {"language": ["en", "en", "zh", "zh"]},
)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_queries_of_pairs_change_and_products_do_not() -> None:
    found = perturbed(PAIRS, "keyboard", rng())
    assert found.queries[0] != "red dress"
    assert found.queries[1] != "shoe"
    assert found.texts == PAIRS.texts
    assert found.query.tolist() == [0, 0, 1, 1]
    assert found.grades.tolist() == [3.0, 0.0, 3.0, 1.0]
    assert found.slices == PAIRS.slices
    assert PAIRS.queries == ("red dress", "shoe"), "the set itself stays"
    assert changed(PAIRS, found) == 1.0


def test_every_text_of_other_sets_changes() -> None:
    labels = LabelSet(("buy shoes", "ask me"), (("buy",), ("ask",)), slices={"length": ["b", "a"]})
    found = perturbed(labels, "swap", rng())
    assert found == LabelSet(("shoes buy", "me ask"), (("buy",), ("ask",)), slices={"length": ["b", "a"]})
    history = HistorySet(("red shoe", "phone case"), ((0, 1),), ("shopper",), np.array([1.0]))
    assert perturbed(history, "swap", rng()).texts == ("shoe red", "case phone")


def test_spans_keep_their_words() -> None:
    tags = TagSet(("buy Nike shoe",), ((Span(4, 8, "brand"), Span(9, 13, "product")),))
    found = perturbed(tags, "case-width", rng())
    words = [found.texts[0][span.start : span.end] for span in found.spans[0]]
    assert found.texts != tags.texts
    assert [word.casefold() for word in map(normalise, words)] == ["nike", "shoe"]


@pytest.mark.parametrize("kind", PERTURBATIONS)
def test_the_generator_decides_everything(kind: str) -> None:
    texts = TextSet(("red running shoe", "红色连衣裙 女", "手机壳", "usb 充电器"))
    assert perturbed(texts, kind, rng()) == perturbed(texts, kind, rng())


def test_texts_that_cannot_change_are_counted() -> None:
    labels = LabelSet(("红色 裙子", "red dress", "x"), (("a",), ("b",), ("c",)))
    found = perturbed(labels, "pinyin", rng())
    assert found.texts[1:] == labels.texts[1:], "English has no pinyin"
    assert changed(labels, found) == pytest.approx(1 / 3)
    assert changed(TextSet(()), TextSet(())) == 0.0


def test_an_unknown_perturbation_is_told() -> None:
    with pytest.raises(ConfigurationError, match="no augmentation 'upside-down'"):
        perturbed(PAIRS, "upside-down", rng())


@pytest.mark.parametrize(
    ("examples", "rows"),
    [
        (PAIRS, [0, 1, 3]),
        (LabelSet(("1", "2", "3", "4"), (("a",), ("a",), ("a", "b"), ("b",)), multiple=True), [0, 2]),
        (TagSet(("ab", "ab", "ab"), ((), (), (Span(0, 1, "x"),))), [0, 2]),
        (TextSet(("1", "2")), [0]),
        (TextSet(()), []),
    ],
)
def test_few_rows_name_everything(examples: PairSet | LabelSet | TagSet | TextSet, rows: list[int]) -> None:
    assert few(examples).tolist() == rows
