"""Category beliefs, by hand."""

from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.plan import Entity
from lingsou.query import category_beliefs


def category(*values: str, confidence: float = 0.8, negated: bool = False) -> Entity:
    return Entity(
        start=0, end=1, surface="x", kind="category", field="category", values=values, negated=negated,
        source="catalogue", confidence=confidence,
    )  # fmt: skip


def as_dict(*arguments: object) -> dict[str, float]:
    return {b.category: round(b.probability, 3) for b in category_beliefs(*arguments)}  # type: ignore[arg-type]


def test_nothing_gives_nothing() -> None:
    assert category_beliefs((), ()) == ()


def test_hits_count_by_the_square_of_their_score() -> None:
    # weights 1 and 0.25 beside 0.5 for what was not seen
    assert as_dict([("A", 10.0), ("B", 5.0)], ()) == {"A": 0.571, "B": 0.143}


def test_words_alone_are_as_sure_as_their_entity() -> None:
    assert as_dict((), [category("A > B", "A > C")]) == {"A > B": 0.4, "A > C": 0.4}


def test_both_are_mixed() -> None:
    # hits: 1 / 1.5 for A; words: 0.8 for B; 60 % and 40 %
    assert as_dict([("A", 3.0)], [category("B")]) == {"A": 0.4, "B": 0.32}


def test_a_wide_category_hands_its_part_to_the_leaves_among_the_hits() -> None:
    assert as_dict([("A > B", 1.0), ("C", 1.0)], [category("A")]) == {"A > B": 0.56, "C": 0.24}


def test_a_refused_category_is_out() -> None:
    assert as_dict([("A > B", 1.0), ("C", 1.0)], [category("A", negated=True)]) == {"C": 0.4}


@given(
    hits=st.lists(
        st.tuples(st.sampled_from(["", "A", "A > B", "A > C", "D", "E", "F"]), st.floats(0, 1e6)), max_size=30
    ),
    words=st.lists(
        st.builds(category, st.sampled_from(["A", "A > B", "G"]), confidence=st.floats(0, 1), negated=st.booleans()),
        max_size=5,
    ),
)
def test_a_distribution(hits: list[tuple[str, float]], words: list[Entity]) -> None:
    found = category_beliefs(hits, words)
    assert len(found) <= 5
    assert sum(b.probability for b in found) <= 1 + 1e-9
    assert [b.probability for b in found] == sorted((b.probability for b in found), reverse=True)
