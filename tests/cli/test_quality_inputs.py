"""`lingsou quality events|images|reviews`: data beside the catalogue."""

import json
from pathlib import Path

import pytest

from lingsou.core.settings import DataFolder, load_settings
from lingsou.events.behaviour import open_behaviour
from lingsou.testing.events import click

from .conftest import Run, prepare

COPY = "This kettle boils a litre of water in two minutes and stays quiet, I would buy it again at once"


def test_copied_reviews(tmp_path: Path, lingsou_here: Run) -> None:
    file = tmp_path / "reviews.csv"
    rows = ["id,product_id,text,time,rating", f"1,a,{COPY.replace(',', ';')},2026-01-02,5"]
    rows += [
        "2,c,Good,yesterday,4",
        f"3,b,{COPY.replace(',', ';')}!,2026-01-03T10:00:00,5 stars",
        "4,c,Good,2026-01-02,4",
    ]
    file.write_text("\n".join(rows), encoding="utf-8")
    told = lingsou_here("quality", "reviews", file, "--json")
    assert told.json["rows"] == 3
    assert [(each["problem"], each["row"]) for each in told.json["findings"]] == [("a review that copies another", 4)]
    assert "row 3, Invalid isoformat string" in told.err
    assert (
        "a review that copies another" in lingsou_here("quality", "reviews", file, "--fail-on", "warning", code=1).out
    )
    file.write_text("id,words\n1,x\n", encoding="utf-8")
    assert "no review" in lingsou_here("quality", "reviews", file, code=2).err
    assert "--fail-on" in lingsou_here("quality", "reviews", file, "--fail-on", "x", code=2).err


def test_images_of_a_folder(tmp_path: Path, lingsou_here: Run) -> None:
    pytest.importorskip("PIL")
    from PIL import Image

    Image.new("RGB", (300, 300), "white").save(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(b"no image")
    found = lingsou_here("quality", "images", tmp_path, "--json", "--fail-on", "never").json
    assert found["rows"] == 2
    assert {each["product_id"] for each in found["findings"]} == {"a", "b"}
    assert "There is no folder" in lingsou_here("quality", "images", tmp_path / "none", code=2).err


def test_events_that_were_sent_twice(tmp_path: Path, lingsou_here: Run) -> None:
    prepare("init", "--data", tmp_path / "shop")
    folder = DataFolder(tmp_path / "shop")
    assert json.loads(lingsou_here("quality", "events", "--data", folder.root, "--json").out)["rows"] == 0
    with open_behaviour(folder, load_settings(folder)) as behaviour:
        behaviour.events.append([click(n, event_id=f"{n}-{m}", user_id=f"u{n}") for n in range(80) for m in range(2)])
    found = json.loads(lingsou_here("quality", "events", "--data", folder.root, "--json", "--fail-on", "never").out)
    assert found["rows"] == 160
    assert "twice" in " ".join(each["problem"] for each in found["findings"])
