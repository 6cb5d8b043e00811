"""The tables of mined and of dropped names: written, read again, and refused where a line is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import InputError, NotFoundError
from lingsou.query.expansion import MINED_SOURCES, MinedName, ShopNames
from lingsou.query.expansion.table import read_names, write_names
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
SOFA = MinedName(phrase="sofa", name="couch", weight=0.4, source="searches", evidence=5)


def shop_names(folder: Path, *sources: str) -> ShopNames:
    return ShopNames(folder / "mined_names.tsv", folder / "dropped_names.tsv", SEGMENTER, sources or MINED_SOURCES)


words = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=1, max_size=20)
rows = st.builds(
    MinedName,
    phrase=words,
    name=words,
    weight=st.integers(1, 999).map(lambda n: n / 1_000),
    source=st.sampled_from(MINED_SOURCES),
    evidence=st.integers(1, 10**9),
)


@given(st.lists(rows, max_size=8))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, names: list[MinedName]) -> None:
    path = tmp_path_factory.mktemp("names") / "mined_names.tsv"
    write_names(path, 3, names)
    version, found = read_names(path)
    assert version == 3
    assert sorted(map(repr, found)) == sorted(map(repr, names))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sofa\tcouch\t0.4\tsearches", "columns"),
        ("sofa\tcouch\t1\tsearches\t5", "less than 1"),
        ("sofa\tcouch\t0\tsearches\t5", "greater than 0"),
        ("sofa\tcouch\t0.4\thearsay\t5", "catalogue"),
        ("\tcouch\t0.4\tsearches\t5", "at least 1 character"),
        ("sofa\tcouch\t0.4\tsearches\tmany", "integer"),
    ],
)
def test_a_wrong_line_is_named_and_the_names_of_before_stay(tmp_path: Path, line: str, said: str) -> None:
    names = shop_names(tmp_path)
    names.replace([SOFA])
    path = tmp_path / "mined_names.tsv"
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        names.refresh()
    assert caught.value.row == 4
    assert said in caught.value.message
    assert names.names == (SOFA,)
    assert len(names.lookup) == 1
    assert not names.refresh(), "told once"


def test_another_file_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "mined_names.tsv"
    path.write_text("phrase\tname\n", encoding="utf-8")
    with pytest.raises(InputError, match="no table"):
        read_names(path)


def test_mining_anew_counts_versions_and_is_seen_by_others(tmp_path: Path) -> None:
    writer, reader = shop_names(tmp_path), shop_names(tmp_path)
    assert not reader.names
    assert reader.version == 0
    assert [writer.replace([SOFA]), writer.replace([SOFA])] == [1, 2]
    assert reader.refresh()
    assert (reader.version, reader.names) == (2, (SOFA,))
    assert not reader.refresh()
    (tmp_path / "mined_names.tsv").unlink()
    assert reader.refresh()
    assert (reader.version, reader.names) == (0, ())


def test_a_drop_outlives_mining_until_it_is_taken_back(tmp_path: Path) -> None:
    names = shop_names(tmp_path)
    names.replace([SOFA])
    assert names.drop("Sofa ", "COUCH")
    assert not names.drop("sofa", "couch")
    names.replace([SOFA])
    assert names.is_dropped(SOFA)
    assert len(names.lookup) == 0
    names.restore("sofa", "couch")
    assert not names.is_dropped(SOFA)
    assert len(names.lookup) == 1
    with pytest.raises(NotFoundError, match="was not dropped"):
        names.restore("sofa", "couch")
