"""`lingsou evaluate` on a small shop: prices are understood by one configuration and only words by the other."""

import csv
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ir_measures
import pytest
from ir_measures import RR, Judged, P, R, nDCG

from lingsou.core.types import SearchRequest
from lingsou.evaluation.judgements import read_icecat
from lingsou.events.schema import Event
from lingsou.pipeline.comparing import asked
from lingsou.pipeline.configurations import described
from lingsou.pipeline.shop import open_shop

from .conftest import Run, prepare

PRICES = range(100, 1_300, 100)
TITLE = '<b onclick="x()">Trail</b> running shoes'
QUERIES = [f"running shoes under {price + 50}" for price in PRICES] + ["跑步鞋", "mugs"]
PEERS = {
    "ndcg@10": nDCG(gains={1: 1, 2: 3}) @ 10,
    "ndcg@10_condensed": nDCG(gains={1: 1, 2: 3}, judged_only=True) @ 10,
    "mrr@10": RR @ 10,
    "precision@5": P @ 5,
    "recall@100": R @ 100,
    "judged@10": Judged @ 10,
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shoes at twelve prices and a few mugs."""
    root = tmp_path_factory.mktemp("evaluate") / "shop"
    feed = root.with_name("feed.csv")
    with feed.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("id", "title", "price", "category"))
        # the dearest first: what is equal by words stays in the order of the feed
        rows.writerows((f"s{price}", f"{TITLE} 跑步鞋 {price}", price, "Shoes") for price in reversed(PRICES))
        rows.writerows((f"m{n}", f"Blue mug {n}", 20, "Kitchen") for n in range(4))
    prepare("init", "--data", root)
    prepare("import", feed, "--data", root)
    prepare("quarantine", "release", "--check", "html", "--data", root)  # the scripts in the titles are meant
    prepare("index", "--data", root)
    return root


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    """What is within the price is what was meant; some products nobody judged."""
    path = tmp_path / "ratings.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("query", "docid", "rating"))
        for query, limit in zip(QUERIES, PRICES, strict=False):
            rows.writerows((query, f"s{price}", 2 if price <= limit else 0) for price in PRICES if price != 700)
        rows.writerows(("跑步鞋", f"s{price}", 1) for price in PRICES)
        rows.writerows((("mugs", "m0", 2), ("mugs", "m1", 0), ("mugs", "gone", 2)))
    return path


def log(root: Path, text: str, times: int, clicked: str | None = None) -> None:
    """Search, see all of the first ten, and click one."""
    opened = open_shop(root)
    try:
        opened.warm_up()
        for number in range(times):
            response = opened.pipeline.search(SearchRequest(q=text))
            opened.behaviour.searches.record(SearchRequest(q=text), response)
            time = datetime.now(UTC) - timedelta(minutes=9)
            own = {"time": time, "query_id": response.query_id, "session_id": f"{text}{number}"}
            opened.behaviour.events.append(
                [
                    Event(action_name=action, object_id=hit.id, ordinal=place, **own)
                    for place, hit in enumerate(response.hits[:10], 1)
                    for action in ("impression", *(("click",) if hit.id == clicked else ()))
                ]
            )
    finally:
        opened.close()


def peers(root: Path, ratings: Path, text: str) -> Mapping[str, float]:
    """The means that ir_measures gives to the lists of the configuration."""
    judged = read_icecat(ratings).grades
    there = {query: {id_: int(grade) for id_, grade in of.items() if id_ != "gone"} for query, of in judged.items()}
    opened = open_shop(root)
    try:
        opened.warm_up()
        side = described(text)
        lists = {pair.query: pair.a.ids for pair in asked(opened, side, side, QUERIES, 100)}
    finally:
        opened.close()
    numbers = {query: str(number) for number, query in enumerate(QUERIES)}
    run = {numbers[query]: {id_: -float(place) for place, id_ in enumerate(ids)} for query, ids in lists.items() if ids}
    qrels = {numbers[query]: of for query, of in there.items()}
    found: dict[str, float] = {}
    for name, measure in PEERS.items():
        values = [each.value for each in ir_measures.iter_calc([measure], qrels, run)]
        found[name] = sum(values) / len(QUERIES)
    return found


def test_judged_queries_end_to_end(shop: Path, ratings: Path, tmp_path: Path, lingsou_here: Run) -> None:
    html = tmp_path / "report.html"
    arguments = ("evaluate", "--judgements", ratings, "--b", "understand=false", "--data", shop)
    told = lingsou_here(*arguments, "--html", html, "--json")
    found = told.json
    metrics = {row["name"]: row for row in found["judged"]["comparison"]["metrics"]}
    assert found["verdict"].startswith("b is worse than a")
    assert metrics["ndcg@10"]["difference"]["high"] < 0
    assert metrics["ndcg@10"]["queries"] == len(QUERIES)
    assert found["judged"]["judgements"] - found["judged"]["judgements_of_products_in_the_shop"] == 1
    slices = {(row["dimension"], row["name"]): row["queries"] for row in found["judged"]["comparison"]["slices"]}
    assert (slices["language", "en"], slices["language", "zh"]) == (13, 1)
    assert (slices["category", "Shoes"], slices["category", "Kitchen"]) == (13, 1)
    assert slices["length", "1 term"] >= 1
    assert "14 queries are few" in told.err
    assert found["judged"]["losses"]
    assert found["provenance"]["sha256 of ratings.csv"]

    for side, text in (("a", "live"), ("b", "understand=false")):
        for name, value in peers(shop, ratings, text).items():
            assert metrics[name][side] == pytest.approx(value, abs=1e-9), (side, name)

    page = html.read_text(encoding="utf-8")
    assert "<b onclick" not in page
    assert "&lt;b onclick=" in page
    assert "<script" not in page

    plain = lingsou_here(*arguments)
    assert "ndcg@10_condensed" in plain.out
    assert "b: understand=false, p50" in plain.out


def test_the_same_configuration_has_no_difference(shop: Path, ratings: Path, lingsou_here: Run) -> None:
    found = lingsou_here("evaluate", "--judgements", ratings, "--b", "live", "--data", shop, "--json").json
    assert found["verdict"] == f"b and a have the same ndcg@10 on {len(QUERIES)} queries."
    assert {row["p"] for row in found["judged"]["comparison"]["metrics"]} == {1}


def test_logged_queries_end_to_end(shop: Path, tmp_path: Path, lingsou_here: Run) -> None:
    assert "Nobody searched" in lingsou_here("evaluate", "--log-days", 1, "--b", "live", "--data", shop, code=2).err
    log(shop, "running shoes under 350", 3, clicked="s300")
    log(shop, "mugs", 2, clicked="m0")
    log(shop, "blue mug", 1)
    html = tmp_path / "report.html"
    command = ("evaluate", "--log-days", 1, "--b", "understand=false", "--data", shop)
    logged = lingsou_here(*command, "--html", html, "--json").json["logged"]
    assert (logged["searches"], logged["texts"], logged["asked"], logged["share"]) == (6, 3, 3, 1)
    changed = {each["query"]: (each["before"], each["after"]) for each in logged["changed"]}
    assert changed["running shoes under 350"] == (3, 12), "results with the price understood, and without"
    assert 0 < logged["alikeness"]["value"] < 1
    replayed = logged["replayed"]
    assert (replayed["searches"], replayed["clicks"]) == (6, 5)
    assert replayed["kept"]["a"]["value"] == 1
    assert replayed["estimate"]["a"]["value"] == pytest.approx(replayed["logged"]["value"]), "a is what was logged"
    assert not logged["fitted"]
    page = html.read_text(encoding="utf-8")
    assert "Logged clicks replayed" in page
    assert "Judged queries" not in page

    few = lingsou_here(*command, "--log-texts", 1, "--json").json["logged"]
    assert (few["asked"], few["share"]) == (1, 0.5)
    plain = lingsou_here(*command)
    assert "logged clicks kept among the first ten: 1.000 with a" in plain.out
    assert "nobody can say which is better" in plain.out


def test_bad_input_is_refused_with_its_cure(shop: Path, ratings: Path, tmp_path: Path, lingsou_here: Run) -> None:
    def refused(*arguments: Any) -> str:
        told = lingsou_here("evaluate", *arguments, "--data", shop, code=2)
        assert "cure:" in told.err
        return told.err

    assert "nothing to compare on" in refused("--b", "live")
    assert "no configuration 'none'" in refused("--judgements", ratings, "--b", "none")
    long = tmp_path / "long.csv"
    long.write_text(f"query,docid,rating\n{'x' * 5000},s100,1\n", encoding="utf-8")
    assert "has 5000 characters" in refused("--judgements", long, "--b", "words-only")
    other = tmp_path / "other.csv"
    other.write_text("query,docid,rating\nshoes,gone,1\n", encoding="utf-8")
    assert "in the shop" in refused("--judgements", other, "--b", "words-only")
    lingsou_here("init", "--data", tmp_path / "empty")
    empty = lingsou_here("evaluate", "--judgements", ratings, "--b", "live", "--data", tmp_path / "empty", code=2)
    assert "The index is empty" in empty.err
