"""A whole training, frozen and not, on a tiny backbone and real pictures."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.tiny import WIDTH, Album, tiny_backbone
from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.loading import Backbone
from tlapp.data.images import LabeledImages
from tlapp.data.splits import Split
from tlapp.errors import TrainingError
from tlapp.evaluation.predict import features_of
from tlapp.training.config import TrainConfig
from tlapp.training.events import (
    BatchFinished,
    EpochFinished,
    PhaseStarted,
    PreparingFeatures,
    TrainingEvent,
    TrainingFinished,
    TrainingResult,
    TrainingStarted,
    TrainingStopped,
)
from tlapp.training.session import train
from tlapp.training.task import Start, TrainJob

BOTH_MODES = pytest.mark.parametrize("freeze", ["head", "none"])


def never() -> bool:
    return False


def training(
    album: Album,
    backbone: Backbone,
    config: TrainConfig,
    *,
    should_stop: Callable[[], bool] = never,
    cache: FeatureCache | None = None,
) -> Iterator[TrainingEvent]:
    return training_in_phases(album, backbone, (config,), should_stop=should_stop, cache=cache)


def training_in_phases(
    album: Album,
    backbone: Backbone,
    phases: tuple[TrainConfig, ...],
    *,
    start: Start | None = None,
    should_stop: Callable[[], bool] = never,
    cache: FeatureCache | None = None,
) -> Iterator[TrainingEvent]:
    job = TrainJob(
        images=album.images,
        split=album.split,
        picture_of=album.picture,
        backbone=backbone,
        phases=phases,
        start=start,
    )
    return train(job, cache=cache, should_stop=should_stop)


def events_of(
    album: Album,
    backbone: Backbone,
    *,
    should_stop: Callable[[], bool] = never,
    cache: FeatureCache | None = None,
    **wishes: Any,
) -> list[TrainingEvent]:
    config = TrainConfig(**{"epochs": 2, "batch_size": 6} | wishes)
    return list(training(album, backbone, config, should_stop=should_stop, cache=cache))


def result_of(album: Album, backbone: Backbone, **wishes: Any) -> TrainingResult:
    last = events_of(album, backbone, **wishes)[-1]
    assert isinstance(last, TrainingFinished)
    return last.result


def weights_of(result: TrainingResult) -> dict[str, torch.Tensor]:
    module = result.classifier.backbone.module.state_dict()
    return {**result.classifier.head.state_dict(), **module}


def is_equal(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


@BOTH_MODES
def test_events_come_in_order(freeze: str) -> None:
    events = events_of(Album(), tiny_backbone(), freeze=freeze)
    started, finished = events[0], events[-1]
    assert isinstance(started, TrainingStarted)
    assert (started.train_count, started.valid_count) == (18, 6)
    phase = events[1]
    assert isinstance(phase, PhaseStarted)
    assert (phase.phase, phase.first_epoch) == (1, 1)
    assert str(phase.counts.replaced_layer) == f"fc: {WIDTH} -> 1000 becomes {WIDTH} -> 3"
    assert isinstance(finished, TrainingFinished)
    epochs = [event for event in events if isinstance(event, EpochFinished)]
    assert [epoch.epoch for epoch in epochs] == [1, 2]
    assert (
        sum(isinstance(e, TrainingStarted | TrainingFinished | TrainingStopped) for e in events)
        == 2
    )


@BOTH_MODES
@pytest.mark.parametrize("views", [0, 1])
def test_every_picture_is_prepared_and_counted_once(freeze: str, views: int) -> None:
    events = events_of(Album(), tiny_backbone(), freeze=freeze, augmented_views=views)
    told = [event for event in events if isinstance(event, PreparingFeatures)]
    counted = [event for event in told if not event.asks_original]
    assert {event.total for event in counted} == {24}
    assert [event.done for event in counted] == sorted(event.done for event in counted)
    assert counted[-1].done == 24


@BOTH_MODES
def test_the_counts_say_what_learns(freeze: str) -> None:
    backbone = tiny_backbone()
    result = result_of(Album(), backbone, freeze=freeze)
    head = (WIDTH + 1) * 3
    total = head + backbone.parameter_count
    assert result.trainable_parameters == (head if freeze == "head" else total)
    assert result.trainable_parameters + result.frozen_parameters == total


@BOTH_MODES
def test_the_result_is_the_best_epoch_with_its_interval(freeze: str) -> None:
    events = events_of(Album(), tiny_backbone(), freeze=freeze, epochs=4)
    result = events[-1].result  # type: ignore[union-attr]
    assert result is not None
    best = max(
        (event for event in events if isinstance(event, EpochFinished)),
        key=lambda epoch: (epoch.valid_accuracy, -(epoch.valid_loss or 0.0)),
    )
    assert (result.best_epoch, result.valid_accuracy) == (best.epoch, best.valid_accuracy)
    assert result.classifier is best.classifier
    assert result.valid_correct == round(result.valid_accuracy * result.valid_count)
    low, high = result.valid_interval
    assert low <= result.valid_accuracy <= high
    assert result.seconds >= result.feature_seconds + result.head_seconds - 1e-6


@BOTH_MODES
@pytest.mark.parametrize("pretrained", [True, False])
def test_the_backbone_that_was_given_stays_as_it_was_bit_for_bit(
    freeze: str, pretrained: bool
) -> None:
    backbone = tiny_backbone(pretrained=pretrained)
    before = {name: t.clone() for name, t in backbone.module.state_dict().items()}
    result_of(Album(), backbone, freeze=freeze, learning_rate=0.1)
    assert is_equal(before, backbone.module.state_dict())
    assert not backbone.module.training
    assert not any(parameter.requires_grad for parameter in backbone.module.parameters())


def test_an_unfrozen_training_changes_the_copy_but_not_its_statistics() -> None:
    backbone = tiny_backbone()
    result = result_of(Album(), backbone, freeze="none")
    assert result.classifier.is_backbone_trained
    assert result.classifier.backbone.weights_hash != backbone.weights_hash
    before, after = backbone.module.state_dict(), result.classifier.backbone.module.state_dict()
    for name, tensor in after.items():
        assert torch.equal(tensor, before[name]) == ("running" in name or "tracked" in name), name
    assert not result.classifier.backbone.module.training


def test_random_weights_learn_their_statistics_too() -> None:
    backbone = tiny_backbone(pretrained=False)
    result = result_of(Album(), backbone, freeze="none", batch_size=17)  # 18: one would be alone
    after = result.classifier.backbone.module.state_dict()
    assert not torch.equal(after["features.stem.1.running_mean"], torch.zeros(8))
    assert all(tensor.isfinite().all() for tensor in after.values())
    assert not result.classifier.backbone.module.training


@BOTH_MODES
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_every_optimizer_learns(freeze: str, optimizer: str) -> None:
    wishes = {"freeze": freeze, "optimizer": optimizer, "epochs": 12, "dropout": 0.0}
    if freeze == "none":
        wishes |= {"learning_rate": 0.05, "backbone_learning_rate": 0.01}
    events = events_of(Album(), tiny_backbone(), **wishes)
    epochs = [event for event in events if isinstance(event, EpochFinished)]
    assert epochs[-1].train_eval_loss < epochs[0].train_eval_loss


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_order_of_weights_in_memory_has_no_say(optimizer: str) -> None:
    wishes = {"freeze": "none", "optimizer": optimizer, "backbone_learning_rate": 0.01}
    channels_last, contiguous = tiny_backbone(), tiny_backbone()
    contiguous.module.to(memory_format=torch.contiguous_format)
    torch.testing.assert_close(
        weights_of(result_of(Album(), channels_last, **wishes)),
        weights_of(result_of(Album(), contiguous, **wishes)),
        atol=1e-4,
        rtol=1e-3,
    )


@BOTH_MODES
def test_the_same_seed_gives_the_same_weights_bit_for_bit(freeze: str) -> None:
    wishes = {"freeze": freeze, "dropout": 0.2, "augmented_views": 1, "seed": 3}
    first = result_of(Album(), tiny_backbone(), **wishes)
    torch.manual_seed(12345)  # the process's own numbers have no say
    assert is_equal(weights_of(first), weights_of(result_of(Album(), tiny_backbone(), **wishes)))
    other = result_of(Album(), tiny_backbone(), **wishes | {"seed": 4})
    assert not is_equal(weights_of(first), weights_of(other))


@BOTH_MODES
def test_the_figures_are_those_of_the_classifier_that_is_told(freeze: str) -> None:
    album = Album()
    labels = [image.class_index for image in album.images.images]
    for event in events_of(album, tiny_backbone(), freeze=freeze):
        if isinstance(event, EpochFinished):
            classifier = event.classifier
            scores_NK = classifier.head(features_of(classifier.backbone, album.pictures()))
            hits = [int(scores_NK[i].argmax()) == labels[i] for i in album.split.valid]
            assert event.valid_accuracy == pytest.approx(sum(hits) / len(hits))


def test_a_step_is_told_as_it_happens() -> None:
    events = events_of(Album(), tiny_backbone(), freeze="none", batch_size=5)
    steps = [event for event in events if isinstance(event, BatchFinished)]
    assert [(s.epoch, s.batch, s.batches) for s in steps[:5]] == [
        (1, 1, 4), (1, 2, 4), (1, 3, 4), (1, 4, 4), (2, 1, 4),
    ]  # fmt: skip


def test_stopping_takes_effect_within_a_step_and_keeps_the_best_weights_so_far() -> None:
    album, is_stopped, steps_after = Album(), [False], 0
    config = TrainConfig(freeze="none", epochs=50, batch_size=6)
    best = None
    for event in training(album, tiny_backbone(), config, should_stop=lambda: is_stopped[0]):
        if isinstance(event, EpochFinished):
            best = event if event.is_best else best
        if isinstance(event, BatchFinished):
            steps_after += is_stopped[0]
            is_stopped[0] = event.epoch == 3
    assert steps_after == 0
    assert isinstance(event, TrainingStopped)
    assert event.result is not None
    assert best is not None
    assert event.result.classifier is best.classifier


@BOTH_MODES
def test_stopping_before_the_first_epoch_leaves_no_result(freeze: str) -> None:
    events = events_of(Album(), tiny_backbone(), freeze=freeze, should_stop=lambda: True)
    assert isinstance(events[-1], TrainingStopped)
    assert events[-1].result is None


@BOTH_MODES
def test_without_held_out_pictures_accuracy_is_not_claimed(freeze: str) -> None:
    album = Album(3, 1, 0)
    result = result_of(album, tiny_backbone(), freeze=freeze)
    assert (result.valid_accuracy, result.valid_interval, result.valid_count) == (None, None, 0)


@BOTH_MODES
def test_a_mad_learning_rate_ends_with_words_and_good_earlier_weights(freeze: str) -> None:
    told: list[TrainingEvent] = []
    album = Album()
    config = TrainConfig(freeze=freeze, learning_rate=1e30, epochs=3)  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="Learning rate too high"):
        for event in training(album, tiny_backbone(), config):
            told.append(event)
    for event in told:
        if isinstance(event, EpochFinished):
            assert event.classifier.head.weight.isfinite().all()


def test_a_second_training_takes_its_features_from_the_cache(tmp_path: Path) -> None:
    album, cache = Album(), FeatureCache(tmp_path / "cache", 10_000_000)
    first = result_of(album, tiny_backbone(), cache=cache)
    assert first.images_per_second > 0

    def unreadable(_: object) -> None:
        raise AssertionError("A picture passed the backbone again.")

    backbone = tiny_backbone()
    hook = backbone.module.register_forward_pre_hook(lambda *_: unreadable(None))
    second = result_of(album, backbone, cache=cache)
    hook.remove()
    assert second.images_per_second == 0
    assert is_equal(weights_of(first), weights_of(second))


@BOTH_MODES
def test_patience_ends_a_training_that_does_not_get_better(freeze: str) -> None:
    wishes = {"learning_rate": 1e-12, "epochs": 30, "patience": 2}
    events = events_of(Album(), tiny_backbone(), freeze=freeze, **wishes)
    assert sum(isinstance(event, EpochFinished) for event in events) < 30


def refused(images: LabeledImages, split: Split, **wishes: Any) -> TrainingError:
    album = Album()
    with pytest.raises(TrainingError) as caught:
        list(
            train(
                TrainJob(
                    images=images,
                    split=split,
                    picture_of=album.picture,
                    backbone=tiny_backbone(),
                    phases=(TrainConfig(**wishes),),
                ),
                cache=None,
                should_stop=never,
            )
        )
    return caught.value


def test_data_that_cannot_be_learnt_is_refused_with_a_hint() -> None:
    album = Album()
    one_class = Album(1)
    assert "only one class" in str(refused(one_class.images, one_class.split))
    assert refused(one_class.images, one_class.split).hint
    assert "no pictures" in str(refused(LabeledImages((), ()), Split((), (), ())))
    lacking = replace(album.split, train=album.split.train[6:])
    assert '"class 0" has no pictures to learn from' in str(refused(album.images, lacking))
    assert "resnet18" in str(refused(album.images, album.split, backbone="resnet18"))


def test_the_time_of_whoever_listens_is_not_the_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, listened = time.perf_counter, 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: clock() + listened)
    events = []
    for event in training(Album(), tiny_backbone(), TrainConfig(epochs=2)):
        listened += 10_000.0
        events.append(event)
    assert isinstance(events[-1], TrainingFinished)
    assert events[-1].result.seconds < 10_000.0
