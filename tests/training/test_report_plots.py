"""Where the marks of the curves stand."""

import pytest

from lingsou.training.report_plots import BOTTOM, HEIGHT, LEFT, MOST_POINTS, RIGHT, TOP, WIDTH, curve


def test_a_curve_fills_the_plot() -> None:
    found = curve("loss", [(10, 2.0), (30, 1.0), (40, 1.5)], kept=[30])
    assert found
    width = WIDTH - LEFT - RIGHT
    assert found.points[0] == (LEFT + width / 4, TOP), "the highest value is on top"
    assert found.points[1] == (LEFT + width * 3 / 4, HEIGHT - BOTTOM)
    assert found.points[2][0] == WIDTH - RIGHT
    assert found.marks == (found.points[1][0],)
    assert [label for _, label in found.y_ticks] == ["1", "1.5", "2"]
    assert [label for _, label in found.x_ticks] == ["0", "20", "40"]
    assert found.text == "From 2 at step 10 to 1.5 at step 40; lowest 1 at step 30, highest 2 at step 10."


def test_one_point_and_a_flat_line_have_a_place() -> None:
    for points in ([(5, 0.3)], [(5, 0.0), (10, 0.0)], [(0, 0.3)]):
        found = curve("x", points)
        assert found
        assert found.dots
        for x, y in found.points:
            assert LEFT <= x <= WIDTH - RIGHT
            assert y == pytest.approx(TOP + (HEIGHT - TOP - BOTTOM) / 2)


def test_values_that_are_no_numbers_are_left_out() -> None:
    assert curve("x", []) is None
    assert curve("x", [(1, float("nan")), (2, float("inf"))]) is None
    found = curve("x", [(1, float("nan")), (2, 1.0)])
    assert found
    assert len(found.points) == 1


def test_long_trainings_are_averaged_and_say_so() -> None:
    found = curve("x", [(step, float(step % 2)) for step in range(1, 2 * MOST_POINTS + 1)])
    assert found
    assert len(found.points) == MOST_POINTS
    assert not found.dots
    assert [label for _, label in found.y_ticks][1] == "0.5", "each pair has the mean 0.5"
    assert "mean of its neighbours" in found.text
    assert "highest 1 at step 1" in found.text, "words tell of all points"


def test_small_learning_rates_fit_beside_the_plot() -> None:
    found = curve("rate", [(1, 2e-5), (2, 1e-5)])
    assert found
    assert [label for _, label in found.y_ticks] == ["1.0e-5", "1.5e-5", "2.0e-5"]
