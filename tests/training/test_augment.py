"""Perturbations of texts: what each may do and may not, spans that stay on their words, and the same seed twice."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import ConfigurationError
from lingsou.rules.schema import parse_rules
from lingsou.training.augment import AUGMENTATIONS, PERTURBATIONS, Augmenter, Edit, edited, moved, perturb
from lingsou.training.examples import ExampleSet, HistorySet, LabelSet, PairSet, Span, TagSet, TextSet

TEXTS = st.text("abXY 12灯红色连衣裙手机 -'ßＡ", max_size=24)


def many(text: str, kind: str, times: int = 60) -> set[str]:
    rng = np.random.default_rng(0)
    return {perturb(text, kind, rng) for _ in range(times)}


def test_synonyms_in_both_languages() -> None:
    assert "red laptop" not in many("red laptop", "synonym")
    assert {"red notebook", "red 笔记本电脑", "红色 laptop"} <= many("red laptop", "synonym")
    assert "移动电源" in many("充电宝", "synonym")


def test_synonyms_leave_words_alone_that_only_contain_a_name() -> None:
    """`牛仔` is denim, and `牛` inside it is no thing of its own."""
    assert many("qwertz 666", "synonym") == {"qwertz 666"}


def test_keyboard_slips_are_one_letter() -> None:
    found = many("lamp", "keyboard")
    assert {"lqmp", "laamp", "lap"} <= found
    assert "lamp" not in found
    assert all(abs(len(each) - 4) <= 1 for each in found)
    assert many("灯泡", "keyboard") == {"灯", "泡", "灯灯泡", "灯泡泡"}
    assert many("1234", "keyboard") == {"1234"}
    assert all(each[0].isupper() for each in many("LAMP", "keyboard"))


def test_pinyin_and_homophones() -> None:
    found = many("手机", "pinyin")
    assert "shouji" in found
    assert any(len(each) == 2 and each != "手机" for each in found)
    assert many("phone", "pinyin") == {"phone"}


def test_neighbouring_words_are_swapped() -> None:
    assert many("red lamp", "swap") == {"lamp red"}
    assert many("red, lamp", "swap") == {"red, lamp"}
    assert many("lamp", "swap") == {"lamp"}
    assert many("手机红色", "swap") == {"红色手机"}
    assert "ABCD" not in "".join(many("AB中 CD", "swap"))


def test_case_and_width() -> None:
    assert many("Lamp 1", "case-width") == {"LAMP 1", "lamp 1", "Ｌａｍｐ\u3000１"}
    assert many("灯", "case-width") == {"灯"}


def test_an_unknown_perturbation() -> None:
    with pytest.raises(ConfigurationError, match="no augmentation 'entity'") as caught:
        perturb("a", "entity", np.random.default_rng(0))
    assert caught.value.cure == "Use any of: synonym, keyboard, pinyin, swap, case-width."


@given(TEXTS, st.sampled_from(PERTURBATIONS), st.integers(0, 3))
def test_the_same_generator_gives_the_same_text_and_never_none(text: str, kind: str, seed: int) -> None:
    found = [perturb(text, kind, np.random.default_rng(seed)) for _ in range(2)]
    assert found[0] == found[1]
    assert bool(found[0].strip()) == bool(text.strip())


def test_edits_by_hand() -> None:
    edits = [Edit(0, 3, "blue"), Edit(4, 8, "")]
    assert edited("red lamp!", edits) == "blue !"
    assert edited("ab", [Edit(0, 2, " ")]) == "ab"
    spans = (Span(0, 3, "C"), Span(8, 9, "X"))
    assert moved(spans, edits) == (Span(0, 4, "C"), Span(5, 6, "X"))
    assert moved([Span(2, 5, "C")], edits) is None
    assert moved([Span(4, 8, "C")], edits) is None
    assert moved([Span(5, 6, "C")], edits) is None


TAGGED = TagSet(
    ("买红色 Lamp 灯", "Kestrel lamp", "Norrland 手机 red"),
    (
        (Span(1, 3, "COLOUR"), Span(4, 8, "ITEM"), Span(9, 10, "ITEM")),
        (Span(0, 7, "BRAND"), Span(8, 12, "ITEM")),
        (Span(0, 8, "BRAND"), Span(9, 11, "ITEM"), Span(12, 15, "COLOUR")),
    ),
)


@given(st.sampled_from(AUGMENTATIONS), st.integers(0, 50))
def test_spans_stay_on_their_words(name: str, seed: int) -> None:
    """An edit outside the spans leaves their words; one inside leaves all the others' words."""
    augment = Augmenter({name: 0.99}, translate=lambda texts: [text.upper() for text in texts])
    found = augment(TAGGED, np.random.default_rng(seed))
    for text, spans, old_text, old in zip(found.texts, found.spans, TAGGED.texts, TAGGED.spans, strict=True):
        assert [span.kind for span in spans] == [span.kind for span in old]
        assert all(0 <= span.start < span.end <= len(text) for span in spans)
        assert all(one.end <= two.start for one, two in pairwise(spans))
        before = [old_text[span.start : span.end] for span in old]
        after = [text[span.start : span.end] for span in spans]
        changed = sum(one != two for one, two in zip(before, after, strict=True))
        assert changed <= 1 or name == "case-width"
        assert name != "translation" or text == old_text


def test_entities_become_others_of_their_kind_and_script() -> None:
    found = {
        text for seed in range(40) for text in Augmenter({"entity": 0.99})(TAGGED, np.random.default_rng(seed)).texts
    }
    assert {"Norrland lamp", "Kestrel Lamp", "买红色 lamp 灯", "买红色 Lamp 手机"} <= found
    assert not any("lamp red" in text for text in found)


def sets() -> list[ExampleSet]:
    return [
        PairSet.of([(f"red lamp {n}", f"text {n}", n % 2) for n in range(200)]),
        LabelSet(tuple(f"red lamp {n}" for n in range(200)), (("x",), ("y",)) * 100),
        TextSet(tuple(f"red lamp {n}" for n in range(200))),
        HistorySet(tuple(f"red lamp {n}" for n in range(200)), ((0, 1), (2, 3)), ("a", "b"), np.array([1.0, 2.0])),
    ]


def texts(examples: ExampleSet) -> Sequence[str]:
    assert isinstance(examples, PairSet | LabelSet | TextSet | HistorySet)
    return examples.queries if isinstance(examples, PairSet) else examples.texts


@pytest.mark.parametrize("examples", sets(), ids=lambda each: type(each).__name__)
def test_the_share_of_the_rows_changes_and_labels_stay(examples: ExampleSet) -> None:
    found = Augmenter({"swap": 0.3})(examples, np.random.default_rng(1))
    changed = sum(one != two for one, two in zip(texts(examples), texts(found), strict=True))
    assert 40 <= changed <= 80
    assert len(found) == len(examples)
    if not isinstance(examples, HistorySet):
        assert found.labels() == examples.labels()
    if isinstance(examples, PairSet) and isinstance(found, PairSet):
        assert found.texts == examples.texts
    assert texts(Augmenter({"swap": 0.3})(examples, np.random.default_rng(1))) == texts(found)
    assert Augmenter({})(examples, np.random.default_rng(1)) is examples


def test_synonyms_of_the_shop_come_first() -> None:
    rules = parse_rules(
        [
            {"id": "a", "then": [{"do": "synonyms", "words": ["laptop", "kestrelbook"]}]},
            {"id": "b", "then": [{"do": "synonyms", "words": ["couch"], "to": ["sofa bed"]}]},
            {"id": "c", "enabled": False, "then": [{"do": "synonyms", "words": ["zzz", "yyy"]}]},
        ]
    )
    augment = Augmenter({"synonym": 0.999}, rules=rules)
    found = augment(TextSet(("laptop", "couch", "sofa bed", "zzz")), np.random.default_rng(0))
    assert found.texts[:2] == ("kestrelbook", "sofa bed")
    assert found.texts[3] == "zzz"


def test_translation_needs_an_llm() -> None:
    with pytest.raises(ConfigurationError, match="needs an LLM") as caught:
        Augmenter({"translation": 0.1})
    assert caught.value.field == "train.augment.translation"
    turned = {"ab": "ba", "a": ""}
    there_and_back = Augmenter({"translation": 0.999}, translate=lambda texts: [turned[text] for text in texts])
    assert there_and_back(TextSet(("ab", "a")), np.random.default_rng(0)).texts == ("ba", "a")
    with pytest.raises(ConfigurationError, match="no augmentation 'typo'"):
        Augmenter({"typo": 0.1})
