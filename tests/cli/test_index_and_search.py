"""`lingsou index` and `lingsou search` over the shared shop of four products."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lingsou.core.settings import DataFolder
from lingsou.retrieval.indexer import indexer_lock

from .conftest import FEED, MAPPING, Run
from .conftest import lingsou as run


def test_index_does_what_waits_and_no_more(tmp_path: Path, lingsou_here: Run) -> None:
    root = tmp_path / "shop"
    (tmp_path / "feed.csv").write_text(FEED, encoding="utf-8")
    (tmp_path / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    lingsou_here("init", "--data", root)
    assert lingsou_here("index", "--data", root, "--json").json["changes"] == 0, "an empty shop is no error"
    lingsou_here("import", tmp_path / "feed.csv", "--mapping", tmp_path / "mapping.toml", "--data", root)
    first = lingsou_here("index", "--data", root, "--json").json
    assert (first["changes"], first["products"], first["sequence"]) == (4, 4, 4)
    again = lingsou_here("index", "--data", root, "--json").json
    assert (again["changes"], again["products"]) == (0, 4), "nothing to do"
    rebuilt = lingsou_here("index", "--rebuild", "--data", root, "--json").json
    assert (rebuilt["changes"], rebuilt["products"]) == (4, 4)
    (root / "index" / rebuilt["generation"] / "manifest.json").write_text("not json")
    broken = lingsou_here("search", "laptop", "--data", root, code=2)
    assert "cure: lingsou index --rebuild" in broken.err
    told = lingsou_here("index", "--rebuild", "--data", root)
    assert "4 changes indexed" in told.out
    assert lingsou_here("search", "laptop", "--data", root, "--json").json["total"] == 2


def test_rebuild_goes_beside_the_indexer_and_rollback_back(tmp_path: Path, lingsou_here: Run) -> None:
    root = tmp_path / "shop"
    (tmp_path / "feed.csv").write_text(FEED, encoding="utf-8")
    (tmp_path / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    lingsou_here("init", "--data", root)
    lingsou_here("import", tmp_path / "feed.csv", "--mapping", tmp_path / "mapping.toml", "--data", root)
    lingsou_here("index", "--data", root)
    alone = lingsou_here("index", "--rollback", "--data", root, code=2)
    assert "no generation to go back to" in alone.err
    with indexer_lock(DataFolder(root)):
        assert "g000002 is published" in lingsou_here("index", "--rebuild", "--data", root).out
        back = lingsou_here("index", "--rollback", "--data", root, "--json").json
        assert back == {"generation": "g000001", "previous": "g000002", "fits": "g000001"}
        assert (
            "Another process is indexing" in lingsou_here("index", "--rebuild", "--follow", "--data", root, code=2).err
        )
    assert "goes alone" in lingsou_here("index", "--rollback", "--rebuild", "--data", root, code=2).err

    (root / "lexicon.txt").write_text("跑步鞋男\n", encoding="utf-8")
    lingsou_here("index", "--rebuild", "--data", root)
    (root / "lexicon.txt").unlink()
    told = {each["what"]: each for each in lingsou_here("doctor", "--data", root, "--json").json["diagnoses"]}
    assert told["index"]["state"] == "warning"
    assert "g000003 is published, before it g000001; these settings fit g000001" in told["index"]["detail"]
    assert lingsou_here("search", "laptop", "--data", root, "--json").json["total"] == 2


def test_index_refuses_while_another_process_indexes(shop: Path) -> None:
    with indexer_lock(DataFolder(shop)):
        refused = run("index", "--data", shop, code=2)
    assert "Another process is indexing" in refused.err
    assert "cure:" in refused.err


def test_follow_ends_cleanly(shop: Path) -> None:
    for sent, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        command = [sys.executable, "-m", "lingsou.cli", "index", "--follow", "--data", str(shop)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            assert process.stderr
            assert b"Following the change log" in process.stderr.readline()
            time.sleep(0.2)
            os.kill(process.pid, sent)
            err = process.stderr.read()
            assert process.wait(60) == code
            assert b"Traceback" not in err


def test_search_as_text(shop: Path) -> None:
    told = run("search", "laptop", "--facet", "brand", "--explain", "--data", shop).out
    assert "2 results" in told
    assert "brand: Orbit (2)" in told
    assert "position = 1 sorted by relevance" in told
    assert "8999.50 CNY" in told


def test_search_as_json(shop: Path, lingsou_here: Run) -> None:
    def ids(*arguments: str) -> list[str]:
        answer = lingsou_here("search", *arguments, "--data", shop, "--json").json
        assert answer["total"] >= len(answer["hits"])
        return [hit["id"] for hit in answer["hits"]]

    assert ids("跑步鞋") == ["s1", "s3"]  # s3 by its English name
    assert ids("--filter", "brand=Orbit|Kestrel", "--sort", "price") == ["s3", "l1", "l2"]
    assert ids("--filter", "price=500..6000", "--filter", "brand!=Orbit") == ["s3"]
    assert ids("--filter", "category=Clothing", "--sort", "-price") == ["s3", "s1"]
    assert ids("--sort", "price", "--page", "2", "--page-size", "3") == ["l2"]
    assert ids("--page", "1000000000") == []

    answer = lingsou_here(
        "search",
        "shoes",
        "--facet",
        "brand",
        "--facet",
        "price",
        "--explain",
        "--no-collapse",
        "--data",
        shop,
        "--json",
    ).json
    assert [facet["field"] for facet in answer["facets"]] == ["brand", "price"]
    assert answer["hits"][0]["explanation"]["name"] == "position"
    assert answer["hits"][0]["highlights"]["title"] == "Kestrel trail running <em>shoes</em>"
    assert answer["hits"][0]["product"]["price"] == "549.00"


def test_logs_do_not_mix_with_results(
    shop: Path, tmp_path: Path, lingsou_here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINGSOU_ENCODER__NAME", "not-there")
    monkeypatch.setenv("LINGSOU_MODELS_DIR", str(tmp_path))
    answer = lingsou_here("search", "shoes", "--data", shop, "--json")
    assert answer.json["total"] == 2
    assert "not-there" in answer.err, "search by words alone, and said so"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--filter", "nothing=1"], "There is no field 'nothing'."),
        (["--filter", "pricey=1"], "Did you mean price?"),
        (["--facet", "nothing"], "There is no field 'nothing'."),
        (["--filter", "price"], "'price' is not a filter."),
        (["--filter", "price=cheap"], "'cheap' is not a number."),
        (["--filter", "price=1..2", "--filter", "price=3..4"], "filtered twice"),
        (["--sort", "best"], "field 'sort'"),
        (["--page", "0"], "field 'page'"),
        (["--page", "1000000001"], "field 'page'"),
        (["--page-size", "201"], "field 'page_size'"),
        (["x" * 1_000], "field 'q'"),
        (["\udcff"], "field 'q'"),
    ],
)
def test_a_wrong_search_is_refused_with_its_cure(
    arguments: list[str], named: str, shop: Path, lingsou_here: Run
) -> None:
    refused = lingsou_here("search", *arguments, "--data", shop, code=2)
    assert named in refused.err
    assert "cure:" in refused.err
    assert refused.out == ""


@pytest.mark.parametrize(
    "query",
    [
        "' OR 1=1 --",
        '"; DROP TABLE products; --',
        "[bold]x[/bold]",
        "[/]",
        "{{7*7}}",
        "*",
        "a:b AND (c",
        "<script>",
        "%s%n",
        "\\",
        "\t",
    ],
)
def test_injection_shaped_queries_are_words(query: str, shop: Path, lingsou_here: Run) -> None:
    lingsou_here("search", query, "--explain", "--facet", "brand", "--data", shop)
    lingsou_here("search", "--filter", f"brand={query} x", "--data", shop)
