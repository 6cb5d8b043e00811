"""The generated shop: believable, valid, and the same for everybody."""

import gzip
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from defusedxml import ElementTree

from lingsou.core.types import Product
from lingsou.demo import REFERENCE, category_names, generate, judged_queries, picture, write_shop
from lingsou.demo.generator import ean13, retail_price
from lingsou.demo.pictures import kind_of, shapes
from lingsou.demo.titles import title_case
from lingsou.demo.vocabulary import Vocabulary, vocabulary

_CJK = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def shop() -> list[Product]:
    return list(generate())


@pytest.fixture(scope="module")
def long_stream() -> list[Product]:
    """The beginning of a stream that nobody could hold as a whole."""
    stream = generate(10**9)
    assert isinstance(stream, Iterator)
    return list(itertools.islice(stream, 20_000))


def test_the_default_shop_is_big_and_broad(shop: list[Product]) -> None:
    assert len(shop) == 3200
    assert len({product.category for product in shop}) >= 90
    assert {len(product.category) for product in shop} == {2, 3}
    assert len({product.category[0] for product in shop}) >= 12
    assert len({product.brand for product in shop}) >= 100


def test_languages_have_their_shares(shop: list[Product]) -> None:
    share = {language: count / len(shop) for language, count in Counter(p.language for p in shop).items()}
    assert 0.40 < share["zh"] < 0.50
    assert 0.30 < share["en"] < 0.40
    assert 0.15 < share[""] < 0.25
    assert all(_CJK.search(p.title) for p in shop if p.language != "en")
    assert not any(_CJK.search(p.title + p.description + p.short_description) for p in shop if p.language == "en")
    assert all(_CJK.search(p.title) and re.search("[A-Za-z]{3}", p.title) for p in shop if p.language == "")


def test_every_product_passes_the_schema_and_survives_json(shop: list[Product]) -> None:
    for product in shop:
        assert Product.model_validate_json(product.model_dump_json()) == product


def test_the_same_seed_gives_the_same_products_and_longer_streams_begin_alike() -> None:
    assert list(generate(300)) == list(generate(300)) == list(itertools.islice(generate(500), 300))
    assert list(generate(50, seed=8)) != list(generate(50))


def test_what_is_generated_changes_only_on_purpose() -> None:
    # the judged queries are written for these very products: after a change of the vocabulary,
    # run test_queries, mend the queries that lost their answers, and put the new digest here
    digest = sha256()
    for product in generate(300):
        digest.update(f"{product.id}|{product.title}|{product.price}|{product.stock}|{product.sales}\n".encode())
    assert digest.hexdigest()[:16] == "0b6680ffaff75c6f"


def test_it_streams(long_stream: list[Product], shop: list[Product]) -> None:
    assert len(long_stream) == 20_000
    assert long_stream[: len(shop)] == shop


def test_identifiers_are_unique_and_valid(shop: list[Product]) -> None:
    for values in (
        [p.id for p in shop],
        [p.sku for p in shop],
        [p.ean[0] for p in shop],
        [p.mpn for p in shop if p.mpn],
    ):
        assert len(set(values)) == len(values)
    for product in shop:
        code = product.ean[0]
        assert re.fullmatch(r"29\d{11}", code)
        assert sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(code)) % 10 == 0


def test_check_digit_worked_by_hand() -> None:
    # serial 0, seed 0 → 290000000000: 2·1 + 9·3 = 29, so the check digit is 1
    assert ean13(0, 0) == "2900000000001"


def test_prices_lie_in_the_band_of_their_kind_and_look_like_prices(shop: list[Product]) -> None:
    for product in shop:
        kind = kind_of(product)
        assert kind is not None
        assert product.price is not None
        assert Decimal(str(kind.price[0])) <= product.price <= Decimal(str(kind.price[1])), product.title
        assert product.currency == "CNY"
        assert product.price * 10 == int(product.price * 10), "at most one decimal"


@pytest.mark.parametrize(
    ("amount", "pick", "expected"),
    [
        (7.3, 0.99, 7.9),
        (23.4, 0.3, 23.8),
        (51.0, 0.0, 59),
        (128.0, 0.7, 129.9),
        (1234.0, 0.0, 1299),
        (15_400.0, 0.5, 15_999),
    ],
)
def test_retail_endings(amount: float, pick: float, expected: float) -> None:
    assert retail_price(amount, 1, 20_000, pick) == expected


def test_retail_price_never_leaves_the_band() -> None:
    assert retail_price(198.0, 29, 199, 0.99) <= 199
    assert retail_price(29.0, 29, 199, 0.0) >= 29


def test_figures_are_plausible(shop: list[Product]) -> None:
    assert 0.03 < sum(p.stock == 0 for p in shop) / len(shop) < 0.10
    for product in shop:
        assert product.sales is not None
        assert product.review_count is not None
        assert product.review_count <= product.sales
        assert (product.rating is None) == (product.review_count == 0)
        assert product.created_at is not None
        assert product.updated_at is not None
        assert product.created_at <= product.updated_at <= REFERENCE
    sales = sorted((p.sales or 0 for p in shop), reverse=True)
    assert sum(sales[: len(sales) // 10]) > 0.4 * sum(sales), "a long tail: a tenth of the products sells most"
    better = [p.sales or 0 for p in shop if (p.rating or 0) >= 4.7]
    worse = [p.sales or 0 for p in shop if 0 < (p.rating or 0) < 4.2]
    assert sorted(better)[len(better) // 2] > sorted(worse)[len(worse) // 2]


def test_a_quarter_of_the_products_are_variants_that_differ_in_one_thing(shop: list[Product]) -> None:
    groups: dict[str, list[Product]] = {}
    for product in shop:
        if product.group_id:
            groups.setdefault(product.group_id, []).append(product)
    assert 0.18 < sum(map(len, groups.values())) / len(shop) < 0.32
    for group in list(groups.values())[:-1]:  # the end of the stream may cut the last
        first, *others = group
        assert 2 <= len(group) <= 5
        assert len({p.title for p in group}) == len(group), first.title
        assert {(p.brand, p.category, p.language) for p in others} == {(first.brand, first.category, first.language)}
        assert all(dict(p.attributes) != dict(first.attributes) for p in others)


def test_titles_are_tidy_and_varied(shop: list[Product], long_stream: list[Product]) -> None:
    assert len({p.title for p in shop}) > 0.99 * len(shop)
    for product in shop:
        assert not re.search(r"\s{2}|, ,|,$|[{}]|\bNone\b", product.title + product.short_description), product.title
        assert not re.search(r"\b(\w{4,}) \1\b", product.title), product.title
        assert 6 <= len(product.title) <= 160
        assert "{" not in product.description
        assert len(product.description) > 60
    tokens = {token for p in long_stream for token in re.findall(r"[A-Za-z0-9']+|[\u4e00-\u9fff]{2}", p.title)}
    assert len(tokens) > 5_000


def test_title_case_leaves_units_and_small_words() -> None:
    assert title_case("hook-and-loop shoes for the gym, 20 mm") == "Hook-and-Loop Shoes for the Gym, 20 mm"


def test_attributes_speak_the_language_of_the_title(shop: list[Product]) -> None:
    for product in shop:
        assert {"type", "features", "use"} <= set(product.attributes)
        name = str(product.attributes["type"].value)
        assert bool(_CJK.search(name)) == (product.language != "en")


def test_pictures_are_well_formed_named_and_deterministic(shop: list[Product]) -> None:
    drawn: Counter[str] = Counter()
    for product in shop:
        kind = kind_of(product)
        assert kind is not None
        drawn[kind.shape] += 1
        svg = picture(product)
        root = ElementTree.fromstring(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root[0].text == product.title
    assert set(drawn) == set(shapes()), "every drawing is used, every shape is drawn"
    assert picture(shop[0]) == picture(next(iter(generate(1))))


def test_a_stranger_gets_a_box_and_no_markup_leaks() -> None:
    svg = picture(Product(id="x", title='<script> & "quotes"'))
    assert ElementTree.fromstring(svg)[0].text == '<script> & "quotes"'


def test_category_names_cover_every_path(shop: list[Product]) -> None:
    names = category_names()
    for product in shop:
        chinese = names[product.category]
        assert len(chinese) == len(product.category)
        assert all(_CJK.search(part) for part in chinese)
        assert names[product.category[:1]] == chinese[:1]


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return vocabulary()


def test_vocabulary_is_consistent(words: Vocabulary) -> None:
    for kind in words.kinds:
        assert {"feature", "scene"} <= set(kind.slots), kind.term
        assert len(kind.slots["feature"]) >= 3, kind.term
        assert len(kind.points) >= 1, kind.term
        assert set(kind.axes) <= set(kind.slots)
        for name, terms in kind.slots.items():
            assert name in ("feature", "scene") or name in words.labels, name
            assert len({term.zh for term in terms}) == len(terms), (kind.term, name)
            assert all(term.zh and term.en and not _CJK.search(term.en) for term in terms), (kind.term, name, terms)
        for spec in kind.specs:
            assert spec.name in words.labels
            assert list(spec.values) == sorted(spec.values)
    brands = {brand for pool in words.brands.values() for brand in pool}
    assert len({brand.latin for brand in brands}) == len({brand.name for brand in brands}) == len(brands)
    for pools in words.brands.values():
        assert len(pools) >= 8


def test_kinds_of_one_leaf_have_different_names(words: Vocabulary) -> None:
    for leaf in words.leaves.values():
        assert len({kind.term for kind in leaf.kinds}) == len(leaf.kinds)


def test_write_shop_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_shop(tmp_path / name, products=150)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len(files) == 152
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    with gzip.open(tmp_path / "a" / "products.jsonl.gz", "rt", encoding="utf-8") as lines:
        read = [Product.model_validate_json(line) for line in lines]
    assert [p.id for p in read] == [p.id for p in generate(150)]
    assert read == [Product.model_validate(p.model_dump(exclude_defaults=True)) for p in generate(150)]
    assert all((tmp_path / "a" / p.images[0]).exists() for p in read)
    queries = [json.loads(line) for line in (tmp_path / "a" / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [q["query"] for q in queries] == [q.query for q in judged_queries(read)]
    assert {mark for q in queries for mark in q["grades"].values()} <= {1, 2, 3}
