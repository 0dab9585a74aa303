"""However the cores divide a batch, its gradients are those of the whole batch."""

import threading
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from tests.training.tiny import WIDTH, tiny_backbone
from tlapp.backbones.workers import core_count
from tlapp.training.config import TrainConfig
from tlapp.training.freezing import plan_stages
from tlapp.training.network import BatchTargets, Network

PICTURES_NCHW = torch.randn(11, 3, 32, 32, generator=torch.Generator().manual_seed(0))
TARGETS = BatchTargets(torch.arange(11) % 3, torch.tensor([1.0, 2.0, 0.5]), 0.1, None)
WORKERS = 2


def network(
    *, boundary: int = 0, train_batchnorm: bool = False, workers: int = WORKERS, at_once: int = 4
) -> Network:
    """The tiny one with everything open above `boundary`; its head is always the same."""
    backbone = tiny_backbone()
    freeze = f"last:{len(backbone.stages) - boundary}"
    head = nn.Linear(WIDTH, 3)
    nn.init.orthogonal_(head.weight, generator=torch.Generator().manual_seed(1))
    nn.init.zeros_(head.bias)
    made = Network(
        backbone,
        plan_stages(backbone.stages, TrainConfig(freeze=freeze)),
        head,
        boundary=boundary,
        train_batchnorm=train_batchnorm,
        workers=workers,
    )
    made._at_once = at_once
    return made


def at_boundary(boundary: int) -> Tensor:
    """What the top above `boundary` reads of the pictures."""
    stem = tiny_backbone().module.get_submodule("features.stem")
    return stem(PICTURES_NCHW) if boundary else PICTURES_NCHW


class Seen:
    """Reads a batch and notes by which thread, on how many cores, and how many at once."""

    def __init__(self, x_NCHW: Tensor) -> None:
        self._x_NCHW = x_NCHW
        self.threads: set[str] = set()
        self.cores: set[int] = set()
        self.counts: list[int] = []

    def __call__(self, positions: Sequence[int]) -> Tensor:
        self.threads.add(threading.current_thread().name)
        self.cores.add(torch.get_num_threads())
        self.counts.append(len(positions))
        return self._x_NCHW[list(positions)]


def gradients(of: Network, x_NCHW: Tensor) -> tuple[float, list[Tensor]]:
    loss = of.backward(lambda positions: x_NCHW[list(positions)], TARGETS)
    return loss, [parameter.grad for parameter in of.parameters if parameter.grad is not None]


@pytest.mark.parametrize("boundary", [0, 1])
def test_gradients_are_those_of_the_batch_in_one_piece(boundary: int) -> None:
    x_NCHW = at_boundary(boundary)
    loss, found = gradients(network(boundary=boundary), x_NCHW)
    whole_loss, whole = gradients(network(boundary=boundary, workers=1, at_once=11), x_NCHW)
    assert loss == pytest.approx(whole_loss, rel=1e-5)
    assert len(found) == len(whole) > 2
    for ours, theirs in zip(found, whole, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_each_core_takes_a_share_of_a_whole_network() -> None:
    seen = Seen(PICTURES_NCHW)
    network().backward(seen, TARGETS)
    assert all(name.startswith("worker") for name in seen.threads)
    assert seen.cores == {1}
    assert sorted(seen.counts) == [1, 2, 4, 4]  # of 6 and of 5


def test_all_cores_work_together_on_upper_stages() -> None:
    seen = Seen(at_boundary(1))
    network(boundary=1).backward(seen, TARGETS)
    assert seen.threads == {threading.current_thread().name}
    assert seen.cores == {core_count()}
    assert seen.counts == [4, 4, 3]


def test_where_statistics_are_learnt_cores_share_the_reading_and_pass_one_batch() -> None:
    seen = Seen(PICTURES_NCHW)
    shared, alone = (network(train_batchnorm=True, workers=workers) for workers in (WORKERS, 1))
    shared.backward(seen, TARGETS)
    alone.backward(lambda positions: PICTURES_NCHW[list(positions)], TARGETS)
    assert all(name.startswith("worker") for name in seen.threads)
    assert sorted(seen.counts) == [5, 6]
    assert len(shared.learning_buffers) > 2
    for ours, theirs in zip(shared.learning_buffers, alone.learning_buffers, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("boundary", [0, 1])
def test_features_are_in_order_and_stop_when_asked(boundary: int) -> None:
    made = network(boundary=boundary)
    x_NCHW = at_boundary(boundary)
    features_ND = made.features(Seen(x_NCHW), 11, lambda: False)
    assert features_ND is not None
    assert torch.allclose(features_ND, tiny_backbone().module(PICTURES_NCHW), atol=1e-5)
    assert made.features(Seen(x_NCHW), 11, lambda: True) is None
