"""Learning whether two records are one product."""

from pathlib import Path

import numpy as np
import pytest

from lingsou.core.errors import InputError, StorageError
from lingsou.quality.matching.matcher import Matcher, best_threshold, learn
from lingsou.quality.matching.pairs import NAMES

pytest.importorskip("lightgbm")


def _pairs(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.random((n, len(NAMES)))
    return features, features[:, 0] + 0.1 * rng.random(n) > 0.7


def test_learns_and_comes_back_from_disk(tmp_path: Path) -> None:
    matcher = learn(*_pairs(800, 0), *_pairs(200, 1))
    features, same = _pairs(300, 2)
    assert (matcher.same(features) == same).mean() > 0.9
    matcher.save(tmp_path)
    again = Matcher.load(tmp_path)
    assert again.threshold == matcher.threshold
    assert np.array_equal(again.probabilities(features), matcher.probabilities(features))
    assert matcher.probabilities(np.zeros((0, len(NAMES)))).shape == (0,)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        Matcher.load(tmp_path)
    learn(*_pairs(100, 0), *_pairs(50, 1), seeds=[0]).save(tmp_path)
    (tmp_path / "model-0.txt").write_text("no trees")
    with pytest.raises(StorageError, match="cannot be read"):
        Matcher.load(tmp_path)
    (tmp_path / "matcher.json").write_text('{"threshold": 0.5, "boosters": 1, "features": ["other"]}')
    with pytest.raises(StorageError, match="other features"):
        Matcher.load(tmp_path)


def test_both_kinds_of_pairs_are_needed() -> None:
    features, same = _pairs(100, 0)
    with pytest.raises(InputError, match="all of one product"):
        learn(features, np.ones(100, np.bool_), features, same)
    with pytest.raises(InputError, match="held-back pairs are all of two"):
        learn(features, same, features, np.zeros(100, np.bool_))


def test_the_line_with_the_best_f1() -> None:
    same = np.array([True, True, False, True, False])
    # F1 after 1 … 5 of them: 2/4, 4/5, 4/6, 6/7, 6/8.
    assert best_threshold(np.array([0.9, 0.8, 0.7, 0.6, 0.2]), same) == pytest.approx(0.4)
    # Equal probabilities stay together.
    assert best_threshold(np.array([0.9, 0.9, 0.9, 0.1, 0.1]), same) == pytest.approx(0.05)
