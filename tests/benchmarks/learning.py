"""Learning stages: with the frozen boundary kept against without it, and a bare training loop."""

import time
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import torch
from torch.nn import functional

from tests.benchmarks.data_sets import photographs
from tests.benchmarks.rows import Row
from tests.benchmarks.stored import default_backbone, training_of
from tests.benchmarks.tutorial import epoch_seconds
from tlapp.backbones.catalog import find_card
from tlapp.backbones.loading import Backbone, load_backbone
from tlapp.backbones.weights import WeightsStore
from tlapp.training.config import TrainConfig
from tlapp.training.events import BatchFinished, EpochFinished
from tlapp.training.session import train
from tlapp.training.task import TrainJob

EPOCHS = 2
STEPS = 12  # of the bare loop, of which the first is not counted


def measure(folder: Path) -> tuple[Row, ...]:
    """Seconds an epoch of the last stages with what lies below kept, over the same without and over
    the tutorial's loop; pictures a second of full fine-tuning over a bare loop on ready tensors.
    """
    source = photographs("clothing10", folder)
    lite, resnet = default_backbone(), _drawn("resnet18")
    rows: list[Row] = []
    for backbone, stages in ((lite, 1), (lite, 2), (resnet, 1)):
        config = TrainConfig(backbone=backbone.card.name, freeze=f"last:{stages}", epochs=EPOCHS)
        peer = epoch_seconds(source, backbone, open_stages=stages)
        rows += _boundary_rows(training_of(source, backbone, config), peer)
    for backbone in (lite, resnet):
        config = TrainConfig(backbone=backbone.card.name, freeze="none", epochs=1)
        rows += _full_rows(training_of(source, backbone, config))
    return tuple(rows)


def _drawn(name: str) -> Backbone:
    """A network with random weights that stands for a pretrained one: as fast, BatchNorm fixed."""
    store = WeightsStore(Path("no-such-folder"))
    return replace(load_backbone(find_card(name), store, pretrained=False), pretrained=True)


def _boundary_rows(job: TrainJob, peer: float) -> list[Row]:
    config = job.phases[0]
    name = f"{config.backbone}, {config.freeze}"
    kept, kept_right = _epoch(job)
    with patch("tlapp.training.inputs.MOST_ACTIVATION_BYTES", 0):
        anew, anew_right = _epoch(job)
    return [
        Row(f"{name}: an epoch without the boundary", anew, "s"),
        Row(f"{name}: an epoch with it, times faster", kept, "s", ratio=anew / kept, goal=">= 4"),
        Row(f"{name}: an epoch of the tutorial's loop, times slower", peer, "s", ratio=peer / kept),
        Row(
            f"{name}: held-out pictures it answers otherwise",
            abs(kept_right - anew_right),
            "pictures",
            goal="<= 1",
        ),
    ]


def _epoch(job: TrainJob) -> tuple[float, int]:
    """Seconds of the quickest epoch, and how many held-out pictures are right after the last."""
    epochs = [
        event
        for event in train(job, cache=None, should_stop=lambda: False)
        if isinstance(event, EpochFinished)
    ]
    return min(epoch.seconds for epoch in epochs), sum(epochs[-1].valid_hits)


def _full_rows(job: TrainJob) -> list[Row]:
    config = job.phases[0]
    marks = [
        (time.perf_counter(), event.batch)
        for event in train(job, cache=None, should_stop=lambda: False)
        if isinstance(event, BatchFinished)
    ]
    (began, first), (ended, last) = marks[0], marks[-2]  # the last batch may be a small one
    ours = (last - first) * config.batch_size / (ended - began)
    bare = _bare_loop(job.backbone, config.batch_size)
    name = config.backbone
    return [
        Row(f"{name}: a bare loop on ready tensors", bare, "pictures/s"),
        Row(f"{name}: full fine-tuning", ours, "pictures/s", ratio=ours / bare, goal=">= 0.9"),
    ]


def _bare_loop(backbone: Backbone, batch_size: int) -> float:
    """Forward, backward and step as one writes them, on all cores."""
    fresh = load_backbone(
        find_card(backbone.card.name), WeightsStore(Path("no-such-folder")), pretrained=False
    )
    module = torch.nn.Sequential(fresh.module, torch.nn.Linear(fresh.feature_width, 10))
    module.requires_grad_(True).eval()
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-5)
    side = backbone.preprocess.crop_pixels
    x_NCHW = torch.randn(batch_size, 3, side, side).contiguous(memory_format=torch.channels_last)
    labels_N = torch.arange(batch_size) % 10
    began = 0.0
    for step in range(STEPS + 1):
        if step == 1:
            began = time.perf_counter()
        optimizer.zero_grad()
        functional.cross_entropy(module(x_NCHW), labels_N).backward()
        optimizer.step()
    return STEPS * batch_size / (time.perf_counter() - began)
