from pathlib import Path

import numpy as np
import pytest
import torch

from lingsou.core.manifests import ModelManifest
from lingsou.encoders.graph import Precision
from lingsou.ranking.cross_encoder import OnnxCrossEncoder
from lingsou.training.neural.compression import rows_to_keep
from lingsou.training.neural.export import export_reranker
from lingsou.training.neural.tasks.pair_head import PairHead, late_interaction
from lingsou.training.neural.tasks.relevance import PairTokens, RelevanceTask, score_pairs
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.tokens import TokenBatch
from tests.training.neural.shops import pair_splits
from tests.training.neural.tasks.learning import learn, spec

END = 2


def test_late_interaction_by_hand() -> None:
    ids = torch.tensor([[0, 7, 8, END, END, 9, 7, END], [0, 7, END, END, 9, END, 1, 1]])
    mask = (ids != 1).long()
    states = torch.zeros(2, 8, 2)
    east, north, both = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 1.0]), torch.tensor([3.0, 3.0])
    states[0, [1, 2, 5, 6]] = torch.stack([east, north, north, both])
    states[1, [1, 4, 6]] = torch.stack([east, -both, east])  # the last is padding, and does not count
    found = late_interaction(states, ids, mask, END)
    # east is nearest to both (cos 45°), north meets itself; the second query's only token has an opposite alone
    assert found.tolist() == pytest.approx([(0.5**0.5 + 1) / 2, -(0.5**0.5)])


def test_a_query_of_no_token_is_met_by_nothing() -> None:
    ids = torch.tensor([[0, END, END, 9, END]])
    assert late_interaction(torch.ones(1, 5, 2), ids, torch.ones_like(ids), END).tolist() == [0.0]


def test_padding_changes_no_score(tiny_model: TextModel) -> None:
    head, pairs = PairHead(32, END), pair_splits().test
    tokens = PairTokens(pairs, tiny_model.eval(), 32)
    single = [PairTokens(pairs.take(np.array([row])), tiny_model, 32) for row in (0, 1)]
    alone = [score_pairs(tiny_model, head, each)[0] for each in single]
    assert score_pairs(tiny_model, head, tokens)[:2] == pytest.approx(alone, abs=1e-5)


def test_it_begins_as_late_interaction_alone(tiny_model: TextModel) -> None:
    task = RelevanceTask("relevance", spec("relevance"), pair_splits(), tiny_model.eval())
    head = task.head(32)
    assert isinstance(head, PairHead)
    batch = PairTokens(pair_splits().test, tiny_model, 32).batch(np.arange(3))
    states = tiny_model(batch)
    wanted = 20.0 * (late_interaction(states, batch.ids, batch.mask, END) - 0.85)
    assert torch.allclose(head(states, batch), wanted, atol=1e-5)


@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize(("precision", "off"), [("fp32", 1e-4), ("int8", 0.5)])
def test_the_artefact_gives_the_trained_number(
    tiny_model: TextModel, tmp_path: Path, precision: Precision, off: float, pruned: bool
) -> None:
    splits = pair_splits()
    task = RelevanceTask("relevance", spec("relevance"), splits, tiny_model)
    head = learn(task, tiny_model, steps=20).head
    tiny_model.eval()
    scores = task.scores(tiny_model, head, "test")
    used = {piece for row in PairTokens(splits.test, tiny_model, 32)._rows for piece in row.tolist()}
    rows = rows_to_keep(tiny_model.base, used) if pruned else None
    exported = task.export(head)
    about = ModelManifest(task="reranker")
    export_reranker(
        tiny_model, exported, tmp_path / "x", about=about, max_tokens=32, precision=precision, vocabulary=rows
    )
    served = OnnxCrossEncoder.open(tmp_path / "x")
    pairs = splits.test
    texts = [(pairs.queries[query], pairs.texts[text]) for query, text in zip(pairs.query, pairs.text, strict=True)]
    found = [served.score(query, [text], np.inf) for query, text in texts]
    assert np.concatenate([each for each in found if each is not None]) == pytest.approx(scores, abs=off)


def test_a_batch_may_be_padded(tiny_model: TextModel) -> None:
    ids = torch.tensor([[0, 5, END, END, 6, END]])
    padded = torch.cat([ids, torch.ones(1, 3, dtype=torch.long)], 1)
    states = torch.randn(1, 9, 32)
    head = PairHead(32, END)
    short = head(states[:, :6], TokenBatch(ids, torch.ones_like(ids)))
    assert torch.allclose(head(states, TokenBatch(padded, (padded != 1).long())), short, atol=1e-6)
