"""The loop of PyTorch's transfer learning tutorial beside ours, on the same pictures and weights.

https://docs.pytorch.org/tutorials/beginner/transfer_learning_tutorial.html: ConvNet as fixed
feature extractor, batch 4, SGD with momentum on the last layer, every picture through the whole
network in every epoch. One epoch is measured and multiplied; two loader workers, as the cores.
"""

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
from tests.benchmarks.stored import default_backbone, pictures_and_labels
from tlapp.backbones.loading import Backbone
from tlapp.data.images import LabeledImage, LabeledImages
from tlapp.data.splits import Split
from tlapp.training.config import TrainConfig
from tlapp.training.events import TrainingFinished
from tlapp.training.session import train
from tlapp.training.task import TrainJob

EPOCHS = 30
BATCH_SIZE = 4  # the tutorial's
WORKERS = 2


def measure(folder: Path) -> tuple[Row, ...]:
    """Seconds for 30 epochs on clothing10; decoding counts on both sides."""
    source = photographs("clothing10", folder)
    backbone = default_backbone()
    theirs = _tutorial_epoch_seconds(source, backbone) * EPOCHS
    ours = _our_seconds(source, backbone)
    return (
        Row(f"tutorial's loop, {EPOCHS} epochs (one measured, x {EPOCHS})", theirs, "s"),
        Row(f"our whole frozen run, {EPOCHS} epochs", ours, "s", ratio=ours / theirs),
    )


def _our_seconds(source: Path, backbone: Backbone) -> float:
    """From the stored working copies to the trained head, nothing cached."""
    parts = [pictures_and_labels(source / part) for part in ("train", "val")]
    pictures = [picture for part, _ in parts for picture in part]
    labels_N = torch.cat([labels for _, labels in parts])
    images = LabeledImages(
        tuple(f"class {index}" for index in range(int(labels_N.max()) + 1)),
        tuple(
            LabeledImage(picture.image_id, label, "")
            for picture, label in zip(pictures, labels_N.tolist(), strict=True)
        ),
    )
    count = len(parts[0][0])
    split = Split(tuple(range(count)), tuple(range(count, len(pictures))), ())
    by_id = {picture.image_id: picture for picture in pictures}
    job = TrainJob(
        images=images,
        split=split,
        picture_of=by_id.__getitem__,
        backbone=backbone,
        phases=(TrainConfig(epochs=EPOCHS),),
    )
    *_, last = train(job, cache=None, should_stop=lambda: False)
    assert isinstance(last, TrainingFinished)
    return last.result.seconds


def _tutorial_epoch_seconds(source: Path, backbone: Backbone) -> float:
    """One epoch as the tutorial writes it: the train phase, then the val phase."""
    module = backbone.module  # frozen already
    head = nn.Linear(backbone.feature_width, len(list((source / "train").iterdir())))
    network = nn.Sequential(module, head)
    loss_of, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(head.parameters(), 1e-3, 0.9)
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
