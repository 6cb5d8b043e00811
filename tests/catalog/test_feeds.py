"""Every feed keeps the contract; each format's own troubles are rejects of one row, or errors that name the cure."""

import csv
import gzip
import json
import tracemalloc
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.catalog.feeds import RowProblem, open_feed
from lingsou.catalog.feeds.csv import CsvFeed
from lingsou.catalog.feeds.google import GoogleMerchantFeed
from lingsou.catalog.feeds.jsonl import JsonLinesFeed
from lingsou.catalog.feeds.parquet import ParquetFeed
from lingsou.core.errors import ConfigurationError, FeedError
from lingsou.core.plugins import names, resolve
from lingsou.testing.feed import check_feed

pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
Texts = Sequence[Mapping[str, str]]
COLUMNS = ["id", "title", "description", "brand", "price"]


def write_delimited(path: Path, rows: Texts, delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def write_jsonl(path: Path, rows: Texts) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def write_parquet(path: Path, rows: Texts) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows), schema=pa.schema([(name, pa.string()) for name in COLUMNS])), path)


def write_google(path: Path, rows: Texts) -> None:
    items = ("".join(f"<g:{k}>{escape(v)}</g:{k}>" for k, v in row.items()) for row in rows)
    body = "".join(f"<item>{item}</item>" for item in items)
    head = (
        '<?xml version="1.0"?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>'
    )
    path.write_text(f"{head}{body}</channel></rss>", encoding="utf-8")


WRITERS = {
    "csv": write_delimited,
    "tsv": lambda path, rows: write_delimited(path, rows, "\t"),
    "jsonl": write_jsonl,
    "parquet": write_parquet,
    "google": write_google,
}


@pytest.mark.parametrize("name", names("feed"))
def test_contract(name: str, tmp_path: Path) -> None:
    check_feed(resolve("feed", name), WRITERS[name], tmp_path)


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_the_format_is_known_by_content_where_the_name_says_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / "feed.bin"
    WRITERS[name](path, [dict.fromkeys(COLUMNS, "x")])
    assert open_feed(path).name == name


@pytest.mark.parametrize(
    ("file", "name"), [("a.csv.gz", "csv"), ("a.TSV", "tsv"), ("a.ndjson", "jsonl"), ("a.txt", "csv")]
)
def test_the_format_is_known_by_suffix(file: str, name: str, tmp_path: Path) -> None:
    (tmp_path / file).write_bytes(b"id,title\n1,x\n")
    assert open_feed(tmp_path / file).name == name


def test_spreadsheets_and_unknown_formats_are_refused_with_a_cure(tmp_path: Path) -> None:
    path = tmp_path / "feed.xlsx"
    path.write_bytes(b"PK\x03\x04....")
    with pytest.raises(FeedError, match="Save it as CSV"):
        open_feed(path)
    with pytest.raises(ConfigurationError, match="Use one of: csv"):
        open_feed(path, "xls")


def rows_of(feed: Any, path: Path, data: bytes | str, **options: Any) -> list[tuple[int, Any]]:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return list(feed.rows(path, **options))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "feed"


# ---- encodings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("feed", [CsvFeed(), JsonLinesFeed()])
def test_a_feed_in_another_encoding_is_refused_and_the_option_named(feed: Any, file: Path) -> None:
    text = "id,title\n1,红色连衣裙\n2,蓝色衬衫\n" if feed.name == "csv" else '{"id":"1","title":"红色连衣裙"}\n' * 3
    with pytest.raises(FeedError, match="--encoding gb18030"):
        rows_of(feed, file, text.encode("gb18030"))
    named = rows_of(feed, file, text.encode("gb18030"), encoding="gb18030")
    assert named[0][1] == {"id": "1", "title": "红色连衣裙"}


def test_windows_1252_is_told_from_chinese(file: Path) -> None:
    with pytest.raises(FeedError, match="--encoding cp1252"):
        rows_of(CsvFeed(), file, "id,title\n1,Café crème\n2,Größe\n".encode("cp1252"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_utf_16_needs_to_be_named(encoding: str, file: Path) -> None:
    data = "id,title\n1,红色\n".encode(encoding)
    with pytest.raises(FeedError, match="--encoding utf-"):
        rows_of(CsvFeed(), file, data)
    assert rows_of(CsvFeed(), file, data, encoding=encoding) == [(2, {"id": "1", "title": "红色"})]


@pytest.mark.parametrize("encoding", ["no-such", "hex", "cp037", "a\0b"])
def test_an_encoding_that_is_none_is_refused(encoding: str, file: Path) -> None:
    with pytest.raises(FeedError, match="no text encoding"):
        rows_of(CsvFeed(), file, "id\n1\n", encoding=encoding)


def test_one_line_that_is_not_utf_8_is_one_reject_with_its_id(file: Path) -> None:
    good = '{"id":"%d","title":"好"}\n'
    data = (good % 1).encode() + '{"id":"2","title":"坏"}\n'.encode("gb18030") + (good % 3).encode() * 3
    found = rows_of(JsonLinesFeed(), file, data)
    assert [number for number, row in found if isinstance(row, dict)] == [1, 3, 4, 5]
    problem = found[1][1]
    assert isinstance(problem, RowProblem)
    assert problem.reason == "line 2 is not valid utf-8 at byte 20"
    assert "--encoding gb18030" in problem.cure
    assert problem.data["id"] == "2"


def test_a_byte_order_mark_is_no_part_of_the_first_column(file: Path) -> None:
    assert rows_of(CsvFeed(), file, b"\xef\xbb\xbfid,title\n1,x\n") == [(2, {"id": "1", "title": "x"})]


# ---- lines without end -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("feed", [CsvFeed(), JsonLinesFeed()])
def test_a_line_of_10_mb_is_one_reject_read_in_bounded_memory(feed: Any, file: Path) -> None:
    rows = ["id,title", "1,a", "2," + "x" * 40_000_000, "3,c"]
    if feed.name == "jsonl":
        rows = ['{"id":"1"}', '{"id":"2","title":"' + "x" * 40_000_000 + '"}', '{"id":"3"}']
    file.write_text("\n".join(rows))
    tracemalloc.start()
    found = [row for _, row in feed.rows(file)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row["id"] if isinstance(row, dict) else row.kind for row in found] == ["1", "line too long", "3"]
    assert peak < 30_000_000, "the limit is 8 MiB; twice that while it is joined"


# ---- CSV -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_sniffed(delimiter: str, file: Path) -> None:
    text = f'id{delimiter}title\n1{delimiter}"a, b; c"\n2{delimiter}d\n'
    assert [row["title"] for _, row in rows_of(CsvFeed(), file, text)] == ["a, b; c", "d"]


def test_quotes_hold_line_breaks_and_rows_are_numbered_by_the_line_where_they_begin(file: Path) -> None:
    found = rows_of(CsvFeed(), file, 'id,title\r\n1,"a\r\nb ""c"""\r\n\r\n2,d\r\n')
    assert found == [(2, {"id": "1", "title": 'a\r\nb "c"'}), (5, {"id": "2", "title": "d"})]


def test_rows_with_the_wrong_number_of_fields_are_rejects(file: Path) -> None:
    found = rows_of(CsvFeed(), file, "id,title\n1\n2,b,c\n3,d\n")
    assert [row.kind if isinstance(row, RowProblem) else row["id"] for _, row in found] == [
        "too few fields",
        "too many fields",
        "3",
    ]
    assert found[0][1].data == {"id": "1"}, "the id is known, so that a full load keeps the product"


def test_a_column_named_twice_is_told_once_and_the_rows_are_read(file: Path) -> None:
    found = rows_of(CsvFeed(), file, "id,title,title\n1,a,b\n")
    assert found[0][0] == 1
    assert found[0][1].kind == "column named twice"
    assert found[1][1] == {"id": "1", "title": "a", "title (2)": "b"}


@pytest.mark.parametrize("after", [3, 3_000])
def test_a_quote_that_is_never_closed_costs_one_row(after: int, file: Path) -> None:
    good = "".join(f"{n},title {n}\n" for n in range(2, after))
    found = rows_of(CsvFeed(), file, f'id,title\n1,"open\n{good}')
    assert found[0][1].kind == "unclosed quote"
    assert "line 2" in found[0][1].reason
    assert [row["id"] for _, row in found[1:]] == [str(n) for n in range(2, after)]


def test_a_stray_quote_that_another_closes_costs_no_row_between(file: Path) -> None:
    found = rows_of(CsvFeed(), file, 'id,title\n1,"open\n2,b\n3,c\n4,"d\n5,e\n')
    assert [row["id"] if isinstance(row, dict) else row.kind for _, row in found] == [
        "unclosed quote",
        "2",
        "3",
        "unclosed quote",
        "5",
    ]


def test_text_after_a_closing_quote_is_understood(file: Path) -> None:
    assert rows_of(CsvFeed(), file, 'id,title\n1,"so"called\n')[0][1]["title"] == "socalled"


# ---- JSON Lines ------------------------------------------------------------------------------------------------------


def test_malformed_lines_are_rejects_with_their_position(file: Path) -> None:
    found = rows_of(JsonLinesFeed(), file, '{"id":"1"}\n{"id": }\n[1]\n\n"x"\n{"id":"2"}')
    assert [number for number, _ in found] == [1, 2, 3, 5, 6]
    assert found[1][1].reason.startswith("line 2 is not valid JSON at character 8")
    assert found[2][1].reason == "line 3 is a list, not an object"
    assert found[3][1].kind == "not a JSON object"
    assert found[4][1] == {"id": "2"}


@pytest.mark.parametrize("text", ['[{"id":"1"}]', "[\n{}\n]", '{\n"id": "1"\n}'])
def test_one_json_document_is_refused_with_the_command_that_turns_it(text: str, file: Path) -> None:
    with pytest.raises(FeedError, match="jq -c"):
        rows_of(JsonLinesFeed(), file, text)


# ---- Parquet ---------------------------------------------------------------------------------------------------------


def test_parquet_keeps_types_and_one_bad_value_is_one_reject(file: Path) -> None:
    moments = pa.array([0, 2**62, 1_700_000_000_000_000], pa.timestamp("us"))
    nanoseconds = pa.array([1, 2, 3], pa.timestamp("ns"))
    table = pa.table({"id": ["1", "2", "3"], "at": moments, "ns": nanoseconds, "tags": [["a"], None, []]})
    pq.write_table(table, file)
    found: list[Any] = [row for _, row in ParquetFeed().rows(file)]
    assert found[0]["tags"] == ["a"]
    assert found[0]["at"] == datetime(1970, 1, 1)  # noqa: DTZ001
    assert isinstance(found[1], RowProblem)
    assert (found[1].field, found[1].data["id"]) == ("at", "2")
    assert found[2]["id"] == "3"


# ---- Google Merchant -------------------------------------------------------------------------------------------------

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><title>Shop</title>
<entry><id>tag:1</id><g:id>A1</g:id><title>Lamp</title><link href="https://shop.example/1"/>
<g:price>15.00 USD</g:price><g:sale_price>12.00 USD</g:sale_price>
<g:sale_price_effective_date>2024-01-01T00:00Z/2024-02-01T00:00Z</g:sale_price_effective_date>
<g:additional_image_link>a.jpg</g:additional_image_link><g:additional_image_link>b.jpg</g:additional_image_link>
<g:product_detail><g:section_name>General</g:section_name><g:attribute_name>Watt</g:attribute_name>
<g:attribute_value>9</g:attribute_value></g:product_detail></entry></feed>"""


def test_atom_entries(file: Path) -> None:
    feed = GoogleMerchantFeed(now=datetime(2024, 1, 15, tzinfo=UTC))
    (_, row), *rest = rows_of(feed, file, ATOM)
    assert not rest
    assert row["id"] == "A1", "Google's own id, not Atom's"
    assert row["title"] == "Lamp"
    assert row["link"] == "https://shop.example/1"
    assert row["sale_price"] == "12.00 USD"
    assert row["additional_image_link"] == ["a.jpg", "b.jpg"]
    assert row["product_detail"] == [{"section_name": "General", "attribute_name": "Watt", "attribute_value": "9"}]


def test_a_sale_that_is_over_has_no_price(file: Path) -> None:
    feed = GoogleMerchantFeed(now=datetime(2024, 3, 1, tzinfo=UTC))
    assert "sale_price" not in rows_of(feed, file, ATOM)[0][1]


BOMB = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><rss><item><id>&b;</id></item></rss>'


@pytest.mark.parametrize(
    "text", [BOMB, '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><item>&x;</item></rss>']
)
def test_entities_are_refused(text: str, file: Path) -> None:
    with pytest.raises(FeedError, match="entities"):
        rows_of(GoogleMerchantFeed(), file, text)


def test_xml_in_gb18030_is_read_as_declared(file: Path) -> None:
    text = '<?xml version="1.0" encoding="gb18030"?><rss><item><id>1</id><title>红色</title></item></rss>'
    assert rows_of(GoogleMerchantFeed(), file, text.encode("gb18030")) == [(1, {"id": "1", "title": "红色"})]


def test_xml_that_breaks_off_keeps_the_items_before(file: Path) -> None:
    found = rows_of(GoogleMerchantFeed(), file, "<rss><channel><item><id>1</id></item><item><id>2</i")
    assert found[0] == (1, {"id": "1"})
    assert found[1][1].fatal


def test_xml_is_read_in_bounded_memory(file: Path) -> None:
    item = "<item><g:id>1</g:id><g:title>" + "x" * 1_000 + "</g:title></item>"
    head = '<rss xmlns:g="http://base.google.com/ns/1.0"><channel>'
    with gzip.open(file, "wt", compresslevel=1) as out:
        out.write(head + item * 20_000 + "</channel></rss>")
    tracemalloc.start()
    assert sum(1 for _ in GoogleMerchantFeed().rows(file)) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000, "20 MB of items leave no trace"


def test_an_endless_item_and_deep_nesting_are_refused(file: Path) -> None:
    with pytest.raises(FeedError, match="more than"):
        rows_of(GoogleMerchantFeed(), file, "<rss><item><id>" + "x" * 9_000_000 + "</id></item></rss>")
    with pytest.raises(FeedError, match="deep"):
        rows_of(GoogleMerchantFeed(), file, "<a>" * 1_000)


# ---- any bytes -------------------------------------------------------------------------------------------------------

BEGINNINGS = [
    b"",
    b"\x1f\x8b\x08",
    b"PAR1",
    b"<rss><item>",
    b'{"id":',
    b"id,title\n1,",
    b'id\n"',
    "id,标题\n".encode("gb18030"),
]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(BEGINNINGS),
    st.binary(max_size=300),
    st.sampled_from([None, "gb18030", "utf-16", "latin-1", "rot13"]),
)
@pytest.mark.parametrize("name", names("feed"))
def test_any_bytes_give_rows_problems_or_a_feed_error(
    name: str, tmp_path_factory: pytest.TempPathFactory, beginning: bytes, data: bytes, encoding: str | None
) -> None:
    path = tmp_path_factory.getbasetemp() / f"noise-{name}"
    path.write_bytes(beginning + data)
    try:
        found = list(resolve("feed", name)().rows(path, encoding=encoding))
    except FeedError:
        return
    assert found
    assert all(isinstance(row, dict | RowProblem) for _, row in found)
