"""`lingsou quarantine`, and `import` and `check` under a profile."""

from pathlib import Path
from typing import Any

import pytest

from lingsou.catalog.store import Store
from lingsou.core.settings import SETTINGS_FILE, DataFolder, load_settings

from .conftest import MAPPING, Outcome, Run

FEED = """id,title,price
good,Lamp,10
script,Lamp <script>x</script>,11
misread,Lampe CafÃ© Ã©toilÃ©e,12
both,CafÃ© Ã©toilÃ©e <script>,13
free,Lamp,0
bad,,1
"""


@pytest.fixture
def root(tmp_path: Path, lingsou_here: Run) -> Path:
    (tmp_path / "feed.csv").write_text(FEED, encoding="utf-8")
    (tmp_path / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    lingsou_here("init", "--data", tmp_path / "shop")
    return tmp_path


def load(root: Path, lingsou_here: Run, *more: str) -> Any:
    arguments = ("import", root / "feed.csv", "--mapping", root / "mapping.toml", "--data", root / "shop")
    return lingsou_here(*arguments, *more)


def ids(root: Path) -> set[str]:
    folder = DataFolder(root / "shop")
    with Store.of(folder, load_settings(folder)) as store:
        return {product.id for batch in store.products() for product in batch}


def test_import_says_what_it_held_back_and_what_the_checks_found(root: Path, lingsou_here: Run) -> None:
    told = load(root, lingsou_here)
    assert "2 × html: markup that runs or loads something" in told.err
    assert "lingsou quarantine list" in told.err
    assert "The checks found 5 errors" in told.err
    report = load(root, lingsou_here, "--json").json
    assert (report["rows"], report["accepted"], report["quarantined"], report["rejected"]) == (6, 2, 3, 1)
    assert report["held_by"]["html: markup that runs or loads something"] == 2
    (price,) = (check for check in report["checks"] if check["id"] == "price")
    assert price["counts"]["error"] == 1
    assert ids(root) == {"good", "free"}


def test_list_show_release_and_drop(root: Path, lingsou_here: Run) -> None:
    load(root, lingsou_here)

    def run(*arguments: str, code: int = 0) -> Outcome:
        return lingsou_here("quarantine", *arguments, "--data", root / "shop", code=code)

    told = run("list")
    assert "2 × encoding: text was read in the wrong character set" in told.err
    assert told.out.count("feed.csv, row") == 3
    page = run("list", "--check", "html", "--limit", "1", "--json").json
    assert (page["total"], page["next"], page["entries"][0]["product_id"]) == (2, page["entries"][0]["id"], "script")
    (both,) = run("list", "--check", "html", "--after", str(page["next"]), "--json").json["entries"]
    assert [reason["check"] for reason in both["reasons"]] == ["encoding", "html"]

    shown = run("show", str(both["id"]))
    assert "held; feed.csv, row 5" in shown.out
    assert "title: CafÃ© Ã©toilÃ©e <script>" in shown.out
    assert run("show", str(both["id"]), "--json").json["product"]["id"] == "both"

    assert "1 released" in run("release", str(page["entries"][0]["id"])).out
    assert ids(root) == {"good", "free", "script"}
    assert "was released" in run("release", str(page["entries"][0]["id"]), code=2).err
    assert "command line" in run("show", str(page["entries"][0]["id"])).out
    assert run("drop", "--check", "encoding", "--json").json == {"dropped": 2}
    assert "No product is held" in run("list").out
    assert run("list", "--state", "dropped", "--json").json["total"] == 2
    assert load(root, lingsou_here, "--json").json["quarantined"] == 2, "the release holds, what was dropped comes back"
    assert run("release", "--check", "html", "--json").json == {"released": 1}
    assert "There is no entry" in run("drop", "99", code=2).err
    assert "kept for good" in " ".join(run("release", "--help").out.split())
    for wrong in (("release",), ("drop",), ("release", "1", "--check", "html"), ("list", "--state", "lost")):
        assert "cure:" in run(*wrong, code=2).err


def test_the_shop_chooses_its_profile(root: Path, lingsou_here: Run) -> None:
    settings = root / "shop" / SETTINGS_FILE
    usual = settings.read_text(encoding="utf-8")
    (root / "shop" / "own.toml").write_text("[checks.price]\nquarantine = true\n", encoding="utf-8")
    for profile, held in [("strict", 4), ("lenient", 0), ("own.toml", 1)]:
        text = usual.replace('# profile = "default"', f'profile = "{profile}"')
        assert text != usual
        settings.write_text(text, encoding="utf-8")
        assert load(root, lingsou_here, "--json").json["quarantined"] == held, profile
    settings.write_text(usual.replace('# profile = "default"', 'profile = "strickt"'), encoding="utf-8")
    failed = lingsou_here("import", root / "feed.csv", "--data", root / "shop", code=2)
    assert "strickt" in failed.err
    assert "cure:" in failed.err


def test_check_under_a_profile(root: Path, lingsou_here: Run) -> None:
    feed, mapping, own = root / "feed.csv", root / "mapping.toml", root / "own.toml"
    own.write_text('[checks.price]\non = false\n[checks.html]\nseverity = "info"\n', encoding="utf-8")
    check = ("check", feed, "--mapping", mapping, "--data", root / "nowhere")
    assert lingsou_here(*check, "--json", code=1).json["checks"]
    lingsou_here(*check, "--profile", "lenient")
    lingsou_here(*check, "--profile", "lenient", "--fail-on", "error", code=1)
    report = lingsou_here(*check, "--profile", own, "--json", code=1).json
    found = {each["id"]: each for each in report["checks"]}
    assert "price" not in found
    assert found["html"]["counts"] == {"error": 0, "warning": 0, "info": 2}
    assert "strickt" in lingsou_here(*check, "--profile", "strickt", code=2).err
