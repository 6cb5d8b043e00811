"""Whatever is put in ends in one clear message with its cure, never in a traceback."""

import os
from pathlib import Path

import pytest

from .conftest import FEED, Run
from .conftest import lingsou as run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bad") / "shop"
    run("init", "--data", path)
    return path


def refused(lingsou_here: Run, *arguments: str | Path) -> str:
    outcome = lingsou_here(*arguments, code=2)
    assert outcome.err.count("error:") == 1
    assert "cure:" in outcome.err
    assert outcome.out == ""
    return outcome.err


@pytest.mark.parametrize("verb", ["import", "check"])
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "'empty.csv' is empty"),
        ("header.csv", b"id,title\n", "no rows"),
        ("blank.csv", b"\n\n\n", "blank.csv"),
        ("gbk.csv", "id,title\n1,跑步鞋\n2,背包\n".encode("gb18030"), "--encoding gb18030"),
        ("utf16.csv", FEED.encode("utf-16"), "--encoding utf-16"),
        ("photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "photo.csv"),
        ("noise.csv", bytes((n * 7_919 + n // 256) % 256 for n in range(50_000)), "noise.csv"),
        ("book.csv", b"PK\x03\x04" + bytes(100), "spreadsheet"),
        ("cut.csv.gz", b"\x1f\x8b\x08\x00" + bytes(6) + b"\x01\x02", "cut.csv.gz"),
        ("half.parquet", b"PAR1" + bytes(100), "half.parquet"),
        ("open.xml", b"<?xml version='1.0'?><rss><channel><item>", "open.xml"),
        ("broken.jsonl", b"{oops\n{again\n", "broken.jsonl"),
        ("nothing.csv", None, "There is no file"),
        ("folder", "folder", "is a folder"),
    ],
)
def test_a_feed_that_is_none(
    verb: str, name: str, content: bytes | str | None, said: str, root: Path, tmp_path: Path, lingsou_here: Run
) -> None:
    feed = tmp_path / name
    if isinstance(content, bytes):
        feed.write_bytes(content)
    elif content:
        feed.mkdir()
    assert said in refused(lingsou_here, verb, feed, "--data", root)
    if content is None or isinstance(content, str):
        mapping = tmp_path / "mapping.toml"
        mapping.write_text('[fields]\nid = "id"\ntitle = "title"\n')
        refused(lingsou_here, verb, feed, "--data", root, "--mapping", mapping, "--format", "csv")


def test_another_encoding_is_read_once_it_is_named(root: Path, tmp_path: Path, lingsou_here: Run) -> None:
    feed = tmp_path / "gbk.csv"
    feed.write_bytes("id,title\n1,跑步鞋\n2,背包\n".encode("gb18030"))
    assert lingsou_here("import", feed, "--encoding", "gb18030", "--data", root, "--json").json["accepted"] == 2
    assert "klingon" in refused(lingsou_here, "import", feed, "--encoding", "klingon", "--data", root)


def test_an_endless_line_is_one_reject(root: Path, tmp_path: Path, lingsou_here: Run) -> None:
    feed = tmp_path / "long.csv"
    feed.write_bytes(b"id,title\na,First\nb," + b"x" * 10_000_000 + b"\nc,Last\n")
    report = lingsou_here("import", feed, "--data", root, "--json").json
    assert (report["accepted"], report["rejected"]) == (2, 1)
    feed.write_bytes(b"x" * 10_000_000)
    refused(lingsou_here, "import", feed, "--data", root)


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_values_beyond_all_bounds_are_rejects(format_: str, root: Path, tmp_path: Path, lingsou_here: Run) -> None:
    feed = tmp_path / f"odd.{format_}"
    values = ["1e999", "-0.001", "NaN", "1" * 400, "[]", "１２"]
    if format_ == "csv":
        lines = ["id,title,price,stock", *(f"o{n},Lamp,{value},1" for n, value in enumerate(values)), "ok,Lamp,1,1"]
    else:
        lines = [f'{{"id": "o{n}", "title": "Lamp", "price": {value}, "stock": 1}}' for n, value in enumerate(values)]
        lines += ['{"id": "ok", "title": "Lamp", "price": 1, "stock": 1}']
    feed.write_text("\n".join(lines), encoding="utf-8")
    report = lingsou_here("import", feed, "--data", root, "--json").json
    assert report["rows"] == len(values) + 1
    assert report["rejected"] >= 4
    assert report["accepted"] == report["rows"] - report["rejected"]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("[fields", "not valid TOML"),
        ('[fields]\nid = "id"\ntitel = "title"\n', "there is no product field 'titel'"),
        ("[fields]\nid = 5\n", "fields.id"),
        ('[fields]\nid = "id"\n', "title"),
        ('wrong = 1\n[fields]\nid = "id"\ntitle = "title"\n', "wrong"),
        ('[fields]\nid = "id"\ntitle = "headline"\n', None),
        (None, "There is no mapping file"),
    ],
)
def test_a_malformed_mapping(
    mapping: str | None, said: str | None, root: Path, tmp_path: Path, lingsou_here: Run
) -> None:
    feed, file = tmp_path / "feed.csv", tmp_path / "mapping.toml"
    feed.write_text(FEED, encoding="utf-8")
    if mapping is not None:
        file.write_text(mapping, encoding="utf-8")
    if said is None:  # well formed, but the feed has no such column: every row is rejected
        report = lingsou_here("import", feed, "--mapping", file, "--data", root, "--json").json
        assert (report["accepted"], report["rejected"]) == (0, 4)
        return
    for verb in ("import", "check"):
        assert said in refused(lingsou_here, verb, feed, "--mapping", file, "--data", root)


def test_unknown_names(root: Path, tmp_path: Path, lingsou_here: Run) -> None:
    feed = tmp_path / "feed.csv"
    feed.write_text(FEED, encoding="utf-8")
    assert "Use upsert, full, patch or delete." in refused(
        lingsou_here, "import", feed, "--mode", "replace", "--data", root
    )
    assert "csv" in refused(lingsou_here, "import", feed, "--format", "excel", "--data", root)
    lingsou_here("explode", code=2)
    lingsou_here("serve", "--port", "99999", "--data", root, code=2)
    lingsou_here("index", "--nonsense", code=2)


@pytest.mark.parametrize("verb", ["import", "check", "index", "search", "serve", "backup", "bench"])
def test_a_folder_that_was_never_initialised(verb: str, tmp_path: Path, lingsou_here: Run) -> None:
    feed, folder = tmp_path / "feed.csv", tmp_path / "new"
    feed.write_text(FEED, encoding="utf-8")
    arguments = {"import": [feed], "backup": [tmp_path / "b.tar.gz"]}.get(verb, [])
    assert f"lingsou init --data {folder}" in refused(lingsou_here, verb, *arguments, "--data", folder)
    assert not (folder / "store.sqlite3").exists()


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[server\n", "is not valid TOML"),
        ("[server]\nprot = 1\n", "field 'server.prot'"),
        ("speed = 11\n", "field 'speed'"),
        ('_env_prefix = "X"\n', "field '_env_prefix'"),
        ('[server]\nport = "eighty"\n', "field 'server.port'"),
        ("server = 5\n", "field 'server'"),
        ("[search.weights]\ntitle = -1\n", "field 'search.weights.title'"),
        ("\udcff\udcfe", "is not valid TOML"),
    ],
)
def test_broken_settings(toml: str, said: str, tmp_path: Path, lingsou_here: Run) -> None:
    (tmp_path / "lingsou.toml").write_bytes(os.fsencode(toml))
    for verb in ("search", "index", "serve"):
        told = refused(lingsou_here, verb, "--data", tmp_path)
        assert said in told
        assert "lingsou.toml" in told


def test_a_process_ends_the_same_way(root: Path, tmp_path: Path) -> None:
    outcome = run("import", tmp_path / "nothing.csv", "--data", root, code=2)
    assert outcome.err == f"error: There is no file '{tmp_path / 'nothing.csv'}'.\ncure: Check the path.\n"
