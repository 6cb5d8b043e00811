"""The checks `title`, `language`, `boilerplate` and `words`, on cases worked by hand."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lingsou.core.errors import ConfigurationError
from lingsou.core.types import Product
from lingsou.quality.check import Check, Finding
from lingsou.quality.checks.boilerplate import BoilerplateCheck
from lingsou.quality.checks.language import LanguageCheck, language_of
from lingsou.quality.checks.title import TitleCheck
from lingsou.quality.checks.words import WordsCheck, read_words
from lingsou.quality.frequent import Frequent


def found(check: Check, products: Iterable[Product]) -> list[Finding]:
    for row, product in enumerate(products, start=1):
        check.observe(row, product)
    return check.finish()


def titled(*titles: str, **fields: Any) -> list[Product]:
    return [Product(id=f"P{number}", title=title, **fields) for number, title in enumerate(titles)]


def problems(check: Check, *titles: str, **fields: Any) -> list[str]:
    return [finding.problem for finding in found(check, titled(*titles, **fields))]


STUFFED = "the title repeats its words"


@pytest.mark.parametrize(
    ("title", "problem"),
    [
        ("Pump, air pump | bicycle PUMP for car (pump)", STUFFED),
        ("苹果手机壳 新款手机壳 防摔手机壳", STUFFED),
        ("x" * 201, "the title is far too long"),
        ("红" * 51 + "色绿蓝白黑" * 10, "the title is far too long"),
        ("HURRY UP AND BUY THIS FINE LAMP", "the title is in capitals"),
        ("Lamp ★ bright", "decorations in the title"),
        ("Lamp, bright!!", "decorations in the title"),
        ("【正品】保温杯", "decorations in the title"),
        ("X-200 44", "the title names no product"),
        ("Brida BR-500A", "the title names no product"),
    ],
)
def test_a_bad_title_is_told(title: str, problem: str) -> None:
    assert problem in problems(TitleCheck(), title, brand="Brida")


@pytest.mark.parametrize(
    "title",
    [
        "Filter for coffee machine, paper filter and filter holder",  # three times is usual for compatible goods
        "Cable 1 m and 2 m and 3 m and 4 m and 5 m",  # small words and numbers may repeat
        "哈哈镜 保温杯 500ml",
        "书",
        "NIKE Air running shoes",
        "Really a lamp!",
        "Wi-Fi 6E router",
        "x" * 200,
    ],
)
def test_a_good_title_passes(title: str) -> None:
    assert problems(TitleCheck(), title) == []


def test_titles_of_a_shop_in_capitals_are_one_finding() -> None:
    check = TitleCheck()
    findings = found(check, titled(*[f"STAINLESS BOTTLE NUMBER {number}" for number in range(100)]))
    assert [(each.problem, each.row) for each in findings] == [("titles of the shop are in capitals", None)]
    assert sum(check.counts().values()) == 100


def test_the_brand_is_missed_only_where_most_titles_have_it() -> None:
    usual = [f"Nor-da lamp number {number}" for number in range(99)]
    (finding,) = found(TitleCheck(), titled(*usual, "Desk lamp, white", brand="Norda"))
    assert finding.problem == "the title lacks the brand, which most titles have"
    assert finding.row == 100
    half = [f"Norda lamp {number}" if number % 2 else f"Desk lamp {number}" for number in range(200)]
    assert found(TitleCheck(), titled(*half, brand="Norda")) == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("This is the bottle that you take with you on the way", "en"),
        ("Die Flasche ist für den Weg und die Reise mit dem Rad", "de"),
        ("La bouteille est pour les enfants avec des motifs et une anse", "fr"),
        ("Stainless steel vacuum bottle 500 ml", "la"),
        ("不锈钢保温杯便携大容量", "zh"),
        ("ステンレスの水筒、保温と保冷に", "ja"),
        ("스테인리스 보온병 대용량 휴대용", "ko"),
        ("Термос из нержавеющей стали", "ru"),
        ("Lamp", ""),
        ("不锈钢 vacuum bottle for the road 保温杯便携", ""),
        ("12 34 56 78 90", ""),
        ("", ""),
    ],
)
def test_languages_are_told_apart(text: str, language: str) -> None:
    assert language_of(text) == language


def test_the_declared_language_is_held_against_the_text_at_once() -> None:
    told: list[Finding] = []
    check = LanguageCheck(sink=told.append)
    check.observe(1, Product(id="1", title="不锈钢保温杯便携大容量", language="en-GB"))
    check.observe(2, Product(id="2", title="不锈钢保温杯便携大容量", language="zh-CN"))
    check.observe(3, Product(id="3", title="Stainless steel vacuum bottle", language="de"))
    check.observe(4, Product(id="4", title="Stainless steel vacuum bottle", language="zh"))
    assert [(each.row, each.evidence.partition(":")[0]) for each in told] == [
        (1, "declared en, reads as zh"),
        (4, "declared zh, reads as la"),
    ]


def test_the_odd_one_out_is_told_and_a_bilingual_shop_is_not() -> None:
    chinese = titled(*[f"不锈钢保温杯便携大容量 {number}" for number in range(120)])
    odd = Product(id="odd", title="Stainless steel vacuum bottle, large")
    (finding,) = found(LanguageCheck(), [*chinese, odd])
    assert (finding.row, finding.field) == (121, "title")
    english = titled(*[f"Stainless steel bottle number {number}" for number in range(120)])
    assert found(LanguageCheck(), [*chinese, *english]) == []
    # Latin letters that tell no language are those of the shop's own.
    assert found(LanguageCheck(), [*english, Product(id="e", title="The bottle for you and for the kids")]) == []


def test_a_sentence_of_many_descriptions_is_told_once() -> None:
    terms = "We ship within two days of your order to any address"
    products = [
        Product(
            id=str(number), title="x", description=f"Bottle number {number} of this series of ours. {terms}. {terms}!"
        )
        for number in range(100)
    ]
    (finding,) = found(BoilerplateCheck(), products)
    assert finding.evidence == f"100 of 100: {terms}"
    assert found(BoilerplateCheck(), products[:99]) == []
    chinese = "本店所有商品均支持七天无理由退换货服务"
    products = [Product(id=str(n), title="x", description=f"第{n}款。{chinese}。") for n in range(100)]
    assert [each.evidence for each in found(BoilerplateCheck(), products)] == [f"100 of 100: {chinese}"]


def test_frequent_keys_survive_the_bound_and_are_never_overcounted() -> None:
    counts = Frequent(most=50)
    for number in range(10_000):
        counts.add(-1 if number % 4 == 0 else number)
    ((key, count), *_) = counts.at_least(1_000)
    assert key == -1
    assert 2_500 - counts.lost <= count <= 2_500
    exact = Frequent(most=50)
    for number in range(100):
        exact.add(number % 10)
    assert exact.at_least(10) == [(number, 10) for number in range(10)]
    assert exact.lost == 0


def test_starter_words_are_found_whole_and_only_whole() -> None:
    for word in read_words():
        findings = found(WordsCheck(), titled(f"x，{word.text}。"))
        assert (word.severity, f"“{word.text}” in: x，{word.text}。") in {(e.severity, e.evidence) for e in findings}
    innocent = (
        "出口交货 快",
        "消毒品牌 湿巾",
        "黄色连衣裙",
        "高仿真花",
        "手枪支架",
        "Scunthorpe, fire retardant",
        "Porno is no word here",
        "fake-looking ID card",
    )
    assert found(WordsCheck(), titled(*innocent)) == []


def test_words_are_found_in_any_field_but_codes() -> None:
    product = Product(id="porn", title="x", sku="porn", tags=("Porn",), attributes={"关键词": "精仿 手表"})
    findings = found(WordsCheck(), [product])
    assert [(each.field, each.severity) for each in findings] == [("tags", "warning"), ("attributes.关键词", "warning")]


def test_the_shop_adds_words_and_takes_some_out(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("# ours\nerror\tcompetitor\tAcme  Shop\noff\tfraud\t高仿\ninfo\tplace\tçeşme\n", encoding="utf-8")
    findings = found(WordsCheck(own=own), titled("As sold by ACME-shop", "高仿 手表", "ACME works, shop", "Lamp Çeşme"))
    assert [(each.row, each.problem) for each in findings] == [
        (1, "a word of the list: competitor"),
        (4, "a word of the list: place"),
    ]


@given(st.text(alphabet="aAbé 中国-_", max_size=12))
@example("ab-a")
@example("aba ab a")
@example("中国a b")
def test_the_screen_hides_no_word(tmp_path_factory: pytest.TempPathFactory, title: str) -> None:
    own = tmp_path_factory.getbasetemp() / "overlapping.txt"
    own.write_text("".join(f"info\tkind {word}\t{word}\n" for word in ("a ab", "ab a", "ab", "b", "é", "中国", "国")))
    screened, all_seen = WordsCheck(own=own), WordsCheck(own=own)
    all_seen._may_hold = lambda text: True  # type: ignore[method-assign]
    products = titled(f"x {title}")
    assert found(screened, products) == found(all_seen, products)


@pytest.mark.parametrize("line", ["error\tonly two", "grave\tfraud\tx", "error\tfraud\t", "error\tfraud\t!!"])
def test_a_bad_list_is_refused(tmp_path: Path, line: str) -> None:
    own = tmp_path / "own.txt"
    own.write_text(f"# ours\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"own\.txt, line 2"):
        WordsCheck(own=own)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        WordsCheck(own=tmp_path / "none.txt")


def test_the_sentences_shown_are_the_first_in_every_process() -> None:
    terms = [f"We ship parcels of kind {letter} within two days to any address" for letter in "hgfedcba"]
    products = [Product(id=str(number), title="x", description=". ".join(terms)) for number in range(100)]
    shown = [each.evidence for each in found(BoilerplateCheck(examples=3), products)]
    assert shown == [f"100 of 100: {each}" for each in terms[:3]]


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("ja", "日本製折畳傘紳士用"),
        ("yue", "不鏽鋼保溫杯便攜大容量"),
        ("cmn-Hant-TW", "不鏽鋼保溫杯便攜大容量"),
        ("zh_CN", "不锈钢保温杯便携大容量"),
        ("mn", "Зэвэрдэггүй ган халуун сав"),
        ("ky-KG", "Дат баспас болоттон жасалган термос"),
        ("ckb", "ترمسی پۆڵای ژەنگ نەگر"),
        ("gsw", "Die Flasche ist für den Weg und die Reise mit dem Rad"),
        ("fil", "Ang bote para sa iyo at sa mga bata"),
    ],
)
def test_a_language_is_not_held_against_the_script_it_is_written_in(language: str, title: str) -> None:
    assert problems(LanguageCheck(), title, language=language) == []


@pytest.mark.parametrize("language", ["yue", "ko", "ar", "mn"])
def test_a_known_language_is_held_against_another_script(language: str) -> None:
    (problem,) = problems(LanguageCheck(), "This is the bottle that you take with you on the way", language=language)
    assert problem == "text is not in the declared language"
