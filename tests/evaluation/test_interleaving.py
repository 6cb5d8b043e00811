"""Team-draft interleaving: fairness by construction, and a winner when there is one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lingsou.evaluation.clicks import PositionBased
from lingsou.evaluation.interleaving import Interleaved, judge, team_draft, winner

rankings = st.lists(st.sampled_from([f"p{n}" for n in range(12)]), unique=True, max_size=12)


@given(rankings, rankings, st.integers(0, 15), st.integers(0, 1_000))
def test_teams_stay_even_and_nothing_is_lost(a: list[str], b: list[str], length: int, seed: int) -> None:
    mixed = team_draft(a, b, length, seed)
    assert len(set(mixed.ids)) == len(mixed.ids) == min(length, len({*a, *b}))
    assert all(id_ in (a if team == "a" else b) for id_, team in zip(mixed.ids, mixed.teams, strict=True))
    if set(a) == set(b):  # both can always pick
        assert abs(mixed.teams.count("a") - mixed.teams.count("b")) <= 1
    for team, ranking in (("a", a), ("b", b)):
        picks = [id_ for id_, who in zip(mixed.ids, mixed.teams, strict=True) if who == team]
        assert picks == [id_ for id_ in ranking if id_ in picks], "each team picks in its own order"


def test_a_click_counts_for_who_picked_the_product() -> None:
    shown = Interleaved(("x", "y", "z"), ("a", "b", "a"))
    assert winner(shown, {"x"}) == "a"
    assert winner(shown, {"y"}) == "b"
    assert winner(shown, {"x", "y"}) is None
    assert winner(shown, set()) is None


def test_the_sign_test_by_hand() -> None:
    """Five of five: 2 · (1/2)^5 = 0.0625."""
    verdict = judge(["a", "a", "a", "a", "a", None, None])
    assert (verdict.a, verdict.b, verdict.ties, verdict.p) == (5, 0, 2, 0.0625)
    assert verdict.preference == 6 / 7
    assert judge([]).p == 1.0


def test_the_better_ranking_wins_and_equal_ones_draw() -> None:
    random = np.random.default_rng(3)
    ids = [f"p{n}" for n in range(10)]
    attraction = dict(zip(ids, np.linspace(0.6, 0.02, 10), strict=True))
    model = PositionBased.power_law(10)

    def clicks(shown: Interleaved) -> set[str]:
        drawn = model.simulate(np.array([[attraction[id_] for id_ in shown.ids]]), random)[0]
        return {id_ for id_, clicked in zip(shown.ids, drawn, strict=True) if clicked}

    def contest(a: list[str], b: list[str]) -> float:
        shown = [team_draft(a, b, 10, seed) for seed in range(2_000)]
        return judge(winner(each, clicks(each)) for each in shown).preference

    assert contest(ids, ids[::-1]) > 0.6
    assert abs(contest(ids, ids) - 0.5) < 0.03
