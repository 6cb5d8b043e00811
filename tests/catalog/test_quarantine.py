"""The quarantine: what is held, replaced, released and dropped, on both kinds of database."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.catalog import quarantine as module
from lingsou.catalog.quarantine import Held, Reason, State
from lingsou.catalog.store import Store
from lingsou.core.errors import ConflictError, NotFoundError
from lingsou.core.types import Product, ProductPatch
from lingsou.testing.store import FULL, product


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite3'}") as opened:
        yield opened


def reason(check: str = "html", problem: str = "scripts") -> Reason:
    return Reason(
        check=check, severity="error", problem=problem, field="title", evidence="…", repair="Mend.", confidence=0.9
    )


def held(number: int, *reasons: Reason, row: int = 1, **changes: Any) -> Held:
    return Held(product(number, **changes), reasons or (reason(),), "summer.csv", row)


def states(store: Store) -> dict[State, list[str]]:
    found = {
        state: [entry.product_id for entry in store.quarantine.page(state=state).entries] for state in module.STATES
    }
    return {state: ids for state, ids in found.items() if ids}


def test_what_is_held_is_kept_whole_with_its_reasons(store: Store) -> None:
    store.upsert([product(1)], [Held(FULL, (reason(), reason("price", "token")), "夏.csv", 7)])
    assert store.get([FULL.id]) == {}
    (entry,) = store.quarantine.page().entries
    assert entry.product == FULL
    assert (entry.state, entry.source, entry.row, entry.closed_at) == ("held", "夏.csv", 7, None)
    assert entry.reasons == (reason(), reason("price", "token"))
    assert store.quarantine.get(entry.id) == entry


def test_a_batch_is_written_and_held_as_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(module, "_forget_old", fail)
    with pytest.raises(RuntimeError):
        store.upsert([product(1)], [held(2)])
    assert (store.count(), store.quarantine.page().total) == (0, 0)


def test_the_same_again_stays_one_entry_and_another_version_replaces_it(store: Store) -> None:
    for _ in range(3):
        store.upsert([], [held(1), held(2)])
    first = store.quarantine.page()
    assert [entry.id for entry in first.entries] == [1, 2]
    store.upsert([], [held(1, title="Other")])
    assert states(store) == {"held": ["p2", "p1"], "replaced": ["p1"]}
    assert store.quarantine.page(state="replaced").entries[0].id == 1
    store.upsert([], [held(2, reason("price"))])
    assert [entry.reasons[0].check for entry in store.quarantine.page().entries] == ["html", "price"]


def test_of_several_versions_in_one_batch_the_last_is_held(store: Store) -> None:
    store.upsert([], [held(1, title="a"), held(1, title="b"), held(1, title="c")])
    assert [entry.product.title for entry in store.quarantine.page().entries] == ["c"]
    assert len(store.quarantine.page(state="replaced").entries) == 2


def test_a_good_version_replaces_what_is_held(store: Store) -> None:
    store.upsert([], [held(1), held(2)])
    store.upsert([product(1)])
    assert states(store) == {"held": ["p2"], "replaced": ["p1"]}
    store.upsert([product(3)], [held(3)])
    assert states(store)["held"] == ["p2", "p3"], "held after it was written: the later row of a feed"


def test_a_delete_replaces_what_is_held(store: Store) -> None:
    store.upsert([product(1)], [held(1), held(2)])
    store.delete(["p1", "p2", "nobody"])
    assert states(store) == {"replaced": ["p1", "p2"]}


def test_a_released_product_is_loaded_as_it_is(store: Store) -> None:
    store.upsert([product(1, price=5)], [held(1, price=Decimal("0.01")), held(2)])
    before = store.sequence()
    result = store.quarantine.release([1], "Ann")
    assert (result.updated, result.sequence) == (1, before + 1)
    assert store.get(["p1"])["p1"].price == Decimal("0.01")
    entry = store.quarantine.get(1)
    assert (entry.state, entry.closed_by) == ("released", "Ann")
    assert entry.closed_at is not None
    assert entry.closed_at >= entry.held_at
    with pytest.raises(ConflictError, match="was released"):
        store.quarantine.release([2, 1], "Ann")
    assert states(store)["held"] == ["p2"], "all or nothing"
    assert "p2" not in store.get(["p2"])


def test_a_release_holds_for_the_same_version_and_no_other(store: Store) -> None:
    store.upsert([], [held(1, row=3), held(2), held(3)])
    store.quarantine.release([1, 2], "Ann")
    store.quarantine.drop([3], "Ann")
    again = [held(1, row=9), held(2, title="Other"), held(3)]
    assert store.quarantine.released_before(again) == {"p1"}
    assert store.quarantine.released_before([held(1, reason("price"))]) == set(), "for another reason"
    assert store.quarantine.released_before([held(1, price=Decimal(7))]) == set(), "the price may be what is wrong"
    busy = held(1, stock=77, sales=5, rating=4.5, review_count=9, updated_at="2026-02-03T00:00:00Z")
    assert store.quarantine.released_before([busy]) == {"p1"}
    store.upsert([], again[1:])
    assert states(store)["held"] == ["p2", "p3"]


def test_a_version_that_comes_and_goes_is_one_entry(store: Store) -> None:
    for _ in range(2):
        store.upsert([product(1)], [held(1, title="a"), held(1, title="b")])
    store.upsert([product(1)])
    store.upsert([], [held(1, title="b", row=5)])
    (entry,) = store.quarantine.page().entries
    assert (entry.id, entry.product.title, entry.row, entry.closed_at) == (2, "b", 5, None)
    assert [each.id for each in store.quarantine.page(state="replaced").entries] == [1]


def test_a_version_of_other_stock_is_the_same_entry_and_a_release_writes_the_newest(store: Store) -> None:
    for stock in (9, 8, 7):
        store.upsert([], [held(1, stock=stock)])
    assert states(store) == {"held": ["p1"]}, "none was replaced"
    (entry,) = store.quarantine.page().entries
    assert entry.product.stock == 7
    store.quarantine.release([entry.id], "Ann")
    assert store.get(["p1"])["p1"].stock == 7


def test_a_release_does_not_take_a_patch_back(store: Store) -> None:
    store.upsert([product(1, price=5)], [held(1, price=Decimal(6), stock=3), held(2, price=Decimal(6), stock=3)])
    patches = [ProductPatch(id="p1", price=Decimal(7)), ProductPatch(id="p2", price=Decimal(8), stock=None)]
    assert store.patch(patches).missing == ("p2",), "it is held, not in the shop"
    store.quarantine.release([1, 2], "Ann")
    assert [(each.price, each.stock) for each in store.get(["p1", "p2"]).values()] == [
        (Decimal(7), 3),
        (Decimal(8), None),
    ]
    assert store.quarantine.released_before([held(1, price=Decimal(6), stock=3)]) == {"p1"}, "as its feed has it"


def test_of_older_versions_only_those_that_came_again_are_read(store: Store) -> None:
    for number in range(4):
        store.upsert([], [held(1, title=f"Version {number}")])
    wanted = ("p1", module._digest(held(1, title="Version 1")))
    with store.database.read() as connection:
        current, versions = module._known(connection, {wanted})
    assert (current, set(versions.values()), versions[wanted]) == ({"p1": 4}, {2, 4}, 2)


def test_a_dropped_product_is_forgotten(store: Store) -> None:
    store.upsert([product(1)], [held(1, title="Bad")])
    store.quarantine.drop([1], "Ann")
    assert states(store) == {"dropped": ["p1"]}
    assert store.get(["p1"])["p1"].title == product(1).title
    with pytest.raises(NotFoundError, match="entry 9"):
        store.quarantine.drop([9], "Ann")
    with pytest.raises(NotFoundError):
        store.quarantine.get(9)


def test_pages_by_check(store: Store) -> None:
    store.upsert([], [held(number, reason("html" if number % 3 else "price")) for number in range(1, 11)])
    seen: list[str] = []
    after: int | None = 0
    while after is not None:
        page = store.quarantine.page(check="html", after=after, limit=3)
        assert page.total == 7
        seen += [entry.product_id for entry in page.entries]
        after = page.next
    assert seen == [f"p{number}" for number in range(1, 11) if number % 3]
    assert store.quarantine.page(check="stock").entries == ()
    assert store.quarantine.held("price") == [3, 6, 9]
    assert [(each.check, each.count) for each in store.quarantine.counts()] == [("html", 7), ("price", 3)]


def test_closed_entries_are_forgotten_after_a_while(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.upsert([], [held(1), held(2)])
    store.quarantine.drop([1], "Ann")
    monkeypatch.setattr(module, "KEPT_FOR", timedelta(0))
    store.upsert([], [held(3)])
    assert states(store) == {"held": ["p2", "p3"]}
    store.upsert([], [held(4)])
    assert store.quarantine.get(4).product_id == "p4", "numbers are not given twice"


def test_what_comes_again_after_its_entry_was_forgotten_is_held(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.upsert([], [held(1)])
    store.upsert([product(1)])
    monkeypatch.setattr(module, "KEPT_FOR", timedelta(0))
    store.upsert([], [held(1)])
    assert states(store) == {"held": ["p1"]}


def test_a_full_load_keeps_what_it_holds_back_and_forgets_what_it_no_longer_names(store: Store) -> None:
    store.upsert([product(number) for number in range(1, 6)], [held(7), held(8)])
    with store.begin_load() as load:
        load.upsert([product(1), product(2)], [held(3, title="Bad"), held(7)])
        load.keep(["p4"])
        assert load.finish().deleted == 1
    assert store.get(["p3"])["p3"].title == product(3).title, "the old version stays"
    assert "p5" not in store.get(["p5"])
    assert states(store) == {"held": ["p7", "p3"], "replaced": ["p8"]}
    with store.begin_load() as load:
        load.upsert([product(1)], [])
    assert states(store)["held"] == ["p7", "p3"], "a load that does not come to its end replaces nothing"


@given(
    title=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip),
    value=st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False),
                    st.text(st.characters(exclude_categories=["Cs"])), st.tuples(st.text("ab", min_size=1))),
)  # fmt: skip
def test_any_product_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, title: str, value: Any) -> None:
    given_ = Product(id="x", title=title[:2_000], attributes={"colour": {"value": value, "unit": "kg"}})
    assert Product.model_validate_json(given_.model_dump_json(exclude_defaults=True)) == given_


@pytest.mark.slow
def test_on_postgres(postgres_url: str) -> None:
    with Store.open(postgres_url) as store:
        test_a_full_load_keeps_what_it_holds_back_and_forgets_what_it_no_longer_names(store)
    with Store.open(postgres_url) as store:
        store.delete([f"p{number}" for number in range(1, 9)])
        store.upsert([product(1)], [held(1, title="nul \0 in it"), held(2)])
        assert store.quarantine.page().entries[0].product.title == "nul \0 in it"
        page = store.quarantine.page(check="html", limit=1)
        assert (page.total, page.next) == (2, page.entries[0].id)
        assert store.quarantine.counts()[0].count == 2
        assert store.quarantine.page(check="\0").total == 0
        assert store.delete(["p1", "p\0"]).missing == ("p\0",)
        store.upsert([product(1)], [held(1, title="nul \0 in it")])
        store.quarantine.drop(store.quarantine.held(), "Ann")
        assert states(store)["dropped"] == ["p1", "p2"]
