import random
from pathlib import Path

import numpy as np
import pytest

from lingsou.core.errors import ConfigurationError, NotFoundError
from lingsou.encoders.calibration import (
    GROUPS,
    PRIOR_WEIGHT,
    Centring,
    fit_centring,
    group_of,
    phrases_of,
    principal_axes,
    short_cut,
)
from lingsou.encoders.runtime import OnnxEncoder
from lingsou.testing.encoder import HashEncoder

TITLES = [*phrases_of("zh")[:30], *phrases_of("en")[:30], "12345"]


@pytest.fixture(scope="module")
def fitted() -> Centring:
    encoder = HashEncoder()
    return fit_centring(encoder, TITLES, encoder.encode_documents(TITLES))


def toy() -> Centring:
    means = {group: np.zeros(2, np.float32) for group in GROUPS}
    return Centring("toy", {**means, "zh": np.array([0.6, 0.0], np.float32)}, means)


@pytest.mark.parametrize(
    ("text", "group"),
    [("无线鼠标", "zh"), ("wireless mouse", "en"), ("苹果手机 iPhone case", "zh"), ("123", "other"), ("", "other")],
)
def test_groups(text: str, group: str) -> None:
    assert group_of(text) == group


def test_centring_by_hand() -> None:
    """(0.6, 0.8) less (0.6, 0) points straight up; the mean itself has no direction left and stays."""
    vectors = np.array([[0.6, 0.8], [0.6, 0.8], [0.6, 0.0]], np.float32)
    found = toy().apply(vectors, ["zh", "en", "zh"], "document")
    assert np.allclose(found, np.array([[0, 1], [0.6, 0.8], [0.6, 0]]))
    assert np.allclose(toy().apply(vectors[:2], ["zh", "zh"], "query"), vectors[:2])
    assert toy().apply(vectors[:0], [], "query").shape == (0, 2)


def test_principal_axes_by_hand() -> None:
    """Vectors along (3, 4) / 5, and shorter ones across: the first axis is (.6, .8), the second (.8, -.6)."""
    vectors = np.array([[3, 4], [-3, -4], [0.8, -0.6]], np.float32)
    axes = principal_axes(vectors)
    assert np.allclose(np.abs(axes), [[0.6, 0.8], [0.8, 0.6]])
    assert np.allclose(axes[:, 0], [0.6, 0.8])
    turned = Centring("toy", toy().queries, toy().queries, axes).apply(vectors[:1] / np.float32(5), ["en"], "document")
    assert np.allclose(turned, [[1, 0]], atol=1e-6)


def test_turning_changes_no_dot_product_and_a_row_is_the_same_alone(fitted: Centring) -> None:
    vectors = HashEncoder().encode_documents(TITLES[:20])
    groups = [group_of(title) for title in TITLES[:20]]
    turned = fitted.apply(vectors, groups, "document")
    plain = Centring(fitted.encoder, fitted.documents, fitted.queries).apply(vectors, groups, "document")
    assert np.allclose(turned @ turned.T, plain @ plain.T, atol=1e-5)
    assert np.allclose(fitted.apply(vectors[:1], groups[:1], "document"), turned[:1], atol=1e-6)
    energy = np.square(fitted.apply(HashEncoder().encode_documents(TITLES), list(map(group_of, TITLES)), "document"))
    assert np.all(np.diff(energy.sum(axis=0)) <= 1e-4)


def test_vectors_and_groups_must_fit() -> None:
    with pytest.raises(ConfigurationError, match="do not fit"):
        toy().apply(np.zeros((1, 3), np.float32), ["zh"], "query")
    with pytest.raises(ConfigurationError, match="do not fit"):
        toy().apply(np.zeros((1, 2), np.float32), ["zh", "en"], "query")
    with pytest.raises(ConfigurationError, match="differ in number"):
        fit_centring(HashEncoder(), ["a"], np.zeros((2, 64), np.float32))


def test_means_are_those_of_the_catalogue_and_the_phrases(fitted: Centring) -> None:
    """Thirty Chinese titles and the phrases, which weigh as much as twenty."""
    encoder = HashEncoder()
    own = encoder.encode_documents(TITLES[:30]).sum(axis=0)
    prior = encoder.encode_documents(phrases_of("zh")).mean(axis=0)
    assert np.allclose(fitted.documents["zh"], (own + PRIOR_WEIGHT * prior) / (30 + PRIOR_WEIGHT), atol=1e-6)


def test_fitting_is_deterministic_and_encodes_no_document_again(fitted: Centring) -> None:
    encoder = HashEncoder()
    vectors = encoder.encode_documents(TITLES)
    before = encoder.encoded
    again = fit_centring(encoder, TITLES, vectors)
    assert encoder.encoded - before == len(phrases_of("zh")) + len(phrases_of("en"))
    for group in GROUPS:
        assert np.array_equal(again.documents[group], fitted.documents[group])
        assert np.array_equal(again.queries[group], fitted.queries[group])


def test_an_empty_catalogue_leans_on_the_phrases() -> None:
    encoder = HashEncoder()
    found = fit_centring(encoder, [], encoder.encode_documents([]))
    middle = (found.documents["zh"] + found.documents["en"]) / 2
    assert np.allclose(found.documents["other"], middle, atol=1e-6)


def test_saved_and_loaded(fitted: Centring, tmp_path: Path) -> None:
    path = tmp_path / "means.safetensors"
    fitted.save(path)
    first = path.read_bytes()
    loaded = Centring.load(path, encoder=fitted.encoder)
    loaded.save(path)
    assert path.read_bytes() == first
    assert sorted(tmp_path.iterdir()) == [path]
    for group in GROUPS:
        assert np.array_equal(loaded.documents[group], fitted.documents[group])
        assert np.array_equal(loaded.queries[group], fitted.queries[group])
    with pytest.raises(ValueError, match="read-only"):
        loaded.queries["zh"][0] = 1


def test_wrong_files_are_refused(fitted: Centring, tmp_path: Path) -> None:
    path = tmp_path / "means.safetensors"
    with pytest.raises(NotFoundError, match="no means"):
        Centring.load(path)
    fitted.save(path)
    with pytest.raises(ConfigurationError, match="another encoder"):
        Centring.load(path, encoder="other")
    data = path.read_bytes()
    for damaged in (b"", b"nonsense", data[: len(data) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(ConfigurationError, match="does not hold means"):
            Centring.load(path)


def test_cuts_are_about_three_tokens() -> None:
    """Three words, or three pairs of Chinese characters, wherever they lie; a short title stays whole."""
    choose = random.Random(0)
    seen = {short_cut("black leather wallet for men", choose) for _ in range(50)}
    assert seen == {"black leather wallet", "leather wallet for", "wallet for men"}
    assert {len(short_cut("男士真皮钱包短款驾驶证卡包", choose)) for _ in range(50)} <= {5, 6}
    assert short_cut("mouse", choose) == "mouse"
    assert short_cut("!!!", choose) == "!!!"
    assert short_cut("", choose) == ""


def test_e5_finds_across_languages(e5: OnnxEncoder) -> None:
    """Raw, a Chinese query prefers any Chinese product; centred, it finds the English one it means."""
    titles = [*phrases_of("zh"), *phrases_of("en")]
    documents = e5.encode_documents(titles)
    groups = [group_of(title) for title in titles]
    centring = fit_centring(e5, titles, documents, sample=100)
    wanted = {
        "显示器": "27 inch",
        "记忆棉枕头": "Memory foam",
        "猫粮": "Dry cat food",
        "行李箱": "Carry-on",
        "咖啡豆": "Medium roast",
    }
    queries = e5.encode_queries(list(wanted))
    centred = centring.apply(queries, ["zh"] * len(wanted), "query") @ centring.apply(documents, groups, "document").T
    raw = queries @ documents.T
    for row, start in enumerate(wanted.values()):
        target = next(place for place, title in enumerate(titles) if title.startswith(start))
        rank = int((centred[row] > centred[row, target]).sum())
        assert rank <= 2, start
        assert rank < int((raw[row] > raw[row, target]).sum()), start


def test_there_are_phrases() -> None:
    for group in ("zh", "en"):
        phrases = phrases_of(group)
        assert len(phrases) == len(set(phrases)) == 50
        assert {group_of(phrase) for phrase in phrases} == {group}
