"""Values are found as words, in both scripts, and not inside other words."""

from lingsou.quality.attributes.mentions import Phrases, parted, phrase


def named(text: str, *values: str) -> list[tuple[str, bool]]:
    found = Phrases([phrase(value) for value in values]).find(text)
    return [(" ".join(mention.phrase), mention.inside) for mention in found]


def test_red_does_not_stand_in_textured_or_underwired() -> None:
    assert named("Black textured underwired bra, Redmond line", "red", "black") == [("black", False)]


def test_a_longer_value_stands_before_the_one_inside_it() -> None:
    assert named("Navy Blue shirt", "blue", "navy blue") == [("navy blue", False), ("blue", True)]


def test_signs_plural_and_width_do_not_matter() -> None:
    assert named("ＮＡＶＹ-blue jackets", "navy blue", "Jacket") == [("navy blue", False), ("jacket", False)]


def test_a_character_is_a_value_only_as_a_word() -> None:
    assert named("红酒开瓶器", "红") == []
    assert named("颜色：红", "红") == [("红", False)]
    assert named("藏青色外套", "藏青色", "青色") == [("藏 青 色", False), ("青 色", True)]


def test_what_is_listed_with_others_is_told() -> None:
    first, second = Phrases([phrase("black"), phrase("grey")]).find("Black & Grey shorts")
    assert (first.lists_before, first.lists_after) == (False, True)
    assert (second.lists_before, second.lists_after) == (True, False)


def test_sentences_that_run_into_each_other_are_parted() -> None:
    assert parted("seamless cupsRegular straps") == "seamless cups Regular straps"
