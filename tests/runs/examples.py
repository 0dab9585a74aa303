"""Small runs for tests: a record, epochs, and classifiers that cost no backbone."""

from dataclasses import replace
from typing import Any

import torch

from tlapp.backbones.catalog import find_card
from tlapp.backbones.loading import Backbone, sketch_backbone
from tlapp.classifier import Classifier, make_linear
from tlapp.messages import verbatim
from tlapp.runs.record import EpochRow, RunRecord
from tlapp.runs.store import RunStore, new_run_id, now
from tlapp.training.config import TrainConfig
from tlapp.training.counts import ParameterCounts
from tlapp.training.events import (
    EpochFinished,
    PhaseStarted,
    TrainingFinished,
    TrainingResult,
    TrainingStarted,
)

CLASSES = ("cat", "dog")


def make_record(owner: str = "a" * 64, **values: Any) -> RunRecord:
    """A record of a run that waits."""
    record = RunRecord(
        run_id=new_run_id(),
        owner=owner,
        name="First try",
        dataset_id="d",
        dataset_name="Pets",
        class_names=CLASSES,
        config={"backbone": "efficientnet_lite0", "epochs": 30, "freeze": "head"},
        seed=0,
        data_fingerprint="f" * 64,
        versions={"torch": "2"},
        created=now(),
        valid_class_counts=(2, 2),
    )
    return replace(record, **values)


def make_row(epoch: int, **values: Any) -> EpochRow:
    """One epoch that is the best so far."""
    row = EpochRow(
        epoch=epoch,
        train_loss=1.0 / epoch,
        train_eval_loss=0.9 / epoch,
        train_eval_accuracy=0.8,
        valid_loss=1.1 / epoch,
        valid_accuracy=0.7,
        seconds=0.01,
        is_best=True,
    )
    return replace(row, **values)


def published_backbone() -> Backbone:
    """A backbone that says it is the published one; only its shapes are real."""
    return replace(
        sketch_backbone(find_card("efficientnet_lite0")), pretrained=True, weights_hash="0" * 64
    )


def make_classifier(backbone: Backbone, epoch: int) -> Classifier:
    """A classifier that shows which epoch it is of: its bias is the epoch's number."""
    weight_KD = torch.zeros(len(CLASSES), backbone.feature_width)
    return Classifier(backbone, make_linear(weight_KD, torch.full((2,), float(epoch))), CLASSES)


def started() -> TrainingStarted:
    """The first event of a training."""
    return TrainingStarted(
        phases=(TrainConfig(),), class_names=CLASSES, train_count=16, valid_count=4
    )


def phase_started() -> PhaseStarted:
    """The event that says what learns."""
    layer = verbatim("classifier: 1280 -> 1000 becomes 1280 -> 2")
    counts = ParameterCounts(2562, 3_000_000, layer)
    return PhaseStarted(1, 1, counts)


def epoch_finished(classifier: Classifier, epoch: int, *, is_best: bool = True) -> EpochFinished:
    """The event of one epoch."""
    return EpochFinished(
        phase=1,
        epoch=epoch,
        train_loss=1.0 / epoch,
        train_eval_loss=0.9 / epoch,
        train_eval_accuracy=0.8,
        valid_loss=1.1 / epoch,
        valid_accuracy=0.75,
        valid_class_correct=(2, 1),
        valid_hits=(True, True, True, False),
        forgetting=None,
        seconds=0.01,
        elapsed_seconds=1.0 + 0.01 * epoch,
        is_best=is_best,
        classifier=classifier,
        save_state=dict,
    )


def finished(classifier: Classifier, best_epoch: int) -> TrainingFinished:
    """The last event of a training."""
    return TrainingFinished(
        TrainingResult(
            classifier=classifier,
            best_epoch=best_epoch,
            valid_accuracy=0.75,
            valid_correct=3,
            valid_count=4,
            valid_interval=(0.3, 0.95),
            feature_seconds=1.0,
            head_seconds=0.3,
            seconds=1.3,
            images_per_second=20.0,
            trainable_parameters=2562,
            frozen_parameters=3_000_000,
        )
    )


def kept_run(
    store: RunStore, owner: str = "a" * 64, *, epochs: int = 2, hits: int = 4
) -> RunRecord:
    """A finished run on disk, with a model of its last epoch."""
    record = make_record(owner, state="finished", best_epoch=epochs)
    run = store.create(record)
    rows = tuple(make_row(epoch, valid_hits="1" * hits) for epoch in range(1, epochs + 1))
    for row in rows:
        run.append(row)
    run.write(replace(record, epochs=rows))
    (run.path / "models" / f"epoch-{epochs:04d}").mkdir(parents=True)
    return replace(record, epochs=rows)
