"""The best path is the best of all paths, and spans are what its tags name."""

import itertools

import numpy as np
import pytest

from lingsou.core.errors import InputError
from lingsou.models.tagger import (
    Chain,
    TaggedSpan,
    best_path,
    bio_chain,
    bio_tags,
    piece_probabilities,
    tagged_spans,
)

TAGS = bio_tags(["brand", "product"])


def brute_force(logits: np.ndarray, chain: Chain) -> tuple[int, ...]:
    def score(path: tuple[int, ...]) -> float:
        steps = sum(chain.transitions[a, b] for a, b in itertools.pairwise(path))
        return float(sum(logits[range(len(path)), path]) + chain.start[path[0]] + chain.end[path[-1]] + steps)

    return max(itertools.product(range(logits.shape[1]), repeat=len(logits)), key=score)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("rules", [False, True])
def test_best_path_is_the_best_of_all(seed: int, rules: bool) -> None:
    random = np.random.default_rng(seed)
    tags = bio_tags(["x"])
    chain = Chain(random.normal(size=3), random.normal(size=3), random.normal(size=(3, 3)))
    chain = chain + bio_chain(tags) if rules else chain
    logits = random.normal(size=(1 + seed % 5, 3))
    assert tuple(best_path(logits, chain)) == brute_force(logits, chain)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("rules", [False, True])
def test_the_probability_of_a_piece_is_that_of_all_paths_through_it(seed: int, rules: bool) -> None:
    random = np.random.default_rng(seed)
    chain = Chain(random.normal(size=3), random.normal(size=3), random.normal(size=(3, 3)))
    chain = chain + bio_chain(bio_tags(["x"])) if rules else chain
    logits = random.normal(size=(1 + seed % 5, 3))
    path = best_path(logits, chain)
    weights = {}
    for each in itertools.product(range(3), repeat=len(logits)):
        steps = sum(chain.transitions[a, b] for a, b in itertools.pairwise(each))
        own = logits[range(len(each)), each].sum()
        weights[each] = np.exp(own + chain.start[each[0]] + chain.end[each[-1]] + steps)
    for first, last in itertools.combinations(range(len(logits) + 1), 2):
        wanted = path[first:last].tolist()
        through = sum(weight for each, weight in weights.items() if list(each[first:last]) == wanted)
        (found,) = piece_probabilities(logits, chain, path, [(first, last)])
        assert found == pytest.approx(through / sum(weights.values()))


def test_a_text_without_tokens_has_an_empty_path() -> None:
    assert best_path(np.empty((0, 5)), bio_chain(TAGS)).tolist() == []


def test_logits_must_fit_the_chain() -> None:
    with pytest.raises(InputError, match="chain of 5 tags"):
        best_path(np.zeros((2, 3)), bio_chain(TAGS))


def test_bio_forbids_to_go_on_from_nothing_and_from_another_kind() -> None:
    assert TAGS == ("O", "B-brand", "I-brand", "B-product", "I-product")
    chain = bio_chain(TAGS)
    assert np.isneginf(chain.start).tolist() == [False, False, True, False, True]
    assert not chain.end.any()
    into_brand = chain.transitions[:, TAGS.index("I-brand")]
    assert np.isneginf(into_brand).tolist() == [True, False, False, True, True]
    assert not np.isneginf(chain.transitions[:, [0, 1, 3]]).any()


def test_the_rules_outvote_the_tokens() -> None:
    """The second token alone would be I-product; after B-brand only I-brand may go on, which comes next."""
    logits = np.array([[0.0, 5, 0, 0, 0], [0.0, 0, 2, 0, 3]])
    assert best_path(logits, bio_chain(TAGS)).tolist() == [1, 2]


def numbers(*tags: str) -> np.ndarray:
    return np.array([TAGS.index(tag) for tag in tags])


def test_spans_join_what_goes_on_and_part_what_begins_anew() -> None:
    text = "耐克跑鞋靴子"
    offsets = np.array([[0, 2], [2, 3], [3, 4], [4, 6]])
    path = numbers("B-brand", "B-product", "I-product", "B-product")
    assert tagged_spans(path, TAGS, offsets, text) == [
        TaggedSpan(0, 2, "brand", 0, 1),
        TaggedSpan(2, 4, "product", 1, 3),
        TaggedSpan(4, 6, "product", 3, 4),
    ]


def test_spans_lose_the_white_space_that_pieces_carry() -> None:
    text = "a nike air  shoe"
    offsets = np.array([[0, 1], [1, 6], [6, 10], [10, 11], [11, 16]])
    path = numbers("O", "B-brand", "I-brand", "I-brand", "B-product")
    assert [(s.start, s.end, text[s.start : s.end]) for s in tagged_spans(path, TAGS, offsets, text)] == [
        (2, 10, "nike air"),
        (12, 16, "shoe"),
    ]
    assert tagged_spans(numbers("B-brand"), TAGS, np.array([[1, 2]]), text) == []


def test_an_inside_tag_after_nothing_begins_a_span() -> None:
    """Independent tags may say so; a wrong first tag is no reason to lose the span."""
    spans = tagged_spans(numbers("I-brand", "I-brand", "I-product"), TAGS, np.array([[0, 1], [1, 2], [2, 3]]), "abc")
    assert [(s.start, s.end, s.kind) for s in spans] == [(0, 2, "brand"), (2, 3, "product")]
