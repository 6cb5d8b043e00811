"""Data quality: how good the catalogue is, the trend, what each check finds, repairs to be reviewed, the quarantine."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from pydantic import JsonValue
from starlette.responses import Response

from lingsou.catalog.suggestions import STATES, Chosen, SuggestionStore
from lingsou.console.ops import charts
from lingsou.console.ops.desk import author_of, desk_of, form_of, labels_of, show, to
from lingsou.pipeline.quality import is_running
from lingsou.quality.check import SEVERITIES
from lingsou.quality.runs import RunPoint, RunStore
from lingsou.serving.quality_runs import begin_run

router = APIRouter(prefix="/quality", include_in_schema=False)
CONFIDENCES = ("0", "0.5", "0.7", "0.8", "0.9", "0.95")
_PAGE, _RUNS, _HELD, _WORST = 25, 30, 20, 10


@router.get("")
def page(request: Request) -> Response:
    """Everything at one look; the queue is filtered by state, check and confidence."""
    shop, asked, text = desk_of(request).shop, request.query_params, labels_of(request).text
    runs, store = RunStore(shop.store.database), SuggestionStore(shop.store)
    counts = store.counts()
    state, check, least = _asked(asked)
    number = asked.get("page", "")
    place = max(1, int(number)) if number.isdecimal() and len(number) < 8 else 1
    chosen = Chosen(state=next(each for each in STATES if each == state), check=check or None, min_confidence=least)
    total, found = store.listed(chosen, page=place, size=_PAGE)
    titles = {id_: product.title for id_, product in shop.store.get([each.product_id for each in found]).items()}
    points = runs.trend(_RUNS)
    quarantine, held = shop.store.quarantine, _held(asked)
    held_check = held.get("held_check")
    waiting = quarantine.page(check=held_check, after=int(held.get("held_after", "0")), limit=_HELD)
    kept = {"state": state, "check": check, "min_confidence": f"{least:g}"}
    return show(
        request,
        "quality.html",
        run=runs.last(),
        running=is_running(shop.folder, shop.store.database),
        points=[_named(each) for each in points],
        score_chart=_score_chart(points, text("quality_score")),
        findings_chart=_findings_chart(points, text),
        open_count=sum(each for (_, of), each in counts.items() if of == "open"),
        checks_known=sorted({of for of, _ in counts}),
        states=STATES,
        confidences=CONFIDENCES,
        kept=kept,
        query=urlencode(kept),
        suggestions=found,
        titles=titles,
        shown=shown,
        total=total,
        page=place,
        pages=-(-total // _PAGE),
        quarantine=waiting,
        held=held,
        held_checks=sorted({each.check for each in quarantine.counts()} | ({held_check} if held_check else set())),
        held_query=urlencode(kept | ({"held_check": held_check} if held_check else {})),
        severities=SEVERITIES,
        worst=_WORST,
    )


@router.post("/run")
def run(request: Request) -> Response:
    """Check the store in the background."""
    begin_run(desk_of(request).worker, author_of(request), deep=form_of(request).get("deep") == "1")
    return to("/quality", done="quality_begun")


@router.post("/apply")
def apply(request: Request) -> Response:
    """Write one new value."""
    _suggestions(request).apply(form_of(request).get("id", ""), author_of(request))
    return _back(request, "quality_applied")


@router.post("/refuse")
def refuse(request: Request) -> Response:
    """Keep one old value for good."""
    _suggestions(request).refuse(form_of(request).get("id", ""), author_of(request))
    return _back(request, "quality_refused")


@router.post("/undo")
def undo(request: Request) -> Response:
    """Take one decision back."""
    _suggestions(request).undo(form_of(request).get("id", ""), author_of(request))
    return _back(request, "quality_undone")


@router.post("/all")
def decide_all(request: Request) -> Response:
    """Apply or refuse every open suggestion of the filter, on all pages."""
    sent, store = form_of(request), _suggestions(request)
    _, check, least = _asked(sent)
    chosen = Chosen(check=check or None, min_confidence=least)
    if sent.get("do") == "apply":
        store.apply_all(chosen, author_of(request))
        return _back(request, "quality_all_applied")
    store.refuse_all(chosen, author_of(request))
    return _back(request, "quality_all_refused")


@router.post("/release")
def release(request: Request) -> Response:
    """Load a product that was held back, as it is."""
    desk_of(request).shop.store.quarantine.release([_entry(request)], author_of(request))
    return to("/quality", **_held(form_of(request)), done="quality_released")


@router.post("/drop")
def drop(request: Request) -> Response:
    """Forget a product that was held back."""
    desk_of(request).shop.store.quarantine.drop([_entry(request)], author_of(request))
    return to("/quality", **_held(form_of(request)), done="quality_dropped")


def shown(value: JsonValue) -> str:
    """A value as people read it; empty: there is none."""
    if isinstance(value, dict):
        return f"{shown(value.get('value'))} {value.get('unit') or ''}".strip()
    if isinstance(value, list):
        return " > ".join(map(shown, value))
    return "" if value is None else str(value)


def _asked(values: Any) -> tuple[str, str, float]:
    """State, check and least confidence; what makes no sense is left out."""
    state, least = values.get("state", ""), values.get("min_confidence", "")
    return (
        state if state in STATES else "open",
        values.get("check", "")[:100],
        float(least) if least in CONFIDENCES else 0.0,
    )


def _held(values: Any) -> dict[str, str]:
    """Which products in quarantine are shown, by a check and behind an entry; what limits nothing is absent."""
    check, after = values.get("held_check", "")[:100], values.get("held_after", "")
    found = {"held_check": check, "held_after": after if _is_number(after) else ""}
    return {name: value for name, value in found.items() if value}


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 18


def _back(request: Request, done: str) -> Response:
    state, check, least = _asked(form_of(request))
    return to("/quality", state=state, check=check, min_confidence=f"{least:g}", done=done)


def _entry(request: Request) -> int:
    number = form_of(request).get("id", "")
    return int(number) if _is_number(number) else 0


def _suggestions(request: Request) -> SuggestionStore:
    return SuggestionStore(desk_of(request).shop.store)


def _named(point: RunPoint) -> dict[str, Any]:
    """A row of the table under the charts."""
    numbers = {"score": round(point.score, 1), "products": point.products}
    return {"day": _when(point), **numbers, "error": point.errors, "warning": point.warnings, "info": point.infos}


def _score_chart(points: list[RunPoint], name: str) -> charts.Chart:
    ordered = points[::-1]
    return charts.lines([_when(each) for each in ordered], [("score", name, [each.score for each in ordered])])


def _findings_chart(points: list[RunPoint], text: Any) -> charts.Chart:
    ordered = points[::-1]
    parts = (
        ("error", text("quality_error"), [float(each.errors) for each in ordered]),
        ("warning", text("quality_warning"), [float(each.warnings) for each in ordered]),
        ("info", text("quality_info"), [float(each.infos) for each in ordered]),
    )
    return charts.stacked_bars([_when(each) for each in ordered], parts)


def _when(point: RunPoint) -> str:
    return f"{point.began_at:%Y-%m-%d %H:%M}"
