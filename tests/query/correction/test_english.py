"""Misspelt English queries over a small shop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.query.correction import Correctors, EnglishCorrector, ShopWords, build_correctors, corrected
from lingsou.query.correction.shop import EnglishWords
from lingsou.text.segment import Segmenter

TITLES = [
    f"{brand} {thing}"
    for brand in ("Zorvex", "Quillon", "Umbra", "Plaintree")
    for thing in (
        "wireless mouse for laptop", "wireless keyboard with backlight", "mechanical keyboard", "bluetooth headphones",
        "noise cancelling headphones", "running shoes for women", "running shoes for men", "waterproof hiking boots",
        "stainless steel water bottle 500 ml", "phone case with stand", "leather phone case", "desk lamp",
        "black cotton shirt", "black leather belt", "Rust-Guard metal paint", "dish washer cleaner",
    )
]  # fmt: skip
VALUES = {"brand": {"Zorvex": 16, "Quillon": 16, "Keybord": 1}, "category": {"Shoes > Hiking Boots": 4}}


@pytest.fixture(scope="module")
def correctors() -> Correctors:
    return build_correctors(ShopWords(TITLES, VALUES), Segmenter())


def made(correctors: Correctors, query: str) -> str:
    """The query with the corrections that are made at once."""
    return corrected(query, [each for each in correctors.correct(query) if each.applied])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("runing shoes", "running shoes"),
        ("wireles mouse", "wireless mouse"),
        ("blutooth hedphones", "bluetooth headphones"),
        ("mechancal keyboard", "mechanical keyboard"),
        ("stainles steel water botle", "stainless steel water bottle"),
        ("waterproff hiking boots", "waterproof hiking boots"),
        ("lether phone case", "leather phone case"),
        ("phonecase with stand", "phone case with stand"),
        ("Runing Shoes", "Running Shoes"),
        ("BLACK LETHER BELT", "BLACK LEATHER BELT"),
    ],
)
def test_errors_are_corrected_at_once(correctors: Correctors, typed: str, meant: str) -> None:
    assert made(correctors, typed) == meant


@pytest.mark.parametrize(
    "query",
    [
        "running shoes", "desk lamp", "lamp", "women", "rustguard paint", "Keybord", "zorvex mouse", "EX-VS452 toner",
        "water bottle 500ml", "15.6in laptop", "someone@example.com", "www.wirless.example", "keybord:black",
        "黑色 跑步鞋", "", " ", "-", "'", "a", "500 ml",
    ],
)  # fmt: skip
def test_clean_queries_brands_and_codes_stay(correctors: Correctors, query: str) -> None:
    assert correctors.correct(query) == ()


@pytest.mark.parametrize("query", ["lichen", "a sextant", "marimba stand", "gauze"])
def test_valid_words_that_the_shop_has_not_stay(correctors: Correctors, query: str) -> None:
    assert made(correctors, query) == query


def test_a_correction_says_where_what_and_how_sure(correctors: Correctors) -> None:
    (found,) = correctors.correct("black  leathr belt")
    assert (found.start, found.end, found.surface) == (7, 13, "leathr")
    assert (found.replacement, found.source, found.applied) == ("leather", "spelling", True)
    assert 0.5 < found.confidence <= 1


def test_sources_name_the_kind_of_error(correctors: Correctors) -> None:
    queries = ("runnimg shoes", "kotton shirt", "phonecase stand", "blak belt")
    sources = [correctors.correct(query)[0].source for query in queries]
    assert sources == ["keyboard", "sound", "split", "spelling"]


def test_closed_pieces_stay(correctors: Correctors) -> None:
    assert correctors.correct("runing shoes", [(0, 6)]) == ()


def test_places_are_of_the_query_as_it_was_typed(correctors: Correctors) -> None:
    query = "ﬁne ＲＵＮＩＮＧ shoes"
    for each in correctors.correct(query):
        assert query[each.start : each.end] == each.surface


def test_searches_teach_company_and_never_spelling() -> None:
    """A misspelling that many searched for is no word of the shop."""
    words = EnglishWords(ShopWords(["red lamp", "red shade"], queries=[("lamp shade", 60), ("lmap", 40)]), Segmenter())
    assert "lmap" not in words.place
    assert words.pair_count(words.place["lamp"], words.place["shade"]) == 60
    assert words.asked_for("lmap") == 4_000  # of ten thousand


def test_words_of_the_index_are_known_by_their_stems() -> None:
    """What stands in descriptions alone comes as index terms."""
    words = EnglishWords(ShopWords(["red lamp"], terms={"gizmotron": 7, "lamp": 3}), Segmenter())
    assert (words.stem_count("gizmotrons"), words.stem_count("lamps"), words.stem_count("lmaps")) == (7, 3, 0)


def test_a_word_of_descriptions_alone_stays() -> None:
    """`crimsen` is a colour by its maker's spelling; without its index term it would be taken for an error."""
    titles = [*TITLES, *("crimson shirt",) * 9]
    assert made(build_correctors(ShopWords(titles), Segmenter()), "crimsen shirt") == "crimson shirt"
    known = build_correctors(ShopWords(titles, terms={"crimsen": 30}), Segmenter())
    assert made(known, "crimsen shirt") == "crimsen shirt"


def test_titles_of_one_word_have_no_pairs() -> None:
    correctors = build_correctors(ShopWords(["keyboard"] * 20 + ["lamp"] * 20), Segmenter())
    assert made(correctors, "keybaord lamp") == "keyboard lamp"


def test_an_empty_shop_corrects_nothing_wrongly() -> None:
    assert build_correctors(ShopWords(), Segmenter()).correct("zzyzx qwv") == ()


def test_without_the_general_list_it_still_corrects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lingsou.query.correction.shop.general_words", dict)
    corrector = EnglishCorrector(EnglishWords(ShopWords(TITLES), Segmenter()))
    assert corrected("wireles mouse", corrector.correct("wireles mouse")) == "wireless mouse"


@given(st.text(max_size=60))
def test_any_text_is_read_and_spans_are_right(correctors: Correctors, query: str) -> None:
    place = 0
    for each in correctors.correct(query):
        assert query[each.start : each.end] == each.surface
        assert each.start >= place
        place = each.end
