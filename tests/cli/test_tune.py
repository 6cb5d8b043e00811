"""`lingsou tune` on a shop whose judgements say that words are right where look-alikes are not."""

import csv
from collections.abc import Iterable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from lingsou.core import plugins
from lingsou.core.settings import DataFolder, load_settings
from lingsou.encoders import EncoderOptions
from lingsou.testing.encoder import HashEncoder

from .conftest import Run

QUERIES = [f"{first}{second}{third}o" for first in "bdfgk" for second in "aeiu" for third in "lmr"]
"""Sixty made-up words. For each there is a product that names it in a long title, and one that looks like it."""
POOR = 0.02


def encoder(_: Path, __: EncoderOptions) -> HashEncoder:
    """A plug-in: near is what shares trigrams."""
    return HashEncoder(256)


def weight_of(root: Path) -> float:
    return load_settings(DataFolder(root)).search.lexical_weight


def id_of(query: str, kind: str) -> str:
    """The id names no query: ids are words that are searched."""
    return f"{kind}{QUERIES.index(query) if query in QUERIES else query}"


def judged(path: Path, queries: Iterable[str], liked: str = "right") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = ((query, id_of(query, liked), 1) for query in queries)
        csv.writer(file).writerows([("query", "docid", "rating"), *rows])
    return path


@pytest.fixture
def shop(tmp_path: Path, lingsou_here: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An indexed shop with vectors, in which words weigh next to nothing."""
    point = EntryPoint(name="hash", value="tests.cli.test_tune:encoder", group="lingsou.encoder")
    monkeypatch.setattr(plugins, "entry_points", lambda **chosen: EntryPoints([point]).select(**chosen))
    monkeypatch.setenv("LINGSOU_ENCODER__NAME", "hash")
    root, feed = tmp_path / "shop", tmp_path / "feed.csv"
    lines = ["id,title"]
    for query in QUERIES:
        lines.append(f"{id_of(query, 'right')},Sturdy garden chair in the colour {query} with cushions")
        lines.append(f"{id_of(query, 'alike')},{query}s{query}")
    feed.write_text("\n".join(lines), encoding="utf-8")
    lingsou_here("init", "--data", root)
    settings = root / "lingsou.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace("# lexical_weight = 0.4", f"lexical_weight = {POOR}"), "utf-8"
    )
    lingsou_here("import", feed, "--data", root)
    lingsou_here("index", "--data", root)
    return root


def test_the_weight_is_fitted_reported_and_written(shop: Path, tmp_path: Path, lingsou_here: Run) -> None:
    ratings = judged(tmp_path / "ratings.csv", QUERIES)
    tried = lingsou_here("tune", ratings, "--dry-run", "--data", shop, "--json")
    assert (tried.json["queries"], tried.json["weight_before"], tried.json["written"]) == (len(QUERIES), POOR, False)
    assert tried.json["objection"] is None
    assert tried.json["gain_ci"][0] > 0
    assert weight_of(shop) == POOR, "a dry run changes nothing"
    assert "Nothing was changed" in tried.err

    done = lingsou_here("tune", ratings, "--data", shop)
    assert weight_of(shop) == tried.json["weight_fitted"] > 10 * POOR
    assert "restart `lingsou serve`" in done.err
    assert "60 queries with a relevant product" in done.out
    first = lingsou_here("search", QUERIES[0], "--data", shop, "--json").json["hits"][0]
    assert first["id"] == "right0", "the next start searches with it"

    again = lingsou_here("tune", ratings, "--data", shop, code=2)
    assert "the best already" in again.err
    assert weight_of(shop) == tried.json["weight_fitted"]


def test_trec_files_say_the_same(shop: Path, tmp_path: Path, lingsou_here: Run) -> None:
    qrels, topics = tmp_path / "qrels", tmp_path / "topics.tsv"
    qrels.write_text("".join(f"q{n} 0 right{n} 1\n" for n in range(len(QUERIES))), encoding="utf-8")
    topics.write_text("".join(f"q{n}\t{query}\n" for n, query in enumerate(QUERIES)), encoding="utf-8")
    trec = lingsou_here("tune", qrels, "--queries", topics, "--dry-run", "--data", shop, "--json").json
    ratings = judged(tmp_path / "ratings.csv", QUERIES)
    assert trec == lingsou_here("tune", ratings, "--dry-run", "--data", shop, "--json").json
    topics.write_text("q0 something\n", encoding="utf-8")
    refused = lingsou_here("tune", qrels, "--queries", topics, "--data", shop, code=2)
    assert "Not a new query id, a tab and its text." in refused.err
    topics.write_text("q0\tsomething\n", encoding="utf-8")
    refused = lingsou_here("tune", qrels, "--queries", topics, "--data", shop, code=2)
    assert "no text for the query id 'q1'" in refused.err


def test_few_judgements_change_nothing_unless_forced(shop: Path, tmp_path: Path, lingsou_here: Run) -> None:
    ratings = judged(tmp_path / "ratings.csv", QUERIES[:29])
    refused = lingsou_here("tune", ratings, "--data", shop, code=2)
    assert "29 queries with a relevant product are fewer than 30" in refused.err
    assert "cure:" in refused.err
    assert "gain" in refused.out, "the report stands all the same"
    assert weight_of(shop) == POOR
    assert lingsou_here("tune", ratings, "--force", "--data", shop, "--json").json["written"]
    assert weight_of(shop) > POOR


def test_no_gain_changes_nothing(shop: Path, tmp_path: Path, lingsou_here: Run) -> None:
    """The look-alikes are what is wanted, and meaning ranks them first with hardly a word."""
    ratings = judged(tmp_path / "ratings.csv", QUERIES, liked="alike")
    refused = lingsou_here("tune", ratings, "--data", shop, code=2)
    assert "gained nothing" in refused.err or "best already" in refused.err
    assert weight_of(shop) == POOR


def test_what_is_not_in_the_shop_is_counted(shop: Path, tmp_path: Path, lingsou_here: Run) -> None:
    ratings = judged(tmp_path / "ratings.csv", [*QUERIES, "gone", "sold"])
    told = lingsou_here("tune", ratings, "--dry-run", "--data", shop, "--json").json
    assert (told["queries"], told["judgements"], told["judgements_of_products_in_the_shop"]) == (60, 62, 60)


def test_a_variable_that_wins_over_the_file_is_named(
    shop: Path, tmp_path: Path, lingsou_here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINGSOU_SEARCH__LEXICAL_WEIGHT", str(POOR))
    told = lingsou_here("tune", judged(tmp_path / "ratings.csv", QUERIES), "--data", shop)
    assert "LINGSOU_SEARCH__LEXICAL_WEIGHT wins" in told.err


def test_bad_input_is_refused_with_its_cure(
    shop: Path, tmp_path: Path, lingsou_here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ratings = judged(tmp_path / "ratings.csv", QUERIES)

    def refused(*arguments: str | Path) -> str:
        told = lingsou_here("tune", *arguments, "--data", shop, code=2)
        assert "cure:" in told.err
        return told.err

    assert "cannot be read" in refused(tmp_path / "not-there.csv")
    (tmp_path / "bad.csv").write_text("query,docid\na,b\n", encoding="utf-8")
    assert "no column rating" in refused(tmp_path / "bad.csv")
    assert "in the shop" in refused(judged(tmp_path / "other.csv", ["gone"]))
    assert "cannot be cut into 5 parts" in refused(judged(tmp_path / "four.csv", QUERIES[:4]))
    assert "1 columns instead of 4" in refused(ratings, "--queries", ratings)
    (tmp_path / "more.csv").write_text("id,title\nnew,One more chair\n", encoding="utf-8")
    lingsou_here("import", tmp_path / "more.csv", "--data", shop)
    monkeypatch.setenv("LINGSOU_ENCODER__NAME", "")
    lingsou_here("index", "--data", shop)
    assert "There is no encoder" in refused(ratings)
    monkeypatch.setenv("LINGSOU_ENCODER__NAME", "hash")
    assert "1 products have no vector yet" in refused(ratings)
    assert weight_of(shop) == POOR
    lingsou_here("init", "--data", tmp_path / "empty")
    assert "The index is empty" in lingsou_here("tune", ratings, "--data", tmp_path / "empty", code=2).err
