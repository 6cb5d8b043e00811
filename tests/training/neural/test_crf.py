"""The CRF's likelihood is exact: compared with the sum over every path."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from lingsou.models.tagger import best_path, bio_chain, bio_tags
from lingsou.training.neural.crf import LinearChainCRF

TAGS = bio_tags(["x"])


def random_crf(seed: int) -> LinearChainCRF:
    crf = LinearChainCRF(bio_chain(TAGS))
    torch.manual_seed(seed)
    for weight in crf.parameters():
        torch.nn.init.normal_(weight)
    return crf


def score(crf: LinearChainCRF, logits: Tensor, path: tuple[int, ...]) -> float:
    """−∞ for what BIO forbids."""
    chain = crf.chain() + bio_chain(TAGS)
    own = sum(float(logits[place, tag]) for place, tag in enumerate(path))
    steps = sum(chain.transitions[a, b] for a, b in itertools.pairwise(path))
    return float(own + steps + chain.start[path[0]] + chain.end[path[-1]])


@pytest.mark.parametrize("seed", range(5))
def test_likelihood_agrees_with_all_paths(seed: int) -> None:
    crf, lengths = random_crf(seed), [4, 1, 3]
    logits = torch.randn(3, 4, 3)
    tags = torch.tensor([[0, 1, 2, 0], [1, 0, 0, 0], [1, 2, 1, 2]])
    mask = torch.tensor([[1] * n + [0] * (4 - n) for n in lengths])
    found = crf.log_likelihood(logits, tags, mask).tolist()
    for row, length in enumerate(lengths):
        every = [score(crf, logits[row], path) for path in itertools.product(range(3), repeat=length)]
        own = score(crf, logits[row], tuple(tags[row, :length].tolist()))
        assert found[row] == pytest.approx(own - float(np.logaddexp.reduce(every)), abs=1e-4)


def test_what_stands_behind_the_mask_does_not_count() -> None:
    crf = random_crf(0)
    logits, mask = torch.randn(1, 4, 3), torch.tensor([[1, 1, 0, 0]])
    first = crf.log_likelihood(logits, torch.tensor([[1, 2, 0, 0]]), mask)
    logits[:, 2:] = 7.0
    assert crf.log_likelihood(logits, torch.tensor([[1, 2, 1, 1]]), mask).item() == pytest.approx(first.item())


def test_training_makes_the_given_path_the_best() -> None:
    """Constant logits: only the learned transitions can tell that after every B comes an I, then an O."""
    crf = random_crf(1)
    logits, tags = torch.zeros(1, 6, 3), torch.tensor([[1, 2, 0, 1, 2, 0]])
    optimiser = torch.optim.Adam(crf.parameters(), lr=0.2)
    for _ in range(60):
        optimiser.zero_grad()
        loss = -crf.log_likelihood(logits, tags, torch.ones(1, 6)).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert all(bool(weight.isfinite().all()) for weight in crf.parameters())
    assert best_path(logits[0].numpy(), crf.chain() + bio_chain(TAGS)).tolist() == tags[0].tolist()
