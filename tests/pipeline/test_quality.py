"""Runs of the checks over a store: findings, scores, trend, suggestions, repairs that are trusted, what is missing."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from lingsou.catalog.store import Store
from lingsou.catalog.suggestions import AUTOMATIC, Chosen, SuggestionStore
from lingsou.catalog.vectors import VectorStore
from lingsou.core.builtins import BUILTINS
from lingsou.core.database import sqlite_url
from lingsou.core.errors import LockedError, MissingExtraError, NotFoundError
from lingsou.core.settings import DataFolder
from lingsou.core.types import Product, ProductPatch
from lingsou.pipeline.quality import StoppedError, _Notes, is_running, quality_lock, run_quality
from lingsou.quality.audit import Flags
from lingsou.quality.check import EXAMPLES, Edit, Finding, Kind, Severity, Sink
from lingsou.quality.columns import Columns
from lingsou.quality.profile import CheckTreatment, Profile
from lingsou.quality.runs import QualityRun, RunStore
from lingsou.quality.tally import Problem, Tally
from lingsou.retrieval.embedding import document_text

PLAIN = Profile(name="plain")
_SHOUT = Problem("warning", "the title shouts", "Write it as other titles are.")
_WORDLESS = Problem("error", "no brand", "Give the brand.")
_BROKEN = Problem("info", "an edit that does not fit", "None.")


class Shouting:
    """Titles in capitals; an edit writes them small. Of title `BAD` the edit does not fit."""

    id: ClassVar[str] = "shouting"
    severity: ClassVar[Severity] = "warning"
    cost: ClassVar[str] = "Readers' ears."

    def __init__(self, examples: int = EXAMPLES, sink: Sink | None = None):
        self._tally = Tally(self.id, examples, sink)

    def observe(self, row: int, product: Product) -> None:
        """Capitals alone."""
        if product.title.isupper():
            edit = Edit(field="title", value=product.title.capitalize())
            sure = 0.95 if len(product.title) > 5 else 0.6
            told = {"row": row, "product_id": product.id, "confidence": sure}
            self._tally.add(_SHOUT, "title", product.title, edit=edit, **told)  # type: ignore[arg-type]
        if product.title == "BAD":
            self._tally.add(_BROKEN, "id", "", row=row, product_id=product.id, edit=Edit(field="id", value="x"))

    def finish(self) -> list[Finding]:
        """Those kept."""
        return self._tally.findings()

    def counts(self) -> Mapping[Kind, int]:
        """All."""
        return self._tally.counts()


class Brands:
    """Products without a brand get that of the others."""

    id: ClassVar[str] = "brands"
    severity: ClassVar[Severity] = "error"
    cost: ClassVar[str] = "Nobody finds them."

    def judge(self, columns: Columns) -> list[Flags]:
        """The first brand is everybody's."""
        places = np.array([place for place, brand in enumerate(columns.brands) if not brand], np.int64)
        edits = [Edit(field="brand", value=next(filter(None, columns.brands)))] * len(places)
        return [Flags(_WORDLESS, "brand", places, np.full(len(places), 0.9), ["none"] * len(places), edits)]


class Absent(Brands):
    """An audit whose packages are missing."""

    id: ClassVar[str] = "absent"

    def judge(self, columns: Columns) -> list[Flags]:
        """Never."""
        raise MissingExtraError("scikit-learn", "quality")


PRODUCTS = [
    Product(id="a", title="Lamp", brand="Lux", category=("Home",)),
    Product(id="b", title="BIG LAMP", brand="Lux", category=("Home",)),
    Product(id="c", title="BAD", category=("Home",)),
]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    here = "tests.pipeline.test_quality"
    monkeypatch.setitem(BUILTINS, "check", {"shouting": f"{here}:Shouting"})
    monkeypatch.setitem(BUILTINS, "audit", {"absent": f"{here}:Absent", "brands": f"{here}:Brands"})
    with Store.open(sqlite_url(tmp_path / "store.db")) as opened:
        opened.upsert(PRODUCTS)
        yield opened


def outcomes(run: QualityRun) -> dict[str, tuple[int, int | None, int | None, int | None]]:
    return {each.id: (sum(each.counts.values()), each.before, each.new, each.gone) for each in run.checks}


def test_one_run(store: Store) -> None:
    run = run_quality(store, PLAIN, author="anna", deep=True)
    assert (run.number, run.products, run.author, run.profile, run.deep) == (1, 3, "anna", "plain", True)
    unseen = (None, None, None)
    assert outcomes(run) == {"shouting": (3, *unseen), "drift": (0, *unseen), "brands": (1, *unseen)}
    (skipped,) = run.skipped
    assert (skipped.id, skipped.cure) == ("absent", "pip install 'lingsou[quality]'")
    # b: a warning of 0.95; c: a warning of 0.6, an info of 1 and an error of 0.9.
    b, c = 100 * (1 - 0.15 * 0.95), 100 * (1 - 0.15 * 0.6) * 0.98 * (1 - 0.5 * 0.9)
    assert run.scores.all == pytest.approx((100 + b + c) / 3)
    runs = RunStore(store.database)
    assert runs.last() == run
    assert [(each.product_id, each.score) for each in map(runs.product, "abc")] == [
        ("a", 100), ("b", pytest.approx(b)), ("c", pytest.approx(c)),
    ]  # fmt: skip
    assert [(each.check, each.problem, each.evidence) for each in runs.product("c").findings] == [
        ("shouting", "the title shouts", "BAD"),
        ("shouting", "an edit that does not fit", ""),
        ("brands", "no brand", "none"),
    ]
    _, suggested = SuggestionStore(store).listed(Chosen())
    assert [(each.product_id, each.field, each.old, each.new) for each in suggested] == [
        ("b", "title", "BIG LAMP", "Big lamp"),
        ("c", "brand", None, "Lux"),
        ("c", "title", "BAD", "Bad"),
    ]
    assert store.get(["b"])["b"].title == "BIG LAMP", "nothing is written unless the shop says so"


def test_the_trend(store: Store) -> None:
    first = run_quality(store, PLAIN, author="anna")
    store.upsert([Product(id="b", title="Big lamp", brand="Lux"), Product(id="d", title="TINY LAMP", brand="Lux")])
    changed = RunStore(store.database).product("b")
    assert changed.changed
    assert not RunStore(store.database).product("a").changed
    second = run_quality(store, PLAIN, author="bert", deep=True)
    unseen = (None, None, None)
    assert outcomes(second) == {"shouting": (3, 3, 1, 1), "drift": (0, *unseen), "brands": (1, *unseen)}
    assert (second.compared_with, second.score_before) == (1, None), "a deeper run finds more: scores do not compare"
    third = run_quality(store, PLAIN, author="bert", deep=True)
    assert outcomes(third) == {"shouting": (3, 3, 0, 0), "drift": (0, 0, 0, 0), "brands": (1, 1, 0, 0)}
    assert third.score_before == pytest.approx(second.scores.all) == pytest.approx(third.scores.all)
    points = RunStore(store.database).trend(2)
    assert [(each.number, each.errors, each.warnings, each.infos) for each in points] == [(3, 1, 2, 1), (2, 1, 2, 1)]
    assert first.scores.all != second.scores.all


def test_suggestions_follow_the_catalogue(store: Store) -> None:
    run_quality(store, PLAIN, author="anna", deep=True)
    kept = SuggestionStore(store)
    (found,) = kept.listed(Chosen(product_id="b"))[1]
    (brand,) = kept.listed(Chosen(field="brand"))[1]
    kept.refuse(brand.id, "anna")
    store.upsert([Product(id="b", title="Big lamp", brand="Lux")])
    run_quality(store, PLAIN, author="anna", deep=True)
    assert kept.get(found.id).state == "stale"
    assert kept.get(brand.id).state == "refused"
    run_quality(store, PLAIN, author="anna")
    assert kept.get(brand.id).state == "refused"


def test_trusted_repairs_are_applied_and_stay_reversible(store: Store) -> None:
    run = run_quality(store, Profile(name="bold", repair_confidence=0.9), author="anna", deep=True)
    assert run.applied == 2
    after = store.get(["b", "c"])
    assert (after["b"].title, after["c"].brand, after["c"].title) == ("Big lamp", "Lux", "BAD")
    kept = SuggestionStore(store)
    (found,) = kept.listed(Chosen(product_id="b"))[1]
    assert [(each.state, each.author) for each in found.history] == [("applied", AUTOMATIC)]
    kept.undo(found.id, "bert")
    again = run_quality(store, Profile(name="bold", repair_confidence=0.9), author="anna", deep=True)
    assert (again.applied, store.get(["b"])["b"].title) == (0, "BIG LAMP"), "a person said no"


def test_a_profile_says_what_counts(store: Store) -> None:
    treatments = {
        "shouting": CheckTreatment.model_validate({"severity": "error", "problems": {_BROKEN.text: {"on": False}}}),
        "brands": CheckTreatment(on=False),
        "drift": CheckTreatment(on=False),
    }
    run = run_quality(store, Profile(name="own", checks=treatments), author="anna", deep=True)
    (check,) = run.checks
    assert check.counts == {"error": 2, "warning": 0, "info": 0}
    product = RunStore(store.database).product("c")
    assert [(each.severity, each.problem) for each in product.findings] == [("error", _SHOUT.text)]
    assert product.score == pytest.approx(100 * (1 - 0.5 * 0.6))


def test_a_run_that_is_stopped_leaves_no_trace(store: Store) -> None:
    run = run_quality(store, PLAIN, author="anna", deep=True)
    asked = iter([False, False, False, True])
    with pytest.raises(StoppedError):
        run_quality(store, PLAIN, author="anna", deep=True, stopped=lambda: next(asked, True))
    runs = RunStore(store.database)
    assert runs.last() == run
    assert len(runs.product("c").findings) == 3
    assert run_quality(store, PLAIN, author="anna", deep=True).number == 2
    assert len(runs.product("c").findings) == 3


def test_before_the_first_run_and_unknown_products(store: Store) -> None:
    runs = RunStore(store.database)
    assert (runs.last(), runs.trend()) == (None, [])
    with pytest.raises(NotFoundError, match="not run yet"):
        runs.product("a")
    run_quality(store, PLAIN, author="anna")
    for id_ in ("z", "a\0b"):
        with pytest.raises(NotFoundError, match="no product"):
            runs.product(id_)


def test_what_is_changed_during_a_run_is_judged_by_the_next(store: Store) -> None:
    run_quality(store, PLAIN, author="anna")
    kept = SuggestionStore(store)
    (known,) = kept.listed(Chosen(product_id="c"))[1]
    flush = _Notes.flush

    def change_first(notes: _Notes) -> None:  # the products are read, their findings are not written yet
        store.upsert([PRODUCTS[1].model_copy(update={"title": "BIG BLUE LAMP"})])
        store.patch([ProductPatch(id="c", stock=1)])
        flush(notes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Notes, "flush", change_first)
        run = run_quality(store, Profile(name="bold", repair_confidence=0.9), author="anna")
    assert (run.applied, store.get(["b"])["b"].title) == (0, "BIG BLUE LAMP")
    assert [each.new for each in kept.listed(Chosen(product_id="b"))[1]] == ["Big lamp"], "of the run before alone"
    assert kept.get(known.id).state == "open", "neither found nor missed"
    again = run_quality(store, Profile(name="bold", repair_confidence=0.9), author="anna")
    assert (again.applied, store.get(["b"])["b"].title) == (1, "Big blue lamp")


def test_what_a_stopped_run_suggested_does_not_outlive_the_next(store: Store) -> None:
    asked = iter([False])
    with pytest.raises(StoppedError):  # after its findings were written
        run_quality(store, PLAIN, author="anna", stopped=lambda: next(asked, True))
    kept = SuggestionStore(store)
    assert kept.counts() == {("shouting", "open"): 2}
    store.upsert([Product(id="c", title="Good")])
    assert run_quality(store, PLAIN, author="anna").number == 1
    assert {each.product_id: each.state for each in kept.listed(Chosen())[1]} == {"b": "open", "c": "stale"}


def test_one_run_at_a_time(store: Store, tmp_path: Path) -> None:
    folder, database = DataFolder(tmp_path), store.database
    assert not is_running(folder, database)
    with quality_lock(folder, database):
        assert is_running(folder, database)
        with pytest.raises(LockedError, match="under way"), quality_lock(folder, database, wait_s=0):
            pass
    assert not is_running(folder, database)


def test_one_run_at_a_time_on_machines_with_one_postgres(postgres_url: str, tmp_path: Path) -> None:
    here, there = DataFolder(tmp_path / "here"), DataFolder(tmp_path / "there")
    for folder in (here, there):
        folder.root.mkdir()
    with Store.open(postgres_url) as one, Store.open(postgres_url) as other:
        with quality_lock(here, one.database):
            assert is_running(there, other.database)
            with pytest.raises(LockedError, match="under way"), quality_lock(there, other.database, wait_s=0):
                pass
        assert not is_running(there, other.database)


def test_a_catalogue_that_has_moved_since_the_last_deep_run(store: Store) -> None:
    store.upsert([Product(id=f"p{n}", title=f"Lamp number {n}", price=10 + n % 7, brand="Lux") for n in range(200)])
    run_quality(store, PLAIN, author="anna", deep=True)
    run_quality(store, PLAIN, author="anna")
    store.upsert([Product(id=f"p{n}", title=f"Lamp number {n}", price=1_000 + n % 7) for n in range(200)])
    last = run_quality(store, PLAIN, author="anna", deep=True)
    (moved,) = [each for each in last.checks if each.id == "drift"]
    assert {"price", "brand"} <= {each.field for each in moved.problems}
    assert "drift" not in {each.check for each in RunStore(store.database).product("p1").findings}


def test_the_meaning_of_a_catalogue_that_has_moved_told_from_stored_vectors(store: Store) -> None:
    rng = np.random.default_rng(3)
    towards = {"one": 0, "two": 1}

    def load(kind: str, encoders: str, season: str) -> QualityRun:
        products = [Product(id=f"p{n}", title=f"{kind} of {season} {n}") for n in range(300)]
        store.upsert(products)
        for encoder in encoders:
            raw = rng.normal(0, 1, (300, 8)) + 2 * np.eye(8)[towards[kind]]
            unit = (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)
            VectorStore(store.database, encoder).put([document_text(each) for each in products], unit)
        return run_quality(store, PLAIN, author="anna", deep=True)

    def moved(run: QualityRun) -> bool:
        (check,) = [each for each in run.checks if each.id == "drift"]
        return "vectors" in {each.field for each in check.problems}

    assert not moved(load("one", "b", "spring"))
    assert not moved(load("one", "ab", "summer")), "other products of the same kind"
    assert moved(load("two", "ab", "summer")), "the encoder of the last run is kept while it has as many"
    assert not moved(load("one", "a", "winter")), "another encoder's vectors say nothing"
    assert moved(load("two", "a", "winter"))
