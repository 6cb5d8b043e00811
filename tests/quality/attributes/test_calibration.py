"""Confidence from scores that were right or not."""

import numpy as np
import pytest

from lingsou.quality.attributes.calibration import calibrated

pytest.importorskip("scipy")


def test_equal_scores_are_as_sure_in_any_order() -> None:
    scores = np.array([0.2, 0.2, 0.2, 0.2, 0.9, 0.9])
    right = np.array([True, False, False, False, True, True])
    asked = np.array([0.1, 0.2, 0.55, 0.9])
    by_hand = [0.25, 0.25, (0.25 + 1) / 2, 0.999]
    assert calibrated(scores, right, asked) == pytest.approx(by_hand)
    assert calibrated(scores[::-1], right[::-1], asked) == pytest.approx(by_hand)


def test_never_falling() -> None:
    scores = np.array([0.1, 0.3, 0.5])
    found = calibrated(scores, np.array([True, False, True]), scores)
    assert found == pytest.approx([0.5, 0.5, 0.999])
