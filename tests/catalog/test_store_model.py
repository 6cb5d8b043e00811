"""Any sequence of writes leaves what a dictionary would hold, and a log from which an index can follow it."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lingsou.catalog.store import Store
from lingsou.core.database import sqlite_url
from lingsou.core.errors import ConflictError
from lingsou.core.types import Product, ProductPatch

IDS = st.sampled_from([f"p{number}" for number in range(8)])
PRICES = st.none() | st.sampled_from(["0", "1.5", "2.25"])
PRODUCTS = st.builds(
    lambda key, title, price, stock: Product.model_validate(
        {"id": key, "title": title, "price": price, "stock": stock, "currency": "CNY"}
    ),
    IDS,
    st.sampled_from(["a", "b"]),
    PRICES,
    st.none() | st.integers(0, 2),
)
PATCHES = st.builds(
    lambda key, fields: ProductPatch.model_validate({"id": key, **fields}),
    IDS,
    st.fixed_dictionaries({}, optional={"price": PRICES, "stock": st.none() | st.integers(0, 2)}).filter(bool),
)


class StoreMachine(RuleBasedStateMachine):
    """A store beside a dictionary, and an index that follows the log now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store.open(sqlite_url(Path(self.folder.name) / "store.sqlite3"))
        self.model: dict[str, Product] = {}
        self.index: dict[int, tuple[str, Product, int]] = {}
        self.cursor = 0

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(batch=st.lists(PRODUCTS, max_size=6))
    def upsert(self, batch: list[Product]) -> None:
        before = self.store.sequence()
        result = self.store.upsert(batch)
        last = {each.id: each for each in batch}
        added = [key for key in last if key not in self.model]
        changed = [key for key in last if key in self.model and self.model[key] != last[key]]
        assert (result.added, result.updated) == (len(added), len(changed))
        assert result.unchanged == len(last) - len(added) - len(changed)
        assert result.sequence == before + len(added) + len(changed)
        self.model |= last

    @rule(batch=st.lists(PATCHES, max_size=5))
    def patch(self, batch: list[ProductPatch]) -> None:
        result = self.store.patch(batch)
        old = dict(self.model)
        for each in batch:
            if each.id in self.model:
                self.model[each.id] = self.model[each.id].model_copy(update=each.values())
        known = {each.id for each in batch} & old.keys()
        assert set(result.missing) == {each.id for each in batch} - old.keys()
        assert result.updated == sum(old[key] != self.model[key] for key in known)

    @rule(ids=st.lists(IDS, max_size=4))
    def delete(self, ids: list[str]) -> None:
        result = self.store.delete(ids)
        assert result.deleted == len(set(ids) & self.model.keys())
        assert set(result.missing) == set(ids) - self.model.keys()
        for key in ids:
            self.model.pop(key, None)

    @rule(
        batches=st.lists(st.lists(PRODUCTS, max_size=4), max_size=3),
        kept=st.lists(IDS, max_size=3),
        share=st.sampled_from([0.0, 0.5, 1.0]),
        force=st.booleans(),
    )
    def full_load(self, batches: list[list[Product]], kept: list[str], share: float, force: bool) -> None:
        start = set(self.model)
        seen = {each.id for batch in batches for each in batch}
        with self.store.begin_load() as load:
            for batch in batches:
                load.upsert(batch)
                self.model |= {each.id: each for each in batch}
            load.keep(kept)
            gone = start - seen - set(kept)
            try:
                deleted = load.finish(share, force).deleted
            except ConflictError:
                assert not force
                assert len(gone) > share * len(start)
                return
        assert force or len(gone) <= share * len(start)
        assert deleted == len(gone)
        for key in gone:
            del self.model[key]

    @precondition(lambda self: self.cursor < self.store.sequence())
    @rule(limit=st.integers(1, 20))
    def follow(self, limit: int) -> None:
        for change in self.store.changes(self.cursor, limit):
            assert change.sequence > self.cursor
            self.cursor = change.sequence
            if change.product is None:
                self.index.pop(change.number, None)
                continue
            old: Any = self.index.get(change.number)
            if old and old[2] == change.content_sequence:
                # The same content: only volatile fields may differ.
                assert old[1].model_copy(update={"price": None, "stock": None}) == change.product.model_copy(
                    update={"price": None, "stock": None}
                )
            self.index[change.number] = change.id, change.product, change.content_sequence

    @invariant()
    def store_equals_model(self) -> None:
        assert {each.id: each for page in self.store.products(3) for each in page} == self.model
        assert self.store.count() == len(self.model)
        assert self.store.get([f"p{number}" for number in range(8)]) == self.model
        if self.cursor == self.store.sequence():
            assert {key: value for key, value, _ in self.index.values()} == self.model


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
