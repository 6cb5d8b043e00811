"""Draft, versions, history and undo, on both kinds of database; conflicts; backups."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lingsou.catalog.backup import backup, restore
from lingsou.catalog.store import Store
from lingsou.core.database import sqlite_url
from lingsou.core.errors import ConflictError, InputError, LingsouError, NotFoundError
from lingsou.core.settings import DataFolder, load_settings
from lingsou.rules import schema
from lingsou.rules import store as rules_store
from lingsou.rules.schema import Rule, parse_rules
from lingsou.rules.store import RuleBook, RuleStore
from lingsou.text.segment import Segmenter


def rule(id_: str, product: str = "p1") -> Rule:
    (made,) = parse_rules([{"id": id_, "name": f"规则 {id_}", "then": [{"do": "pin", "ids": [product]}]}])
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RuleStore]:
    url = sqlite_url(tmp_path / "s.sqlite3") if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with Store.open(url) as opened:
        yield RuleStore(opened.database)


def test_a_new_shop_has_no_rules(store: RuleStore) -> None:
    sets = store.sets()
    assert (sets.version, sets.published, sets.revision, sets.draft, sets.changes) == (0, (), 0, (), ())
    assert store.history() == []
    with pytest.raises(ConflictError, match="same as what is published"):
        store.publish("ann")
    with pytest.raises(ConflictError, match="nothing to undo"):
        store.undo("ann")


def test_from_draft_to_history(store: RuleStore) -> None:
    sets = store.put([rule("b"), rule("a")], "ann")
    assert (sets.revision, [each.id for each in sets.draft], sets.published) == (1, ["a", "b"], ())
    assert [(change.id, change.change) for change in sets.changes] == [("a", "added"), ("b", "added")]
    first = store.publish("ann", note="开业")
    assert (first.version, first.author, first.note, first.rules, first.restores) == (1, "ann", "开业", 2, None)
    assert store.sets().changes == ()
    store.put([rule("a", "p2"), rule("c")], "bob")
    sets = store.remove(["b"], "bob")
    assert [(each.id, each.change) for each in sets.changes] == [("a", "changed"), ("b", "removed"), ("c", "added")]
    assert [each.id for each in store.in_force()[1]] == ["a", "b"], "the draft is not in force"
    second = store.publish("bob")
    assert store.history() == [second, first]
    assert store.history(1) == [second]
    assert second.changes == sets.changes
    assert store.put([], "bob", replace=True).draft == ()


def test_undo_goes_back_step_by_step(store: RuleStore) -> None:
    for number in (1, 2, 3):
        store.put([rule("a", f"p{number}")], "ann")
        store.publish("ann")
    documents = [store.in_force()[1]]
    for version, restores in ((4, 2), (5, 1), (6, 0)):
        undone = store.undo("bob")
        assert (undone.version, undone.restores, undone.author) == (version, restores, "bob")
        documents.append(store.in_force()[1])
    assert documents == [(rule("a", "p3"),), (rule("a", "p2"),), (rule("a", "p1"),), ()]
    with pytest.raises(ConflictError, match="nothing to undo"):
        store.undo("bob")
    assert store.undo("bob", to=3).restores == 3
    assert store.in_force() == (7, (rule("a", "p3"),))
    with pytest.raises(NotFoundError, match="no version 99"):
        store.undo("bob", to=99)
    with pytest.raises(ConflictError, match="Version 7 is in force, not 3"):
        store.undo("bob", version=3)


def test_a_draft_without_changes_follows_an_undo_and_one_with_changes_stays(store: RuleStore) -> None:
    store.put([rule("good")], "ann")
    store.publish("ann")
    store.put([rule("bad")], "ann")
    store.publish("ann")
    store.undo("ann")
    assert [each.id for each in store.sets().draft] == ["good"], "what was undone does not come back by itself"
    store.put([rule("half-done")], "ann")
    store.undo("ann")
    assert [each.id for each in store.sets().draft] == ["good", "half-done"]


def test_conflicts_name_who_and_the_cure(store: RuleStore) -> None:
    seen = store.put([rule("a")], "ann").revision
    store.put([rule("b")], "bob", revision=seen)
    calls = (
        lambda: store.put([rule("c")], "ann", revision=seen),
        lambda: store.remove(["a"], "ann", revision=seen),
        lambda: store.publish("ann", revision=seen),
    )
    for call in calls:
        with pytest.raises(ConflictError, match="revision 2, not 1: 'bob' changed it") as caught:
            call()
        assert caught.value.cure
    assert [each.id for each in store.sets().draft] == ["a", "b"]


def test_removing_what_is_not_there_removes_nothing(store: RuleStore) -> None:
    store.put([rule("a")], "ann")
    with pytest.raises(NotFoundError, match="no rule 'x'"):
        store.remove(["a", "x"], "ann")
    assert [each.id for each in store.sets().draft] == ["a"]


def test_the_number_of_rules_is_limited(store: RuleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules_store, "MAX_RULES", 2)
    assert schema.MAX_RULES >= 1_000
    with pytest.raises(InputError, match="more than 2"):
        store.put([rule("a"), rule("b"), rule("c")], "ann")


def test_many_writers_lose_nothing_and_one_of_two_equal_changes_wins(store: RuleStore) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: store.put([rule(f"r{number}")], "ann"), range(12)))
    sets = store.sets()
    assert (sets.revision, len(sets.draft)) == (12, 12)

    def publish(_: int) -> bool:
        try:
            store.publish("ann", revision=12)
        except LingsouError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(publish, range(4))) == 1
    assert store.version() == 1


def test_a_book_follows_what_others_publish(store: RuleStore) -> None:
    book = RuleBook(store, Segmenter())
    assert not book.index
    store.put([rule("a")], "ann")
    assert not book.refresh(), "a draft is not in force"
    store.publish("ann")
    assert book.refresh()
    assert [each.id for each in book.index.rules] == ["a"]
    assert not book.refresh()
    store.undo("ann")
    assert book.refresh()
    assert not book.index


def test_rules_are_part_of_a_backup(tmp_path: Path, postgres_url: str) -> None:
    folder, archive = DataFolder(tmp_path / "shop"), tmp_path / "b.tar.gz"
    folder.root.mkdir()
    folder.settings_file.write_text("", encoding="utf-8")
    with Store.of(folder, load_settings(folder)) as opened:
        rules = RuleStore(opened.database)
        rules.put([rule("a")], "ann")
        rules.publish("ann")
        rules.put([rule("b")], "ann")
        backup(folder, opened, archive)
        before = (rules.sets(), rules.history())
    for target, url in ((DataFolder(tmp_path / "again"), None), (DataFolder(tmp_path / "pg"), postgres_url)):
        restore(archive, target, url=url)
        settings = load_settings(target)
        with Store.open(url) if url else Store.of(target, settings) as opened:
            rules = RuleStore(opened.database)
            assert (rules.sets(), rules.history()) == before
