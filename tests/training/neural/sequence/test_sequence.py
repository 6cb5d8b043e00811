"""The sequence model: it learns an order, leaves PyTorch behind, and knows new items by their content."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from lingsou.core.errors import ConfigurationError, InputError, StorageError  # noqa: E402
from lingsou.models.sequence import SequenceModel, SequenceShape  # noqa: E402
from lingsou.recommend.interactions import Interactions, Items, items_of, sequences  # noqa: E402
from lingsou.recommend.recommender import recommend  # noqa: E402
from lingsou.recommend.sources.sequence import Sequence  # noqa: E402
from lingsou.testing.recommender import CHECKS, N_ITEMS, Check  # noqa: E402
from lingsou.training.neural.sequence.export import export  # noqa: E402
from lingsou.training.neural.sequence.model import HistoryEncoder, LastStep  # noqa: E402
from lingsou.training.neural.sequence.train import SequenceSettings, Trained, all_vectors, padded, train  # noqa: E402

TINY = SequenceSettings(
    width=16, sampled=12, batch=16, steps=240, patience=30, learning_rate=5e-3, item_rate=2e-2, dropout=0.1
)


def rounds(count: int = 120) -> Interactions:
    """Shoppers who walk round one of two circles of six items, one item after the other."""
    random = np.random.default_rng(1)
    starts = random.integers(0, 6, count)
    return sequences(
        [[6 * (i % 2) + (start + step) % 6 for step in range(5)] for i, start in enumerate(starts)], N_ITEMS
    )


# Items beyond the circles are in no history.
ITEMS = items_of([[item // 6, 2 + item] for item in range(N_ITEMS)])


@pytest.fixture(scope="module")
def trained() -> Trained:
    torch.set_num_threads(1)
    return train(rounds(), ITEMS, TINY)


@pytest.fixture(scope="module")
def folder(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("model")
    export(trained, ITEMS, made)
    return made


def test_it_learns_which_item_comes_next(folder: Path) -> None:
    source = Sequence(folder)
    histories = sequences([[0, 1], [8, 9, 10], [3], [11]], N_ITEMS)
    assert recommend(source, histories, 1, seen=True).items[:, 0].tolist() == [2, 11, 4, 6]
    assert np.allclose(source.score(histories).sum(axis=1), 1, atol=1e-5)


def test_the_curve_rises(trained: Trained) -> None:
    assert trained.epochs[-1].loss < trained.epochs[0].loss
    assert max(each.mrr for each in trained.epochs) > 0.6


def test_the_same_seed_gives_the_same_model() -> None:
    short = replace(TINY, steps=1)
    one, other = train(rounds(), ITEMS, short), train(rounds(), ITEMS, short)
    assert np.array_equal(all_vectors(one.vectors, ITEMS), all_vectors(other.vectors, ITEMS))


def test_what_is_served_is_what_was_trained(trained: Trained, folder: Path) -> None:
    histories = sequences([[0, 1, 2], [7], [], [5, 5, 4, 3, 2]], N_ITEMS)
    model = SequenceModel.open(folder)
    table = torch.from_numpy(np.array(model.items))
    block = padded(histories)
    there = torch.from_numpy(block >= 0)
    with torch.no_grad():
        wanted = LastStep(trained.encoder)(table[torch.from_numpy(np.maximum(block, 0))] * there[:, :, None], there)
    served = model.wanted(histories.starts, histories.items, model.items)
    assert np.allclose(served[[0, 1, 3]], wanted.numpy()[[0, 1, 3]], atol=1e-5)
    assert not served[2].any()
    assert not model.chances(served, model.items)[2].any()


def test_only_the_latest_items_are_looked_at(folder: Path) -> None:
    model = SequenceModel.open(folder)
    model.shape = SequenceShape(longest=2)
    long, short = sequences([[0, 7, 3, 4]], N_ITEMS), sequences([[3, 4]], N_ITEMS)
    assert np.allclose(
        model.wanted(long.starts, long.items, model.items), model.wanted(short.starts, short.items, model.items)
    )


def test_a_new_item_is_known_by_its_content(folder: Path) -> None:
    source = Sequence(folder)
    histories = sequences([[1, 2, 3], [7, 8]], N_ITEMS + 2)
    # One of the first circle, and one of which nothing is known.
    grown = items_of([*([[item // 6, 2 + item] for item in range(N_ITEMS)]), [0], []])
    source.update(histories, np.ones(2, np.int64), grown)
    scores = source.score(histories)
    assert scores.shape == (2, N_ITEMS + 2)
    assert scores[0, N_ITEMS] > 10 * scores[1, N_ITEMS] > 0
    assert not scores[:, N_ITEMS + 1].any()


def test_text_vectors_give_new_items_a_place() -> None:
    random = np.random.default_rng(2)
    circles = np.eye(8, dtype=np.float32)[:2]

    def items(count: int) -> Items:
        noise = random.standard_normal((count, 8)).astype(np.float32) * 0.05
        vectors = np.where(np.arange(count)[:, None] % 12 < 6, circles[0], circles[1]) + noise
        return items_of([[]] * count, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    made = train(rounds(), items(N_ITEMS), replace(TINY, steps=80, unnamed=0.3))
    table = all_vectors(made.vectors, items(N_ITEMS))
    text = circles @ made.vectors.projection.detach().numpy()
    near = (text / np.linalg.norm(text, axis=1, keepdims=True)) @ table.T
    assert near[0, :6].mean() > near[0, 6:12].mean() + 0.3
    assert near[1, 6:12].mean() > near[1, :6].mean() + 0.3


def test_what_came_before_is_not_looked_into_from_later() -> None:
    encoder = HistoryEncoder(16, 2, 2, 0.0).eval()
    states = torch.nn.functional.normalize(torch.randn(1, 4, 16), dim=-1)
    known = torch.ones(1, 4, dtype=torch.bool)
    changed = states.clone()
    changed[0, 3] = -changed[0, 3]
    assert torch.allclose(encoder(states, known)[:, :3], encoder(changed, known)[:, :3], atol=1e-6)
    # Nor do steps that are not real change anything.
    filled = torch.cat([torch.randn(1, 3, 16), states], dim=1)
    there = torch.cat([torch.zeros(1, 3, dtype=torch.bool), known], dim=1)
    assert torch.allclose(encoder(filled, there)[:, 3:], encoder(states, known), atol=1e-5)


def test_histories_end_at_the_last_column() -> None:
    assert padded(sequences([[4, 5], [6]], 7)).tolist() == [[4, 5], [-1, 6]]


def test_what_is_kept_on_the_disk_says_the_same(folder: Path) -> None:
    source, restored = Sequence(folder), Sequence()
    restored.settings = source.settings
    restored.restore(source.state())
    histories = sequences([[0, 1], [8, 9, 10]], N_ITEMS)
    assert np.array_equal(source.score(histories), restored.score(histories))
    nothing = Sequence()
    nothing.restore(Sequence().state())
    assert nothing.score(sequences([[]], 0)).shape == (1, 0)


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two items"):
        train(sequences([[1], []], 2), items_of([[], []]), TINY)
    with pytest.raises(StorageError, match="No sequence model"):
        Sequence(tmp_path)
    with pytest.raises(ConfigurationError, match="cannot train"):
        Sequence().fit(rounds(), ITEMS)


def test_a_day_without_histories_of_two_items_leaves_no_model() -> None:
    source = Sequence()
    source.fit(sequences([[1], []], 2), items_of([[], []]))
    assert not source.score(sequences([[1]], 2)).any()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check: Check, folder: Path) -> None:
    """A training would take long; what it leaves behind is the same for all checks."""
    check(lambda: Sequence(train=lambda interactions, items: folder))
