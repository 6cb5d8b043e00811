"""Judgements: how well each product answers each query, and the file forms that they come in."""

import csv
import gzip
import io
import math
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lingsou.core.errors import FeedError, InputError

ICECAT_COLUMNS = ("query", "docid", "rating")
PAIR_COLUMNS = ("product_uid", "product_title", "search_term", "relevance")
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Judgements:
    """Query → product id → grade. A grade above 0 means relevant; 0 or less, judged and not relevant."""

    grades: Mapping[str, Mapping[str, float]]

    def __len__(self) -> int:
        return len(self.grades)

    def relevant_queries(self) -> tuple[str, ...]:
        """The queries that have at least one relevant product, in the order of the file."""
        return tuple(query for query, products in self.grades.items() if any(g > 0 for g in products.values()))

    def only(self, queries: Collection[str]) -> "Judgements":
        """These judgements cut to `queries`, as a split by query needs it."""
        keep = set(queries)
        return Judgements({query: products for query, products in self.grades.items() if query in keep})

    def informative(self, min_products: int = 5) -> "Judgements":
        """Only queries with at least `min_products` judged products whose grades are not all the same.

        A ranking of the judged products alone cannot do well or badly on the others.
        """
        return Judgements(
            {
                query: products
                for query, products in self.grades.items()
                if len(products) >= min_products and len(set(products.values())) > 1
            }
        )

    def worded(self, texts: Mapping[str, str]) -> "Judgements":
        """The same under the queries' texts; grades of two ids with one text are put together, the later one winning.

        Raises:
            InputError: a query id has no text.
        """
        grades: dict[str, dict[str, float]] = {}
        for query, products in self.grades.items():
            if query not in texts:
                raise InputError(f"There is no text for the query id '{query}'.", cure="Add it to the file of queries.")
            grades.setdefault(texts[query], {}).update(products)
        return Judgements(grades)

    def numbered(self) -> tuple["Judgements", dict[str, str]]:
        """The same under the query ids "1", "2", …, and the map from those ids to the queries' texts.

        The TREC forms separate columns by spaces, so a query's text cannot be its id there.
        """
        texts = {str(number): query for number, query in enumerate(self.grades, start=1)}
        return Judgements({number: self.grades[query] for number, query in texts.items()}), texts


@dataclass(frozen=True)
class Pairs:
    """What a pair file holds: the judgements, and the title of every product in it by id."""

    judgements: Judgements
    titles: Mapping[str, str]


def read_icecat(path: Path) -> Judgements:
    """Read `ratings.csv`: columns `query`, `docid`, `rating` (0 and up), optionally gzip.

    Raises:
        FeedError: unreadable file, missing column, malformed row (with its number, header not counted),
            or one product rated differently twice for one query.
    """
    collected = _Collector()
    for row, (query, product, rating) in _csv_rows(path, ICECAT_COLUMNS):
        collected.add(row, query, product, _number(rating, "rating", row, lowest=0))
    return collected.judgements(path)


def read_judgements(path: Path, queries: Path | None = None) -> Judgements:
    """Read the Icecat form, or TREC qrels where `queries` has the texts of their query ids.

    Raises:
        FeedError: a file is unreadable or not of its form.
        InputError: a query id has no text.
    """
    return read_trec(path).worded(read_queries(queries)) if queries else read_icecat(path)


def read_trec(path: Path) -> Judgements:
    """Read TREC qrels: `query iteration product grade` on each line; a negative grade (spam) is kept.

    Raises:
        FeedError: unreadable file, or a line that is not four columns with a number last.
    """
    collected = _Collector()
    with _open_text(path) as file:
        for row, line in enumerate(file, start=1):
            columns = line.split()
            if not columns:
                continue
            if len(columns) != 4:
                raise FeedError(
                    f"{len(columns)} columns instead of 4.", row=row, cure="Write each line as 'query 0 product grade'."
                )
            query, _, product, grade = columns
            collected.add(row, query, product, _number(grade, "grade", row))
    return collected.judgements(path)


def read_queries(path: Path) -> dict[str, str]:
    """Read TREC topics as a table: query id, tab, text on each line.

    Raises:
        FeedError: unreadable file, a line without both, or an id given two texts.
    """
    texts: dict[str, str] = {}
    with _open_text(path) as file:
        for row, line in enumerate(file, start=1):
            query, _, text = (part.strip() for part in line.partition("\t"))
            if not line.strip():
                continue
            if not query or not text or texts.setdefault(query, text) != text:
                raise FeedError(
                    "Not a new query id, a tab and its text.", row=row, cure="Write each line as 'id<TAB>text'."
                )
    return texts


def read_pairs(path: Path) -> Pairs:
    """Read a pair file: one (search term, product, relevance from 1 to 3) a row, optionally gzip.

    The grade is relevance − 1, so relevance 1 is not relevant and the gain of a pair is 2^(relevance − 1) − 1.

    Raises:
        FeedError: unreadable file, missing column, malformed row, or contradicting rows.
    """
    collected, titles = _Collector(), dict[str, str]()
    for row, (product, title, query, relevance) in _csv_rows(path, PAIR_COLUMNS):
        collected.add(row, query, product, _number(relevance, "relevance", row, lowest=1) - 1)
        titles.setdefault(product, title)
    return Pairs(collected.judgements(path), titles)


def icecat_text(judgements: Judgements) -> str:
    """`query,docid,rating`, a line for each judgement; `read_icecat` gives the same judgements back."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(ICECAT_COLUMNS)
    for query, product, grade in _triples(judgements):
        writer.writerow((query, product, _plain(grade)))
    return text.getvalue()


def write_icecat(judgements: Judgements, path: Path) -> None:
    """Write `icecat_text` to a file."""
    path.write_text(icecat_text(judgements), encoding="utf-8", newline="")


def trec_text(judgements: Judgements) -> str:
    """TREC qrels; `read_trec` gives the same judgements back.

    Raises:
        InputError: an id that holds a space or is empty; the form cannot carry it.
    """
    lines = []
    for query, product, grade in _triples(judgements):
        for kind, name in (("query", query), ("product", product)):
            if not name or name.split() != [name]:
                raise InputError(
                    f"The {kind} id {name!r} cannot be written as TREC qrels, whose columns are separated by spaces.",
                    cure="Give queries numbers first (`Judgements.numbered`), or write the Icecat form.",
                )
        lines.append(f"{query} 0 {product} {_plain(grade)}\n")
    return "".join(lines)


def write_trec(judgements: Judgements, path: Path) -> None:
    """Write `trec_text` to a file.

    Raises:
        InputError: an id that holds a space or is empty.
    """
    path.write_text(trec_text(judgements), encoding="utf-8")


def queries_text(texts: Mapping[str, str]) -> str:
    """TREC topics as a table; `read_queries` gives the same ids and texts back.

    Raises:
        InputError: a text that is no line of its own, or starts or ends with a space.
    """
    for query, text in texts.items():
        if not text or text.strip() != text or len(text.splitlines()) > 1:
            raise InputError(
                f"The text of the query {query} cannot be written as a line: {text!r}.",
                cure="Write the Icecat form, which quotes its cells.",
            )
    return "".join(f"{query}\t{text}\n" for query, text in texts.items())


class _Collector:
    """Gathers rows into judgements and refuses contradictions."""

    def __init__(self) -> None:
        self._grades: dict[str, dict[str, float]] = {}

    def add(self, row: int, query: str, product: str, grade: float) -> None:
        for field, value in (("query", query), ("product", product)):
            if not value:
                raise FeedError(f"The {field} is empty.", row=row, field=field, cure="Fill it in or delete the row.")
        before = self._grades.setdefault(query, {}).setdefault(product, grade)
        if before != grade:
            raise FeedError(
                f"Product '{product}' is graded {_plain(before)} and {_plain(grade)} for the query '{query}'.",
                row=row,
                cure="Keep one grade for each query and product.",
            )

    def judgements(self, path: Path) -> Judgements:
        if not self._grades:
            raise FeedError(f"'{path.name}' holds no judgements.", cure="Give a file with at least one judged product.")
        return Judgements(self._grades)


def _triples(judgements: Judgements) -> Iterator[tuple[str, str, float]]:
    for query, products in judgements.grades.items():
        for product, grade in products.items():
            yield query, product, grade


def _plain(grade: float) -> str:
    """`3` rather than `3.0`: trec_eval reads whole numbers only."""
    return str(int(grade)) if grade == int(grade) else repr(float(grade))


def _number(text: str, field: str, row: int, lowest: float = -math.inf) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < lowest:
        bound = "" if lowest == -math.inf else f" of at least {lowest:g}"
        raise FeedError(f"{text[:40]!r} is not a number{bound}.", row=row, field=field, cure="Write a plain number.")
    return value


def _csv_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """Row number (header not counted) and the values of `columns`, stripped."""
    with _open_text(path) as file:
        reader = csv.reader(file, strict=True)
        row = 0
        try:
            header = [name.strip() for name in next(reader, [])]
            missing = [name for name in columns if name not in header]
            if missing:
                raise FeedError(
                    f"'{path.name}' has no column {', '.join(missing)}; it has {', '.join(header) or 'none'}.",
                    cure=f"The first line must name the columns {', '.join(columns)}.",
                )
            places = [header.index(name) for name in columns]
            for row, cells in enumerate(reader, start=1):
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise FeedError(
                        f"{len(cells)} cells instead of {len(header)}.",
                        row=row,
                        cure="Quote cells that hold commas or line breaks.",
                    )
                yield row, [cells[place].strip() for place in places]
        except csv.Error as error:
            raise FeedError(
                f"Not readable as CSV: {error}.", row=row + 1, cure="Close every quotation mark."
            ) from error


@contextmanager
def _open_text(path: Path) -> Iterator[IO[str]]:
    """Open UTF-8 text, gzip or plain by its first bytes; everything unreadable becomes a `FeedError`."""
    try:
        with path.open("rb") as probe:
            compressed = probe.read(2) == _GZIP_MAGIC
        opener = gzip.open if compressed else open
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        raise FeedError(f"'{path.name}' is not UTF-8 text.", cure="Save it as UTF-8.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FeedError(f"'{path.name}' is a damaged gzip file.", cure="Fetch or compress it again.") from error
    except OSError as error:
        raise FeedError(
            f"'{path}' cannot be read: {error.strerror or error}.", cure="Check the path and its permissions."
        ) from error
