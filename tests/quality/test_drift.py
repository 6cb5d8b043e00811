"""Drift: statistics beside SciPy and values worked by hand, and loads that did and did not move."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from lingsou.core.types import Product
from lingsou.quality.columns import columns_of
from lingsou.quality.drift import Snapshot, Vectors, VectorSum, compare, ks, ks_chance, mean_distance, psi, snapshot

RNG = np.random.default_rng(5)


def quantiles(values: Any) -> list[float]:
    return list(np.quantile(values, np.linspace(0, 1, 101)))


def load(number: int, seed: int, factor: float = 1.0, **fields: Any) -> Snapshot:
    rng = np.random.default_rng(seed)
    prices, kinds = rng.lognormal(4, 1, number) * factor, rng.integers(0, 8, number)
    products = (
        Product(
            id=str(place),
            title=f"Lamp number {place:05}",
            price=Decimal(f"{prices[place]:.2f}"),
            currency="CNY",
            **({"category": (f"Kind {kinds[place]}",), "brand": f"B{kinds[place] % 3}"} | fields),
        )
        for place in range(number)
    )
    return snapshot(columns_of(enumerate(products, start=1)))


def test_psi_by_hand() -> None:
    old, new = np.array([50.0, 50.0]), np.array([30.0, 10.0])  # .5 .5 and .75 .25
    assert psi(old, new) == pytest.approx(0.25 * np.log(1.5) + -0.25 * np.log(0.5))
    assert psi(old, old * 7) == 0.0
    assert psi(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(2 * (1 - 1e-4) * np.log(1e4))


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.5, 1.0), (2.0, 0.3), (0.0, 3.0)])
def test_ks_agrees_with_scipy(shift: float, scale: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    old, new = RNG.normal(0, 1, 3_000), RNG.normal(shift, scale, 2_000)
    expected = stats.ks_2samp(old, new)
    distance = ks(quantiles(old), quantiles(new))
    assert distance == pytest.approx(expected.statistic, abs=0.012)
    chance = ks_chance(float(expected.statistic), 3_000, 2_000)
    assert chance == pytest.approx(expected.pvalue, abs=0.01)


def test_ks_of_few_values_takes_them_as_jumps() -> None:
    old, new = [1.0] * 50 + [2.0] * 50, [1.0] * 50 + [1.5] * 50
    assert ks(quantiles(old), quantiles(new)) == pytest.approx(0.5, abs=0.011)
    assert ks(quantiles(old), quantiles(old)) == 0.0
    assert ks([], []) == 0.0


def test_the_same_shop_a_day_later_has_not_drifted() -> None:
    assert compare(load(2_000, 1), load(2_000, 2)) == []


def test_a_snapshot_is_small_and_travels_as_json() -> None:
    old = load(2_000, 1)
    written = old.model_dump_json()
    assert len(written) < 12_000
    assert Snapshot.model_validate_json(written) == old


def test_prices_in_cents_are_seen() -> None:
    (finding,) = compare(load(2_000, 1), load(2_000, 2, factor=100))
    assert (finding.field, finding.severity, finding.problem) == ("price", "warning", "numbers have moved")


def test_lost_and_new_categories_currencies_and_rows_are_seen() -> None:
    old = load(2_000, 1)
    assert {each.field for each in compare(old, load(2_000, 2, category=("Other",)))} == {"category"}
    lost = compare(old, load(2_000, 2, category=()))
    assert [(each.field, each.problem) for each in lost] == [("category", "values are missing that were there before")]
    (shrunk,) = compare(old, load(800, 2))
    assert shrunk.evidence == "2,000 rows before, 800 now"
    assert compare(old, load(99, 2)) == []


def test_names_beyond_the_hundred_most_frequent_do_not_look_new() -> None:
    def brands(seed: int) -> Snapshot:
        rng = np.random.default_rng(seed)
        products = [Product(id=str(n), title="x", brand=f"B{rng.integers(0, 1_000)}") for n in range(3_000)]
        return snapshot(columns_of(enumerate(products, start=1)))

    assert compare(brands(1), brands(2)) == []


def summed(vectors: Any, encoder: str = "one") -> Vectors:
    """In two parts, as they stream by."""
    total = VectorSum()
    total.add(vectors[:100].astype(np.float32))
    total.add(vectors[100:])
    profile = total.profile(encoder)
    assert profile is not None
    assert profile.count == len(vectors)
    assert np.allclose(profile.mean, vectors.mean(axis=0), atol=1e-6)
    assert profile.variance == pytest.approx(vectors.var(axis=0).sum(), rel=1e-5)
    return profile


def test_vectors_drift_by_their_means() -> None:
    def vectors(seed: int, shift: float, encoder: str = "one") -> Snapshot:
        rng = np.random.default_rng(seed)
        raw = rng.normal(0, 1, (500, 16)) + np.eye(16)[0] * shift
        products = [Product(id=str(n), title="x") for n in range(500)]
        unit = raw / np.linalg.norm(raw, axis=1, keepdims=True)
        return snapshot(columns_of(enumerate(products, start=1)), summed(unit, encoder))

    assert compare(vectors(1, 0), vectors(2, 0)) == []
    (finding,) = compare(vectors(1, 0), vectors(2, 2))
    assert (finding.field, finding.severity) == ("vectors", "warning")
    assert compare(vectors(1, 0), vectors(2, 2, encoder="another")) == []


def test_mean_distance_is_in_standard_deviations() -> None:
    a = RNG.normal(0, 2, (4_000, 1))
    same, moved = summed(a), summed(a + 2)
    assert mean_distance(same, moved) == pytest.approx(1.0, abs=0.05)
    assert mean_distance(same, same) == 0.0


def told(old: Snapshot, new: Snapshot) -> list[tuple[str, str, str]]:
    return [(each.field, each.severity, each.problem) for each in compare(old, new)]


def test_images_and_attributes_that_vanish_are_missed() -> None:
    bare = load(500, 1)
    shown = load(500, 1, images=("a.jpg", "b.jpg"))
    filled = load(500, 1, attributes={"colour": "red", "size": 4})
    lost = "values are missing that were there before"
    assert told(shown, bare) == [("images", "warning", lost)]
    assert told(filled, bare) == [("attributes", "warning", lost)]
    assert told(bare, bare) == told(shown, shown) == told(filled, filled) == []


def test_what_falls_below_a_value_that_most_had_has_moved() -> None:
    two = load(500, 1, images=("a.jpg", "b.jpg"))
    assert told(two, load(500, 1, images=("a.jpg",))) == [("images", "warning", "numbers have moved")]


def test_prices_that_many_products_share_do_not_look_new() -> None:
    for kinds in (3, 8, 30, 70, 150):
        loads = []
        for seed in (1, 2):
            prices = np.random.default_rng(seed).integers(0, kinds, 3_000)
            products = [Product(id=str(n), title="x", price=Decimal(int(each))) for n, each in enumerate(prices)]
            loads.append(snapshot(columns_of(enumerate(products, start=1))))
        assert compare(*loads) == []
