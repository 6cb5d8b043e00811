"""Clusters that no contradiction joins, and merged records."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.types import Product
from lingsou.quality.matching.clusters import clusters, golden_record
from lingsou.quality.matching.records import records_of

_PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.floats(0, 1)), max_size=15)


def _joined(products: list[Product], pairs: list[tuple[int, int, float]], threshold: float = 0.5) -> list[int]:
    left, right, chances = (np.array(column) for column in zip(*pairs, strict=True))
    found: list[int] = clusters(records_of(products), left, right, chances, threshold).tolist()
    return found


def test_likely_pairs_first_and_contradictions_apart() -> None:
    # The second is like the first and the third, whose model numbers differ: it goes to the likelier one.
    products = [
        Product(id="a", title="drill", brand="Acme", mpn="X-100"),
        Product(id="b", title="drill"),
        Product(id="c", title="drill", brand="ACME", mpn="x200"),
        Product(id="d", title="drill", brand="Other", mpn="x200"),
    ]
    assert _joined(products, [(0, 1, 0.8), (1, 2, 0.9), (0, 2, 0.99), (2, 3, 0.4)]) == [0, 1, 1, 3]
    # Numbers of two makers do not contradict each other.
    assert _joined(products, [(2, 3, 0.6)]) == [0, 1, 2, 2]


def test_trade_item_numbers_contradict() -> None:
    one, other = "4006381333931", "036000291452"
    products = [Product(id=str(n), title="t", ean=ean) for n, ean in enumerate([(one,), (other,), (one, other), ()])]
    assert _joined(products, [(0, 1, 0.99)]) == [0, 1, 2, 3]
    # One record with both numbers joins them: the shop itself says that they are one product.
    assert _joined(products, [(0, 2, 0.9), (1, 2, 0.8), (1, 3, 0.7)]) == [0, 0, 0, 0]


@given(_PAIRS, st.lists(st.sampled_from(["", "m-1", "m-2"]), min_size=6, max_size=6))
def test_no_cluster_has_two_model_numbers(pairs: list[tuple[int, int, float]], mpns: list[str]) -> None:
    products = [Product(id=str(n), title="t", brand="b", mpn=mpn) for n, mpn in enumerate(mpns)]
    found = _joined(products, pairs) if pairs else list(range(6))
    for name in set(found):
        members = [row for row in range(6) if found[row] == name]
        assert len({mpns[row] for row in members} - {""}) <= 1
        assert name == min(members)


def test_merged_record_and_where_it_came_from() -> None:
    full = Product(
        id="full",
        title="Kettle K1",
        short_description="A kettle.",
        description="Boils.",
        ean=("4006381333931",),
        attributes={"colour": "red", "volume": "1 l"},
    )
    second = Product(id="b", title="Kettle", brand="Acme", price=20, currency="EUR", attributes={"colour": "black"})
    third = Product(id="c", title="K", currency="CNY", ean=("036000291452",), attributes={"colour": "black"})
    merged = golden_record([third, second, full])
    assert merged.product.id == "full"
    assert merged.product.title == "Kettle K1"
    assert merged.product.brand == "Acme"
    assert merged.product.price == second.price
    assert merged.product.currency == "EUR"
    assert merged.product.ean == ("4006381333931", "036000291452")
    assert merged.product.attributes["colour"] == second.attributes["colour"]
    assert merged.product.attributes["volume"] == full.attributes["volume"]
    assert merged.provenance["brand"] == merged.provenance["price"] == merged.provenance["currency"] == "b"
    assert merged.provenance["attributes.colour"] == "b"
    assert merged.provenance["title"] == "full"
    assert golden_record([second]).product == second
