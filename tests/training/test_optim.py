"""The optimizers, held against torch's own."""

import pytest
import torch

from tlapp.training.config import OptimizerName
from tlapp.training.optim import ParameterGroup, cosine_scale, make_optimizer


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_steps_are_those_of_torch(name: OptimizerName) -> None:
    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(4, 3, generator=generator)
    theirs = torch.nn.Parameter(ours.clone())
    reference = (
        torch.optim.AdamW([theirs], lr=0.1, weight_decay=0.2)
        if name == "adamw"
        else torch.optim.SGD([theirs], lr=0.1, weight_decay=0.2, momentum=0.9)
    )
    optimizer = make_optimizer(name, [ParameterGroup((ours,), 0.1, 0.2)])
    for _ in range(10):
        gradient = torch.randn(4, 3, generator=generator)
        theirs.grad = gradient.clone()
        reference.step()
        optimizer.step([[gradient]], 1.0)
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-5, atol=1e-6)


def test_a_parameter_without_a_gradient_stays() -> None:
    parameter = torch.ones(2)
    for name in ("adamw", "sgd"):
        make_optimizer(name, [ParameterGroup((parameter,), 0.1, 0.1)]).step([[None]], 1.0)
    assert torch.equal(parameter, torch.ones(2))


def test_the_rate_rises_and_then_falls_towards_nothing() -> None:
    scales = [cosine_scale(step, 100, warmup_steps=10) for step in range(100)]
    assert scales[:10] == sorted(scales[:10])
    assert scales[10] == 1.0
    assert scales[10:] == sorted(scales[10:], reverse=True)
    assert 0 < scales[-1] < 0.001
    assert cosine_scale(0, 1) == 1.0
