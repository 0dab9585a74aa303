"""The loop of PyTorch's transfer learning tutorial beside ours, on the same pictures and weights.

https://docs.pytorch.org/tutorials/beginner/transfer_learning_tutorial.html: ConvNet as fixed
feature extractor, batch 4, SGD with momentum on what learns, every picture decoded and sent through
the whole network in every epoch. Two loader workers, as the cores.
"""

import copy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

from tests.benchmarks.data_sets import photographs
from tests.benchmarks.rows import Row
from tests.benchmarks.stored import default_backbone, training_of
from tlapp.backbones.loading import Backbone
from tlapp.backbones.stages import stage_parameters
from tlapp.training.config import TrainConfig
from tlapp.training.events import TrainingFinished
from tlapp.training.session import train

EPOCHS = 30
BATCH_SIZE = 4  # the tutorial's
WORKERS = 2


def measure(folder: Path) -> tuple[Row, ...]:
    """Seconds for 30 epochs on clothing10; decoding counts on both sides."""
    source = photographs("clothing10", folder)
    backbone = default_backbone()
    theirs = epoch_seconds(source, backbone) * EPOCHS
    *_, last = train(
        training_of(source, backbone, TrainConfig(epochs=EPOCHS)),
        cache=None,
        should_stop=lambda: False,
    )
    assert isinstance(last, TrainingFinished)
    ours = last.result.seconds
    return (
        Row(f"tutorial's loop, {EPOCHS} epochs (one measured, x {EPOCHS})", theirs, "s"),
        Row(f"our whole frozen run, {EPOCHS} epochs", ours, "s", ratio=ours / theirs),
    )


def epoch_seconds(source: Path, backbone: Backbone, *, open_stages: int = 0) -> float:
    """One epoch as the tutorial writes it (the train phase, then the val phase), with so many of
    the backbone's last stages learning as well."""
    module = copy.deepcopy(backbone.module)  # frozen already
    head = nn.Linear(backbone.feature_width, len(list((source / "train").iterdir())))
    learning = list(head.parameters())
    for stage in backbone.stages[len(backbone.stages) - open_stages :]:
        learning += [p.requires_grad_() for p in stage_parameters(module, stage.module_names)]
    network = nn.Sequential(module, head)
    loss_of, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(learning, 1e-3, 0.9)
    loaders = {part: _loader(source / part, backbone.preprocess.apply) for part in ("train", "val")}
    began = time.perf_counter()
    for part, loader in loaders.items():
        for x_NCHW, labels_N in loader:
            optimizer.zero_grad()
            with torch.set_grad_enabled(part == "train"):
                loss = loss_of(network(x_NCHW), labels_N)
                if part == "train":
                    loss.backward()
                    optimizer.step()
    return time.perf_counter() - began


def _loader(folder: Path, transform: Callable[[Image.Image], Tensor]) -> DataLoader[Any]:
    return DataLoader(
        ImageFolder(str(folder), transform),
        batch_size=BATCH_SIZE,
        shuffle=True,
        num_workers=WORKERS,
    )
