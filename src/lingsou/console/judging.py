"""Judging: sets of queries, cards to grade, two configurations side by side, agreement, files out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from lingsou.console.ops.desk import ROOT, author_of, desk_of, form_of, show, to
from lingsou.console.ops.forms import Form
from lingsou.core.errors import ConflictError, InputError, NotFoundError
from lingsou.core.types import Product
from lingsou.evaluation.judgements import ICECAT_COLUMNS, Judgements, icecat_text, queries_text, read_icecat, trec_text
from lingsou.evaluation.judging import (
    GRADES,
    MAX_DEPTH,
    MAX_QUERIES,
    Grading,
    JudgingSet,
    JudgingStore,
    Pool,
    combined,
    gradings_of,
)
from lingsou.evaluation.judging_report import QueryStatus, depth_of, report, statuses
from lingsou.pipeline.configurations import CONFIGURATIONS, configuration, pools

router = APIRouter(prefix="/judge", include_in_schema=False)
ADDRESS = f"{ROOT}/judge"
_POPULAR_DAYS = 30
_MOST_ATTRIBUTES = 8


@dataclass(frozen=True)
class Card:
    """One product to grade, and the grade that the judge has given it."""

    id: str
    product: Product | None
    """None when the shop no longer has it."""
    grade: int | None


@dataclass(frozen=True)
class Row:
    """One result of a side."""

    id: str
    product: Product | None
    grade: int | None
    """Of all judges together."""
    other: int | None
    """Its position on the other side."""


@dataclass(frozen=True)
class Side:
    """What one configuration found."""

    name: str
    rows: tuple[Row, ...]
    value: float | None
    judged: int
    looked_at: int


@router.get("")
def sets(request: Request) -> Response:
    """Every set with its progress, and the form for a new one."""
    return _sets(request)


@router.post("")
def create(request: Request) -> Response:
    """Make a set and search for its queries."""
    form, shop = form_of(request), desk_of(request).shop
    try:
        text, author = form.get("queries", ""), author_of(request)
        ratings = _ratings(text)
        queries = list(ratings.grades) if ratings else text.split("\n")
        if popular := _number(form.get("popular", "0"), MAX_QUERIES):
            shop.behaviour.searches.flush()
            queries += [each for each, _ in shop.behaviour.searches.popular(_POPULAR_DAYS, popular)]
        a, b = (configuration(form.get(side, "")).name for side in ("a", "b"))
        gradings = gradings_of(ratings, author) if ratings else []
        depth = _number(form.get("depth", "10"), MAX_DEPTH)
        made = _store(request).create(form.get("name", ""), queries, a, b, depth, author)
        _store(request).grade(gradings)
    except (InputError, ConflictError) as error:
        return _sets(request, problem=error, form=form)
    return _searched(request, made)


@router.get("/{number:int}")
def overview(request: Request, number: int) -> Response:
    """One set: how far it is, what it says, how far the judges agree."""
    judged, found, gradings = _read(request, number)
    summary = report(judged, found, gradings, author_of(request))
    return show(
        request, "judge_set.html", judged=judged, report=summary, late=_number(request.query_params.get("late", "0"))
    )


@router.post("/{number:int}/search")
def search_again(request: Request, number: int) -> Response:
    """Ask both configurations anew; grades stay."""
    return _searched(request, _store(request).get(number))


@router.post("/{number:int}/delete")
def delete(request: Request, number: int) -> Response:
    """Delete a set; grades stay."""
    _store(request).delete(number)
    return to("/judge", done="judge_deleted")


@router.get("/{number:int}/grade")
def grading(request: Request, number: int) -> Response:
    """The cards of one query, in an order that does not tell which configuration found what."""
    judged, found, gradings = _read(request, number)
    judge = author_of(request)
    progress = statuses(judged, found, gradings, judge)
    unfinished = [each.position for each in progress if each.mine < each.products]
    place = _place(request, judged, unfinished[0] if unfinished else 1)
    pool = found[place - 1]
    mine = {each.product_id: each.grade for each in gradings if each.judge == judge and each.query == pool.query}
    products = desk_of(request).shop.store.get(list(pool.products))
    return show(
        request,
        "judge_grade.html",
        judged=judged,
        asked=progress[place - 1],
        progress=progress,
        cards=[Card(id_, products.get(id_), mine.get(id_)) for id_ in pool.shuffled(judge)],
        next=next((each for each in unfinished if each > place), next((e for e in unfinished if e != place), None)),
        grades=GRADES,
        most_attributes=_MOST_ATTRIBUTES,
    )


@router.post("/{number:int}/grade")
def grade(request: Request, number: int) -> Response:
    """Keep one grade, and go on to the card after it."""
    form, store, judge = form_of(request), _store(request), author_of(request)
    judged = store.get(number)
    place, product = _number(form.get("query", "")), form.get("product", "")
    pool = store.pools(judged)[place - 1] if 1 <= place <= len(judged.queries) else Pool("")
    if product not in pool.products:
        raise NotFoundError("This product is not one of the query's.", cure="Load the page again.")
    given = form.get("grade", "")
    if given not in map(str, GRADES):
        raise InputError("This is not a grade.", field="grade", cure="Use 0, 1, 2 or 3.")
    store.grade([Grading(pool.query, product, judge, int(given))])
    if _by_script(request):
        return JSONResponse({"grade": int(given)})
    return _to_card(number, place, min(pool.shuffled(judge).index(product) + 2, len(pool.products)))


@router.post("/{number:int}/undo")
def undo(request: Request, number: int) -> Response:
    """Take the judge's last grade in this set back, and go to its card."""
    store, judge = _store(request), author_of(request)
    judged = store.get(number)
    undone = store.undo(judge, judged.queries)
    if undone is None:
        return JSONResponse({}) if _by_script(request) else to(f"/judge/{number}/grade")
    place = judged.queries.index(undone.query) + 1
    shuffled = store.pools(judged)[place - 1].shuffled(judge)
    card = shuffled.index(undone.product_id) + 1 if undone.product_id in shuffled else 1
    if not _by_script(request):
        return _to_card(number, place, card)
    held = store.grades([undone.query])
    before = next((e.grade for e in held if (e.product_id, e.judge) == (undone.product_id, judge)), None)
    return JSONResponse({"query": place, "card": card, "grade": before})


@router.get("/{number:int}/compare")
def compare(request: Request, number: int) -> Response:
    """What the two configurations found for one query, with grades and nDCG."""
    judged, found, gradings = _read(request, number)
    place = _place(request, judged, 1)
    progress = statuses(judged, found, gradings, author_of(request))
    pool, asked = found[place - 1], progress[place - 1]
    grades = combined(gradings).grades.get(pool.query, {})
    products = desk_of(request).shop.store.get(list(pool.products))
    depth = depth_of(judged)

    def side(name: str, own: Sequence[str], others: Sequence[str], value: float | None) -> Side:
        positions = {id_: rank for rank, id_ in enumerate(others, 1)}
        rows = tuple(
            Row(id_, products.get(id_), int(grades[id_]) if id_ in grades else None, positions.get(id_)) for id_ in own
        )
        return Side(name, rows, value, sum(id_ in grades for id_ in own[:depth]), min(len(own), depth))

    sides = (side(judged.a, pool.a, pool.b, asked.a), side(judged.b, pool.b, pool.a, asked.b))
    return show(request, "judge_compare.html", judged=judged, asked=asked, progress=progress, sides=sides, depth=depth)


@router.get("/{name}.{form}")
def all_grades(request: Request, name: str, form: str) -> Response:
    """Every grade there is, as a file."""
    return _file(f"{name}.{form}", combined(_store(request).grades()))


@router.get("/{number:int}/{name}.{form}")
def grades_of_set(request: Request, number: int, name: str, form: str) -> Response:
    """The grades of a set's queries, as a file."""
    return _file(f"{name}.{form}", combined(_store(request).grades(_store(request).get(number).queries)))


def _sets(request: Request, problem: InputError | ConflictError | None = None, form: Form | None = None) -> Response:
    judge, store = author_of(request), _store(request)
    held = store.sets()
    progress: dict[int, tuple[QueryStatus, ...]] = {
        each.number: statuses(each, store.pools(each), store.grades(each.queries), judge) for each in held
    }
    return show(
        request,
        "judge.html",
        problem.status if problem else 200,
        sets=held,
        progress=progress,
        configurations=tuple(CONFIGURATIONS),
        problem=problem,
        form=form or {},
        most_queries=MAX_QUERIES,
        most_depth=MAX_DEPTH,
        days=_POPULAR_DAYS,
    )


def _searched(request: Request, judged: JudgingSet) -> Response:
    found, late = pools(desk_of(request).shop, judged)
    _store(request).put_results(judged.number, found)
    return to(f"/judge/{judged.number}", done="judge_searched", **({"late": late} if late else {}))


def _read(request: Request, number: int) -> tuple[JudgingSet, list[Pool], list[Grading]]:
    store = _store(request)
    judged = store.get(number)
    return judged, store.pools(judged), store.grades(judged.queries)


def _place(request: Request, judged: JudgingSet, otherwise: int) -> int:
    """The query that the address asks for, from 1."""
    asked = request.query_params.get("query")
    place = otherwise if asked is None else _number(asked)
    if not 1 <= place <= len(judged.queries):
        raise NotFoundError(f"The set has no query {place}.", cure="Go back to the set.")
    return place


def _to_card(number: int, place: int, card: int) -> Response:
    return RedirectResponse(f"{ADDRESS}/{number}/grade?query={place}#card-{card}", 303)


def _by_script(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def _number(text: str, most: int = 10**9) -> int:
    """A whole number of a form or address, at most `most`; 0 for anything else."""
    return min(int(text), most) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _ratings(text: str) -> Judgements | None:
    """The grades of a text in the Icecat form, which its first line tells; none for plain queries."""
    header = [cell.strip().strip('"') for cell in text.lstrip("\ufeff").partition("\n")[0].split(",")]
    if not set(ICECAT_COLUMNS) <= set(header):
        return None
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ratings.csv"
        path.write_text(text, encoding="utf-8")
        return read_icecat(path)


def _file(name: str, judgements: Judgements) -> Response:
    numbered, texts = judgements.numbered()
    if name == "ratings.csv":
        content = icecat_text(judgements)
    elif name == "qrels.txt":
        content = trec_text(numbered)
    elif name == "queries.tsv":
        content = queries_text(texts)
    else:
        raise NotFoundError(f"There is no file {name}.", cure="Take ratings.csv, qrels.txt or queries.tsv.")
    headers = {"Content-Disposition": f"attachment; filename={quote(name)}", "Cache-Control": "no-store"}
    return Response(content, media_type="text/plain; charset=utf-8", headers=headers)


def _store(request: Request) -> JudgingStore:
    return JudgingStore(desk_of(request).shop.store.database)
