"""What merchandisers say of queries: kept for good, once, and in force for exactly that query."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import InputError, NotFoundError
from lingsou.core.plan import QueryPlan
from lingsou.query import CatalogLexicon, Understander, Vocabulary
from lingsou.query.labels import QueryLabels, key_of, labelled, merged_labels, new_label, overruled, read_labels
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
LEXICON = CatalogLexicon(
    Vocabulary({"brand": {"Apple": 5, "Orbit": 3}, "category": {"Fruit": 4, "Phones": 9, "Phones > Cases": 2}}),
    SEGMENTER,
)


def labels(folder: Path) -> QueryLabels:
    return QueryLabels(folder / "labels" / "queries.jsonl")


def understood(words: str, known: QueryLabels) -> QueryPlan:
    plan = Understander(LEXICON, SEGMENTER).understand(words)
    return labelled(plan, known.of(words), LEXICON, SEGMENTER)


def test_a_label_holds_for_its_query_however_it_is_spelled(tmp_path: Path) -> None:
    known = labels(tmp_path)
    assert known.add(new_label("Apple  ＣＡＳＥ", intent="find", category="Phones > Cases"))
    plan = understood("apple case", known)
    assert [(each.intent, each.probability, each.source) for each in plan.intents] == [("find", 1.0, "merchandiser")]
    assert [(each.category, each.source) for each in plan.categories] == [("Phones > Cases", "merchandiser")]
    assert overruled(plan.categories)
    assert understood("apple cases red", known).intents == ()


def test_entities_are_replaced_and_linked(tmp_path: Path) -> None:
    known = labels(tmp_path)
    known.add(
        new_label(
            "apple zonk 3",
            entities=[{"start": 0, "end": 5, "kind": "brand"}, {"start": 6, "end": 10, "kind": "product"}],
        )
    )
    found = understood("apple zonk 3", known).entities
    assert [(each.surface, each.field, each.values, each.source, each.confidence) for each in found] == [
        ("apple", "brand", ("Apple",), "merchandiser", 1.0),
        ("zonk", "category", (), "merchandiser", 1.0),
    ]


def test_it_can_say_that_nothing_is_named(tmp_path: Path) -> None:
    known = labels(tmp_path)
    known.add(new_label("orbit", entities=[]))
    assert understood("orbit", known).entities == ()
    assert understood("orbit phones", known).entities


def test_saying_it_again_changes_nothing(tmp_path: Path) -> None:
    known = labels(tmp_path)
    assert known.add(new_label("apple", intent="browse"))
    before = known.path.read_bytes()
    assert not known.add(new_label(" APPLE ", intent="browse"))
    assert known.path.read_bytes() == before
    assert known.add(new_label("apple", category="Fruit"))
    (label,) = known.all()
    assert (label.intent, label.category) == ("browse", "Fruit")
    assert known.add(new_label("apple", intent="find"))
    assert known.all()[0].intent == "find"


def test_forgetting_takes_all_of_it_back(tmp_path: Path) -> None:
    known = labels(tmp_path)
    known.add(new_label("apple", intent="browse"))
    known.add(new_label("apple", forget=True))
    assert known.of("apple") is None
    with pytest.raises(NotFoundError, match="'apple' has no label"):
        known.add(new_label("apple", forget=True))


def test_another_process_sees_it_at_its_next_look(tmp_path: Path) -> None:
    writer, reader = labels(tmp_path), labels(tmp_path)
    assert not reader.refresh()
    writer.add(new_label("apple", intent="browse"))
    assert reader.of("apple") is None
    assert reader.refresh()
    assert reader.version == 1
    assert reader.of("apple") is not None
    assert not reader.refresh()


def test_half_a_line_of_a_killed_process_is_no_label(tmp_path: Path) -> None:
    known = labels(tmp_path)
    known.add(new_label("apple", intent="browse"))
    with known.path.open("ab") as file:
        file.write(b'{"query": "orb')
    assert [each.query for each in read_labels(known.path)] == ["apple"]
    again = labels(tmp_path)
    again.add(new_label("orbit", intent="browse"))
    assert [each.query for each in read_labels(known.path)] == ["apple", "orbit"]


def test_a_line_that_is_no_label_is_named_and_what_was_read_stays(tmp_path: Path) -> None:
    known = labels(tmp_path)
    known.add(new_label("apple", intent="browse"))
    with known.path.open("ab") as file:
        file.write(b'{"query": "orbit", "mood": "good", "at": "2026-01-01T00:00:00Z"}\n')
    with pytest.raises(InputError) as caught:
        known.refresh()
    assert (caught.value.row, caught.value.field) == (2, "mood")
    assert known.of("apple") is not None


@pytest.mark.parametrize(
    "entities",
    [
        [{"start": 0, "end": 9, "kind": "brand"}],
        [{"start": 3, "end": 3, "kind": "brand"}],
        [{"start": 2, "end": 4, "kind": "brand"}, {"start": 0, "end": 2, "kind": "product"}],
        [{"start": 0, "end": 2, "kind": "mood"}],
    ],
)
def test_spans_that_make_no_sense_are_refused(entities: list[dict[str, object]]) -> None:
    with pytest.raises(InputError, match=r"span|match pattern"):
        new_label("apple", entities=entities)


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "B "]), st.sampled_from(["find", "browse", None, "forget"])), max_size=12
    )
)
def test_the_last_word_counts(said: list[tuple[str, str | None]]) -> None:
    lines = []
    expected: dict[str, str | None] = {}
    for query, what in said:
        if what == "forget":
            lines.append(new_label(query, forget=True))
            expected.pop(key_of(query), None)
        else:
            lines.append(new_label(query, intent=what))
            expected[key_of(query)] = what or expected.get(key_of(query))
    assert {key: label.intent for key, label in merged_labels(lines).items()} == expected
