"""Mojibake is found; genuine text of any language is not."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.types import Product
from lingsou.quality.check import Edit, Finding
from lingsou.quality.checks.encoding import EncodingCheck
from lingsou.quality.mojibake import misread, suspicious


def found(title: str, **fields: Any) -> list[Finding]:
    check = EncodingCheck()
    check.observe(1, Product(id="p", title=title, **fields))
    return check.finish()


def spoiled(text: str, true: str, taken_for: str) -> str:
    return text.encode(true).decode(taken_for)


GENUINE = [
    # rare characters in names, chemistry, fish, herbs, tools, places
    "杨犇 骉 猋 鱻 羴 淼焱垚 喆 堃 璟玥 翀 祎 昶 赟 锟铻剑 李锟",
    "锂 锶 锇 镥 铼 钇 铌 钽 锗 氘氚氕 氡 烷烃 羟基 醛酮 巯基 嘌呤 噻吩",
    "鳜鱼 鲅鱼 鲳鳊 鲟鳇 鳗鲡 鲥鮰 鲍翅 魟鱼 鳕 鲭 鲑 鲻",
    "茯苓 菖蒲 麝香 葶苈子 薤白 蒺藜 藁本 荜茇 芡实 薏苡 藿香 辣蓼 山柰 苁蓉",
    "木工锛子 铁锹 錾子 镊子 镗刀 铣刀 铰刀 钹 铙 箜篌 筚篥 埙 笙",
    "鄱阳 亳州 邛崃 睢县 宕昌 歙砚 婺源 盱眙 郴州 儋州 甪直 洣水 瀍河",
    "紫檀绦环 绛红 缂丝 缬 绉纱 綉 緞 紈 浣熊 纭 缥缈 铠甲 饕餮 麒麟 貔貅 魑魅",
    "金鐧 一對 銅鐧",
    "璐歌（lougge）旗舰店",
    "嬿婉 媃 瑄 琋 鎏金 鑫淼 祺祯 禛 瓅",
    # traditional Chinese, Cantonese, Japanese, Korean
    "電腦週邊 滑鼠墊 繁體中文 鍵盤 瀏覽器 鐘錶 鑰匙 罐頭 蠟燭",
    "嘅 咗 唔 嚟 冚 嘢 啲 攞",
    "サントリー 梅酒 化粧水 美容液 しっとり",
    "한국 화장품 미샤",
    # European and other scripts, symbols, emoji, text faces
    "Café crème brûlée à la façon",
    "Müller Straße Ærø Øresund Łódź Čeština Ñandú",
    "Привет мир, чёрный чай",
    "Ελληνικά ελαιόλαδο",
    "עברית \u200fשלום",
    "فارسی می‌خواهم",
    "ภาษาไทย\u200bสวย",
    "हिन्दी क्‍ष",
    "“quoted” – it’s 20×30 cm ±2 °C ≤ 5 µm ™ ® © № ½ ¼ … · § ¶",
    "❤️ 👨‍👩‍👧 🏳️‍🌈 ✨",
    "(´･ω･`) ¯\\_(ツ)_/¯ ಠ_ಠ ╯°□°）╯",
    "价格：¥199～¥299，【包邮】『新品』「限量」",
    "多年····希望",
    "A款×2 B款×3 5℃～30℃",
    "Really??? Yes, really???",
    "尺寸?颜色?",
    "免烫衬衫 烫烫",
    "Type-C接口 LED灯 ins帽xl 3D立体 diy茅台x",
    # one Chinese word in an English title, whose character could be a sign that was misread
    "SD Card 128GB 2枚",
    "Hello Kitty 猫 Plush Toy",
    "Wool 毛 Knitting Yarn 100g",
    "Straw hat 帽 for women",
    "Bus model 路 with lights",
    "Digestive enzyme 酶 60 capsules",
    "Poster of the river 渭 and its valley",
    "Puma猫 T-Shirt 小 for women",
    "Braised duck wings 卤 500g snack",
    "Shop路 Sign 小 wooden board",
]


@pytest.mark.parametrize("title", GENUINE)
def test_genuine_text_passes(title: str) -> None:
    assert found(title, description=title * 3, attributes={"名": title}) == []


CHINESE = [
    "百度一下",
    "手机壳透明防摔",
    "充电器，快充",
    "连衣裙 女 新款 收腰",
    "電腦周邊配件",
    "不锈钢保温杯 500ml",
    "儿童玩具",
]


@pytest.mark.parametrize(
    ("text", "true", "taken_for"),
    [
        (text, true, taken_for)
        for text in CHINESE
        for true, taken_for in (("utf-8", "latin-1"), ("utf-8", "gb18030"), ("gb2312", "latin-1"))
        if true == "utf-8" or text != "電腦周邊配件"  # which is not in GB 2312
    ],
)
def test_misread_chinese_is_found_and_read_back(text: str, true: str, taken_for: str) -> None:
    bad = text.encode(true).decode(taken_for, errors="replace").replace("\ufffd", "?")
    misreading = misread(bad)
    assert suspicious(bad)
    assert misreading
    assert misreading.repaired[:2] in text
    [finding] = found(bad)
    assert finding.field == "title"
    assert finding.severity == ("error" if finding.confidence >= 0.8 else "warning")
    assert "wrong character set" in finding.problem


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("鐧惧害", "百度"),
        ("CafÃ©", "Café"),
        ("Itâ€™s new", "It’s"),
        ("It鈥檚 new", "’s"),
        ("Lanc么me 兰蔻", "Lancôme"),
        ("Est茅e Lauder", "Estée"),
        ("ÖÐÎÄ", "中文"),
        ("新款 鎵嬫満澹? 2024", "手机"),
    ],
)
def test_the_repair_says_what_the_text_should_be(bad: str, says: str) -> None:
    [finding] = found(bad)
    assert says in finding.repair
    assert 0.5 < finding.confidence <= 1


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("鐧惧害缃戠洏", "百度网盘"),
        ("CafÃ© crÃ¨me", "Café crème"),
        ("donâ€™t stop", "don’t stop"),
        (spoiled("中国移动通信手机", "gb2312", "latin-1"), "中国移动通信手机"),
        ("百度 CafÃ© crÃ¨me", None),
        ("新款 鎵嬫満澹? 2024", None),
        ("Ã  la carte Ã©toilÃ©e", None),
        ("Lanc么me", None),
    ],
)
def test_what_was_misread_as_a_whole_is_written_anew(bad: str, says: str | None) -> None:
    [finding] = found(bad)
    assert finding.edit == (says and Edit(field="title", value=says))


def test_long_misread_texts_are_found_wherever_the_window_cuts() -> None:
    for shift in range(6):
        text = "x" * shift + "中文标题很长，" * 40
        assert misread(spoiled(text, "utf-8", "latin-1"))
        assert misread(text.encode().decode("gb18030", errors="replace").replace("\ufffd", "?"))


@pytest.mark.parametrize(
    "bad", ["锟斤拷锟斤拷", "phone锟斤拷", "清水寺\ufffd园", "?????? 2021", "烫烫烫烫烫烫烫烫", "??? ???"]
)
def test_lost_characters_are_errors(bad: str) -> None:
    [finding] = found(bad)
    assert finding.severity == "error"


@pytest.mark.parametrize(
    ("bad", "severity", "shown"),
    [
        ("bell\x07", "warning", "\\x07"),
        ("built\x97guaranteed", "warning", "\\x97"),
        ("soft\u200bware", "warning", "\\u200b"),
        ("\ufeffstart", "warning", "\\ufeff"),
        ("left\u200eto right", "warning", "\\u200e"),
        ("手\u200c机", "warning", "\\u200c"),
        ("Con\uf001g", "warning", "\\uf001"),
        ("Text_x000D_", "warning", "_x000D_"),
        ("Wachs\xadtum", "info", "\\xad"),
    ],
)
def test_characters_that_nobody_sees_are_shown_escaped(bad: str, severity: str, shown: str) -> None:
    [finding] = found(bad)
    assert finding.severity == severity
    assert shown in finding.evidence


def test_line_breaks_and_wide_spaces_are_no_control_characters() -> None:
    assert found("a\tb\r\nc\u3000d\xa0e") == []


def test_every_text_field_is_looked_at_and_named() -> None:
    bad = "锟斤拷"
    check = EncodingCheck()
    check.observe(
        7,
        Product(
            id="p", title="t", short_description=bad, description=bad, brand=bad, category=("a", bad), sku=bad, mpn=bad,
            tags=(bad,), attributes={bad: 1, "size": ("x", bad)}, group_id=bad,
        ),
    )  # fmt: skip
    findings = check.finish()
    assert {finding.row for finding in findings} == {7}
    assert {finding.field for finding in findings} == {
        "short_description", "description", "brand", "category", "sku", "mpn", "group_id", "tags",
        "attributes", "attributes.size",
    }  # fmt: skip


HANZI = "".join(bytes((first, second)).decode("gb2312") for first in range(0xB0, 0xD7) for second in range(0xA1, 0xFF))


@given(st.text(st.sampled_from(HANZI), min_size=1, max_size=30))
def test_any_everyday_chinese_passes(text: str) -> None:
    assert misread(text) is None


def test_nearly_every_misread_sentence_is_found() -> None:
    # bytes that GBK does not know become "?", which may break up what is left
    rng = random.Random(4)
    sentences = ["".join(rng.choices(HANZI, k=12)) for _ in range(300)]
    as_gbk = [text.encode().decode("gb18030", errors="replace").replace("\ufffd", "?") for text in sentences]
    assert sum(misread(text) is not None for text in as_gbk) >= 295
    assert all(misread(spoiled(text, "gb2312", "latin-1")) for text in sentences)
    assert all(misread(spoiled(text, "utf-8", "latin-1")) for text in sentences)


@pytest.mark.parametrize("sign", "®°×é±\xa0")
def test_a_lone_sign_read_as_gbk_is_found_among_latin_letters_only(sign: str) -> None:
    garbled = sign.encode().decode("gb18030")
    found = misread(f"Bright desk lamp{garbled} with a clip")
    assert found is not None
    assert found.repaired == sign
    assert misread(f"Lamp {garbled} 台灯 with a clip, for the desk") is None
    assert misread(f"DN50 {garbled}") is None


def test_a_sign_between_two_spaces_stands_between_numbers() -> None:
    for size in ("10 脳 20 cm", "10cm 脳 20cm"):
        found = misread(f"Bright desk mat {size}")
        assert found is not None
        assert found.repaired == "×"
    assert misread("Scenery of a quiet road 路") is None


@pytest.mark.parametrize(
    ("garbled", "sign"),
    [
        ("Fibre cable 50/125渭m, orange", "μ"),
        ("Metal film resistor 10k惟 1/4 W", "Ω"),
        ("Security camera 360藲 with pan", "˚"),
        ("Labels, removable, 脴 16 mm, white", "Ø"),
        ("Portable pH test meter 卤 0.1pH high accuracy", "±"),
        ("Carbon film resistors 卤 5% assorted kit", "±"),
        ("Self-adhesive labels 酶 12mm black", "ø"),
        ("Brand 庐 tissue box for the car", "®"),
        ("Tweeter speaker 4蠅 (Ohm) 400w", "ω"),
        ("Plant based protein聽聽(0.5 kg)", "\xa0"),
        ("Cable LC/L小 50/125渭m, orange", "μ"),
    ],
)
def test_units_diameters_and_trade_marks_stand_where_they_may(garbled: str, sign: str) -> None:
    found = misread(garbled)
    assert found is not None
    assert found.repaired == sign
