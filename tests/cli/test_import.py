"""`lingsou import`: guess, edit, load; the four modes; rejects."""

import json
from pathlib import Path
from typing import Any

import pytest

from lingsou.catalog.store import Store
from lingsou.core.settings import DataFolder, load_settings
from lingsou.core.types import Product

from .conftest import FEED, MAPPING, Run
from .conftest import lingsou as run


@pytest.fixture
def root(tmp_path: Path, lingsou_here: Run) -> Path:
    """An initialised folder, with `feed.csv` and `mapping.toml` beside it."""
    (tmp_path / "feed.csv").write_text(FEED, encoding="utf-8")
    (tmp_path / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    lingsou_here("init", "--data", tmp_path / "shop")
    return tmp_path


def stored(root: Path) -> dict[str, Product]:
    folder = DataFolder(root / "shop")
    with Store.of(folder, load_settings(folder)) as store:
        return {product.id: product for batch in store.products() for product in batch}


def test_a_guessed_mapping_is_edited_and_used(tmp_path: Path, lingsou_here: Run) -> None:
    feed, mapping = tmp_path / "feed.csv", tmp_path / "mapping.toml"
    feed.write_text("sku_code,title,price_cents\nA-1,灯 Lamp,1250\nA-2,Chair,9900\n", encoding="utf-8")
    guessed = run("import", feed, "--guess", "--data", tmp_path / "nowhere").out
    assert "[fields]" in guessed
    assert not (tmp_path / "nowhere").exists(), "a guess writes nothing"
    edited = [line for line in guessed.splitlines() if not line.removeprefix("# ").startswith(("id = ", "price = "))]
    place = edited.index("[fields]") + 1
    edited[place:place] = ['id = "sku_code"', 'price = { source = "price_cents", scale = 0.01 }']
    mapping.write_text("\n".join(edited), encoding="utf-8")
    lingsou_here("init", "--data", tmp_path / "shop")
    report = lingsou_here("import", feed, "--mapping", mapping, "--data", tmp_path / "shop", "--json").json
    assert (report["rows"], report["added"], report["rejected"], report["rejects_file"]) == (2, 2, 0, None)
    products = stored(tmp_path)
    assert {id_: (str(each.price), each.title) for id_, each in products.items()} == {
        "A-1": ("12.50", "灯 Lamp"),
        "A-2": ("99.00", "Chair"),
    }


def test_the_modes(root: Path, lingsou_here: Run) -> None:
    def load(text: str, mode: str, *more: str, code: int = 0) -> Any:
        (root / "part.csv").write_text(text, encoding="utf-8")
        arguments = ("import", root / "part.csv", "--mapping", root / "mapping.toml", "--mode", mode, *more)
        return lingsou_here(*arguments, "--data", root / "shop", "--json", code=code)

    assert load(FEED, "upsert").json["added"] == 4
    assert load(FEED, "upsert").json["unchanged"] == 4

    report = load("id,title\nn1,New\nl1,Renamed\n", "upsert").json
    assert (report["added"], report["updated"]) == (1, 1)
    assert stored(root)["l1"].price is None, "an upsert replaces the product whole"

    report = load("id,price,stock\nl2,1.5,\ns1,,7\nnobody,1,1\n", "patch").json
    assert (report["updated"], report["missing"], report["rejected"]) == (2, 1, 1)
    products = stored(root)
    assert (str(products["l2"].price), products["l2"].title) == ("1.50", "Orbit Book 17 laptop")
    assert products["s1"].stock == 7

    report = load("id\nn1\nnobody\n", "delete").json
    assert (report["deleted"], report["missing"]) == (1, 1)
    assert "n1" not in stored(root)

    refused = load("id,title\nonly,One\n", "full", code=2)
    assert "cure:" in refused.err
    assert len(stored(root)) >= 4, "a load that would empty the shop is refused"
    assert load("id,title\nonly,One\n", "full", "--force").json["deleted"] == 4
    assert set(stored(root)) == {"only"}


def test_bad_rows_are_rejected_with_their_cures_and_the_rest_is_loaded(root: Path, lingsou_here: Run) -> None:
    feed = root / "spring sale.csv"
    rows = ["good,Lamp,10", "neg,Lamp,-1", "dup,First,1", ",No id,1", "dup,Second,2", "title,,3", "free,Lamp,gratis"]
    feed.write_text("id,title,price\n" + "\n".join(rows), encoding="utf-8")
    arguments = ("import", feed, "--mapping", root / "mapping.toml", "--data", root / "shop")
    told = lingsou_here(*arguments)
    assert "1 × price: below 0" in told.err
    assert "lingsou index" in told.err
    report = lingsou_here(*arguments, "--json").json
    assert (report["rows"], report["accepted"], report["rejected"], report["duplicates"]) == (7, 3, 4, 1)
    assert sum(report["by_reason"].values()) == 4
    file = Path(report["rejects_file"])
    assert file.parent == root / "shop" / "rejects"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(line["row"], line["field"]) for line in lines] == [(3, "price"), (5, "id"), (7, "title"), (8, "price")]
    assert all(line["reason"] and line["cure"] for line in lines)
    assert stored(root)["dup"].title == "Second"
