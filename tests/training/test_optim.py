"""The schedule of the learning rates, and the optimizers on the tensors they are used for."""

import pytest
import torch

from tlapp.training.config import OptimizerName
from tlapp.training.optim import cosine_scale, laid_out_like, make_optimizer, make_schedule

BOTH = pytest.mark.parametrize("name", ["adamw", "sgd"])


def test_the_rate_rises_and_then_falls_towards_nothing() -> None:
    scales = [cosine_scale(step, 100, warmup_steps=10) for step in range(100)]
    assert scales[:10] == sorted(scales[:10])
    assert scales[10] == 1.0
    assert scales[10:] == sorted(scales[10:], reverse=True)
    assert 0 < scales[-1] < 0.001
    assert cosine_scale(0, 1) == 1.0


@BOTH
def test_the_schedule_scales_every_groups_own_rate(name: OptimizerName) -> None:
    parameters = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    groups = [{"params": [p], "lr": lr} for p, lr in zip(parameters, (1.0, 0.1), strict=True)]
    optimizer = make_optimizer(name, groups)
    schedule = make_schedule(optimizer, 10, warmup_steps=1)
    for step in range(10):
        rates = [group["lr"] for group in optimizer.param_groups]
        scale = cosine_scale(step, 10, warmup_steps=1)
        assert rates == pytest.approx([scale, 0.1 * scale])
        optimizer.step()
        schedule.step()


@BOTH
def test_a_gradient_in_another_memory_order_gives_the_same_step(name: OptimizerName) -> None:
    start, gradient = torch.randn(
        2, 8, 4, 3, 3, generator=torch.Generator().manual_seed(0)
    ).unbind()
    found = []
    for memory_format in (torch.channels_last, torch.contiguous_format):
        parameter = torch.nn.Parameter(start.clone(memory_format=memory_format))
        parameter.grad = laid_out_like(parameter, gradient)
        make_optimizer(name, [{"params": [parameter], "lr": 0.1}]).step()
        found.append(parameter.detach())
    torch.testing.assert_close(*found)


def test_what_lies_like_its_parameter_is_not_copied() -> None:
    parameter = torch.ones(8, 4, 3, 3).to(memory_format=torch.channels_last)
    gradient = torch.ones(8, 4, 3, 3)
    copied = laid_out_like(parameter, gradient)
    assert copied.stride() == parameter.stride() != gradient.stride()
    assert laid_out_like(parameter, copied) is copied
