"""Names from the log: several visitors, more often than chance, what two queries have in common taken off."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.training.expansions.searches import Asked, co_clicks, difference, reformulations, surprising

MINUTE = 60_000


def log_of(sessions: list[tuple[str, list[str]]], gap: int = MINUTE) -> tuple[Asked, list[str]]:
    """Each visitor's queries a minute apart; those that end with `!` led to a click."""
    rows = [
        (f"{who}{n}", text.rstrip("!"), who, start * 10**8 + n * gap, text.endswith("!"))
        for start, (who, texts) in enumerate(sessions)
        for n, text in enumerate(texts)
    ]
    asked = Asked(
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        np.array([row[3] for row in rows], np.int64),
    )
    return asked, [row[0] for row in rows if row[4]]


OTHERS = [(f"o{n}", [f"thing {chr(97 + n)}", f"item {chr(97 + n)}!"]) for n in range(20)]


def test_who_asked_again_and_clicked_tells_a_name() -> None:
    sessions = [(f"v{n}", ["grey davenport", "grey sofa!"]) for n in range(4)]
    (found,) = reformulations(*log_of([*sessions, *OTHERS]))
    assert (found.phrase, found.name, found.share, found.visitors) == ("davenport", "sofa", 1.0, 4)


@pytest.mark.parametrize(
    "sessions",
    [
        [("v1", ["davenport", "sofa!"])] * 4,
        [(f"v{n}", ["davenport", "sofa"]) for n in range(4)],
        [(f"v{n}", ["davenport!", "sofa!"]) for n in range(4)],
        [("", ["davenport", "sofa!"]) for n in range(4)],
        [(f"v{n}", ["sofa", "grey sofa!"]) for n in range(4)],
    ],
    ids=["one visitor", "no click", "clicked at once", "nobody", "only says more"],
)
def test_what_tells_nothing(sessions: list[tuple[str, list[str]]]) -> None:
    assert reformulations(*log_of([*sessions, *OTHERS])) == []


def test_a_long_pause_ends_a_session() -> None:
    sessions = [(f"v{n}", ["davenport", "sofa!"]) for n in range(4)]
    assert reformulations(*log_of([*sessions, *OTHERS], gap=MINUTE)) != []
    assert reformulations(*log_of([*sessions, *OTHERS], gap=31 * MINUTE)) == []


def test_what_everybody_asks_next_is_chance() -> None:
    """All sessions end with `sofa`: whatever came before tells nothing of it."""
    sessions = [(f"v{n}", [["lamp", "davenport"][n % 2], "sofa!"]) for n in range(20)]
    assert reformulations(*log_of(sessions)) == []


def test_queries_that_lead_to_the_same_products() -> None:
    texts = {f"{word}{n}": f"grey {word}" for word in ("davenport", "sofa") for n in range(3)}
    clicks = [(query, f"p{n}", f"v{query}") for query in texts for n in range(4)]
    texts |= {f"x{n}": f"thing {n}" for n in range(3)}
    clicks += [(f"x{n}", f"q{m}", f"w{n}") for n in range(3) for m in range(60)]
    # Sixty other products have to be known, so that four in common are no chance.
    texts |= {f"y{n}": "lamp" for n in range(3)}
    clicks += [(f"y{n}", f"q{m}", f"u{n}") for n in range(3) for m in range(60)]
    found = {(each.phrase, each.name): each for each in co_clicks(texts, clicks)}
    assert set(found) == {("davenport", "sofa"), ("sofa", "davenport")}
    assert found["sofa", "davenport"].share == 1.0
    assert found["sofa", "davenport"].visitors == 3
    alone = [(query, product, "v") for query, product, _ in clicks]
    assert co_clicks(texts, alone) == []


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("wireless earbuds", "bluetooth earbuds", ("wireless", "bluetooth")),
        ("充电宝 白色", "移动电源 白色", ("充电宝", "移动电源")),
        ("sofa", "grey sofa", None),
        ("grey old sofa", "sofa for two people here", None),
        ("big grey couch", "large grey settee", None),
        ("iphone 12", "iphone 13", None),
    ],
)
def test_what_one_query_says_in_place_of_the_other(one: str, other: str, expected: tuple[str, str] | None) -> None:
    assert difference(one, other) == expected


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 500))
def test_surprise_is_never_negative_and_none_at_chance(both: int, one: int, other: int, neither: int) -> None:
    total = both + one + other + neither
    found = surprising(both, both + one, both + other, total)
    assert found >= 0
    if both * total <= (both + one) * (both + other):
        assert found == 0


def test_surprise_worked_by_hand() -> None:
    """Two coins that always fall alike, 10 of 20: 2 · 20 · ln 2."""
    assert surprising(10, 10, 10, 20) == pytest.approx(40 * np.log(2))
