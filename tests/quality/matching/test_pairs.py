"""Features of pairs, candidates, and the same by brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.core.types import Product
from lingsou.quality.matching.pairs import NAMES, PairFeatures
from lingsou.quality.matching.records import Records, records_of
from lingsou.quality.matching.terms import MEASURES, RAREST, TermSpace, nearest

pytest.importorskip("scipy")

_TEXTS = st.lists(st.text(alphabet="abcd ", max_size=12), min_size=2, max_size=8)


def _records(*titles: str) -> Records:
    return records_of(Product(id=str(number), title=title) for number, title in enumerate(titles))


def test_measures_by_hand() -> None:
    # idf = ln(5 / (1 + df)) + 0.1 over four texts: a 2, b 1, c 1, d 1.
    space = TermSpace(["a b", "a c", "d", ""], str.split)
    rare, common = np.log(5 / 2) + 0.1, np.log(5 / 3) + 0.1
    found = dict(
        zip((*MEASURES, *RAREST), space.compare(np.array([0]), np.array([1]), rarest=True)[0].tolist(), strict=True)
    )
    whole = common + rare
    assert found["cosine"] == pytest.approx(common**2 / (common**2 + rare**2), abs=1e-6)
    assert found["shared-least"] == found["shared-most"] == pytest.approx(common / whole, abs=1e-6)
    assert found["jaccard"] == pytest.approx(common / (whole + rare), abs=1e-6)
    assert found["terms"] == 1
    assert found["lack-least"] == found["lack-most"] == pytest.approx(rare, abs=1e-6)
    assert found["rarest-shared"] == pytest.approx(common, abs=1e-6)
    assert found["rarest-lacking-most"] == pytest.approx(rare, abs=1e-6)
    unknown = space.compare(np.array([0]), np.array([3]))[0]
    assert np.isnan(unknown[MEASURES.index("cosine")])
    assert np.isnan(unknown[MEASURES.index("terms")])


@given(_TEXTS, st.integers(1, 4), st.booleans())
def test_nearest_is_what_brute_force_finds(texts: list[str], k: int, two_sides: bool) -> None:
    units = TermSpace(texts, str.split).units()
    sides = np.arange(len(texts)) % 2 if two_sides else None
    dense = (units @ units.T).toarray()
    np.fill_diagonal(dense, 0)
    if sides is not None:
        dense[sides[:, None] == sides[None, :]] = 0
    found = nearest(units, k, sides)
    for row, own in enumerate(dense):
        expected = np.sort(own[own > 0])[::-1][:k]
        listed = found.records[row][found.records[row] >= 0]
        assert found.cosines[row, : len(listed)] == pytest.approx(expected, abs=1e-5)
        assert own[listed] == pytest.approx(expected, abs=1e-5)


@settings(max_examples=30)
@given(_TEXTS)
def test_the_order_of_two_records_says_nothing(texts: list[str]) -> None:
    records = _records(*(f"x{text}" for text in texts))
    space = PairFeatures(records)
    left, right = np.triu_indices(len(texts), 1)
    assert np.array_equal(space.of(left, right), space.of(right, left), equal_nan=True)


def test_rivals_and_prices_by_hand() -> None:
    products = [
        Product(id="a", title="red kettle steel", price=10),
        Product(id="b", title="red kettle steel", price=20),
        Product(id="c", title="red kettle glass"),
    ]
    space = PairFeatures(records_of(products))
    same, other = space.of(np.array([0, 0]), np.array([1, 2]))
    told = dict(zip(NAMES, same.tolist(), strict=True))
    assert told["title-words.cosine"] == pytest.approx(1)
    assert told["title-words.better-most"] == 0
    assert told["title-words.lead-least"] > 0.3
    assert told["price-ratio"] == pytest.approx(np.log(2))
    assert told["price-missing"] == 0
    told = dict(zip(NAMES, other.tolist(), strict=True))
    assert told["title-words.better-most"] == 1  # `b` is more like `a` than `c` is
    assert told["title-words.lead-least"] < -0.3
    assert np.isnan(told["price-ratio"])
    assert told["price-missing"] == 1


def test_candidates_once_each_across_sources_and_by_number() -> None:
    products = [
        Product(id="a", title="usb hub four ports", ean=("4006381333931",)),
        Product(id="b", title="usb hub four ports black"),
        Product(id="c", title="entirely different words", ean=("04006381333931",)),
    ]
    records = records_of(products)
    pairs = set(zip(*(side.tolist() for side in PairFeatures(records).candidates()), strict=True))
    assert pairs == {(0, 1), (0, 2)}
    apart = PairFeatures(records, np.array([0, 0, 1])).candidates()
    assert set(zip(*(side.tolist() for side in apart), strict=True)) == {(0, 2)}


def test_the_same_text_under_another_title_is_a_candidate() -> None:
    said = "two handles, zip and four wheels"
    products = [
        Product(id="a", title="red trolley", description=said),
        Product(id="b", title="carry bag blue", description=said),
        Product(id="c", title="red trolley case"),
        Product(id="d", title="carry bag blue black"),
    ]
    space = PairFeatures(records_of(products))

    def pairs(of_text: int) -> set[tuple[int, int]]:
        return set(zip(*(side.tolist() for side in space.candidates(1, of_text)), strict=True))

    assert pairs(0) == {(0, 2), (1, 3)}
    assert pairs(1) == {(0, 1), (0, 2), (1, 3)}


def test_no_pairs() -> None:
    nothing = np.zeros(0, np.int64)
    assert PairFeatures(_records("a", "b")).of(nothing, nothing).shape == (0, len(NAMES))
