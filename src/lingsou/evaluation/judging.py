"""Judging: sets of queries, what two configurations find for them, and the grades that judges give.

A grade is of a query and a product, not of a set: a new set begins with what is known of its pairs.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from statistics import median_low

from pydantic import Field
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from lingsou.catalog.judging_tables import (
    judging_counter,
    judging_grades,
    judging_queries,
    judging_results,
    judging_sets,
)
from lingsou.core.database import Database
from lingsou.core.errors import ConflictError, InputError, NotFoundError
from lingsou.core.types import MAX_QUERY_LENGTH, Frozen, Instant
from lingsou.evaluation.judgements import Judgements

GRADES = (0, 1, 2, 3)
"""Not relevant, somewhat, well, exactly what was meant."""

MAX_QUERIES = 500
MAX_DEPTH = 50
_MAX_NAME = 100


class JudgingSet(Frozen):
    """Queries to be judged, and the two configurations whose results are pooled."""

    number: int
    name: str
    a: str
    b: str
    depth: int = Field(description="results taken from each configuration")
    author: str
    created_at: Instant
    queries: tuple[str, ...]


@dataclass(frozen=True)
class Pool:
    """What the two configurations found for one query, best first; empty before the set was searched."""

    query: str
    a: tuple[str, ...] = ()
    b: tuple[str, ...] = ()

    @property
    def products(self) -> frozenset[str]:
        """Everything to be judged."""
        return frozenset((*self.a, *self.b))

    def shuffled(self, judge: str) -> list[str]:
        """The products in an order that tells nothing of who found them, the same for one judge each time.

        Judges have different orders, so that what stands first does not sway all of them alike.
        """
        return sorted(
            self.products, key=lambda each: hashlib.sha256("\0".join((judge, self.query, each)).encode()).digest()
        )


@dataclass(frozen=True)
class Grading:
    """One judge's grade of one product for one query."""

    query: str
    product_id: str
    judge: str
    grade: int


class JudgingStore:
    """Sets and grades in the shop's database. Each call is one transaction."""

    def __init__(self, database: Database):
        self._database = database

    def sets(self) -> list[JudgingSet]:
        """Every set, newest first."""
        with self._database.snapshot() as connection:
            rows = connection.execute(select(judging_sets).order_by(judging_sets.c.number.desc())).all()
            return [_set_of(connection, row) for row in rows]

    def get(self, number: int) -> JudgingSet:
        """One set.

        Raises:
            NotFoundError: no set has this number.
        """
        with self._database.snapshot() as connection:
            return _set_of(connection, _row_of(connection, number))

    def named(self, name: str) -> JudgingSet:
        """One set by its name.

        Raises:
            NotFoundError: no set has this name.
        """
        with self._database.snapshot() as connection:
            row = connection.execute(select(judging_sets).where(judging_sets.c.name == name)).one_or_none()
            if row is None:
                raise NotFoundError(f"There is no judging set '{name}'.", cure="Its page /ops/judge lists the sets.")
            return _set_of(connection, row)

    def create(self, name: str, queries: Iterable[str], a: str, b: str, depth: int, author: str) -> JudgingSet:
        """Begin a set. Of equal queries one is kept.

        Raises:
            InputError: no name, no query, too many, one too long, or an impossible depth.
            ConflictError: the name is taken.
        """
        name, texts = _tidy(name), [text for text in dict.fromkeys(map(_tidy, queries)) if text]
        if not 1 <= len(name) <= _MAX_NAME:
            raise InputError(f"The set needs a name of at most {_MAX_NAME} characters.", field="name", cure="Name it.")
        if not 1 <= len(texts) <= MAX_QUERIES:
            raise InputError(
                f"{len(texts)} queries are not a set.", field="queries", cure=f"Give 1 to {MAX_QUERIES}, one a line."
            )
        if long := next((text for text in texts if len(text) > MAX_QUERY_LENGTH), None):
            raise InputError(
                f"The query '{long[:40]}…' has {len(long)} characters.",
                field="queries",
                cure=f"Shorten it to {MAX_QUERY_LENGTH}.",
            )
        if not 1 <= depth <= MAX_DEPTH:
            raise InputError(f"The depth is {depth}.", field="depth", cure=f"Use 1 to {MAX_DEPTH}.")
        with self._database.write() as connection:
            number = _take_numbers(connection, 1)
            if connection.execute(select(judging_sets.c.number).where(judging_sets.c.name == name)).first():
                raise ConflictError(f"There is a judging set '{name}' already.", field="name", cure="Choose another.")
            row = {"number": number, "name": name, "a": a, "b": b, "depth": depth, "author": author}
            connection.execute(insert(judging_sets).values({**row, "created_at": _now()}))
            places = [{"set_number": number, "position": place, "text": text} for place, text in enumerate(texts, 1)]
            connection.execute(insert(judging_queries), places)
            return _set_of(connection, _row_of(connection, number))

    def delete(self, number: int) -> None:
        """Delete a set; the grades stay.

        Raises:
            NotFoundError: no set has this number.
        """
        with self._database.write() as connection:
            _row_of(connection, number)
            for table in (judging_results, judging_queries):
                connection.execute(delete(table).where(table.c.set_number == number))
            connection.execute(delete(judging_sets).where(judging_sets.c.number == number))

    def put_results(self, number: int, pools: Iterable[Pool]) -> None:
        """Keep what the configurations found, in place of what was there.

        Raises:
            NotFoundError: no set has this number.
        """
        with self._database.write() as connection:
            judged = _set_of(connection, _row_of(connection, number))
            place_of = {query: place for place, query in enumerate(judged.queries, 1)}
            connection.execute(delete(judging_results).where(judging_results.c.set_number == number))
            rows = [
                {"set_number": number, "position": place_of[pool.query], "side": side, "rank": rank, "product_id": id_}
                for pool in pools
                for side, ids in (("a", pool.a), ("b", pool.b))
                for rank, id_ in enumerate(ids, 1)
            ]
            if rows:
                connection.execute(insert(judging_results), rows)

    def pools(self, judged: JudgingSet) -> list[Pool]:
        """What the configurations found, in the order of the set's queries."""
        table = judging_results
        chosen = select(table).where(table.c.set_number == judged.number).order_by(table.c.rank)
        found: dict[tuple[int, str], list[str]] = {}
        with self._database.read() as connection:
            for row in connection.execute(chosen):
                found.setdefault((row.position, row.side), []).append(row.product_id)
        return [
            Pool(query, tuple(found.get((place, "a"), ())), tuple(found.get((place, "b"), ())))
            for place, query in enumerate(judged.queries, 1)
        ]

    def grade(self, gradings: Sequence[Grading]) -> None:
        """Keep grades; a judge's later grade of a pair counts instead of the earlier one.

        Raises:
            InputError: a grade that is not one of `GRADES`.
        """
        rows = [
            {"query": _tidy(each.query), "product_id": each.product_id, "judge": each.judge, "grade": each.grade}
            for each in gradings
        ]
        for each in gradings:
            if each.grade not in GRADES:
                raise InputError(
                    f"The grade of '{each.product_id}' for '{each.query}' is {each.grade:g}.",
                    field="grade",
                    cure="Use 0, 1, 2 or 3.",
                )
        if not rows:
            return
        now = _now()
        with self._database.write() as connection:
            first = _take_numbers(connection, len(rows))
            numbered = [row | {"number": first + place, "graded_at": now} for place, row in enumerate(rows)]
            connection.execute(insert(judging_grades), numbered)

    def undo(self, judge: str, queries: Collection[str]) -> Grading | None:
        """Withdraw the judge's last grade within `queries`, and say which; the one before it counts again."""
        table = judging_grades
        mine = (table.c.judge == judge, table.c.query.in_(list(queries)), table.c.withdrawn_at.is_(None))
        with self._database.write() as connection:
            _take_numbers(connection, 0)
            last = select(table).where(*mine).order_by(table.c.number.desc()).limit(1)
            row = connection.execute(last).one_or_none()
            if row is None:
                return None
            connection.execute(update(table).where(table.c.number == row.number).values(withdrawn_at=_now()))
            return _grading(row)

    def grades(self, queries: Collection[str] | None = None) -> list[Grading]:
        """What counts now: the latest grade of each judge, in the order they were given; of all queries, or of some."""
        table = judging_grades
        held = [table.c.withdrawn_at.is_(None)]
        if queries is not None:
            held.append(table.c.query.in_(list(queries)))
        pair = (table.c.query, table.c.product_id, table.c.judge)
        latest = select(func.max(table.c.number)).where(*held).group_by(*pair)
        chosen = select(table).where(table.c.number.in_(latest)).order_by(table.c.number)
        with self._database.read() as connection:
            return [_grading(row) for row in connection.execute(chosen)]


def combined(gradings: Iterable[Grading]) -> Judgements:
    """One grade for each pair: the median of its judges, the lower of the two middle ones where they are even."""
    votes: dict[str, dict[str, list[int]]] = {}
    for each in gradings:
        votes.setdefault(each.query, {}).setdefault(each.product_id, []).append(each.grade)
    return Judgements(
        {
            query: {product: float(median_low(grades)) for product, grades in products.items()}
            for query, products in votes.items()
        }
    )


def gradings_of(judgements: Judgements, judge: str) -> list[Grading]:
    """Judgements of a file as the grades of one judge.

    Raises:
        InputError: a grade that is not one of `GRADES`, or no judge.
    """
    if not judge.strip():
        raise InputError("The grades need a judge.", field="judge", cure="Name who gave them.")
    found = []
    for query, products in judgements.grades.items():
        for product, grade in products.items():
            if grade not in GRADES:
                raise InputError(
                    f"The grade of '{product}' for '{query}' is {grade:g}; judging uses 0 to 3.",
                    field="grade",
                    cure="Map the file's grades to 0 (not relevant), 1, 2 and 3 (exact).",
                )
            found.append(Grading(_tidy(query), product, judge.strip(), int(grade)))
    return found


def by_query(gradings: Iterable[Grading]) -> Mapping[str, list[Grading]]:
    """The grades of each query."""
    key = attrgetter("query")
    return {query: list(found) for query, found in groupby(sorted(gradings, key=key), key)}


def _tidy(text: str) -> str:
    """Without NUL and line breaks, spaces single: a query is one line of every form that it is exported to."""
    return " ".join(text.replace("\0", " ").split())


def _take_numbers(connection: Connection, count: int) -> int:
    """The first of `count` new numbers. Locks the counter, so that writers take turns."""
    table = judging_counter
    connection.execute(update(table).values(number=table.c.number + count))
    last: int = connection.execute(select(table.c.number)).scalar_one()
    return last - count + 1


def _row_of(connection: Connection, number: int) -> Row[tuple[object, ...]]:
    row = connection.execute(select(judging_sets).where(judging_sets.c.number == number)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no judging set {number}.", cure="The page /ops/judge lists the sets.")
    return row


def _set_of(connection: Connection, row: Row[tuple[object, ...]]) -> JudgingSet:
    table = judging_queries
    texts = select(table.c.text).where(table.c.set_number == row.number).order_by(table.c.position)
    return JudgingSet(**row._mapping, queries=tuple(connection.execute(texts).scalars()))


def _grading(row: Row[tuple[object, ...]]) -> Grading:
    return Grading(row.query, row.product_id, row.judge, row.grade)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
