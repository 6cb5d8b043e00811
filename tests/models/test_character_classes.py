"""Classes by characters: n-grams against a plain count, tf-idf by hand, the share, and agreement with scikit-learn."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import InputError
from lingsou.models.character_classes import (
    LONGEST,
    MOST_CHARACTERS,
    CharacterClasses,
    grams_of,
    likeliest_share,
)
from lingsou.text.normalise import normalise
from lingsou.training import character_classes
from lingsou.training.character_classes import fit_character_classes

NOTHING = CharacterClasses(np.zeros(0, np.uint64), np.zeros(0), np.zeros((0, 2)), np.array([0.5, 0.0]))


def key(text: str, *, words: bool = False) -> int:
    """The key of one n-gram, term by term in whole numbers."""
    inverse = pow(0x9E3779B97F4A7C15, -1, 2**64)
    total = sum((ord(char) + 1) * pow(inverse, place, 2**64) for place, char in enumerate(text)) % 2**64
    return 2 * total % 2**64 + words


def counted(text: str) -> dict[int, int]:
    keys, counts = grams_of(text)
    return dict(zip(keys.tolist(), counts.tolist(), strict=True))


def test_n_grams_by_hand() -> None:
    wanted = [" ", "a", "b", " ", " a", "ab", "b ", " ab", "ab ", " ab "]
    characters = {key(gram): count for gram, count in Counter(wanted).items()}
    assert counted("AB") == characters | {key("ab", words=True): 1}
    found = counted("cotton, red cotton")
    assert found[key("cotton", words=True)] == 2
    assert found[key("cotton, red", words=True)] == 1, "a pair of words"
    assert key("red", words=True) not in counted("redder")
    assert not any(each % 2 for each in counted("红色连衣裙")), "Chinese has n-grams of characters alone"


@given(st.text(max_size=40))
def test_any_text_has_the_n_grams_that_a_plain_count_finds(text: str) -> None:
    shown = f" {normalise(text)[:MOST_CHARACTERS]} "
    wanted = Counter(shown[at : at + n] for n in range(1, LONGEST + 1) for at in range(len(shown) - n + 1))
    found = counted(text)
    assert all(found[key(gram)] == count for gram, count in wanted.items())


def test_long_texts_are_read_to_a_limit() -> None:
    assert counted("x" * MOST_CHARACTERS) == counted("x" * 3 * MOST_CHARACTERS)


def test_logits_by_hand() -> None:
    keys = np.sort(np.array([key("ab"), key("b")], np.uint64))
    rarity = np.array([3.0 if each == key("ab") else 4.0 for each in keys])
    weight = np.array([[1.0, 0.0] if each == key("ab") else [0.0, 2.0] for each in keys])
    model = CharacterClasses(keys, rarity, weight, np.array([0.5, 0.0]))
    assert model.logits("ab").tolist() == pytest.approx([3 / 5 + 0.5, 2 * 4 / 5])  # (3, 4) has the length 5
    word = CharacterClasses(np.array([key("ab"), key("ab", words=True)], np.uint64), np.ones(2), np.eye(2), np.zeros(2))
    assert word.logits("ab").tolist() == [1.0, 1.0], "words have a length of their own"
    twice = 1 + np.log(2)  # " b b ": b comes twice, ab never
    assert model.logits("b b").tolist() == pytest.approx([0.5, 2 * twice / twice])
    assert model.logits("zzz").tolist() == [0.5, 0.0]
    assert model.times(2).logits("ab").tolist() == pytest.approx([2 * (3 / 5 + 0.5), 4 * 4 / 5])
    assert NOTHING.logits("ab").tolist() == [0.5, 0.0]
    assert model.all_logits(["ab", "zzz"]).tolist() == [model.logits("ab").tolist(), [0.5, 0.0]]


def test_it_is_kept_as_arrays() -> None:
    model = fit_character_classes(["red dress", "red shoe", "blue dress", "blue shoe"], np.array([0, 1, 0, 1]), 2)
    again = CharacterClasses.load(model.arrays())
    assert again.logits("red dress") == pytest.approx(model.logits("red dress"), abs=1e-2)
    with pytest.raises(InputError, match="has no 'rarity'"):
        CharacterClasses.load({name: each for name, each in model.arrays().items() if name != "rarity"})


def test_it_learns_what_scikit_learn_does() -> None:
    """The same classes by its own tf-idf of n-grams, whose idf and length are defined alike."""
    text = pytest.importorskip("sklearn.feature_extraction.text")
    linear = pytest.importorskip("sklearn.linear_model")
    multiclass = pytest.importorskip("sklearn.multiclass")
    rng = np.random.default_rng(0)
    words = ("aa", "bc", "cb", "dd", "ea", "红色", "连衣", "手机")
    texts = [" ".join(rng.choice(words, 6)) for _ in range(120)]
    labels = np.array([("红色" in each) + ("aa" in each) for each in texts])
    grams = text.TfidfVectorizer(sublinear_tf=True, analyzer="char", ngram_range=(1, LONGEST), min_df=2)
    padded = [f" {each} " for each in texts]
    exact = multiclass.OneVsRestClassifier(linear.LogisticRegression(C=10.0, tol=1e-6, max_iter=1000))
    theirs = exact.fit(grams.fit_transform(padded), labels)
    ours = fit_character_classes(texts, labels, 4)
    assert len(ours.keys) > len(grams.vocabulary_), "pairs of words too"
    assert np.mean(ours.all_logits(texts).argmax(1) == theirs.predict(grams.transform(padded))) > 0.95
    assert 3 not in ours.all_logits(texts).argmax(1), "no text has it"


def test_classes_may_weigh_alike() -> None:
    texts, labels = ["a"] * 9 + ["a"], np.array([0] * 9 + [1])
    plain, even = (fit_character_classes(texts, labels, 2, balanced=balanced).logits("a") for balanced in (False, True))
    assert plain[0] - plain[1] == pytest.approx(np.log(9), abs=0.2)
    assert even[0] == pytest.approx(even[1], abs=0.2)


def test_the_commonest_n_grams_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(character_classes, "_MOST_NUMBERS", 12)
    model = fit_character_classes(["a b", "a c", "a d"], np.array([0, 1, 0]), 2)
    whole = {key("a", words=True)}
    assert set(model.keys.tolist()) == whole | {key(" "), key("a"), key(" a"), key("a "), key(" a ")}


def test_many_texts_are_thinned_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(character_classes, "_MOST_TEXTS", 3)
    model = fit_character_classes(["ax", "zz", "bx", "zz", "ax"], np.array([0, 0, 1, 0, 0]), 2)
    assert key("z") not in set(model.keys.tolist())
    assert key("x") in set(model.keys.tolist())


def test_without_a_common_n_gram_it_says_nothing() -> None:
    model = fit_character_classes(["", ""], np.array([0, 1]), 2)
    assert model.logits("anything").tolist() == pytest.approx([0.0, 0.0], abs=1e-3)


def test_the_likeliest_share() -> None:
    expected = np.array([0, 1] * 20)
    right = np.where(np.arange(2) == expected[:, None], 2.0, -2.0)
    noise = np.random.default_rng(1).normal(size=right.shape)
    assert likeliest_share(right, noise, expected, (0.1, 0.5, 1.0))[0] == 1.0
    assert likeliest_share(noise, right, expected, (0.1, 0.5, 1.0))[0] == 0.1
    share, temperature = likeliest_share(right, right, expected, (0.1, 0.5, 1.0))
    assert share == 0.1
    assert temperature == pytest.approx(0.25), "right each time: as sure as can be"
