import math

import pytest
import torch

from lingsou.training.neural.losses import contrastive, cosine_margin, listwise, ordered, pairwise

QUERIES = torch.tensor([0, 0, 1])


def test_contrast_is_the_cross_entropy_of_the_one_positive() -> None:
    cosines = torch.tensor([[0.9, 0.1], [0.3, 0.7]])
    found = contrastive(cosines, torch.eye(2), temperature=1.0)
    first = -math.log(math.exp(0.9) / (math.exp(0.9) + math.exp(0.1)))
    second = -math.log(math.exp(0.7) / (math.exp(0.7) + math.exp(0.3)))
    assert float(found) == pytest.approx((first + second) / 2, abs=1e-6)


def test_texts_that_do_not_count_leave_the_contrast() -> None:
    cosines = torch.tensor([[0.9, 5.0, 0.1]])
    gains = torch.tensor([[1.0, math.nan, 0.0]])
    assert float(contrastive(cosines, gains, 1.0)) == pytest.approx(
        float(contrastive(torch.tensor([[0.9, 0.1]]), torch.tensor([[1.0, 0.0]]), 1.0))
    )


def test_queries_without_a_gain_teach_the_contrast_nothing() -> None:
    cosines = torch.tensor([[0.9, 0.1], [0.4, 0.4]], requires_grad=True)
    gains = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    contrastive(cosines, gains, 1.0).backward()  # type: ignore[no-untyped-call]
    assert cosines.grad is not None
    assert cosines.grad[1].tolist() == [0.0, 0.0]
    assert float(contrastive(torch.zeros(1, 2), torch.zeros(1, 2), 1.0)) == 0.0


def test_order_counts_wrongly_ordered_pairs_of_one_query_only() -> None:
    scores = torch.tensor([0.2, 0.6, 9.0])
    grades = torch.tensor([1.0, 0.0, 0.0])
    assert float(ordered(scores, grades, QUERIES, 1.0)) == pytest.approx(math.log(1 + math.exp(0.4)), abs=1e-6)
    assert float(ordered(scores, torch.ones(3), QUERIES, 1.0)) == 0.0


def test_ranknet_weighs_pairs_by_the_difference_of_grades() -> None:
    scores, grades = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([1.0, 0.5, 0.0])
    one = torch.zeros(3, dtype=torch.int64)
    wanted = (0.5 * math.log1p(math.e) + 1.0 * math.log1p(math.exp(2)) + 0.5 * math.log1p(math.e)) / 2.0
    assert float(pairwise(scores, grades, one)) == pytest.approx(wanted, abs=1e-6)


def test_listwise_is_the_cross_entropy_of_each_query_with_its_gains() -> None:
    scores, grades = torch.tensor([2.0, 0.0, 7.0]), torch.tensor([1.0, 0.0, 1.0])
    wanted = (-math.log(math.exp(2) / (math.exp(2) + 1)) + 0.0) / 2
    assert float(listwise(scores, grades, QUERIES)) == pytest.approx(wanted, abs=1e-6)
    assert float(listwise(scores, torch.zeros(3), QUERIES)) == 0.0


def test_cosine_form_draws_near_and_pushes_below_the_margin() -> None:
    found = cosine_margin(torch.tensor([0.8, 0.7, 0.2]), torch.tensor([1.0, 0.0, 0.0]), margin=0.5)
    assert float(found) == pytest.approx((0.2 + 0.2 + 0.0) / 3, abs=1e-6)


@pytest.mark.parametrize("loss", [pairwise, listwise])
def test_losses_fall_when_the_order_gets_right(loss: object) -> None:
    grades, one = torch.tensor([1.0, 0.5, 0.0]), torch.zeros(3, dtype=torch.int64)
    right, wrong = torch.tensor([2.0, 1.0, 0.0]), torch.tensor([0.0, 1.0, 2.0])
    assert callable(loss)
    assert float(loss(right, grades, one)) < float(loss(wrong, grades, one))
