"""A linear-chain conditional random field over token scores."""

import torch
from torch import Tensor, nn

from lingsou.models.tagger import Chain

_FORBIDDEN = -1e4
"""In place of −∞, whose gradient is not a number."""


class LinearChainCRF(nn.Module):
    """Learned scores of beginning, ending and following, on top of what `rules` forbid.

    Source: Lafferty, McCallum & Pereira, "Conditional random fields", ICML 2001.
    """

    def __init__(self, rules: Chain):
        super().__init__()
        tags = len(rules.start)
        self.start = nn.Parameter(torch.zeros(tags))
        self.end = nn.Parameter(torch.zeros(tags))
        self.transitions = nn.Parameter(torch.zeros(tags, tags))
        for name in ("start", "end", "transitions"):
            penalty = torch.from_numpy(getattr(rules, name)).float().clamp(min=_FORBIDDEN)
            self.register_buffer(f"{name}_rules", penalty, persistent=False)

    def learned(self) -> dict[str, Tensor]:
        """The scores without the rules: `start` [k], `end` [k], `transitions` [k, k]."""
        return {name: weight.detach() for name, weight in self.named_parameters()}

    def chain(self) -> Chain:
        """The same, for decoding."""
        return Chain(**{name: scores.cpu().double().numpy() for name, scores in self.learned().items()})

    def log_likelihood(self, logits: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """The logarithm of p(tags) of each text, `[batch]`.

        Args:
            logits: `[batch, tokens, k]`.
            tags: int64 `[batch, tokens]`; whatever stands behind the mask does not count.
            mask: `[batch, tokens]`, 1 for tokens; they come first, and there is one at least.
        """
        start, end, transitions = self._scores()
        return _path(logits, tags, mask, start, end, transitions) - _total(logits, mask, start, end, transitions)

    def _scores(self) -> tuple[Tensor, Tensor, Tensor]:
        return (
            self.start + self.get_buffer("start_rules"),
            self.end + self.get_buffer("end_rules"),
            self.transitions + self.get_buffer("transitions_rules"),
        )


def _path(logits: Tensor, tags: Tensor, mask: Tensor, start: Tensor, end: Tensor, transitions: Tensor) -> Tensor:
    """The score of the given path, `[batch]`."""
    here = mask.to(logits.dtype)
    own = (logits.gather(2, tags.unsqueeze(2)).squeeze(2) * here).sum(1)
    steps = (transitions[tags[:, :-1], tags[:, 1:]] * here[:, 1:]).sum(1)
    last = tags.gather(1, mask.long().sum(1, keepdim=True) - 1).squeeze(1)
    return own + steps + start[tags[:, 0]] + end[last]


def _total(logits: Tensor, mask: Tensor, start: Tensor, end: Tensor, transitions: Tensor) -> Tensor:
    """The logarithm of Σ exp(score) over all paths, `[batch]`: the forward algorithm."""
    score = start + logits[:, 0]
    for place in range(1, logits.shape[1]):
        through = torch.logsumexp(score.unsqueeze(2) + transitions, dim=1) + logits[:, place]
        score = torch.where(mask[:, place, None].bool(), through, score)
    return torch.logsumexp(score + end, dim=1)
