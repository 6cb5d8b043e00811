import numpy as np
import pytest

from lingsou.core.errors import ConfigurationError
from lingsou.training.examples import PairSet, Splits
from lingsou.training.neural.tasks.make import make_task
from lingsou.training.neural.tasks.matching import MatchingTask
from lingsou.training.neural.tasks.pair_head import PairHead
from lingsou.training.neural.tasks.relevance import PairTokens, RelevanceTask, score_pairs
from lingsou.training.neural.text_model import TextModel
from tests.training.neural.shops import pair_splits
from tests.training.neural.tasks.learning import learn, spec


@pytest.mark.parametrize("loss", ["both", "contrastive", "pairwise", "order", "squared", "cosine"])
def test_matching_learns_by_each_of_its_losses(tiny_model: TextModel, loss: str) -> None:
    task = MatchingTask("matching", spec("matching", loss=loss), pair_splits(), tiny_model)
    losses = learn(task, tiny_model, steps=40, batch=24).losses
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_matching_ranks_what_it_learned(tiny_model: TextModel) -> None:
    train = pair_splits().train
    task = MatchingTask("matching", spec("matching"), Splits(train, train, train), tiny_model)
    before = task.evaluate(tiny_model, task.head(32), "validation")
    head = learn(task, tiny_model, steps=100, batch=24).head
    after = task.evaluate(tiny_model, head, "validation")
    assert task.metric == "ndcg@10"
    assert after.values["ndcg@10"] > max(before.values["ndcg@10"], 0.9)
    assert after.rows == len(train)
    assert set(after.slices) == {f"colour: {name}" for name in ("red", "black", "white", "blue")}
    assert "→" in after.worst[0].text
    assert tiny_model.training


def test_sets_without_grades_are_chosen_by_retrieval(tiny_model: TextModel) -> None:
    clicks = PairSet.of([("red shoe", "red nike shoe", 1.0), ("blue case", "blue phone case", 1.0)])
    task = MatchingTask("matching", spec("matching"), Splits(clicks, clicks, clicks), tiny_model)
    assert task.metric == "mrr@10"
    found = task.evaluate(tiny_model, task.head(32), "test")
    assert found.values["recall@10"] == 1.0  # there are two products


@pytest.mark.parametrize("kind", ["matching", "relevance"])
def test_a_metric_that_is_none_is_said_before_anything_runs(tiny_model: TextModel, kind: str) -> None:
    with pytest.raises(ConfigurationError, match="no metric 'ndgc@10'") as caught:
        make_task("main", spec(kind, metric="ndgc@10"), pair_splits(), tiny_model)
    assert "ndcg@10" in str(caught.value.cure)


def test_mined_negatives_are_never_judged_products_of_the_query(tiny_model: TextModel) -> None:
    splits = pair_splits()
    task = MatchingTask("matching", spec("matching", hard_negatives=2), splits, tiny_model)
    assert task._mined is not None
    for query, row in enumerate(task._mined.tolist()):
        assert not set(row) & task._known[query]
    assert learn(task, tiny_model, steps=5, batch=24).losses[0] > 0


def test_a_frozen_encoder_learns_a_turn_of_its_vectors(tiny_model: TextModel) -> None:
    tiny_model.backbone.requires_grad_(False)
    train = pair_splits().train
    task = MatchingTask("matching", spec("matching"), Splits(train, train, train), tiny_model)
    untouched = task.evaluate(tiny_model, task.head(32), "test").values["ndcg@10"]
    head = learn(task, tiny_model, steps=60, batch=24, rate=3e-2).head
    assert task.turn(head) is not None
    assert task.evaluate(tiny_model, head, "test").values["ndcg@10"] > untouched


def test_an_unknown_loss_is_named_with_those_that_there_are(tiny_model: TextModel) -> None:
    with pytest.raises(ConfigurationError, match=r"triplet.*both, contrastive"):
        MatchingTask("matching", spec("matching", loss="triplet"), pair_splits(), tiny_model)
    with pytest.raises(ConfigurationError, match=r"triplet.*both, graded"):
        RelevanceTask("relevance", spec("relevance", loss="triplet"), pair_splits(), tiny_model)


@pytest.mark.parametrize("loss", ["both", "graded", "pairwise", "listwise"])
def test_the_cross_encoder_learns_by_each_of_its_losses(tiny_model: TextModel, loss: str) -> None:
    task = RelevanceTask("relevance", spec("relevance", loss=loss), pair_splits(), tiny_model)
    losses = learn(task, tiny_model, steps=60, batch=24).losses
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])


def test_pairs_are_cut_as_the_artefact_reads_them(tiny_model: TextModel) -> None:
    pairs = PairSet.of([("red shoe", "black phone case", 1.0), ("red " * 40, "black " * 40, 0.0)])
    tokens = PairTokens(pairs, tiny_model, 24)
    first, long = (tokens.batch(np.array([row])).ids[0].tolist() for row in (0, 1))
    encode = tiny_model.cutter.tokenizer.encode
    query = encode("query: red shoe", add_special_tokens=False).ids
    text = encode("passage: black phone case", add_special_tokens=False).ids
    assert first == [0, *query, 2, 2, *text, 2]
    assert len(long) == 24
    assert long.index(2) == 1 + 24 // 3
    assert tokens.lengths.tolist() == [len(first), 24]


def test_scores_do_not_depend_on_the_order_of_the_rows(tiny_model: TextModel) -> None:
    pairs = pair_splits().test
    head = PairHead(32, 2)
    scores = score_pairs(tiny_model, head, PairTokens(pairs, tiny_model, 32))
    turned = np.arange(len(pairs))[::-1].copy()
    again = score_pairs(tiny_model, head, PairTokens(pairs.take(turned), tiny_model, 32))
    assert np.allclose(scores, again[::-1], atol=1e-5)
