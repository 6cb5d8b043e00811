"""Losses of one batch of pairs. Scores are cosines or logits `[rows]`, grades lie between 0 and 1."""

import torch
from torch import Tensor
from torch.nn import functional


def contrastive(cosines: Tensor, gains: Tensor, temperature: float) -> Tensor:
    """Softmax over the batch's texts with the query's own gains as the target: InfoNCE for several positives.

    Args:
        cosines: `[queries, texts]` of every query with every text of the batch.
        gains: `[queries, texts]`, ≥ 0; 0 for texts of other queries; NaN for texts that are not to count at all,
            such as the query's own of middling grade. Queries without any gain are left out.
        temperature: the cosines are divided by it.

    Source: van den Oord et al. 2018; soft targets as in ListNet, Cao et al. 2007.
    """
    told = gains.nan_to_num(0.0).sum(1) > 0
    if not bool(told.any()):
        return cosines.sum() * 0.0
    logits = (cosines[told] / temperature).masked_fill(gains[told].isnan(), float("-inf"))
    wanted = gains[told].nan_to_num(0.0)
    logged = functional.log_softmax(logits, dim=1).masked_fill(gains[told].isnan(), 0.0)
    return -((wanted / wanted.sum(1, keepdim=True)) * logged).sum(1).mean()


def ordered(scores: Tensor, grades: Tensor, queries: Tensor, temperature: float) -> Tensor:
    """log(1 + Σ exp((worse − better) / t)) over the pairs of one query that differ in grade: CoSENT within queries.

    Args:
        scores: `[rows]`.
        grades: `[rows]`.
        queries: `[rows]`, the number of each row's query.
        temperature: differences are divided by it.

    Source: Su 2022 (CoSENT); a smooth maximum over all wrongly ordered pairs.
    """
    better = (grades[:, None] > grades[None, :]) & (queries[:, None] == queries[None, :])
    if not bool(better.any()):
        return scores.sum() * 0.0
    difference = (scores[None, :] - scores[:, None])[better] / temperature
    return torch.logsumexp(torch.cat([difference.new_zeros(1), difference]), dim=0)


def pairwise(scores: Tensor, grades: Tensor, queries: Tensor) -> Tensor:
    """RankNet: the mean of log(1 + exp(worse − better)) over pairs of one query, weighted by the grades' difference.

    Source: Burges et al. 2005.
    """
    margin = grades[:, None] - grades[None, :]
    better = (margin > 0) & (queries[:, None] == queries[None, :])
    if not bool(better.any()):
        return scores.sum() * 0.0
    losses = functional.softplus((scores[None, :] - scores[:, None])[better])
    return (losses * margin[better]).sum() / margin[better].sum()


def listwise(scores: Tensor, grades: Tensor, queries: Tensor) -> Tensor:
    """Cross-entropy of the softmax over each query's rows with its gains 2^(3·grade) − 1: ListNet, Cao et al. 2007."""
    same = queries[:, None] == queries[None, :]
    gains = (torch.exp2(3.0 * grades) - 1.0)[None, :] * same
    told = gains.sum(1) > 0
    if not bool(told.any()):
        return scores.sum() * 0.0
    logits = scores[None, :].expand_as(gains).masked_fill(~same, float("-inf"))
    logged = functional.log_softmax(logits, dim=1).masked_fill(~same, 0.0)
    each = -(gains / gains.sum(1, keepdim=True).clamp(min=1e-9) * logged).sum(1)
    weight = told / same.sum(1)  # every query counts once, however many rows it has
    return (each * weight).sum() / weight.sum()


def cosine_margin(cosines: Tensor, grades: Tensor, margin: float = 0.5) -> Tensor:
    """Relevant pairs (grade ≥ ½) are drawn to 1, the others pushed below `margin`. Source: Hadsell et al. 2006."""
    relevant = grades >= 0.5
    return torch.where(relevant, 1.0 - cosines, functional.relu(cosines - margin)).mean()
