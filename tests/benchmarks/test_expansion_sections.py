"""The sections of expansions and ablation: what they ask, and what they spoil, is as they say."""

from collections import Counter

from benchmarks.understanding.ablation import misspellings
from benchmarks.understanding.cross_lingual import judged, queries
from benchmarks.understanding.searching import is_held

from lingsou.core.types import Product
from lingsou.demo.vocabulary import vocabulary
from lingsou.text.language import detect


def test_a_hundred_queries_half_in_each_language_of_things_that_the_shop_sells() -> None:
    asked = queries()
    assert Counter(each.language for each in asked) == {"zh": 50, "en": 50}
    assert len({each.query for each in asked}) == 100
    assert all(detect(each.query) == each.language for each in asked)
    assert {leaf for each in asked for leaf in each.leaves} <= set(vocabulary().leaves)


def test_only_products_in_the_other_language_are_judged() -> None:
    (pants,) = [each for each in queries() if each.query == "男裤"]
    path = vocabulary().leaves["trousers"].path
    products = [
        Product.model_validate({"id": id_, "title": title, "category": path, "attributes": {"audience": audience}})
        for id_, title, audience in (
            ("1", "Cotton trousers", "men"),
            ("2", "Cotton trousers", "women"),
            ("3", "纯棉长裤", "男士"),
        )
    ]
    assert judged(pants, products) == {"1": 3.0, "2": 1.0}


def test_one_word_of_a_query_is_spoilt_the_same_every_time() -> None:
    titles = ["无线蓝牙耳机 降噪", "蓝牙耳机 头戴", "wireless headphones black"]
    asked = ["蓝牙耳机 降噪", "wireless headphones", "usb 3.0"]
    found = misspellings(asked, titles, 7)
    assert found == misspellings(asked, titles, 7)
    assert set(found) <= set(asked[:2])
    spoilt = found["wireless headphones"].split(" ")
    assert len(spoilt) == 2
    assert sum(one != other for one, other in zip(spoilt, ["wireless", "headphones"], strict=True)) == 1


def test_about_half_of_the_queries_are_held() -> None:
    held = sum(is_held(each.query) for each in queries())
    assert 35 <= held <= 65
    assert is_held("sofa") == is_held("sofa")
