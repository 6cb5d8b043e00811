"""`lingsou judge`: grades in from both forms, out again as `lingsou tune` reads them, and the agreement of judges."""

from pathlib import Path

import pytest

from lingsou.evaluation.judgements import read_icecat, read_queries, read_trec

from .conftest import Run

ANN = "query,docid,rating\nlaptop,l1,3\nlaptop,l2,2\n跑步鞋,s1,3\n跑步鞋,s3,1\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "ann.csv").write_text(ANN, encoding="utf-8")
    (tmp_path / "ben").write_text("1 0 l1 3\n1 0 l2 1\n2 0 s1 3\n", encoding="utf-8")
    (tmp_path / "ben.tsv").write_text("1\tlaptop\n2\t跑步鞋\n", encoding="utf-8")
    return tmp_path


def test_in_from_both_forms_and_out_to_both(files: Path, lingsou_here: Run) -> None:
    own = files / "shop"
    lingsou_here("init", "--data", own)

    def judge(*arguments: str | Path, code: int = 0) -> str:
        outcome = lingsou_here("judge", *arguments, "--data", own, code=code)
        return outcome.out + outcome.err

    assert "no grades yet" in judge("export", files / "none.csv", code=2)
    assert "4 grades of 2 queries by ann." in judge("import", files / "ann.csv", "--judge", "ann")
    assert "graded by two judges" in judge("agreement")
    judge("import", files / "ben", "--queries", files / "ben.tsv", "--judge", "ben")

    assert "4 grades of 2 queries are in" in judge("export", files / "all.csv")
    assert read_icecat(files / "all.csv").grades == {
        "laptop": {"l1": 3.0, "l2": 1.0},  # 2 and 1 are even: the lower
        "跑步鞋": {"s1": 3.0, "s3": 1.0},
    }
    assert "exists" in judge("export", files / "all.csv", code=2)
    judge("export", files / "qrels", "--queries", files / "topics.tsv")
    worded = read_trec(files / "qrels").worded(read_queries(files / "topics.tsv"))
    assert worded == read_icecat(files / "all.csv")

    found = lingsou_here("judge", "agreement", "--data", own, "--json").json["agreement"]
    # Grades 3 3, 2 1, 3 3: observed 1; chance over 3: ann 2 3 3 against ben 1 3 3: 1+1+1 + 2·(4+0+0) = 11.
    assert found["value"] == pytest.approx(1 - 3 / 11)
    assert (found["judges"], found["products"], found["queries"]) == (["ann", "ben"], 3, 2)
    assert "weighted kappa: 0.727, 95 % interval" in judge("agreement")
    assert "no judging set 'none'" in judge("agreement", "--set", "none", code=2)


def test_the_export_is_what_tune_reads(files: Path, shop: Path, lingsou_here: Run) -> None:
    lingsou_here("judge", "import", files / "ann.csv", "--judge", "ann", "--data", shop)
    lingsou_here("judge", "export", files / "tune.csv", "--data", shop)
    # Here is no encoder, and that is the first thing that `tune` misses.
    assert "There is no encoder" in lingsou_here("tune", files / "tune.csv", "--data", shop, code=2).err


def test_wrong_grades_are_refused_as_a_whole(files: Path, lingsou_here: Run) -> None:
    own = files / "shop"
    lingsou_here("init", "--data", own)
    (files / "wrong.csv").write_text(ANN + "laptop,l3,4\n", encoding="utf-8")
    refused = lingsou_here("judge", "import", files / "wrong.csv", "--judge", "ann", "--data", own, code=2).err
    assert "grade of 'l3' for 'laptop' is 4; judging uses 0 to 3" in refused
    assert "no grades yet" in lingsou_here("judge", "export", files / "x.csv", "--data", own, code=2).err
