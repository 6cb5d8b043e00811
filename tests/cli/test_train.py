"""`lingsou train ranker` and `lingsou features` on a shop whose judgements say what retrieval does not know."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from lingsou.core.settings import DataFolder, load_settings
from lingsou.events.behaviour import open_behaviour
from lingsou.events.schema import Event
from lingsou.ranking.artefact import current, load

from .conftest import Run

QUERIES = [f"{first}{second}{third}o" for first in "bdfgk" for second in "aeiu" for third in "lmr"][:40]
"""Made-up words. Each names four products, of which the dearer two are right, though their titles are longer."""
CHEAP, DEAR = 5, 500


@pytest.fixture
def shop(tmp_path: Path, lingsou_here: Run) -> Path:
    root, feed = tmp_path / "shop", tmp_path / "feed.csv"
    lines = ["id,title,price"]
    for number, query in enumerate(QUERIES):
        for place in range(4):
            title = f"{query} " + "with cushions and a cover " * (place < 2) + f"kind {place}"
            lines.append(f"a{number}b{place},{title},{(DEAR if place < 2 else CHEAP) + place}")
    feed.write_text("\n".join(lines), encoding="utf-8")
    lingsou_here("init", "--data", root)
    lingsou_here("import", feed, "--data", root)
    lingsou_here("index", "--data", root)
    return root


def judged(path: Path, queries: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = [(QUERIES[n], f"a{n}b{place}", int(place < 2)) for n in range(queries) for place in range(4)]
        csv.writer(file).writerows([("query", "docid", "rating"), *rows])
    return path


def test_it_learns_installs_and_changes_the_order(shop: Path, tmp_path: Path, lingsou_here: Run) -> None:
    before = lingsou_here("search", QUERIES[0], "--data", shop, "--json").json
    assert before["hits"][0]["id"] in ("a0b2", "a0b3")
    file = judged(tmp_path / "ratings.csv", 40)
    dry = lingsou_here("train", "ranker", "--judgements", file, "--dry-run", "--data", shop, "--json").json
    assert dry["installed"] is None
    assert dry["objection"] is None
    assert current(DataFolder(shop).ranker) is None
    done = lingsou_here("train", "ranker", "--judgements", file, "--data", shop, "--json").json
    assert done["gain_ci"][0] > 0
    assert done["out_of_fold"] > 0.95
    assert "hour" not in done["importance"]
    artefact = load(DataFolder(shop).ranker, done["installed"])
    assert artefact.manifest.report["gain"] == pytest.approx(done["gain"])
    (figures,) = artefact.manifest.measurements.values()
    assert figures.values == {"ndcg@10": pytest.approx(done["out_of_fold"])}
    assert (figures.rows, set(figures.slices)) == (40, {"en"})
    assert len(artefact.manifest.data["judgements"]) == 64
    after = lingsou_here("search", QUERIES[0], "--data", shop, "--json").json
    assert {hit["id"] for hit in after["hits"][:2]} == {"a0b0", "a0b1"}


def test_too_few_queries_are_refused_unless_forced(shop: Path, tmp_path: Path, lingsou_here: Run) -> None:
    file = judged(tmp_path / "ratings.csv", 12)
    refused = lingsou_here("train", "ranker", "--judgements", file, "--data", shop, code=2)
    assert "12 queries with a relevant product are fewer than 30" in refused.err
    assert current(DataFolder(shop).ranker) is None
    lingsou_here("train", "ranker", "--judgements", file, "--force", "--data", shop)
    assert current(DataFolder(shop).ranker) is not None


def visited(root: Path, queries: int, searches: int = 40) -> None:
    """Shoppers who see the cheap products first, look less further down, and like what is dear."""
    random, now, events = np.random.default_rng(5), datetime.now(UTC), []
    for number in range(queries * searches):
        query = number % queries
        moment = now - timedelta(days=9) + timedelta(minutes=5 * number)
        base = {"query_id": f"q{number}", "session_id": f"s{number}"}
        events.append(Event(action_name="search", time=moment, message=QUERIES[query], query_id=f"q{number}"))
        order = [2, 3, 0, 1] if random.random() < 0.7 else random.permutation(4).tolist()
        for place, kind in enumerate(order, start=1):
            seen = {**base, "object_id": f"a{query}b{kind}", "ordinal": place, "time": moment}
            events.append(Event.model_validate({**seen, "action_name": "impression"}))
            if random.random() < (0.8 if kind < 2 else 0.2) / place:
                events.append(Event.model_validate({**seen, "action_name": "click", "time": moment + timedelta(0, 5)}))
    with open_behaviour(DataFolder(root), load_settings(DataFolder(root))) as behaviour:
        behaviour.events.append(events)


def test_it_learns_from_clicks_though_shoppers_look_at_the_top(shop: Path, lingsou_here: Run) -> None:
    visited(shop, 40, 20)
    done = lingsou_here("train", "ranker", "--clicks", "--data", shop, "--json").json
    assert done["queries"] == 40
    assert done["searches_with_clicks"] > 100
    assert done["gain_ci"][0] > 0
    assert "judgements" not in done
    assert current(DataFolder(shop).ranker) == done["installed"]
    after = lingsou_here("search", QUERIES[0], "--data", shop, "--json").json
    assert {hit["id"] for hit in after["hits"][:2]} == {"a0b0", "a0b1"}


def test_judgements_measure_what_clicks_help_to_teach(shop: Path, tmp_path: Path, lingsou_here: Run) -> None:
    visited(shop, 20, 12)
    file, margins = judged(tmp_path / "ratings.csv", 35), tmp_path / "margins.csv"
    margins.write_text("id,margin\na0b0,3.5\n", encoding="utf-8")
    worth = ("--worth", "cart=5", "--worth", "margin=0.5", "--margins", margins)
    more = (*worth, "--searches", "60", "--data", shop, "--json")
    done = lingsou_here("train", "ranker", "--judgements", file, "--clicks", *more).json
    assert (done["queries"], done["searches_with_clicks"], done["judgements"]) == (35, 60, 140)
    assert set(load(DataFolder(shop).ranker, done["installed"]).manifest.data) == {"judgements", "margins"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "nothing to learn from"),
        (("--clicks",), "0 queries cannot be cut into 5 parts"),
        (("--clicks", "--worth", "look=1"), "--worth look=1"),
        (("--clicks", "--worth", "cart=much"), "--worth cart=much"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(
    shop: Path, lingsou_here: Run, arguments: tuple[str, ...], told: str
) -> None:
    assert told in lingsou_here("train", "ranker", *arguments, "--data", shop, code=2).err


@pytest.mark.parametrize("line", ["a0b0,-1", "a0b0,inf", "a0b0,much", "a0b0"])
def test_a_wrong_margin_is_named(shop: Path, tmp_path: Path, lingsou_here: Run, line: str) -> None:
    file = tmp_path / "margins.csv"
    file.write_text(f"id,margin\na0b1,2\n{line}\n", encoding="utf-8")
    refused = lingsou_here("train", "ranker", "--clicks", "--margins", file, "--data", shop, code=2)
    assert "margins.csv, line 3" in refused.err
    file.write_text("id,margin\na0b1,2\n", encoding="utf-8")
    refused = lingsou_here("train", "ranker", "--clicks", "--margins", file, "--data", shop, code=2)
    assert "counts for nothing" in refused.err


def test_features_are_listed_shown_and_checked(shop: Path, lingsou_here: Run) -> None:
    names = [each["name"] for each in lingsou_here("features", "list", "--json").json["features"]]
    assert "title-coverage" in names
    assert "title-coverage" in lingsou_here("features", "list").out
    shown = lingsou_here("features", "show", "stock", "--json").json
    assert shown["direction"] == "more never hurts"
    assert "no feature named 'moon'" in lingsou_here("features", "show", "moon", code=2).err
    found = lingsou_here("features", "check", "--data", shop, "--searches", "9", "--json").json
    assert found["searches"] == 9
    assert {"feature": "stock", "problem": "missing", "other": ""} in found["findings"]
    assert "title-coverage" not in [each["feature"] for each in found["findings"]]
