"""What every store must do, whatever database it lives in.

Subclass `StoreContract` in a test module and give it a fixture `store` that yields a new, empty `Store` of the
currency `CNY`.
"""
# ruff: noqa: D102 (the name of each test says what it holds a store to)

import threading
from decimal import Decimal

import pytest

from lingsou.catalog.store import Store
from lingsou.catalog.tasks import KEPT_PROBLEMS, Problem, status
from lingsou.core.errors import ConflictError, NotFoundError, ProductError
from lingsou.core.keys import create_key, list_keys, revoke_key, verify_key
from lingsou.core.types import Attribute, Product, ProductPatch


def product(number: int, **fields: object) -> Product:
    """A product that needs nothing but its number."""
    return Product.model_validate({"id": f"p{number}", "title": f"Product {number}", **fields})


FULL = Product.model_validate(
    {
        "id": "full/½ id",
        "title": "无线耳机 Wireless “headphones”",
        "short_description": "短",
        "description": "line\nline \x00 \U0001f3a7",
        "brand": "云栖",
        "category": ["Electronics", "Audio"],
        "price": "19.9",
        "currency": "EUR",
        "sku": "S-1",
        "mpn": "M-1",
        "ean": ["4006381333931"],
        "attributes": {
            "colour": ["black", "red"],
            "weight": {"value": 12.5, "unit": "g"},
            "wireless": True,
            "whole": 1,
            "float": 1.0,
            "digits": "1",
        },
        "images": ["a.png", "b.png"],
        "tags": ["new"],
        "language": "zh",
        "stock": 0,
        "rating": 4.25,
        "review_count": 7,
        "sales": 2**31 - 1,
        "created_at": "2025-01-02T03:04:05.000006+08:00",
        "updated_at": "2025-01-03",
        "group_id": "g",
    }
)
"""A product with every field set."""


class StoreContract:
    """Run by pytest once for each subclass."""

    def test_new_store_is_empty(self, store: Store) -> None:
        assert (store.sequence(), store.count(), store.changes(0, 10), list(store.products())) == (0, 0, [], [])
        assert store.identity() == store.identity() != ""

    def test_every_field_survives(self, store: Store) -> None:
        store.upsert([FULL])
        found = store.get([FULL.id])[FULL.id]
        assert found == FULL
        assert {name: type(held.value) for name, held in found.attributes.items()} == {
            name: type(held.value) for name, held in FULL.attributes.items()
        }
        assert found.model_dump_json() == Product.model_validate(found.model_dump()).model_dump_json()
        assert isinstance(found.attributes["weight"], Attribute)

    def test_price_keeps_its_places(self, store: Store) -> None:
        prices = ["0", "5", "19.9", "0.0001", "999999999999.9999"]
        store.upsert([product(number, price=price) for number, price in enumerate(prices)])
        found = [str(page.price) for page in next(store.products())]
        assert found == ["0.00", "5.00", "19.90", "0.0001", "999999999999.9999"]

    def test_currency_is_fixed_when_written(self, store: Store) -> None:
        store.upsert([product(1), product(2, currency="USD")])
        assert [each.currency for each in store.get(["p1", "p2"]).values()] == ["CNY", "USD"]

    def test_upsert_counts_and_numbers(self, store: Store) -> None:
        first = store.upsert([product(1), product(2)])
        assert (first.sequence, first.added, first.updated, first.unchanged) == (2, 2, 0, 0)
        second = store.upsert([product(1), product(2, title="Other"), product(3)])
        assert (second.sequence, second.added, second.updated, second.unchanged) == (4, 1, 1, 1)
        assert [(each.id, each.number, each.sequence) for each in store.changes(0, 10)] == [
            ("p1", 1, 1),
            ("p2", 2, 3),
            ("p3", 3, 4),
        ]

    def test_same_feed_twice_changes_nothing(self, store: Store) -> None:
        batch = [FULL, *(product(number, price=number, stock=number) for number in range(1200))]
        store.upsert(batch)
        again = store.upsert(batch)
        assert (again.unchanged, again.sequence, store.sequence()) == (1201, 1201, 1201)

    def test_last_duplicate_wins(self, store: Store) -> None:
        result = store.upsert([product(1, title="a"), product(2), product(1, title="b")])
        assert (result.added, store.get(["p1"])["p1"].title) == (2, "b")
        assert [each.id for each in store.changes(0, 10)] == ["p2", "p1"]

    def test_volatile_change_leaves_content_sequence(self, store: Store) -> None:
        store.upsert([product(1, stock=1), product(2)])
        store.upsert([product(1, stock=2)])
        (change,) = store.changes(2, 10)
        assert (change.id, change.sequence, change.content_sequence) == ("p1", 3, 1)
        store.upsert([product(1, stock=3, title="new")])
        (change,) = store.changes(3, 10)
        assert (change.sequence, change.content_sequence, change.product) == (
            4,
            4,
            product(1, stock=3, title="new", currency="CNY"),
        )

    def test_patch_sets_only_what_it_names(self, store: Store) -> None:
        store.upsert([product(1, price=5, stock=1, rating=4.5)])
        result = store.patch(
            [
                ProductPatch(id="p1", stock=9),
                ProductPatch(id="nobody", stock=1),
                ProductPatch.model_validate({"id": "p1", "price": None, "sales": 3}),
                ProductPatch(id="nobody", stock=2),
            ]
        )
        assert (result.updated, result.sequence, result.missing) == (1, 2, ("nobody",))
        assert store.get(["p1"])["p1"] == product(1, stock=9, rating=4.5, sales=3, currency="CNY")
        same = store.patch([ProductPatch(id="p1", stock=9)])
        assert (same.updated, same.unchanged, same.sequence) == (0, 1, 2)

    def test_delete_leaves_a_tombstone(self, store: Store) -> None:
        store.upsert([product(1, price=Decimal(1)), product(2)])
        result = store.delete(["p1", "p9", "p1"])
        assert (result.deleted, result.missing, result.sequence, store.count()) == (1, ("p9",), 3, 1)
        change = store.changes(2, 10)[0]
        assert (change.id, change.number, change.product) == ("p1", 1, None)
        assert store.get(["p1"]) == {}
        assert store.delete(["p1"]).missing == ("p1",)
        assert store.patch([ProductPatch(id="p1", stock=1)]).missing == ("p1",)

    def test_return_of_a_deleted_product(self, store: Store) -> None:
        store.upsert([product(1)])
        store.delete(["p1"])
        assert store.upsert([product(1)]).added == 1
        (change,) = store.changes(0, 10)
        assert (change.number, change.sequence, change.content_sequence) == (1, 3, 3)
        assert change.product == product(1, currency="CNY")

    def test_changes_come_in_pages(self, store: Store) -> None:
        store.upsert([product(number) for number in range(25)])
        assert [each.sequence for each in store.changes(0, 10)] == list(range(1, 11))
        assert [each.sequence for each in store.changes(20, 10)] == list(range(21, 26))
        assert (store.changes(25, 10), store.pending(20), store.pending(25)) == ([], 5, 0)

    def test_products_stream_in_order_of_number(self, store: Store) -> None:
        store.upsert([product(number) for number in range(7)])
        store.delete(["p3"])
        pages = list(store.products(batch=3))
        assert [[each.id for each in page] for page in pages] == [["p0", "p1", "p2"], ["p4", "p5", "p6"]]

    def test_many_ids_at_once(self, store: Store) -> None:
        store.upsert([product(number) for number in range(1300)])
        assert len(store.get([f"p{number}" for number in range(-100, 1400)])) == 1300
        assert store.delete([f"p{number}" for number in range(1300)]).deleted == 1300
        assert store.count() == 0

    @pytest.mark.parametrize(
        "bad",
        [
            {"id": "nul\0"},
            {"attributes": {"width": Attribute.model_construct(value=float("nan"), unit=None)}},
            {"attributes": {"width": Attribute.model_construct(value=float("inf"), unit=None)}},
            {"attributes": {"serial": Attribute.model_construct(value=2**70, unit=None)}},
        ],
    )
    def test_what_cannot_be_kept_refuses_the_batch(self, store: Store, bad: dict[str, object]) -> None:
        # `Product` refuses these; the store does not rely on everyone having gone through it.
        with pytest.raises(ProductError) as caught:
            store.upsert([product(1), product(2).model_copy(update=bad)])
        assert caught.value.cure
        assert caught.value.field
        assert store.sequence() == 0

    def test_full_load_deletes_what_it_did_not_see(self, store: Store) -> None:
        store.upsert([product(number) for number in range(5)])
        load = store.begin_load()
        assert load.upsert([product(0), product(1, title="new"), product(9)]).updated == 1
        load.keep(["p2", "never heard of"])
        result = load.finish()
        assert (result.deleted, result.added, result.sequence) == (2, 0, 9)
        assert {each.id for page in store.products() for each in page} == {"p0", "p1", "p2", "p9"}
        assert [(each.id, each.product) for each in store.changes(7, 9)] == [("p3", None), ("p4", None)]
        with pytest.raises(NotFoundError):
            load.finish()
        with pytest.raises(NotFoundError):
            load.upsert([product(1)])

    def test_full_load_that_would_empty_the_shop_is_refused(self, store: Store) -> None:
        store.upsert([product(number) for number in range(10)])
        load = store.begin_load()
        load.upsert([product(number) for number in range(100, 200)])
        with pytest.raises(ConflictError, match=r"delete 10 of 10 products \(100%\); the limit is 50%"):
            load.finish()
        assert store.count() == 110
        assert load.finish(force=True).deleted == 10
        assert store.count() == 100

    def test_full_load_spares_what_others_wrote_meanwhile(self, store: Store) -> None:
        store.upsert([product(1), product(2), product(3)])
        with store.begin_load() as load:
            store.upsert([product(2, title="newer"), product(4)])
            store.patch([ProductPatch(id="p3", stock=1)])
            load.upsert([product(1)])
            assert load.finish().deleted == 1
        assert {each.id for page in store.products() for each in page} == {"p1", "p2", "p4"}

    def test_abandoned_load_deletes_nothing(self, store: Store) -> None:
        store.upsert([product(1)])
        with store.begin_load() as load:
            load.upsert([product(2)])
        assert store.count() == 2
        with pytest.raises(NotFoundError):
            load.finish(force=True)

    def test_two_loads_do_not_see_each_other(self, store: Store) -> None:
        store.upsert([product(1), product(2)])
        one, two = store.begin_load(), store.begin_load()
        one.upsert([product(1)])
        two.upsert([product(2)])
        assert one.finish().deleted == 1
        assert two.finish().deleted == 1
        assert store.count() == 0

    def test_sequences_appear_in_order(self, store: Store) -> None:
        stop, faults, seen = threading.Event(), list[str](), list[int]()

        def write(start: int) -> None:
            for number in range(start, start + 40):
                store.upsert([product(number), product(number + 500)])

        def follow() -> None:
            cursor = 0
            while not stop.is_set() or store.sequence() > cursor:
                for change in store.changes(cursor, 1000):
                    # Nothing is ever rewritten here, so a gap means that a later change was visible before an earlier.
                    if change.sequence != cursor + 1:
                        faults.append(f"{cursor} → {change.sequence}")
                    cursor = change.sequence
                    seen.append(cursor)

        writers = [threading.Thread(target=write, args=(start,)) for start in (0, 100, 200)]
        follower = threading.Thread(target=follow)
        for thread in (*writers, follower):
            thread.start()
        for thread in writers:
            thread.join()
        stop.set()
        follower.join()
        assert (faults, seen, store.count()) == ([], list(range(1, 241)), 240)

    def test_tasks(self, store: Store) -> None:
        sequence = store.upsert([product(1)]).sequence
        problems = [Problem(row=row, field="price", reason="negative", cure="mend") for row in range(150)]
        made = store.create_task("upsert", accepted=1, rejected=150, problems=problems, sequence=sequence)
        found = store.task(made.id)
        assert found == made
        assert len(found.problems) == KEPT_PROBLEMS
        assert (status(found, sequence - 1), status(found, sequence)) == ("indexing", "succeeded")
        for unknown in ("no such task", "\0"):
            with pytest.raises(NotFoundError):
                store.task(unknown)

    def test_keys(self, store: Store) -> None:
        key, plain = create_key(store.database, "feed", ["write"])
        assert verify_key(store.database, plain) == key
        assert list_keys(store.database) == [key]
        assert revoke_key(store.database, key.id).revoked_at is not None
