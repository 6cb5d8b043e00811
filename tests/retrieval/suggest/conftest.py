"""The demo shop's suggestions, built once."""

from collections import Counter

import pytest

from lingsou.demo import generate
from lingsou.retrieval.suggest import ProductTitle, SuggestBuilder, SuggestIndex
from lingsou.text.segment import Segmenter


@pytest.fixture(scope="session")
def demo() -> SuggestIndex:
    """An index over 3,200 demo products, without a search log."""
    products = list(generate(3_200, 7))
    paths = (" > ".join(each.category[:depth]) for each in products for depth in range(1, len(each.category) + 1))
    titles = [
        ProductTitle(each.id, each.title, each.brand, " > ".join(each.category), each.group_id, each.sales or 0)
        for each in products
    ]
    values = Counter(
        value
        for each in products
        for attribute in each.attributes.values()
        for value in (attribute.value if isinstance(attribute.value, tuple) else (attribute.value,))
        if isinstance(value, str)
    )
    return SuggestBuilder(Segmenter()).build(
        titles, Counter(each.brand for each in products), Counter(paths), values.items()
    )
