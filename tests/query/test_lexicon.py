"""Which names a lexicon keeps, and how long it takes to build one."""

import time
from itertools import islice

import pytest

from lingsou.demo import generate
from lingsou.query import CatalogLexicon, Understander, Vocabulary, vocabulary_of
from lingsou.query.names import bilingual_parts, brand_names, category_names, head_words
from lingsou.query.tokens import tokenise
from lingsou.text.segment import Segmenter


def surfaces(lexicon: CatalogLexicon, text: str) -> list[str]:
    tokens = tokenise(text, lexicon.segmenter)
    return [text[tokens[m.first].start : tokens[m.last - 1].end] for m in lexicon.find(tokens)]


def test_the_longest_name_wins(lexicon: CatalogLexicon) -> None:
    assert surfaces(lexicon, "天蓝色running shoes") == ["天蓝色", "running shoes"]


def test_a_blocked_token_ends_names(lexicon: CatalogLexicon) -> None:
    tokens = tokenise("running shoes", lexicon.segmenter)
    (match,) = lexicon.find(tokens, frozenset({0}))
    assert (match.first, match.last) == (1, 2)


@pytest.mark.parametrize("text", ["serial 00001 x", "box", "15.6", "with the", "true", "s", "17.3 inch"])
def test_what_names_nothing(lexicon: CatalogLexicon, text: str) -> None:
    assert surfaces(lexicon, text) == []


def test_long_and_rare_values_are_left_out(segmenter: Segmenter) -> None:
    values = {f"rare word{'a' * (n % 50)}{'b' * (n // 50)}": 1 for n in range(2_500)} | {"common": 5_000}
    long = {"a very long value that no shopper would ever type": 9}
    lexicon = CatalogLexicon(Vocabulary({"attributes.a": values, "attributes.b": long}), segmenter)
    assert surfaces(lexicon, "common rare worda a very long value that no shopper would ever type") == ["common"]


def test_names_within_names() -> None:
    assert list(brand_names("岚朵 Landuo")) == ["岚朵", "Landuo"]
    assert list(brand_names("海尔（Haier）")) == ["海尔", "Haier"]
    assert list(brand_names("HP Inc.")) == ["HP"]
    assert list(brand_names("Sony")) == []
    assert list(bilingual_parts("TPU软胶")) == []
    assert list(category_names("Chargers & Power Banks")) == ["Chargers", "Power Banks", "Chargers Banks"]
    assert list(category_names("充电器、移动电源")) == ["充电器", "移动电源"]
    assert list(head_words("Running Shoes")) == ["Shoes"]
    assert list(head_words("Shoes")) == []


def test_tokens_keep_their_places(segmenter: Segmenter) -> None:
    text = "Men's １７寸㎏ Ｔ恤"
    found = tokenise(text, segmenter)
    assert [(t.term, text[t.start : t.end]) for t in found] == [
        ("men", "Men"),
        ("17", "１７"),
        ("寸", "寸"),
        ("kg", "㎏"),
        ("t", "Ｔ"),
        ("恤", "恤"),
    ]


def test_a_large_catalogue_is_ready_soon(segmenter: Segmenter) -> None:
    """5,000 brands, 500 categories, 2,000 attributes with 100,000 values beside a demo shop's own."""
    real = vocabulary_of(islice(generate(2_000), 2_000))
    fields = {name: dict(values) for name, values in real.fields.items()}
    fields["brand"] |= {f"Brand{chr(97 + n % 26)}{n} 牌{n}": 20 for n in range(5_000)}
    fields["category"] |= {f"Root > Group {n % 20} > Things & Parts {n}": 200 for n in range(500)}
    for n in range(2_000):
        fields[f"attributes.extra_{n}"] = {f"value{m} of kind{n}": 3 for m in range(50)}
    start = time.process_time()
    lexicon = CatalogLexicon(Vocabulary(fields, real.numbers), segmenter)
    understander = Understander(lexicon, segmenter, "CNY")
    took = time.process_time() - start
    assert len(lexicon) > 90_000
    assert took < 10, f"{took:.1f} s; 1 s on the machine that this was written on"
    plan = understander.understand("brandc2 value7 of kind1900 under 100")
    assert {e.field for e in plan.entities} == {"brand", "attributes.extra_1900"}


def test_an_empty_catalogue(segmenter: Segmenter) -> None:
    plan = Understander(CatalogLexicon(Vocabulary({}), segmenter), segmenter).understand(
        "不要黑色的鞋 17 inch under 50"
    )
    assert plan.text == "鞋 17 inch"
    assert [(c.field, c.hard) for c in plan.constraints] == [("price", True)]
