"""The store of judging sets and grades, and grades on their way through both file forms."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.catalog.judging_tables import JUDGING_SCHEMA, judging_grades
from lingsou.core.database import Database, sqlite_url
from lingsou.core.errors import ConflictError, InputError, NotFoundError
from lingsou.evaluation.judgements import (
    Judgements,
    queries_text,
    read_icecat,
    read_queries,
    read_trec,
    write_icecat,
    write_trec,
)
from lingsou.evaluation.judging import Grading, JudgingStore, Pool, combined, gradings_of


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JudgingStore]:
    sqlite = request.param == "sqlite"
    database = Database.open(sqlite_url(tmp_path / "store") if sqlite else request.getfixturevalue("postgres_url"))
    database.prepare(JUDGING_SCHEMA)
    yield JudgingStore(database)
    database.close()


def graded(query: str, product: str, judge: str, grade: int) -> Grading:
    return Grading(query, product, judge, grade)


def test_a_set_keeps_its_queries_in_order_each_once_on_one_line(store: JudgingStore) -> None:
    made = store.create(
        " First\nset ", ["红色 连衣裙", "usb  cable", "", "usb cable "], "live", "words-only", 10, "ann"
    )
    assert made.name == "First set"
    assert made.queries == ("红色 连衣裙", "usb cable")
    second = store.create("Second", ["x"], "live", "no-rules", 5, "ben")
    assert store.sets() == [second, made]
    assert store.get(made.number) == store.named("First set") == made
    store.delete(made.number)
    assert store.sets() == [second]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": "  "}, "needs a name"),
        ({"queries": ["", " "]}, "0 queries"),
        ({"queries": [str(number) for number in range(501)]}, "501 queries"),
        ({"queries": ["x" * 513]}, "513 characters"),
        ({"depth": 0}, "depth is 0"),
        ({"depth": 51}, "depth is 51"),
    ],
)
def test_a_set_that_cannot_be(store: JudgingStore, wrong: dict[str, Any], words: str) -> None:
    given_: dict[str, Any] = {"name": "n", "queries": ["q"], "a": "live", "b": "no-rules", "depth": 10, "author": "ann"}
    with pytest.raises(InputError, match=words) as caught:
        store.create(**given_ | wrong)
    assert caught.value.cure
    assert store.sets() == []


def test_names_are_taken_once_and_unknown_sets_are_not_found(store: JudgingStore) -> None:
    store.create("one", ["q"], "live", "no-rules", 10, "ann")
    with pytest.raises(ConflictError, match="'one' already"):
        store.create("one", ["q"], "live", "no-rules", 10, "ann")
    for call in (store.get, store.delete, lambda number: store.put_results(number, ())):
        with pytest.raises(NotFoundError, match="no judging set 99"):
            call(99)
    with pytest.raises(NotFoundError, match="'two'"):
        store.named("two")


def test_results_are_kept_by_rank_and_replaced_as_a_whole(store: JudgingStore) -> None:
    made = store.create("s", ["q", "r"], "live", "words-only", 3, "ann")
    assert store.pools(made) == [Pool("q"), Pool("r")]
    store.put_results(made.number, [Pool("q", ("p2", "p1"), ("p1", "p3")), Pool("r", (), ("p9",))])
    assert store.pools(made) == [Pool("q", ("p2", "p1"), ("p1", "p3")), Pool("r", (), ("p9",))]
    store.put_results(made.number, [Pool("q", ("p1",), ())])
    assert store.pools(made) == [Pool("q", ("p1",), ()), Pool("r")]


def test_the_shuffle_is_stable_for_a_judge_and_tells_nothing_of_the_sides() -> None:
    ids = tuple(f"p{number}" for number in range(30))
    pool, turned = Pool("q", ids[:20], ids[10:]), Pool("q", tuple(reversed(ids[10:])), ids[:20])
    assert pool.shuffled("ann") == turned.shuffled("ann")
    assert sorted(pool.shuffled("ann")) == sorted(ids)
    assert pool.shuffled("ann") != pool.shuffled("ben")
    # Over many queries, half of what comes first is of either side.
    first = [Pool(f"q{number}", ids[:10], ids[10:20]).shuffled("ann")[0] in ids[:10] for number in range(200)]
    assert 70 < sum(first) < 130


def test_the_latest_grade_of_each_judge_counts_and_undoing_goes_back_step_by_step(store: JudgingStore) -> None:
    store.grade([graded("q", "p1", "ann", 1)])
    store.grade([graded("q", "p2", "ann", 0), graded("q", "p1", "ben", 2)])
    store.grade([graded("q", "p1", "ann", 3), graded("other", "p1", "ann", 0)])
    assert set(store.grades(["q"])) == {
        graded("q", "p2", "ann", 0),
        graded("q", "p1", "ben", 2),
        graded("q", "p1", "ann", 3),
    }
    assert len(store.grades()) == 4
    assert store.undo("ann", ["q"]) == graded("q", "p1", "ann", 3)
    assert graded("q", "p1", "ann", 1) in store.grades(["q"])
    assert store.undo("ann", ["q"]) == graded("q", "p2", "ann", 0)
    assert store.undo("ann", ["q"]) == graded("q", "p1", "ann", 1)
    assert store.undo("ann", ["q"]) is None
    assert store.grades(["q"]) == [graded("q", "p1", "ben", 2)]
    with store._database.read() as connection:
        assert len(connection.execute(judging_grades.select()).all()) == 5, "history is kept"


@pytest.mark.parametrize("grade", [-1, 4])
def test_grades_are_0_to_3(store: JudgingStore, grade: int) -> None:
    with pytest.raises(InputError, match="grade of 'p' for 'q'"):
        store.grade([graded("q", "fine", "ann", 1), graded("q", "p", "ann", grade)])
    assert store.grades() == []


def test_deleting_a_set_keeps_the_grades(store: JudgingStore) -> None:
    made = store.create("s", ["q"], "live", "words-only", 3, "ann")
    store.put_results(made.number, [Pool("q", ("p",), ())])
    store.grade([graded("q", "p", "ann", 2)])
    store.delete(made.number)
    assert store.grades() == [graded("q", "p", "ann", 2)]


def test_judges_are_combined_by_the_median_ties_down() -> None:
    votes = {"one": [2], "tie": [1, 2], "far tie": [0, 3], "odd": [3, 0, 1], "four": [0, 1, 3, 3]}
    gradings = [graded("q", product, f"j{n}", grade) for product, all_ in votes.items() for n, grade in enumerate(all_)]
    # 1 and 2 are even: 1. 0 and 3: 0. Of 0 1 3: 1. Of 0 1 3 3 the two in the middle are 1 and 3: 1.
    assert combined(gradings).grades["q"] == {"one": 2.0, "tie": 1.0, "far tie": 0.0, "odd": 1.0, "four": 1.0}


def test_files_on_another_scale_are_refused() -> None:
    for grade in (4.0, -2.0, 1.5):
        with pytest.raises(InputError, match=f"is {grade:g}; judging uses 0 to 3"):
            gradings_of(Judgements({"q": {"p": grade}}), "ann")
    with pytest.raises(InputError, match="need a judge"):
        gradings_of(Judgements({"q": {"p": 1.0}}), " ")


# The characters that files treat specially, and Chinese; no spaces at the ends and no line breaks, as in the store.
_WORDS = st.text(st.sampled_from('ab红裙",\t;#0 -'), min_size=1, max_size=8).map(lambda text: " ".join(text.split()))
_QUERIES = _WORDS.filter(bool)
_IDS = st.text(st.sampled_from('ab红",;#0-/'), min_size=1, max_size=8)
_GRADES = st.dictionaries(
    _QUERIES, st.dictionaries(_IDS, st.integers(0, 3).map(float), min_size=1, max_size=4), min_size=1, max_size=5
)


@given(_GRADES)
def test_grades_come_back_from_both_forms(tmp_path_factory: pytest.TempPathFactory, grades: Any) -> None:
    folder, given_ = tmp_path_factory.mktemp("forms"), combined(gradings_of(Judgements(grades), "ann"))
    assert given_.grades == grades
    write_icecat(given_, folder / "ratings.csv")
    assert gradings_of(read_icecat(folder / "ratings.csv"), "ann") == gradings_of(given_, "ann")
    numbered, texts = given_.numbered()
    write_trec(numbered, folder / "qrels")
    (folder / "queries.tsv").write_text(queries_text(texts), encoding="utf-8")
    worded = read_trec(folder / "qrels").worded(read_queries(folder / "queries.tsv"))
    assert gradings_of(worded, "ann") == gradings_of(given_, "ann")


@pytest.mark.parametrize("text", ["", " a", "a\nb", "a\u2028b"])
def test_a_query_that_is_no_line_is_not_written(text: str) -> None:
    with pytest.raises(InputError, match="cannot be written as a line"):
        queries_text({"1": text})
