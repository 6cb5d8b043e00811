"""Suggested repairs: written only over the old value, taken back, decided once, in batches; values there and back."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from lingsou.catalog import suggestions
from lingsou.catalog.field_values import value_of, with_value
from lingsou.catalog.store import Store
from lingsou.catalog.suggestions import Chosen, Proposal, Suggestion, SuggestionStore, suggestion_id
from lingsou.core.database import sqlite_url
from lingsou.core.errors import ConflictError, NotFoundError, ProductError
from lingsou.core.types import Attribute, Product

SHOE = Product(
    id="s1",
    title="Trail shoe",
    brand="Kestrl",
    category=("Clothing", "Shoes"),
    price=Decimal("54.90"),
    stock=3,
    attributes={"colour": Attribute(value="red"), "weight": Attribute(value=300, unit="g")},
)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def proposal(new: Any = "Kestrel", old: Any = "Kestrl", field: str = "brand", **more: Any) -> Proposal:
    kept: dict[str, Any] = {"product_id": "s1", "check": "brand", "severity": "warning", "problem": "misspelt"}
    return Proposal(field=field, old=old, new=new, **{**kept, "evidence": "", "confidence": 0.9, **more})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(sqlite_url(tmp_path / "store.db")) as opened:
        opened.upsert([SHOE])
        yield opened


def only(kept: SuggestionStore) -> Suggestion:
    total, (found,) = kept.listed(Chosen())
    assert total == 1
    return found


def test_applied_and_undone_by_name(store: Store) -> None:
    kept = SuggestionStore(store)
    kept.record(1, [proposal()], BEGAN)
    before = store.get(["s1"])["s1"]
    found = only(kept)
    assert (found.state, found.old, found.new, found.run, found.history) == ("open", "Kestrl", "Kestrel", 1, ())
    sequence = store.sequence()
    applied = kept.apply(found.id, "anna")
    assert store.get(["s1"])["s1"] == before.model_copy(update={"brand": "Kestrel"})
    assert store.sequence() == sequence + 1, "searches learn of it"
    with pytest.raises(ConflictError, match="applied already"):
        kept.apply(found.id, "bert")
    undone = kept.undo(found.id, "bert")
    assert store.get(["s1"])["s1"] == before
    assert (applied.state, undone.state) == ("applied", "undone")
    assert [(each.state, each.author) for each in undone.history] == [("applied", "anna"), ("undone", "bert")]
    with pytest.raises(ConflictError, match="is undone"):
        kept.undo(found.id, "bert")
    assert kept.apply(found.id, "anna").state == "applied", "whoever changed their mind may apply it after all"


def test_a_changed_field_is_never_written_over(store: Store) -> None:
    kept = SuggestionStore(store)
    kept.record(1, [proposal()], BEGAN)
    id_ = only(kept).id
    store.upsert([SHOE.model_copy(update={"brand": "Falcon"})])
    with pytest.raises(ConflictError, match='is now "Falcon", not "Kestrl"') as raised:
        kept.apply(id_, "anna")
    assert raised.value.field == "brand"
    assert (kept.get(id_).state, store.get(["s1"])["s1"].brand) == ("stale", "Falcon")
    store.upsert([SHOE])
    kept.apply(id_, "anna")
    store.upsert([SHOE.model_copy(update={"brand": "Falcon"})])
    with pytest.raises(ConflictError, match='is now "Falcon", not "Kestrel"'):
        kept.undo(id_, "anna")
    assert (kept.get(id_).state, store.get(["s1"])["s1"].brand) == ("applied", "Falcon")
    store.delete(["s1"])
    with pytest.raises(ConflictError, match="no product 's1'"):
        kept.undo(id_, "anna")


def test_what_was_decided_stays_decided(store: Store) -> None:
    kept = SuggestionStore(store)
    kept.record(1, [proposal()], BEGAN)
    id_ = only(kept).id
    assert kept.refuse(id_, "anna").state == "refused"
    kept.record(2, [proposal(confidence=0.99, evidence="again")], datetime.now(UTC))
    found = only(kept)
    assert (found.id, found.state, found.confidence, found.evidence, found.run) == (id_, "refused", 0.99, "again", 2)
    with pytest.raises(ConflictError, match="refused, not open"):
        kept.refuse(id_, "anna")
    kept.record(3, [proposal(new="Kestrel Ltd")], datetime.now(UTC))
    assert sorted(each.state for each in kept.listed(Chosen())[1]) == ["open", "refused"], (
        "another value is another one"
    )
    assert kept.undo(id_, "bert").state == "open"


def test_what_cannot_be_applied_stays_refused_or_undone(store: Store) -> None:
    kept = SuggestionStore(store)
    kept.record(1, [proposal()], BEGAN)
    id_ = only(kept).id
    for decide, state in (
        (kept.refuse, "refused"),
        (kept.undo, "open"),
        (kept.apply, "applied"),
        (kept.undo, "undone"),
    ):
        assert decide(id_, "anna").state == state
        if state in ("refused", "undone"):
            history = kept.get(id_).history
            store.upsert([SHOE.model_copy(update={"brand": "Falcon"})])
            with pytest.raises(ConflictError, match='is now "Falcon"'):
                kept.apply(id_, "bert")
            store.upsert([SHOE])
            kept.record(2, [proposal()], datetime.now(UTC))
            assert (kept.get(id_).state, kept.get(id_).history) == (state, history)


def test_rows_are_locked_in_one_order(store: Store) -> None:
    kept, asked = SuggestionStore(store), list[str]()
    event.listen(store.database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    kept.record(1, [proposal()], BEGAN)
    kept.expire(2, ["none"], 0)
    kept.apply_all(Chosen(), "anna")
    whole = [each for each in asked if each.startswith("SELECT quality_suggestions.id, quality_suggestions.product_id")]
    # The last but one looks up the products, and locks nothing.
    assert ["ORDER BY quality_suggestions.id" in each for each in whole] == [True, True, False, True]


def test_a_feed_that_brings_the_old_value_back_opens_it_again(store: Store) -> None:
    kept = SuggestionStore(store)
    kept.record(1, [proposal()], BEGAN)
    id_ = only(kept).id
    kept.apply(id_, "anna")
    kept.record(2, [proposal()], BEGAN)
    assert kept.get(id_).state == "applied", "decided while the run was under way: it saw the old value before"
    kept.record(3, [proposal()], datetime.now(UTC))
    assert kept.get(id_).state == "open"
    assert kept.get(id_).history[-1].author == "run 3"


def test_what_a_run_finds_no_more_is_stale(store: Store) -> None:
    kept = SuggestionStore(store)
    kept.record(1, [proposal(), proposal(new="red", old=None, field="attributes.shade", check="shade")], BEGAN)
    assert kept.expire(2, ["brand", "price"], store.sequence() - 1) == 0, "changed since: the run did not see it so"
    assert kept.expire(2, ["brand", "price"], store.sequence()) == 1
    assert kept.counts() == {("brand", "stale"): 1, ("shade", "open"): 1}, "the check of the other did not run"
    kept.record(3, [proposal()], datetime.now(UTC))
    assert kept.counts() == {("brand", "open"): 1, ("shade", "open"): 1}


def test_of_two_checks_with_one_repair_the_surer_speaks(store: Store) -> None:
    kept = SuggestionStore(store)
    kept.record(1, [proposal(confidence=0.7, check="a"), proposal(confidence=0.8, check="b")], BEGAN)
    kept.record(1, [proposal(confidence=0.6, check="c")], BEGAN)
    assert (only(kept).check, only(kept).confidence) == ("b", 0.8)
    kept.record(2, [proposal(confidence=0.6, check="c")], BEGAN)
    assert (only(kept).check, only(kept).confidence) == ("c", 0.6)


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, SuggestionStore]]:
    """Ten products without a colour; of two of them the title is suspected as well. Batches are of three."""
    monkeypatch.setattr(suggestions, "BATCH", 3)
    with Store.open(sqlite_url(tmp_path / "many.db")) as opened:
        opened.upsert([Product(id=f"p{place}", title=f"Thing {place}") for place in range(10)])
        kept = SuggestionStore(opened)
        colours = [
            proposal("red", None, "attributes.colour", product_id=f"p{place}", check="colour", confidence=place / 10)
            for place in range(10)
        ]
        titles = [proposal(f"Thing no. {n}", f"Thing {n}", "title", product_id=f"p{n}", check="title") for n in (8, 9)]
        kept.record(1, colours + titles, BEGAN)
        yield opened, kept


def test_all_of_a_filter(many: tuple[Store, SuggestionStore]) -> None:
    store, kept = many
    store.upsert([Product(id="p7", title="Thing 7", attributes={"colour": "green"})])
    chosen = Chosen(check="colour", min_confidence=0.5)
    assert kept.apply_all(chosen, "anna") == {"applied": 4, "stale": 1}
    found = {id_: product.attributes for id_, product in store.get([f"p{n}" for n in range(10)]).items()}
    assert [found[f"p{n}"]["colour"].value for n in range(5, 10)] == ["red", "red", "green", "red", "red"]
    assert not any(found[f"p{n}"] for n in range(5))
    assert kept.refuse_all(Chosen(), "bert") == {"refused": 7}
    assert kept.apply_all(Chosen(), "anna") == {}
    assert {each.title for each in store.get(["p8", "p9"]).values()} == {"Thing 8", "Thing 9"}


def test_two_repairs_of_one_product_in_one_batch(many: tuple[Store, SuggestionStore]) -> None:
    store, kept = many
    kept.record(1, [proposal("Object 9", "Thing 9", "title", product_id="p9", check="title", confidence=0.95)], BEGAN)
    assert kept.apply_all(Chosen(product_id="p9"), "anna") == {"applied": 2, "stale": 1}
    product = store.get(["p9"])["p9"]
    assert (product.title, product.attributes["colour"].value) == ("Object 9", "red"), "the surer title"


def test_a_page_of_the_surest(many: tuple[Store, SuggestionStore]) -> None:
    _, kept = many
    total, found = kept.listed(Chosen(state="open", field="attributes.colour"), page=2, size=4)
    assert total == 10
    assert [each.product_id for each in found] == ["p5", "p4", "p3", "p2"]
    assert kept.listed(Chosen(state="applied")) == (0, [])


def test_unknown_ids(store: Store) -> None:
    kept = SuggestionStore(store)
    for decide in (kept.apply, kept.refuse, kept.undo):
        with pytest.raises(NotFoundError, match="no suggestion 'nil'"):
            decide("nil", "anna")
        with pytest.raises(NotFoundError):
            decide("a\0b", "anna")


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("title", "Road shoe", "Road shoe"),
        ("category", ["Clothing", "Boots"], ["Clothing", "Boots"]),
        ("category", "Boots", ["Boots"]),
        ("price", "12.50", "12.5"),
        ("price", 100, "100"),
        ("price", None, None),
        ("stock", None, None),
        ("group_id", "g1", "g1"),
        ("brand", "", None),
        ("attributes.colour", None, None),
        ("attributes.colour", ["red", "blue"], ["red", "blue"]),
        ("attributes.weight", {"value": 0.3, "unit": "kg"}, {"value": 0.3, "unit": "kg"}),
        ("attributes.my size", 42, 42),
        ("created_at", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00"),
    ],
)
def test_fields(field: str, value: Any, expected: Any) -> None:
    changed = with_value(SHOE, field, value)
    assert value_of(changed, field) == expected
    assert with_value(changed, field, value_of(SHOE, field)) == SHOE


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", "s2"), ("attributes", {}), ("colour", "red"), ("title", None), ("price", -1), ("price", "dear"),
     ("category", [""]), ("attributes.", "red"), ("attributes.colour", {"worth": 1}), ("stock", 1.5)],
)  # fmt: skip
def test_values_that_do_not_fit(field: str, value: Any) -> None:
    with pytest.raises(ProductError) as raised:
        with_value(SHOE, field, value)
    assert raised.value.field == field
    assert raised.value.cure


TEXTS = st.text(min_size=1, max_size=12).map(str.strip).filter(lambda text: text and "\0" not in text)
ATTRIBUTES = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
    st.lists(TEXTS, min_size=1, max_size=3),
    st.fixed_dictionaries({"value": st.one_of(st.integers(-99, 99), TEXTS), "unit": TEXTS}),
)
EDITS = st.one_of(
    st.tuples(st.sampled_from(["title", "brand", "description", "group_id", "mpn"]), TEXTS),
    st.tuples(st.sampled_from(["category", "tags", "images", "ean"]), st.lists(TEXTS, max_size=3)),
    st.tuples(st.just("price"), st.decimals(0, 10**11, places=4).map(str)),
    st.tuples(st.sampled_from(["attributes.colour", "attributes.weight", "attributes.新"]), ATTRIBUTES),
    st.tuples(st.sampled_from(["brand", "category", "price", "stock", "attributes.weight"]), st.none()),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(EDITS, min_size=1, max_size=5))
def test_there_and_back(edits: list[tuple[str, Any]]) -> None:
    """Written in order and brought back in reverse, a product is what it was, and values are as JSON holds them."""
    product, done = SHOE, []
    for field, value in edits:
        done.append((field, value_of(product, field)))
        product = with_value(product, field, value)
        new = value_of(product, field)
        assert orjson.loads(orjson.dumps(new)) == new
        assert with_value(product, field, new) == product
    for field, old in reversed(done):
        product = with_value(product, field, old)
    assert product == SHOE


@settings(max_examples=8, deadline=None)
@given(st.lists(EDITS, min_size=1, max_size=3, unique_by=lambda edit: edit[0]))
def test_there_and_back_through_the_store(shared: Store, edits: list[tuple[str, Any]]) -> None:
    kept, before = SuggestionStore(shared), shared.get(["s1"])["s1"]
    made = [
        proposal(value_of(with_value(before, *edit), edit[0]), value_of(before, edit[0]), edit[0]) for edit in edits
    ]
    kept.record(1, made, datetime.now(UTC))
    ids = [suggestion_id(each) for each in made if each.old != each.new]
    for id_ in ids:
        kept.apply(id_, "anna")
    after = shared.get(["s1"])["s1"]
    assert all(value_of(after, each.field) == each.new for each in made)
    for id_ in reversed(ids):
        kept.undo(id_, "anna")
    assert shared.get(["s1"])["s1"] == before


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all examples."""
    with Store.open(sqlite_url(tmp_path_factory.mktemp("property") / "store.db")) as opened:
        opened.upsert([SHOE])
        yield opened
