"""`lingsou backup` and `lingsou restore`: the shop that comes back answers like the one that went."""

from pathlib import Path
from typing import Any

from .conftest import Run
from .conftest import lingsou as run


def test_round_trip(shop: Path, tmp_path: Path, lingsou_here: Run) -> None:
    archive, again = tmp_path / "shop.tar.gz", tmp_path / "again"

    def answers(root: Path) -> list[Any]:
        found = [
            lingsou_here("search", q, "--facet", "brand", "--data", root, "--json").json for q in ("", "laptop", "鞋")
        ]
        return [[answer["total"], answer["facets"], answer["hits"]] for answer in found]

    told = run("backup", archive, "--data", shop)
    assert "4 products, up to change 4" in told.out
    assert archive.stat().st_mode & 0o777 == 0o600
    assert "cure:" in lingsou_here("backup", archive, "--data", shop, code=2).err, "no file is overwritten"

    told = run("restore", archive, "--data", again)
    assert "4 products of " in told.out
    assert lingsou_here("search", "laptop", "--data", again, "--json").json["total"] == 0, "the index is built anew"
    assert lingsou_here("index", "--data", again, "--json").json["products"] == 4
    assert answers(again) == answers(shop)

    assert "not empty" in lingsou_here("restore", archive, "--data", again, code=2).err
    forced = lingsou_here("restore", archive, "--data", again, "--force", "--json").json
    assert forced["manifest"]["products"] == 4
    assert "replaced-" in forced["notes"][0]


def test_what_is_no_backup_is_refused(tmp_path: Path, lingsou_here: Run) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"\x1f\x8b not really")
    for name in ("x.tar.gz", "nothing.tar.gz", "."):
        assert "cure:" in lingsou_here("restore", tmp_path / name, "--data", tmp_path / "new", code=2).err
    assert "cure:" in lingsou_here("backup", tmp_path / "b.tar.gz", "--data", tmp_path / "new", code=2).err
