"""What the audit of brands says of a shop with known faults."""

from lingsou.core.types import Product
from lingsou.quality.audit import Flags, findings
from lingsou.quality.audits.brand import BrandAudit
from tests.quality.attributes.shops import columns, product

MAKERS = ("Nordvik", "Polvik", "云朵")


def shop() -> list[Product]:
    return [product(n, f"{MAKERS[n % 3]} desk lamp {n}", brand=MAKERS[n % 3]) for n in range(90)]


def judged(*products: Product) -> dict[str, Flags]:
    return {flags.problem.text: flags for flags in BrandAudit().judge(columns([*shop(), *products]))}


def test_a_sound_shop_passes() -> None:
    assert judged() == {}


def test_the_title_names_another_brand() -> None:
    found = judged(product(100, "云朵 台灯", brand="Polvik"))["the title names another brand"]
    assert found.places.tolist() == [90]
    assert found.confidence[0] > 0.9
    assert [edit and edit.value for edit in found.edits] == ["云朵"]


def test_what_fits_passes() -> None:
    fits = [
        product(100, "Lamp shade for Nordvik lamps", brand="Polvik"),
        product(101, "Nordvik and Polvik desk lamp", brand="Polvik"),
        product(102, "Nordvik Home desk lamp", brand="Nordvik Home"),
        product(103, "NORDVIK desk lamp", brand="Nordvik"),
        product(104, "适用于 云朵 台灯的灯罩", brand="Polvik"),
        product(105, "Desk lamp", brand="Someone"),
    ]
    assert judged(*fits) == {}


def test_a_missing_brand_is_filled_in_and_a_spelling_is_mended() -> None:
    rows = columns([*shop(), product(100, "Polvik floor lamp"), product(101, "Polvik lamp", brand="POLVIK Ltd.")])
    audit = BrandAudit()
    told = [finding for flags in audit.judge(rows) for finding in findings(audit, rows, flags)]
    assert [(each.product_id, each.problem, each.edit and each.edit.value) for each in told] == [
        ("p100", "no brand, though the title names one", "Polvik"),
        ("p101", "another spelling of a brand", "Polvik"),
    ]


def test_a_small_catalogue_is_not_judged() -> None:
    assert BrandAudit().judge(columns([product(1, "Nordvik lamp", brand="Polvik")])) == []
