"""Training a head on features."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.training.features import clouds
from tests.training.tiny import tiny_backbone
from tlapp.classifier import Classifier
from tlapp.errors import TrainingError
from tlapp.training.config import TrainConfig
from tlapp.training.head import HeadData, HeadEpoch, train_head
from tlapp.training.task import PhaseStart

NO_PICTURES = (torch.empty(0, 16), torch.empty(0, dtype=torch.int64))


def never() -> bool:
    return False


def stop_after(calls: int) -> Callable[[], bool]:
    count = iter(range(10**9))
    return lambda: next(count) >= calls


def run(data: HeadData, **wishes: Any) -> tuple[list[HeadEpoch], HeadEpoch]:
    """Every epoch, and the best."""
    epochs = list(train_head(data, TrainConfig(**wishes), should_stop=never))
    return epochs, max(epochs, key=_rank)


def _rank(epoch: HeadEpoch) -> tuple[float, float]:
    if epoch.valid is None:
        return 0.0, -epoch.train.loss
    return epoch.valid.accuracy, -epoch.valid.loss


def is_equal(left: HeadEpoch, right: HeadEpoch) -> bool:
    return torch.equal(left.head.weight, right.head.weight) and torch.equal(
        left.head.bias, right.head.bias
    )


def test_classes_that_lie_apart_are_learnt() -> None:
    epochs, best = run(clouds())
    assert len(epochs) == 30
    assert best.valid is not None
    assert best.valid.accuracy >= 0.9
    assert epochs[-1].train_loss < epochs[0].train_loss


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_every_optimizer_learns(optimizer: str) -> None:
    _, best = run(clouds(), optimizer=optimizer)
    assert best.train.accuracy >= 0.95


@pytest.mark.parametrize(
    "wishes",
    [
        {"dropout": 0.5},
        {"label_smoothing": 0.2},
        {"class_weights": True},
        {"weight_decay": 0.0},
        {"batch_size": 1},
        {"batch_size": 4000},
        {"epochs": 1},
    ],
)
def test_every_setting_learns_something(wishes: dict[str, Any]) -> None:
    epochs, best = run(clouds(), **wishes)
    assert best.train.accuracy > 0.6
    assert all(epoch.head.weight.isfinite().all() for epoch in epochs)


def test_the_figures_are_those_of_the_head_that_is_told() -> None:
    data = clouds()
    for epoch in run(data, epochs=3)[0]:
        hits = (epoch.head(data.valid_ND).argmax(dim=1) == data.valid_labels_N).sum()
        assert epoch.valid is not None
        assert int(hits) == epoch.valid.correct


def test_heads_that_were_told_do_not_change_afterwards() -> None:
    told = train_head(clouds(), TrainConfig(epochs=5), should_stop=never)
    first = next(told)
    before = first.head.weight.clone()
    list(told)
    assert torch.equal(first.head.weight, before)


def test_stopping_takes_effect_within_a_step() -> None:
    data = clouds()  # 60 pictures: two steps an epoch, and one question before each
    assert len(list(train_head(data, TrainConfig(), should_stop=stop_after(5)))) == 2
    assert not list(train_head(data, TrainConfig(), should_stop=stop_after(1)))


def test_a_head_goes_on_from_where_another_one_was() -> None:
    data = clouds()
    *_, first = train_head(data, TrainConfig(), should_stop=never)
    still = TrainConfig(epochs=1, learning_rate=1e-12, weight_decay=0.0)
    before = Classifier(tiny_backbone(), first.head, ("a", "b", "c"))
    (second,) = train_head(data, still, PhaseStart(before, None), should_stop=never)
    assert torch.allclose(second.head.weight, first.head.weight, atol=1e-6)
    assert torch.allclose(second.head.bias, first.head.bias, atol=1e-5)


def test_the_same_seed_gives_the_same_weights_bit_for_bit() -> None:
    wishes = {"dropout": 0.3, "seed": 7}
    assert is_equal(run(clouds(), **wishes)[1], run(clouds(), **wishes)[1])


def test_another_seed_gives_other_weights() -> None:
    assert not is_equal(run(clouds(), seed=1)[0][-1], run(clouds(), seed=2)[0][-1])


def test_what_else_the_process_does_changes_no_bit() -> None:
    data = clouds(10, 40, width=1280)
    quiet = run(data, epochs=5)[0][-1]
    is_over = threading.Event()

    def make_noise() -> None:
        while not is_over.is_set():
            torch.manual_seed(time.monotonic_ns())
            torch.rand(300, 300) @ torch.rand(300, 300)

    noise = threading.Thread(target=make_noise)
    noise.start()
    try:
        torch.manual_seed(99)
        loud = run(data, epochs=5)[0][-1]
    finally:
        is_over.set()
        noise.join()
    assert is_equal(quiet, loud)


def test_the_number_of_threads_changes_no_bit_and_is_left_as_it_was() -> None:
    data, before, found = clouds(10, 40, width=1280), torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(run(data, epochs=3)[0][-1])
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert is_equal(*found)


def test_a_mad_learning_rate_ends_with_words() -> None:
    with pytest.raises(TrainingError, match="Learning rate too high") as caught:
        run(clouds(), learning_rate=1e6)
    assert caught.value.hint


def test_heads_told_before_the_loss_was_lost_stay_finite() -> None:
    data = clouds(spread=5.0)
    told = []
    with pytest.raises(TrainingError):
        for event in train_head(
            data, TrainConfig(learning_rate=1e4, batch_size=60), should_stop=never
        ):
            told.append(event)
    assert all(e.head.weight.isfinite().all() for e in told)


def test_features_that_are_no_numbers_end_with_an_error() -> None:
    data = clouds()
    data.train_ND[3, 2] = float("nan")
    with pytest.raises(TrainingError):
        run(data)


def test_without_held_out_pictures_the_training_loss_chooses() -> None:
    data = replace(clouds(), valid_ND=NO_PICTURES[0], valid_labels_N=NO_PICTURES[1])
    epochs, best = run(data)
    assert best.valid is None
    assert best.train.loss == min(epoch.train.loss for epoch in epochs)


def test_one_picture_a_class_is_enough_to_learn() -> None:
    data = clouds(3, 1)
    assert run(data)[1].train.accuracy == 1.0


def test_equal_pictures_give_no_nan_and_no_opinion() -> None:
    data = clouds(2, 10, held_out_per_class=3)
    data.train_ND[:] = 0.25
    data.valid_ND[:] = 0.25
    epochs, best = run(data)
    assert all(epoch.head.weight.isfinite().all() for epoch in epochs)
    shares_NK = best.head(data.valid_ND).softmax(dim=1)
    torch.testing.assert_close(shares_NK, torch.full((6, 2), 0.5), atol=0.05, rtol=0)


def test_a_feature_that_never_varies_does_not_blow_up_on_other_pictures() -> None:
    data = clouds()
    data.train_ND[:, 0] = 3.0
    data.valid_ND[:, 0] = 4.0
    _, best = run(data)
    assert best.head.weight.abs().max() < 100
    assert best.valid is not None
    assert best.valid.accuracy > 0.8


def test_class_weights_help_the_rare_class() -> None:
    many, few = clouds(2, 200, spread=2.0, held_out_per_class=100), clouds(2, 200, spread=2.0)
    rows = torch.cat([torch.arange(200), torch.arange(200, 210)])
    data = replace(many, train_ND=few.train_ND[rows], train_labels_N=few.train_labels_N[rows])
    is_rare = data.valid_labels_N == 1

    def hits(class_weights: bool) -> int:
        best = run(data, class_weights=class_weights, epochs=5)[0][-1]
        return int((best.head(data.valid_ND[is_rare]).argmax(dim=1) == 1).sum())

    assert hits(True) > hits(False)


def test_augmented_views_are_learnt_from() -> None:
    data = clouds()
    views_ND = (data.train_ND + 100, data.train_ND - 100)
    plain, viewed = run(data)[0][-1], run(replace(data, train_views_ND=views_ND))[0][-1]
    assert not is_equal(plain, viewed)
    assert viewed.head.weight.isfinite().all()
    assert torch.equal(data.train_ND, clouds().train_ND)
