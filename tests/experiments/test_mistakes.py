"""The classic mistakes on a tiny network: what is told, what stays untouched, and how they end."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.training.tiny import Album, tiny_backbone
from tlapp.backbones.cache import FeatureCache
from tlapp.classifier import Classifier
from tlapp.data.splits import Split
from tlapp.errors import TrainingError
from tlapp.experiments import mistraining
from tlapp.experiments.bench import OUTCOMES, Bench, MistakeValue, Side
from tlapp.experiments.mistakes import MISTAKES, begin_mistake, run_mistake
from tlapp.training.config import TrainConfig
from tlapp.training.events import TrainingFinished
from tlapp.training.session import train
from tlapp.training.task import TrainJob

CLASS_COUNT = 3


def learned(job: TrainJob) -> tuple[Bench, Side]:
    for event in train(job, cache=None, should_stop=lambda: False):
        if isinstance(event, TrainingFinished):
            result = event.result
            bench = Bench(job=job, classifier=result.classifier)
            return bench, Side(result.valid_correct, result.valid_count)
    raise AssertionError("The training did not finish.")


@pytest.fixture
def job() -> TrainJob:
    album = Album(class_count=CLASS_COUNT)
    return TrainJob(
        images=album.images,
        split=album.split,
        picture_of=album.picture,
        backbone=tiny_backbone(),
        phases=(TrainConfig(epochs=10),),
    )


def values_of(
    name: str, bench: Bench, right: Side, *, cache: FeatureCache | None = None
) -> list[MistakeValue]:
    start = begin_mistake(name, right, class_count=CLASS_COUNT)
    return list(run_mistake(start, bench, cache=cache, should_stop=lambda: False))


def bits(classifier: Classifier) -> dict[str, torch.Tensor]:
    parts = {"head": classifier.head, "backbone": classifier.backbone.module}
    return {
        f"{part}.{name}": tensor.clone()
        for part, module in parts.items()
        for name, tensor in module.state_dict().items()
    }


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_step_by_step_and_ends_with_an_outcome(name: str, job: TrainJob) -> None:
    bench, right = learned(job)
    before, original = (
        bits(bench.classifier),
        bits(replace(bench.classifier, backbone=job.backbone)),
    )
    *way, last = values_of(name, bench, right)
    assert way
    shares = [value.share_done for value in (*way, last)]
    assert shares == sorted(shares)
    assert all(value.outcome is None for value in way)
    assert last.share_done == 1
    assert last.seconds_left == 0
    assert last.outcome in OUTCOMES
    assert last.wrong is not None
    assert last.wrong.total == right.total
    assert (last.right.correct, last.right.total) == (right.correct, right.total)
    for kept, classifier in (
        (before, bench.classifier),
        (original, replace(bench.classifier, backbone=job.backbone)),
    ):
        after = bits(classifier)
        assert all(torch.equal(after[key], tensor) for key, tensor in kept.items())
    assert not bench.classifier.backbone.module.training


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_that_is_stopped_has_no_outcome(name: str, job: TrainJob) -> None:
    bench, right = learned(job)
    start = begin_mistake(name, right, class_count=CLASS_COUNT)
    answers = iter([False] * 2)
    values = run_mistake(start, bench, cache=None, should_stop=lambda: next(answers, True))
    assert all(value.outcome is None for value in values)
    assert next(answers, None) is None  # it was asked often enough to be stopped


def test_what_is_seen_wrongly_never_meets_the_cache(job: TrainJob, tmp_path: Path) -> None:
    bench, right = learned(job)
    cache = FeatureCache(tmp_path, 10_000_000)
    values_of("wrong_everywhere", bench, right, cache=cache)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    values_of("labels_shuffled", bench, right, cache=cache)
    assert [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["wrong_at_prediction", "wrong_everywhere", "bgr", "zero_to_255"])
def test_the_networks_view_is_shown_where_it_differs(name: str, job: TrainJob) -> None:
    bench, right = learned(job)
    views = values_of(name, bench, right)[-1].views
    seen, misread = (np.asarray(Image.open(io.BytesIO(view)), dtype=int) for view in views)
    assert seen.shape == misread.shape == (32, 32, 3)
    assert np.abs(seen - misread).mean() > 5
    if name == "bgr":
        assert np.abs(seen[:, :, ::-1] - misread).mean() < 3  # what JPEG costs


def test_a_loss_beyond_all_bounds_is_an_outcome(job: TrainJob) -> None:
    def far_too_fast(job: TrainJob) -> TrainJob:
        config = TrainConfig(freeze="none", epochs=2, optimizer="sgd", backbone_learning_rate=1e30)
        return replace(job, phases=(config,))

    bench, right = learned(job)
    start = begin_mistake("rate_times_100", right, class_count=CLASS_COUNT)
    make = mistraining.training(far_too_fast)
    *_, last = make(start, bench, None, lambda: False)
    assert last.is_broken
    assert last.outcome == "guessing"
    assert last.wrong is not None
    assert (last.wrong.correct, last.wrong.total) == (0, right.total)


def test_any_other_trouble_is_told_and_no_outcome(job: TrainJob) -> None:
    def to_one_class(job: TrainJob) -> TrainJob:
        train = tuple(i for i in job.split.train if job.images.images[i].class_index == 0)
        return replace(job, split=replace(job.split, train=train))

    bench, right = learned(job)
    start = begin_mistake("labels_shuffled", right, class_count=CLASS_COUNT)
    make = mistraining.training(to_one_class)
    with pytest.raises(TrainingError, match="no pictures to learn from"):
        list(make(start, bench, None, lambda: False))


@pytest.mark.parametrize("name", ["bgr", "train_on_validation"])
def test_without_held_out_pictures_nothing_can_be_seen(name: str, job: TrainJob) -> None:
    bench, right = learned(job)
    everything = tuple(range(len(job.images.images)))
    blind = replace(bench, job=replace(job, split=Split(train=everything, valid=(), test=())))
    with pytest.raises(TrainingError, match="No pictures are held out"):
        values_of(name, blind, right)


def test_a_class_of_which_nothing_is_held_out_is_learned_all_the_same(job: TrainJob) -> None:
    bench, right = learned(job)
    others = tuple(i for i in job.split.valid if job.images.images[i].class_index > 0)
    uneven = replace(bench, job=replace(job, split=replace(job.split, valid=others)))
    last = values_of("train_on_validation", uneven, replace(right, total=len(others)))[-1]
    assert last.wrong is not None
    assert last.wrong.total == len(others)
    assert last.honest is not None
    assert last.honest.total == sum(job.images.images[i].class_index > 0 for i in job.split.train)


def test_shuffling_moves_labels_and_makes_none(job: TrainJob) -> None:
    shuffled = mistraining.labels_shuffled(job)

    def labels(of: TrainJob, side: tuple[int, ...]) -> list[int]:
        return [of.images.images[index].class_index for index in side]

    assert labels(shuffled, job.split.valid) == labels(job, job.split.valid)
    before, after = labels(job, job.split.train), labels(shuffled, job.split.train)
    assert after != before
    assert sorted(after) == sorted(before)
    assert mistraining.labels_shuffled(job).images == shuffled.images


def test_a_trained_network_is_not_asked_for_imagenets_objects(job: TrainJob) -> None:
    bench, right = learned(job)
    assert values_of("bgr", bench, right)[-1].agreement is not None
    trained = replace(bench, classifier=replace(bench.classifier, is_backbone_trained=True))
    assert values_of("bgr", trained, right)[-1].agreement is None


def test_there_are_no_other_mistakes() -> None:
    with pytest.raises(TrainingError, match="no mistake"):
        begin_mistake("forgot_the_milk", Side(1, 2), class_count=2)


@pytest.mark.parametrize(
    ("right", "wrong", "outcome"),
    [(0.9, 0.95, "better"), (0.9, 0.88, "same"), (0.9, 0.7, "worse"), (0.9, 0.35, "guessing")],
)
def test_the_outcome_is_what_anybody_would_say(right: float, wrong: float, outcome: str) -> None:
    def side(accuracy: float) -> Side:
        return Side(round(100 * accuracy), 100)

    value = begin_mistake("bgr", side(right), class_count=CLASS_COUNT)
    assert replace(value, wrong=side(wrong), share_done=1.0).outcome == outcome


@pytest.mark.parametrize(("correct", "outcome"), [(18, "same"), (16, "same"), (15, "worse")])
def test_one_picture_of_a_few_is_no_outcome(correct: int, outcome: str) -> None:
    value = begin_mistake("bgr", Side(17, 20), class_count=CLASS_COUNT)
    assert replace(value, wrong=Side(correct, 20), share_done=1.0).outcome == outcome


def test_what_dropout_draws_when_eval_is_forgotten_is_the_same_each_time(job: TrainJob) -> None:
    bench, right = learned(job)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = values_of("no_eval", bench, right)[-1].wrong
    assert torch.equal(torch.get_rng_state(), before)  # nobody else's draws depend on it
    torch.manual_seed(2)
    assert values_of("no_eval", bench, right)[-1].wrong == first
