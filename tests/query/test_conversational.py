"""Long queries as people say them: limits, wishes and refusals out of a whole sentence."""

from typing import Any

import pytest

from lingsou.query import CatalogLexicon, Understander, Vocabulary
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
FIELDS = {
    "category": {"Phones": 50, "Clothing > Dresses": 60, "Clothing > Jackets": 40, "Baby > Baby Bottles": 20},
    "attributes.type": {"羽绒服": 20, "down jacket": 20, "蓝牙耳机": 30, "face wash": 20, "洗面奶": 20, "手机": 40},
    "attributes.audience": {"儿童": 30, "kids": 30, "男士": 40, "men": 40, "女士": 40, "women": 40, "girls": 20,
                            "女童": 20, "老人": 20},
    "attributes.colour": {"黑色": 60, "black": 60},
    "attributes.material": {"玻璃": 30, "glass": 30, "wool": 20},
    "attributes.season": {"冬季": 30, "winter": 30},
    "attributes.use": {"生日礼物": 20, "birthday presents": 20, "通勤": 20, "wedding": 20},
}  # fmt: skip
UNDERSTANDER = Understander(CatalogLexicon(Vocabulary(FIELDS), SEGMENTER), SEGMENTER, "CNY")


@pytest.mark.parametrize(
    ("query", "price", "hard", "named", "text"),
    [
        ("给孩子的生日礼物 200 左右", {"gte": 160, "lte": 240}, False, {"audience", "use"}, "给孩子的生日礼物"),
        ("想给女朋友买一个生日礼物，预算300到500", {"gte": 300, "lte": 500}, True, {"audience", "use"},
         "想给女朋友买一个生日礼物"),
        ("200块左右 送妈妈 护手霜", {"gte": 160, "lte": 240}, False, {"audience"}, "送妈妈 护手霜"),
        ("我想买一件冬天穿的黑色羽绒服 女款 500块以下", {"lte": 500}, True, {"season", "colour", "type", "audience"},
         "我想买一件冬天穿的黑色羽绒服 女款"),
        ("预算三百左右的蓝牙耳机 通勤用", {"gte": 240, "lte": 360}, False, {"type", "use"}, "蓝牙耳机 通勤用"),
        ("birthday present for my daughter around 200", {"gte": 160, "lte": 240}, False, {"audience", "use"},
         "birthday present for my daughter"),
        ("I am looking for a black dress for a wedding under 300", {"lt": 300}, True, {"colour", "use"},
         "I am looking for a black dress for a wedding"),
        ("gift for dad, budget 500", {"lte": 500}, True, {"audience"}, "gift for dad"),
        ("something for winter, not wool, less than 400 yuan", {"lt": 400}, True, {"season"}, "something for winter"),
    ],
)  # fmt: skip
def test_a_sentence_becomes_a_plan(query: str, price: Any, hard: bool, named: set[str], text: str) -> None:
    plan = UNDERSTANDER.understand(query)
    (limit,) = [each for each in plan.constraints if each.field == "price"]
    assert (dict(limit.condition), limit.hard) == (price, hard)
    found = {each.field.removeprefix("attributes.") for each in plan.entities if not each.negated}
    assert named <= found
    assert plan.text.strip(" ,，") == text


def test_whom_a_present_is_for() -> None:
    def audience(query: str) -> set[str]:
        found = UNDERSTANDER.understand(query).entities
        return {value for each in found if each.field == "attributes.audience" for value in each.values}

    assert audience("送女朋友的礼物") == audience("present for my wife") == {"women", "女士"}
    assert audience("给爸爸的礼物") == audience("gift for my father") == {"men", "男士"}
    assert audience("送奶奶") == {"老人"}
    assert "women" not in audience("motherboard")


def test_a_refusal_inside_a_sentence_filters() -> None:
    plan = UNDERSTANDER.understand("宝宝6个月用的奶瓶 不要玻璃的 100以内")
    found = {each.field: dict(each.condition) for each in plan.constraints if each.hard}
    assert found == {"attributes.material": {"not": ["玻璃", "glass"]}, "price": {"lte": 100}}
