"""`lingsou check`: what its exit codes and its report say."""

from pathlib import Path

import pytest

from .conftest import MAPPING, Run
from .conftest import lingsou as run

CLEAN = "id,title,price,stock\n" + "".join(f"p{n},Lamp number {n},{10 + n},5\n" for n in range(20))
BAD = CLEAN + "p3,Lamp again,12,1\nx1,Lamp <b>bold</b> æ\u2014\u00a5,13,2\nx2,Lamp,-1,2\n"


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


def test_exit_codes(tmp_path: Path, mapping: Path, lingsou_here: Run) -> None:
    clean, bad = tmp_path / "clean.csv", tmp_path / "bad.csv"
    clean.write_text(CLEAN, encoding="utf-8")
    bad.write_text(BAD, encoding="utf-8")
    assert "20 rows, 0 not valid" in lingsou_here("check", clean, "--mapping", mapping).out
    told = run("check", bad, "--mapping", mapping, code=1)
    assert "duplicate-id" in told.out
    lingsou_here("check", bad, "--mapping", mapping, "--fail-on", "never")
    lingsou_here("check", clean, "--mapping", mapping, "--fail-on", "warning")
    assert "cure:" in lingsou_here("check", tmp_path / "none.csv", code=2).err
    assert "--fail-on" in lingsou_here("check", bad, "--fail-on", "sometimes", code=2).err


def test_json_names_row_field_and_repair(tmp_path: Path, mapping: Path, lingsou_here: Run) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(BAD, encoding="utf-8")
    report = lingsou_here("check", bad, "--mapping", mapping, "--json", code=1).json
    assert (report["rows"], report["rejected"]) == (23, 1)
    (duplicate,) = [each for each in report["checks"] if each["id"] == "duplicate-id"]
    (problem,) = duplicate["problems"]
    assert (problem["severity"], problem["field"], problem["count"]) == ("error", "id", 1)
    assert any("p3" in example["evidence"] for example in duplicate["examples"])
    assert all(example["repair"] for each in report["checks"] for example in each["examples"])
    none = lingsou_here("check", bad, "--mapping", mapping, "--examples", "0", "--json", code=1).json
    assert not any(each["examples"] for each in none["checks"])


def test_without_a_feed_the_store_is_checked(shop: Path, lingsou_here: Run) -> None:
    report = lingsou_here("check", "--data", shop, "--json").json
    assert (report["rows"], report["rejected"]) == (4, 0)


def test_a_page_and_what_changed_since(tmp_path: Path, mapping: Path, lingsou_here: Run) -> None:
    clean, bad, page, earlier = (tmp_path / name for name in ("clean.csv", "bad.csv", "page.html", "earlier.json"))
    clean.write_text(CLEAN, encoding="utf-8")
    bad.write_text(BAD, encoding="utf-8")
    earlier.write_text(lingsou_here("check", clean, "--mapping", mapping, "--json").out, encoding="utf-8")
    told = lingsou_here("check", bad, "--mapping", mapping, "--html", page, "--before", earlier, code=1)
    assert "page.html" in told.err
    text = page.read_text(encoding="utf-8")
    assert "Quality of bad.csv" in text
    assert '<td class="n">new</td>' in text
    assert "--before" in lingsou_here("check", bad, "--mapping", mapping, "--before", mapping, code=2).err
    assert "--before" in lingsou_here("check", bad, "--mapping", mapping, "--before", tmp_path / "no", code=2).err


def test_brackets_in_names_of_attributes(tmp_path: Path, lingsou_here: Run) -> None:
    feed, rules = tmp_path / "feed.jsonl", tmp_path / "rules.toml"
    feed.write_text('{"id": "1", "title": "Lamp", "attributes": {"size [/cm]": "5 &amp; 6"}}\n', encoding="utf-8")
    rules.write_text(
        '[fields]\nid = "id"\ntitle = "title"\n[[attributes]]\nsource = "attributes.*"\n', encoding="utf-8"
    )
    assert "attributes.size [/cm]" in lingsou_here("check", feed, "--mapping", rules).out
