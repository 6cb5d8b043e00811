"""What the catalogue treats as one name: brackets, slashes, variants, values that go together."""

from typing import Any

from lingsou.core.types import Product
from lingsou.training.expansions.catalogue import aliases, values_together, variants


def product(id_: str, title: str, **fields: Any) -> Product:
    return Product.model_validate({"id": id_, "title": title, **fields})


def test_aliases_in_brackets_of_a_whole_name_and_behind_slashes() -> None:
    found = aliases(
        [
            product("1", "Grey sofa/couch for two", category=("Home", "Divans (daybeds)")),
            product("2", "Blue couch / sofa"),
            product("3", "充电宝/移动电源 白色"),
            product("4", "Lamp (brass) for desks", attributes={"kind": "台灯（书桌灯）"}),
        ]
    )
    assert found == {("couch", "sofa"): 2, ("daybeds", "divans"): 1, ("充电宝", "移动电源"): 1, ("书桌灯", "台灯"): 1}


def test_numbers_units_and_long_texts_are_no_aliases() -> None:
    assert not aliases(
        [
            product("1", "Drill 230V/110V and/or 12/24"),
            product(
                "2", "x", attributes={"power": "Mains (230 V)", "note": "A very long text (with more words in it)"}
            ),
        ]
    )


def test_words_in_each_others_place_in_titles_of_one_product() -> None:
    sofas = [
        product("1", "Halden sofa in linen", ean=("4006381333931",)),
        product("2", "Halden couch in linen", ean=("4006381333931",)),
        product("3", "Halden settee in linen", ean=("4012345678901",)),
    ]
    assert variants(sofas) == {("couch", "sofa"): 1}


def test_what_tells_variants_apart_is_no_other_name() -> None:
    shirts = [
        product("1", "Halden tee red", group_id="g", attributes={"colour": "red"}),
        product("2", "Halden tee blue", group_id="g", attributes={"colour": "blue"}),
        product("3", "Halden jersey blue", group_id="g", attributes={"colour": "blue"}),
    ]
    assert variants(shirts) == {("jersey", "tee"): 1}


def test_values_of_two_fields_that_go_together() -> None:
    """10 of 100 are laser printers; all but one of them say toner. Paper is said of all, and tells nothing."""
    facts = [{"kind": "laser", "needs": "toner" if n else "ink", "feeds": "paper"} for n in range(10)]
    facts += [{"kind": f"other{n}", "feeds": "paper"} for n in range(90)]
    products = [product(str(n), "printer", attributes=each) for n, each in enumerate(facts)]
    assert list(values_together(products, least=5)) == [("laser", "toner", 0.9, 9)]
    assert list(values_together(products, least=10)) == []
