"""What the audit of attributes says of a shop with known faults."""

import pytest

from lingsou.core.types import Attribute
from lingsou.quality.audit import Flags
from lingsou.quality.audits.attributes import AttributesAudit
from tests.quality.attributes.shops import chinese, columns, fashion, product

pytest.importorskip("scipy")


def judged(*products: object) -> dict[str, Flags]:
    return {flags.problem.text: flags for flags in AttributesAudit().judge(columns(list(products)))}  # type: ignore[arg-type]


def test_a_sound_shop_passes() -> None:
    assert judged(*fashion()) == {}
    assert judged(*chinese()) == {}


def test_a_title_that_names_another_colour_contradicts_the_attribute() -> None:
    wrong = product(1000, "Ardena White & Black Skirt", attributes={"colour": "Green"})
    flags = judged(*fashion(), wrong)["the title says otherwise"]
    assert flags.field == "attributes.colour"
    assert flags.places.tolist() == [200]
    assert flags.confidence[0] > 0.8
    [edit] = flags.edits
    assert edit is not None
    assert (edit.field, edit.value) == ("attributes.colour", "Black")


def test_what_products_like_it_have_is_missing_and_filled_in() -> None:
    bare = product(1000, "云朵 粉色衬衫 第1000款", brand="云朵")
    flags = judged(*chinese(), bare)["missing, though most products of its kind have it"]
    assert flags.places.tolist() == [120]
    [edit] = flags.edits
    assert edit is not None
    assert (edit.field, edit.value) == ("attributes.颜色", "粉色")


def test_a_value_that_no_text_names_is_not_written_where_texts_usually_name_it() -> None:
    bare = product(1000, "云朵 衬衫 第1000款", brand="云朵")
    flags = judged(*chinese(), bare)["missing, though most products of its kind have it"]
    assert flags.places.tolist() == [120]
    assert flags.edits == [None]


def test_other_spellings_and_far_numbers() -> None:
    shop = [
        each.model_copy(update={"attributes": {**each.attributes, "weight": Attribute(value=200 + n % 7, unit="g")}})
        for n, each in enumerate(fashion())
    ]
    odd = product(
        1000, "Ardena Black & White Skirt", attributes={"colour": "BLACK", "weight": {"value": 2_400, "unit": "g"}}
    )
    found = judged(*shop, odd)
    spelling, far = (
        found["most products write the same value otherwise"],
        found["ten times and more away from its category"],
    )
    assert [edit and edit.value for edit in spelling.edits] == ["Black"]
    assert far.places.tolist() == [200]
    assert "a slip by 10?" in far.evidence[0]
    assert far.edits == [None]  # which of number and unit is wrong is not known


def test_a_unit_goes_with_its_number() -> None:
    rows = [product(n, f"Tea {n}", attributes={"weight": {"value": 1 + n % 3, "unit": "kg"}}) for n in range(20)]
    rows.append(product(1000, "Tea", attributes={"weight": {"value": 850, "unit": "g"}}))
    [edit] = judged(*rows)["most products write the same value otherwise"].edits
    assert edit is not None
    assert edit.value == {"value": 0.85, "unit": "kg"}


def test_a_tiny_catalogue_is_not_judged() -> None:
    assert judged(product(1, "Black shirt", attributes={"colour": "Green"})) == {}
    assert judged() == {}
