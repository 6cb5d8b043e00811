"""What each reader makes of small files written here by hand, and what it says of broken ones."""

import gzip
import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import ConfigurationError, FeedError, InputError
from lingsou.training.data import load
from lingsou.training.data.rejects import MOST_LISTED, Tally
from lingsou.training.data.tags import read as read_tags
from lingsou.training.examples import ExampleSet, HistorySet, LabelSet, PairSet, Span, TagSet, TextSet
from lingsou.training.recipe import DataFormat, DataSpec, TaskKind

pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")


def written(folder: Path, name: str, text: str) -> str:
    data = text.encode()
    (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return name


def loaded(
    folder: Path,
    form: DataFormat,
    kind: TaskKind,
    name: str,
    content: str,
    tally: Tally | None = None,
    /,
    **columns: str,
) -> ExampleSet:
    spec = DataSpec(format=form, path=written(folder, name, content), columns=columns)
    return load(spec, kind, folder, tally=tally)


def pairs_of(examples: ExampleSet) -> list[tuple[str, str, float]]:
    assert isinstance(examples, PairSet)
    return [
        (examples.queries[q], examples.texts[t], float(grade))
        for q, t, grade in zip(examples.query, examples.text, examples.grades, strict=True)
    ]


def test_pairs_under_usual_names(tmp_path: Path) -> None:
    found = loaded(tmp_path, "pairs", "matching", "a.csv", "query,title,grade\nlamp,Desk lamp,2\nlamp,Chair,0\n")
    assert pairs_of(found) == [("lamp", "Desk lamp", 2.0), ("lamp", "Chair", 0.0)]


def test_relevance_of_one_is_not_relevant_in_the_home_depot_form(tmp_path: Path) -> None:
    text = "id,product_uid,product_title,search_term,relevance\n1,9,Desk lamp,lamp,2.5\n2,8,Chair,lamp,1\n"
    found = loaded(tmp_path, "pairs", "relevance", "pairs.csv.gz", text)
    assert pairs_of(found) == [("lamp", "Desk lamp", 1.5), ("lamp", "Chair", 0.0)]


def test_columns_are_mapped_and_slices_come_along(tmp_path: Path) -> None:
    text = "frage\tding\tnote\tmarke\nlamp\tDesk lamp\t3\tKestrel\n"
    names = {"query": "frage", "text": "ding", "grade": "note", "brand": "marke"}
    found = loaded(tmp_path, "pairs", "matching", "a.tsv", text, **names)
    assert pairs_of(found) == [("lamp", "Desk lamp", 3.0)]
    assert found.slices == {"brand": ["Kestrel"]}


def test_json_lines_and_parquet(tmp_path: Path) -> None:
    rows = [{"query": "灯", "text": "台灯", "grade": 1.0}, {"query": "灯", "text": "椅子", "grade": 0.0}]
    lines = "\n".join(json.dumps(row) for row in rows)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    found = loaded(tmp_path, "pairs", "matching", "a.jsonl.gz", lines)
    same = load(DataSpec(format="pairs", path="a.parquet"), "matching", tmp_path)
    assert pairs_of(found) == pairs_of(same) == [("灯", "台灯", 1.0), ("灯", "椅子", 0.0)]


@pytest.mark.parametrize("grade", ["NaN", "inf", "-1", "good", ""])
def test_a_bad_grade_is_counted_and_does_not_end_the_reading(tmp_path: Path, grade: str) -> None:
    good = "".join(f"lamp,Lamp {n},1\n" for n in range(20))
    tally = Tally("a.csv")
    found = loaded(tmp_path, "pairs", "matching", "a.csv", f"query,text,grade\n{good}lamp,Chair,{grade}\n", tally)
    assert len(found) == 20
    assert (tally.rows, tally.counts) == (21, {"grade is not a usable number": 1})
    assert (tally.listed[0].row, tally.listed[0].field) == (22, "grade")


def test_more_than_a_tenth_of_bad_rows_is_an_error_that_names_the_first(tmp_path: Path) -> None:
    rows = "".join(f"lamp,Lamp {n},{'nan' if n % 5 == 0 else 1}\n" for n in range(20))
    with pytest.raises(InputError, match="4 of 20 rows") as caught:
        loaded(tmp_path, "pairs", "matching", "a.csv", "query,text,grade\n" + rows)
    assert (caught.value.row, caught.value.field, caught.value.cure) == (2, "grade", "Write a plain number.")


def test_only_the_first_bad_rows_are_listed() -> None:
    tally = Tally("a")
    for row in range(50):
        tally.reject(row, "bad", "bad")
    assert len(tally.listed) == MOST_LISTED
    assert tally.counts == {"bad": 50}
    with pytest.raises(InputError, match="50 of 50"):
        tally.close()


def test_a_missing_column_is_named_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="it has query, words") as caught:
        loaded(tmp_path, "pairs", "matching", "a.csv", "query,words\nlamp,x\n")
    assert caught.value.field == "text"
    assert "columns = { text" in (caught.value.cure or "")
    with pytest.raises(FeedError, match="no column 'wrods'"):
        loaded(tmp_path, "pairs", "matching", "a.csv", "query,words,grade\nlamp,x,1\n", text="wrods")
    with pytest.raises(ConfigurationError, match="no column 'txt' to map"):
        loaded(tmp_path, "pairs", "matching", "a.csv", "query,words,grade\nlamp,x,1\n", txt="words")


@pytest.mark.parametrize("text", ["", "query,text,grade\n", "\n\n"])
def test_an_empty_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(FeedError):
        loaded(tmp_path, "pairs", "matching", "a.csv", text)


def test_another_encoding_is_named_with_a_cure_that_a_recipe_has(tmp_path: Path) -> None:
    rows = "".join(f"台灯{n},护眼台灯,1\n" for n in range(9))
    (tmp_path / "a.csv").write_bytes(f"query,text,grade\n{rows}".encode("gb18030"))
    with pytest.raises(FeedError, match="gb18030") as caught:
        load(DataSpec(format="pairs", path="a.csv"), "matching", tmp_path)
    assert caught.value.cure == "Save the file as UTF-8."


def test_a_missing_file_and_a_format_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="no file"):
        load(DataSpec(format="labels", path="gone.csv"), "classes", tmp_path)
    with pytest.raises(ConfigurationError, match="no examples for a task of kind 'tags'") as caught:
        load(DataSpec(format="pairs", path="a.csv"), "tags", tmp_path)
    assert caught.value.cure == "Use tags or query-labels."
    with pytest.raises(ConfigurationError, match="reads a file"):
        load(DataSpec(format="pairs"), "matching", tmp_path)
    with pytest.raises(ConfigurationError, match="reads a shop"):
        load(DataSpec(format="log"), "matching", tmp_path)


def test_classes(tmp_path: Path) -> None:
    rows = "label,review\n1.0,很好\n0,不好\n1,还行\n" + "".join(f"1,好{n}\n" for n in range(20)) + "nan,没有标签\n"
    tally = Tally("a.csv")
    found = loaded(tmp_path, "labels", "classes", "a.csv", rows, tally)
    assert isinstance(found, LabelSet)
    assert (found.texts[:2], found.given[:2], found.multiple) == (("很好", "不好"), (("1.0",), ("0",)), False)
    assert tally.counts == {"there is no label": 1}


def test_several_labels_by_list_or_separator(tmp_path: Path) -> None:
    rows = [["a", "b"], "b|c", "", "a; a", None]
    lines = "\n".join(json.dumps({"text": f"t{n}", "labels": row}) for n, row in enumerate(rows))
    found = loaded(tmp_path, "labels", "labels", "a.jsonl", lines)
    assert isinstance(found, LabelSet)
    assert found.given == (("a", "b"), ("b", "c"), (), ("a",), ())
    assert found.multiple


def test_numbers_as_labels_are_the_same_in_every_format(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([{"text": "a", "label": 1.0}, {"text": "b", "label": 0.0}]), tmp_path / "a.pq")
    found = load(DataSpec(format="labels", path="a.pq"), "classes", tmp_path)
    assert found.labels() == ["1", "0"]


BIO = "红 B-COLOUR\n色 I-COLOUR\n鞋 B-ITEM\n\n大 O\n鞋 B-ITEM\n子 I-ITEM\n"


def test_bio_and_bieos_give_the_same_spans(tmp_path: Path) -> None:
    ends = "红\tB-COLOUR\r\n色\tE-COLOUR\r\n鞋\tS-ITEM\r\n\r\n大\tO\r\n鞋\tB-ITEM\r\n子\tE-ITEM\r\n"
    underscored = ends.replace("\r", "").replace("-", "_")
    for number, text in enumerate((BIO, ends, underscored)):
        found = loaded(tmp_path, "tags", "tags", f"{number}.txt", text)
        assert isinstance(found, TagSet)
        assert found.texts == ("红色鞋", "大鞋子")
        assert found.spans == ((Span(0, 2, "COLOUR"), Span(2, 3, "ITEM")), (Span(1, 3, "ITEM"),))


def test_middles_and_lasts_of_other_schemes(tmp_path: Path) -> None:
    for number, text in enumerate(("跑 B-I\n步 M-I\n鞋 E-I\n大 S-J\n", "跑 B-I\n步 I-I\n鞋 L-I\n大 U-J\n")):
        found = loaded(tmp_path, "tags", "tags", f"{number}.txt", text)
        assert isinstance(found, TagSet)
        assert found.spans == ((Span(0, 3, "I"), Span(3, 4, "J")),)


def test_words_are_joined_with_spaces_and_characters_are_not(tmp_path: Path) -> None:
    words = loaded(tmp_path, "tags", "tags", "w.txt", "a O\nred B-COLOUR\nrunning B-ITEM\nshoe I-ITEM\n")
    assert isinstance(words, TagSet)
    assert words.texts == ("a red running shoe",)
    assert [words.texts[0][s.start : s.end] for s in words.spans[0]] == ["red", "running shoe"]
    letters = loaded(tmp_path, "tags", "tags", "l.txt", "o B-HP\nt I-HP\na I-HP\nx I-HP\n  O\n包 B-HC\n")
    assert isinstance(letters, TagSet)
    assert (letters.texts, letters.spans) == (("otax 包",), ((Span(0, 4, "HP"), Span(5, 6, "HC")),))


@pytest.mark.parametrize(
    ("line", "number", "reason"),
    [
        ("鞋", 62, "not a token and its tag"),
        ("鞋 Q-ITEM", 62, "not a tag"),
        ("鞋 I-ITEM", 62, "goes on with what did not begin"),
    ],
)
def test_a_malformed_line_costs_its_record_and_is_named(tmp_path: Path, line: str, number: int, reason: str) -> None:
    tally = Tally("a.txt")
    found = loaded(tmp_path, "tags", "tags", "a.txt", "鞋 B-ITEM\n\n" * 30 + f"大 O\n{line}\n", tally)
    assert len(found) == 30
    assert tally.listed[0].row == number
    assert reason in tally.listed[0].reason


def test_an_unclosed_span_is_wrong_only_where_ends_are_marked(tmp_path: Path) -> None:
    tally = Tally("a.txt")
    found = loaded(tmp_path, "tags", "tags", "a.txt", "鞋 S-I\n\n" * 30 + "大 B-I\n鞋 I-I\n子 O\n", tally)
    assert len(found) == 30
    assert tally.counts == {"a span without an end": 1}


@given(
    st.lists(
        st.lists(
            st.tuples(st.text("鞋红大小abc", min_size=1, max_size=4), st.sampled_from(["", "A", "B"])), min_size=1
        ),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
)
def test_spans_survive_being_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, records: list[list[tuple[str, str]]], ends: bool
) -> None:
    """Each phrase of a record with its kind, or none, one character a line."""
    lines: list[str] = []
    for record in records:
        for phrase, kind in record:
            last = len(phrase) - 1
            for place, character in enumerate(phrase):
                inner = "B" if place == 0 else "I"
                mark = ("S" if last == 0 else "E" if place == last else inner) if ends else inner
                lines.append(f"{character} {mark}-{kind}" if kind else f"{character} O")
        lines.append("")
    folder = tmp_path_factory.mktemp("tags")
    found = read_tags(
        folder / written(folder, "a.txt", "\n".join(lines)), DataSpec(format="tags", path="a.txt"), Tally("a")
    )
    assert found.texts == tuple("".join(phrase for phrase, _ in record) for record in records)
    for text, spans, record in zip(found.texts, found.spans, records, strict=True):
        told = [(phrase, kind) for phrase, kind in record if kind]
        assert [(text[span.start : span.end], span.kind) for span in spans] == told


def test_texts_of_lines_and_of_a_column(tmp_path: Path) -> None:
    found = loaded(tmp_path, "texts", "masking", "a.txt.gz", "one\n\n  two  words \n")
    assert found == TextSet(("one", "two words"))
    table = loaded(tmp_path, "texts", "masking", "a.csv", "id,content\n1,one\n2,two\n")
    assert isinstance(table, TextSet)
    assert table.texts == ("one", "two")


PRODUCTS = "".join(
    json.dumps({"id": f"p{n}", "title": f"Lamp {n}", "brand": "Kestrel", "price": 10.0 * n, "category": "Light"}) + "\n"
    for n in range(1, 4)
)


def test_judgements_take_texts_from_the_products_beside_them(tmp_path: Path) -> None:
    written(tmp_path, "products.jsonl.gz", PRODUCTS)
    written(tmp_path, "ratings.csv", "query,docid,rating\nlamp,p1,3\nlamp,p2,0\nlight,p3,-1\n")
    found = load(DataSpec(format="judgements", path="."), "relevance", tmp_path)
    assert pairs_of(found) == [
        ("lamp", "Lamp 1. Kestrel. Light", 3.0),
        ("lamp", "Lamp 2. Kestrel. Light", 0.0),
        ("light", "Lamp 3. Kestrel. Light", 0.0),
    ]
    assert found.slices["brand"] == ["Kestrel"] * 3


def test_judged_products_that_do_not_exist_are_rejected_rows(tmp_path: Path) -> None:
    written(tmp_path, "products.jsonl.gz", PRODUCTS)
    rows = "".join(f"lamp {n},p1,3\n" for n in range(20))
    tally = Tally("ratings.csv")
    found = loaded(tmp_path, "judgements", "matching", "r.csv", f"query,docid,rating\n{rows}lamp,p9,1\n", tally)
    assert len(found) == 20
    assert tally.counts == {"there is no such product": 1}


def test_judgements_without_products_say_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no products to take the texts"):
        loaded(tmp_path, "judgements", "matching", "r.csv", "query,docid,rating\nlamp,p1,3\n")


def test_histories_are_in_order_of_time_and_without_repeats(tmp_path: Path) -> None:
    met = ["ann,C,300", "ann,A,100", "ann,B,200", "ann,B,250", "ben,A,100", "cy,A,2026-03-01", "cy,C,2026-03-02"]
    rows = "\n".join(["user_id,title,timestamp", *met])
    found = loaded(tmp_path, "histories", "history", "a.csv", rows)
    assert isinstance(found, HistorySet)
    paths = [[found.texts[item] for item in items] for items in found.items]
    assert paths == [["A", "B", "C"], ["A", "C"]]
    assert found.times[0] == 300
    assert not {"ann", "cy"} & set(found.shoppers)
    assert np.isclose(found.times[1], 1772409600)


def test_histories_of_one_product_teach_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="met two products"):
        loaded(tmp_path, "histories", "history", "a.csv", "user_id,title,timestamp\nann,C,300\nann,C,400\nben,A,1\n")


def test_histories_of_ids_need_texts(tmp_path: Path) -> None:
    rows = "user_id,item_id,time\nann,p1,100\nann,p2,200\n"
    with pytest.raises(ConfigurationError, match="no products"):
        loaded(tmp_path, "histories", "history", "a.csv", rows)
    written(tmp_path, "products.jsonl", PRODUCTS)
    found = loaded(tmp_path, "histories", "history", "a.csv", rows)
    assert found.labels() == ["Lamp 2. Kestrel. Light"]
