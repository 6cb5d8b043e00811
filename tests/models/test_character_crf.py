"""A CRF over characters: its features by hand, alone and in one lattice with an encoder's tokens."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import InputError
from lingsou.models.character_crf import CharacterCrf, Together, features_of
from lingsou.models.tagger import Chain, bio_chain, bio_tags

TAGS = bio_tags(["brand"])
ZERO = Chain(np.zeros(3), np.zeros(3), np.zeros((3, 3)))


def crf(**scores: Sequence[float]) -> CharacterCrf:
    return CharacterCrf.of({name.replace("_", "="): np.array(each) for name, each in scores.items()}, ZERO)


def test_features_of_a_character_name_its_neighbours_and_its_word() -> None:
    found = list(features_of("红 手机"))
    assert {"0=手", "-1=␣", "1=机", "0p=手机", "t=␣手机", "s=␣机", "w=B手机", "pw=B␣", "nw=B⌀", "wp=B"} <= set(found[2])
    assert {"wp=E", "w=E手机"} <= set(found[3])
    assert "wp=S" in found[0]


@given(st.text(max_size=30))
def test_any_text_has_features_for_each_character(text: str) -> None:
    found = list(features_of(text))
    assert len(found) == len(text)
    assert all(not any(char.isspace() for char in name) for own in found for name in own)


def test_scores_add_up() -> None:
    model = crf(w_S红=[0, 1, 0], bias=[0.5, 0, 0], unseen=[9, 9, 9])
    assert model.logits("红").tolist() == [[0.5, 1, 0]]
    assert model.logits("").shape == (0, 3)
    assert CharacterCrf.of({}, ZERO).logits("红").tolist() == [[0, 0, 0]]


def test_it_is_kept_as_arrays() -> None:
    model = crf(bias=[0.5, 0, -2])
    again = CharacterCrf.load(model.arrays())
    assert np.array_equal(again.logits("红"), model.logits("红"))
    with pytest.raises(InputError, match="has no 'keys'"):
        CharacterCrf.load({name: each for name, each in model.arrays().items() if name != "keys"})


def test_alone_it_needs_no_encoder() -> None:
    model = crf(**{"0_耐": (0, 4, 0), "0_克": (0, 0, 4)})
    ((span, chance),) = Together(model, 0.5, TAGS, bio_chain(TAGS)).likely("买耐克", None, None)
    assert (span.start, span.end, span.kind) == (1, 3, "brand")
    # O: e^0; B I: e^4 · e^4; what comes before is O or a brand of its own, alike with and without.
    assert 0.9 < chance < 1


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_a_token_carries_its_further_characters(share: float) -> None:
    """`apple` is one token that is a brand; the CRF says nothing."""
    tokens = np.array([[0, 9.0, 0], [9.0, 0, 0]])
    offsets = np.array([[0, 5], [5, 10]])
    found = Together(crf(), share, TAGS, bio_chain(TAGS)).spans("apple case", tokens, offsets)
    assert found == {(0, 5, "brand")}


def test_the_crf_can_cut_a_token() -> None:
    """One token of three characters is a brand for the encoder; the CRF is sure that the last is none."""
    model = crf(**{"0_的": (20, 0, 0), "0_克": (0, 0, 2)})
    tokens, offsets = np.array([[0, 6.0, 0]]), np.array([[0, 3]])
    assert Together(model, 0.5, TAGS, bio_chain(TAGS)).spans("耐克的", tokens, offsets) == {(0, 2, "brand")}
    assert Together(model, 1.0, TAGS, bio_chain(TAGS)).spans("耐克的", tokens, offsets) == {(0, 3, "brand")}


@pytest.mark.parametrize("seed", range(6))
def test_the_path_and_its_probability_are_those_of_the_whole_lattice(seed: int) -> None:
    """Every path of three characters in two tokens, scored by the definition."""
    rng = np.random.default_rng(seed)
    text, offsets, share = "abc", np.array([[0, 2], [2, 3]]), 0.4
    model = CharacterCrf.of(
        {f"0={char}": rng.normal(size=3) * 2 for char in text},
        Chain(rng.normal(size=3), rng.normal(size=3), rng.normal(size=(3, 3))),
    )
    learned = Chain(rng.normal(size=3), rng.normal(size=3), rng.normal(size=(3, 3)))
    tokens = rng.normal(size=(2, 3)) * 2
    own, rules = model.logits(text), bio_chain(TAGS)

    def score(path: tuple[int, ...]) -> float:
        a, b, c = path
        ours = own[0, a] + own[1, b] + own[2, c] + model.chain.start[a] + model.chain.end[c]
        ours += model.chain.transitions[a, b] + model.chain.transitions[b, c]
        inside = 0.0 if (TAGS[b] == "O" if TAGS[a] == "O" else TAGS[b] == "I-brand") else -5.0
        theirs = tokens[0, a] + tokens[1, c] + learned.start[a] + learned.end[c] + learned.transitions[b, c] + inside
        ruled = rules.start[a] + rules.transitions[a, b] + rules.transitions[b, c]
        return float((1 - share) * ours + share * theirs + ruled)

    paths = {path: score(path) for path in itertools.product(range(3), repeat=3)}
    best = max(paths, key=lambda path: paths[path])
    total = sum(np.exp(value) for value in paths.values())
    found = Together(model, share, TAGS, learned + rules).likely(text, tokens, offsets)
    tags = [TAGS[number] for number in best]
    for span, chance in found:
        assert tags[span.start] == "B-brand"
        through = sum(
            np.exp(value)
            for path, value in paths.items()
            if path[span.first : span.last] == best[span.first : span.last]
        )
        assert chance == pytest.approx(through / total)
    assert len(found) == tags.count("B-brand")
