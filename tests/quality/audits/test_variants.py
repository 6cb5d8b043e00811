"""Sizes and colours that stand in the catalogue as products of their own."""

import numpy as np

from lingsou.core.types import Product
from lingsou.quality.audits.variants import UngroupedVariants
from lingsou.quality.columns import columns_of


def flagged(*products: Product) -> dict[str, object]:
    columns = columns_of(enumerate(products, start=1))
    found: dict[str, object] = {}
    for flags in UngroupedVariants().judge(columns):
        assert (np.diff(flags.confidence) <= 0).all()
        edits = zip(flags.places.tolist(), flags.edits, strict=True)
        found |= {columns.ids[place]: edit.value if edit else None for place, edit in edits}
    return found


def product(id_: str, title: str, **more: object) -> Product:
    return Product.model_validate({"id": id_, "title": title, "brand": "Lumo", "category": ["Kitchen"], **more})


def test_colours_and_measures_in_both_languages() -> None:
    found = flagged(
        product("a", "Lumo travel kettle, red, 0.5 L"),
        product("b", "Lumo travel kettle, blue, 0.5 L"),
        product("c", "Lumo travel kettle, red, 1 L"),
        product("d", "Lumo toaster, red"),
        product("e", "便携不锈钢保温杯 500ml 黑色"),
        product("f", "便携不锈钢保温杯 750ml 白色"),
    )
    assert found == {"a": "a", "b": "a", "c": "a", "e": "e", "f": "e"}


def test_the_group_that_is_there_is_joined() -> None:
    assert flagged(
        product("a", "Lumo travel kettle, red", group_id="kettles"), product("b", "Lumo travel kettle, blue")
    ) == {"b": "kettles"}


def test_what_is_no_variant_is_left_alone() -> None:
    assert not flagged(
        product("a", "Lumo Phone 12, red"),
        product("b", "Lumo Phone 13, red"),  # another model
        product("c", "Lumo travel kettle, red"),
        product("d", "Lumo travel kettle, red"),  # listed twice
        product("e", "Lumo big pillow, red"),
        product("f", "Lumo big pillow, blue", brand="Vero"),  # another brand
        product("g", "Lumo rug, red"),  # three letters name no product
        product("h", "Lumo rug, blue"),
        product("i", "Lumo ceiling lamp, red", price=10),
        product("j", "Lumo ceiling lamp, blue", price=100),  # too dear for a variant
        product("k", "Lumo garden chair, red", group_id="x"),
        product("l", "Lumo garden chair, blue", group_id="y"),
        product("m", "Lumo garden chair, green"),  # of which of the two groups?
    )


def test_an_empty_catalogue() -> None:
    assert flagged() == {}
