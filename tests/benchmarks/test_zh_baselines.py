"""The two obvious correctors of Chinese, on titles of our own."""

from benchmarks.understanding.zh_baselines import CharacterSymSpell, PinyinDictionary

TITLES = ["连衣裙女夏", "连衣裙长款", "保温杯儿童", "保温杯大容量", "iphone手机", "手机支架", "收机架"]


def test_the_most_frequent_word_of_the_same_pinyin() -> None:
    baseline = PinyinDictionary(TITLES)
    assert baseline.corrected(["连以裙", "lianyiqun", "保温bei", "iphone 首级"]) == [
        "连衣裙",
        "连衣裙",
        "保温杯",
        "iphone 手机",
    ]
    assert baseline.corrected(["保温杯女", "电视柜", "IPHONE手机", ""]) == ["保温杯女", "电视柜", "iphone手机", ""]


def test_the_word_with_the_fewest_edits() -> None:
    baseline = CharacterSymSpell(TITLES)
    assert baseline.corrected(["连花裙", "保温杠", "电视"]) == ["连衣裙", "保温杯", "电视"]
    assert baseline.corrected(["连衣裙", "保温杯儿童"]) == ["连衣裙", "保温杯儿童"]
