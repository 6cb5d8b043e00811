"""Readers and writers of judgements."""

import csv
import gzip
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lingsou.core.errors import FeedError, InputError
from lingsou.evaluation.judgements import (
    Judgements,
    read_icecat,
    read_pairs,
    read_queries,
    read_trec,
    write_icecat,
    write_trec,
)

PAIR_HEADER = "id,product_uid,product_title,search_term,relevance\n"


def written(folder: Path, text: str, name: str = "ratings.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_icecat_form_is_read_by_column_name(tmp_path: Path) -> None:
    path = written(tmp_path, "rating,query,docid\n3,红色 连衣裙,p1\n0,红色 连衣裙,p2\n1,hdmi cable,p1\n")
    assert read_icecat(path).grades == {"红色 连衣裙": {"p1": 3.0, "p2": 0.0}, "hdmi cable": {"p1": 1.0}}


def test_gzip_and_byte_order_mark_are_seen_in_the_content_not_in_the_name(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_bytes(gzip.compress("\ufeffquery,docid,rating\na,p,2\n".encode()))
    assert read_icecat(path).grades == {"a": {"p": 2.0}}


@pytest.mark.parametrize(
    ("text", "row", "words"),
    [
        ("query,docid\na,p\n", None, "no column rating"),
        ("query,docid,rating\na,p,1\nb,q,good\n", 2, "'good' is not a number"),
        ("query,docid,rating\na,p,nan\n", 1, "not a number"),
        ("query,docid,rating\na,p,-1\n", 1, "at least 0"),
        ("query,docid,rating\na,p\n", 1, "2 cells instead of 3"),
        ("query,docid,rating\na,p,1\n,q,1\n", 2, "query is empty"),
        ("query,docid,rating\na,,1\n", 1, "product is empty"),
        ("query,docid,rating\na,p,1\na,p,1\na,p,2\n", 3, "graded 1 and 2"),
        ('query,docid,rating\na,p,1\n"b,q,1\n', 2, "CSV"),
        ("query,docid,rating\n", None, "holds no judgements"),
        ("", None, "no column"),
    ],
)
def test_malformed_icecat_files_say_where_and_how_to_cure(
    tmp_path: Path, text: str, row: int | None, words: str
) -> None:
    with pytest.raises(FeedError, match=words) as caught:
        read_icecat(written(tmp_path, text))
    assert caught.value.row == row
    assert caught.value.cure


def test_unreadable_files_are_feed_errors(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="cannot be read"):
        read_icecat(tmp_path / "absent.csv")
    wrong = tmp_path / "gbk.csv"
    wrong.write_bytes("query,docid,rating\n红色,p,1\n".encode("gbk"))
    with pytest.raises(FeedError, match="UTF-8"):
        read_icecat(wrong)
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress(b"query,docid,rating\n" + b"a,p,1\n" * 1000)[:-20])
    with pytest.raises(FeedError, match="damaged gzip"):
        read_icecat(cut)


def test_trec_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "q1 0 p1 2\n\nq1\t0\tp2\t-2\nq2 Q0 p1 0\n", "qrels")
    judgements = read_trec(path)
    assert judgements.grades == {"q1": {"p1": 2.0, "p2": -2.0}, "q2": {"p1": 0.0}}
    assert judgements.relevant_queries() == ("q1",)


@pytest.mark.parametrize(("text", "row"), [("q1 0 p1 1\nq1 0 p2\n", 2), ("q1 0 p1 x\n", 1), ("a b 0 p 1\n", 1)])
def test_malformed_trec_lines(tmp_path: Path, text: str, row: int) -> None:
    with pytest.raises(FeedError) as caught:
        read_trec(written(tmp_path, text, "qrels"))
    assert caught.value.row == row


def test_query_ids_become_texts(tmp_path: Path) -> None:
    path = written(tmp_path, "7\tusb c cable\n\n8\t 蓝牙 耳机 \n9\tusb c cable\n", "topics.tsv")
    texts = read_queries(path)
    assert texts == {"7": "usb c cable", "8": "蓝牙 耳机", "9": "usb c cable"}
    judged = Judgements({"7": {"a": 1.0, "b": 0.0}, "8": {"c": 2.0}, "9": {"b": 3.0}})
    assert judged.worded(texts).grades == {"usb c cable": {"a": 1.0, "b": 3.0}, "蓝牙 耳机": {"c": 2.0}}
    with pytest.raises(InputError, match="no text for the query id '8'"):
        judged.worded({"7": "x"})


@pytest.mark.parametrize(("text", "row"), [("7 no tab\n", 1), ("7\ta\n7\tb\n", 2), ("\ta\n", 1), ("7\t\n", 1)])
def test_malformed_query_files_say_where(text: str, row: int, tmp_path: Path) -> None:
    with pytest.raises(FeedError) as caught:
        read_queries(written(tmp_path, text, "topics.tsv"))
    assert caught.value.row == row


def test_pairs_lower_relevance_by_one_and_keep_titles(tmp_path: Path) -> None:
    path = written(
        tmp_path, PAIR_HEADER + '2,100,"Angle, 12-gauge",angle bracket,3\n3,101,Fan,angle bracket,1\n', "pairs.csv"
    )
    pairs = read_pairs(path)
    assert pairs.judgements.grades == {"angle bracket": {"100": 2.0, "101": 0.0}}
    assert pairs.titles == {"100": "Angle, 12-gauge", "101": "Fan"}
    with pytest.raises(FeedError, match="at least 1"):
        read_pairs(written(tmp_path, PAIR_HEADER + "1,1,t,q,0.5\n", "low.csv"))


def test_informative_queries_have_enough_products_and_different_grades() -> None:
    judgements = Judgements(
        {
            "few": {"a": 1.0, "b": 0.0},
            "all alike": dict.fromkeys("abcde", 2.0),
            "good": dict.fromkeys("abcd", 2.0) | {"e": 0.0},
        }
    )
    assert tuple(judgements.informative().grades) == ("good",)
    assert tuple(judgements.informative(min_products=2).grades) == ("few", "good")
    assert tuple(judgements.only({"few", "unknown"}).grades) == ("few",)


def test_numbered_queries_can_be_written_as_trec(tmp_path: Path) -> None:
    judgements = Judgements({"usb c cable": {"p": 2.0}, "手机壳": {"p": 0.0}})
    with pytest.raises(InputError, match="usb c cable"):
        write_trec(judgements, tmp_path / "qrels")
    numbered, texts = judgements.numbered()
    write_trec(numbered, tmp_path / "qrels")
    assert (tmp_path / "qrels").read_text() == "1 0 p 2\n2 0 p 0\n"
    assert texts == {"1": "usb c cable", "2": "手机壳"}


def judgement_sets(names: SearchStrategy[str]) -> SearchStrategy[dict[str, dict[str, float]]]:
    grades = st.integers(0, 4).map(float) | st.floats(0, 3)
    return st.dictionaries(names, st.dictionaries(names, grades, min_size=1, max_size=4), min_size=1, max_size=4)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), min_size=1).map(str.strip).filter(bool)


@given(judgement_sets(TEXT))
def test_icecat_form_returns_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, grades: dict[str, dict[str, float]]
) -> None:
    path = tmp_path_factory.mktemp("r") / "ratings.csv"
    write_icecat(Judgements(grades), path)
    assert read_icecat(path).grades == grades


@given(judgement_sets(st.from_regex(r"[\w\-]{1,8}", fullmatch=True)))
def test_trec_form_returns_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, grades: dict[str, dict[str, float]]
) -> None:
    path = tmp_path_factory.mktemp("r") / "qrels"
    write_trec(Judgements(grades), path)
    assert read_trec(path).grades == grades


@given(
    st.text(max_size=200)
    | st.lists(st.lists(st.text(max_size=5), max_size=4)).map(lambda rows: "\n".join(map(",".join, rows)))
)
def test_any_text_is_judgements_or_a_feed_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("r") / "ratings.csv"
    path.write_bytes(b"query,docid,rating\n" + text.encode("utf-8", errors="replace"))
    for reader in (read_icecat, read_trec):
        with suppress(FeedError):
            assert reader(path).grades


def test_long_cells_are_refused_not_crashed_on(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="CSV"):
        read_icecat(written(tmp_path, "query,docid,rating\n" + "a" * (csv.field_size_limit() + 1) + ",p,1\n"))
