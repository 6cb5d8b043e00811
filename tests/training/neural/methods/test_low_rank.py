"""What is LoRA's and AdaLoRA's own: targets, scale, budget, regularisation, and resuming."""

import pytest
import torch

from lingsou.core.errors import ConfigurationError
from tests.training.neural.methods.test_attach import attached, learn, states

QUERY = "encoder.layer.0.attention.self.query"


def test_the_update_is_scaled_by_alpha_over_rank() -> None:
    model, method = attached("lora", rank=2, alpha=6.0, targets=["query"])
    plain = model.base.model.state_dict()[f"{QUERY}.base_layer.weight"].clone()
    down, up = (method.parameters()[f"{QUERY}.lora_{side}.default.weight"] for side in "AB")
    with torch.no_grad():
        down.fill_(0.5)
        up.fill_(0.25)
    method.merge()
    # two ranks of 0.5 · 0.25 each, times 6 / 2
    torch.testing.assert_close(model.base.model.state_dict()[f"{QUERY}.weight"], plain + 0.75)


@pytest.mark.parametrize("name", ["lora", "adalora"])
def test_targets_that_are_nowhere(name: str) -> None:
    with pytest.raises(ConfigurationError, match="called 'q_proj'") as caught:
        attached(name, targets=["query", "q_proj"])  # type: ignore[arg-type]
    assert caught.value.cure == "Any of: dense, key, query, value."
    with pytest.raises(ConfigurationError, match="No part is named"):
        attached(name, targets=[])  # type: ignore[arg-type]


def test_adalora_ends_with_the_rank_that_was_asked_for() -> None:
    """12 matrices of rank 4: 48 entries stay of 72 (one and a half times as many), and the rest is zero for good."""
    model, method = attached("adalora", steps=20)
    entries = [value for name, value in method.parameters().items() if ".lora_E." in name]
    assert sum(value.numel() for value in entries) == 72
    left = []
    for step in range(1, 21):
        learn(model, method, 1, first=step)
        left.append(sum(int(value.count_nonzero()) for value in entries))
    assert left[1] == 72  # the first tenth of the steps is free
    assert left[2] < 72
    assert left == sorted(left, reverse=True)
    assert left[13:] == [48] * 7  # settled for the last three tenths


def test_adalora_asks_for_orthonormal_factors() -> None:
    _, method = attached("adalora", targets=["query"])
    with torch.no_grad():
        for name, value in method.parameters().items():
            if ".lora_A." in name:
                value.copy_(torch.eye(6, 32))
            elif ".lora_B." in name:
                value.copy_(2 * torch.eye(32, 6))
    # rows of A are orthonormal; B'B is 4 I, 3 away from I in each of 6 places; half the products are of B
    loss = method.extra_loss()
    assert loss is not None
    assert loss.item() == pytest.approx(0.1 * 0.5 * 3 * 6**0.5)


@pytest.mark.parametrize("stop", [1, 4, 8])
def test_adalora_taken_up_in_the_middle_ends_the_same(stop: int) -> None:
    """Before the first cut, while ranks are cut, and after they are settled."""

    def two_parts(fresh: bool) -> torch.Tensor:
        model, method = attached("adalora")
        learn(model, method, stop)
        if fresh:
            weights = {name: value.detach().clone() for name, value in method.parameters().items()}
            state = {name: value.clone() for name, value in method.state().items()}
            model, method = attached("adalora", seed=5)
            with torch.no_grad():
                for name, value in method.parameters().items():
                    value.copy_(weights[name])
            method.restore(state)
        learn(model, method, 10 - stop, first=stop + 1)
        return states(model)

    torch.testing.assert_close(two_parts(fresh=True), two_parts(fresh=False), atol=1e-6, rtol=1e-6)


def test_adalora_needs_time_to_cut() -> None:
    with pytest.raises(ConfigurationError, match="9 steps are too few"):
        attached("adalora", steps=9)
    model, method = attached("adalora", steps=10)
    learn(model, method, 10)
