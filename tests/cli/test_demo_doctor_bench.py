"""`lingsou demo`, `lingsou doctor` and `lingsou bench`."""

from pathlib import Path
from typing import Any

import pytest

from lingsou.core.settings import DataFolder
from lingsou.retrieval.indexer import indexer_lock

from .conftest import Run, prepare
from .conftest import lingsou as run


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo") / "shop"
    prepare("demo", "--data", root, "--products", "200", "--no-serve")
    return root


def found(outcome: Any) -> dict[str, Any]:
    assert outcome["ok"] == all(each["state"] != "error" for each in outcome["diagnoses"])
    return {each["what"]: each for each in outcome["diagnoses"]}


def test_demo_makes_a_shop_once(demo: Path, lingsou_here: Run) -> None:
    answer = lingsou_here("search", "--no-collapse", "--data", demo, "--json").json
    assert answer["total"] == 200
    again = lingsou_here("demo", "--data", demo, "--products", "200", "--no-serve")
    assert "ls_" not in again.out, "made already: no new key"
    assert lingsou_here("search", "--no-collapse", "--data", demo, "--json").json["total"] == 200
    assert lingsou_here("check", "--data", demo, "--fail-on", "error", "--json").json["rows"] == 200


def test_doctor_finds_a_healthy_shop_healthy(shop: Path) -> None:
    told = run("doctor", "--data", shop).out
    assert "4 products in the store, 4 can be found" in told
    assert "cure:" not in told


def test_doctor_names_what_is_wrong_and_the_cure(tmp_path: Path, shop: Path, lingsou_here: Run) -> None:
    missing = tmp_path / "new"
    bare = found(lingsou_here("doctor", "--data", missing, "--json", code=1).json)
    assert bare["data folder"]["cure"] == f"lingsou init --data {missing}"
    assert not missing.exists(), "looking makes nothing"

    lingsou_here("init", "--data", missing)
    (tmp_path / "feed.csv").write_text("id,title\na,A lamp\nb,A chair\n")
    lingsou_here("import", tmp_path / "feed.csv", "--data", missing)
    waiting = found(lingsou_here("doctor", "--data", missing, "--json").json)
    assert waiting["index"]["state"] == "warning"
    assert "2 changes wait" in waiting["index"]["detail"]
    assert "lingsou index" in waiting["index"]["cure"]

    with indexer_lock(DataFolder(shop)):
        assert found(lingsou_here("doctor", "--data", shop, "--json").json)["indexer"]["detail"] == "running"

    (missing / "lingsou.toml").write_text('[server]\nhost = "no.such.host.invalid"\n')
    assert found(lingsou_here("doctor", "--data", missing, "--json", code=1).json)["port"]["state"] == "error"
    (missing / "lingsou.toml").write_text("[server\n")
    assert found(lingsou_here("doctor", "--data", missing, "--json", code=1).json)["settings"]["state"] == "error"
    (missing / "lingsou.toml").write_text("")
    (missing / "index").mkdir(exist_ok=True)
    (missing / "index" / "current.json").write_text("{")
    assert "rebuild" in found(lingsou_here("doctor", "--data", missing, "--json", code=1).json)["shop"]["cure"]
    (missing / "store.sqlite3").write_bytes(b"not a database" * 1_000)
    assert found(lingsou_here("doctor", "--data", missing, "--json", code=1).json)["shop"]["cure"]


def test_bench_times_each_kind(demo: Path, tmp_path: Path, lingsou_here: Run) -> None:
    report = run("bench", "--data", demo, "--count", "20", "--json").json
    assert report["products"] == 200
    assert set(report["metrics"]) == {f"in process, {kind}" for kind in ("words", "facets", "filters and facets")}
    for figures in report["metrics"].values():
        assert 0 < figures["p50_ms"] <= figures["p95_ms"] <= figures["p99_ms"]
    (tmp_path / "queries.txt").write_text("跑步鞋\n\nlaptop\n", encoding="utf-8")
    told = lingsou_here("bench", "--data", demo, "--count", "10", "--queries", tmp_path / "queries.txt").out
    assert "200 products, 10 searches each" in told


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no query"),
        ("灯".encode("gb18030"), "not UTF-8"),
        (b"lamp\n" + b"x" * 600, "Query 2 of"),
        (None, "No such file"),
    ],
)
def test_bench_refuses_queries_it_cannot_use(
    content: bytes | None, said: str, shop: Path, tmp_path: Path, lingsou_here: Run
) -> None:
    queries = tmp_path / "queries.txt"
    if content is not None:
        queries.write_bytes(content)
    refused = lingsou_here("bench", "--data", shop, "--queries", queries, code=2)
    assert said in refused.err
    assert "cure:" in refused.err


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nonsense", "http://[", "ftp://127.0.0.1"])
def test_bench_says_when_no_service_answers(url: str, shop: Path, lingsou_here: Run) -> None:
    refused = lingsou_here("bench", "--data", shop, "--url", url, code=2)
    assert f"No service answers at {url}" in refused.err
    assert "cure: lingsou serve" in refused.err
