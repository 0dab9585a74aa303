"""The throughput before a training comes from steps that are really taken."""

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from tests.training.test_rehearsal import job_of
from tlapp.training import throughput
from tlapp.training.config import TrainConfig
from tlapp.training.estimate import Workload
from tlapp.training.throughput import measure_throughput

TOP = TrainConfig(freeze="last:1", epochs=1, batch_size=6)
FOLLOWING = replace(TOP, train_batchnorm=True)
WORK = Workload(train_count=18, valid_count=9, class_count=3, stage_shares=(0.75, 0.25))
NOT_KEPT = replace(WORK, is_boundary_kept=False)


def measured(
    config: TrainConfig = TOP, work: Workload = WORK, *, images_per_second: float = 1e6
) -> float | None:
    return measure_throughput(
        job_of(config), work, images_per_second=images_per_second, should_stop=lambda: False
    )


@pytest.fixture
def rehearsals(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The rehearsals that were begun; each of their steps takes a quarter of a second."""
    begun: list[Any] = []

    def rehearse(task: Any, config: Any, start: Any, *, scales: Any, **_: Any) -> Any:
        begun.append((len(task.train.labels), config.augmented_views, set(scales)))
        yield from (1.1 for _ in scales)

    clock = (quarters / 4 for quarters in count())
    monkeypatch.setattr(throughput, "rehearse_finetune", rehearse)
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: next(clock))
    return begun


def test_it_is_the_work_of_the_steps_over_their_seconds(rehearsals: list[Any]) -> None:
    each = 0.25 + 0.25 * 2.6  # a pass of the top and the way back through it
    assert measured(replace(TOP, augmented_views=2)) == pytest.approx(6 * each / 0.25)
    assert rehearsals == [(6, 0, {0.0})]  # one batch, no views, and no rate: nothing is learned


def test_where_the_bottom_is_passed_again_a_step_is_more_work(rehearsals: list[Any]) -> None:
    assert measured(FOLLOWING, NOT_KEPT) == pytest.approx(6 * (1 + 0.25 * 2.6) / 0.25)


def test_what_does_not_fit_into_memory_is_not_told_from_a_few_pictures_that_do(
    rehearsals: list[Any],
) -> None:
    assert measured(TOP, NOT_KEPT) is None
    assert rehearsals == []


def test_steps_that_take_too_long_are_not_tried(rehearsals: list[Any]) -> None:
    seconds = 6 * (0.25 + 0.25 * 2.6)  # of a step, at one picture a second
    assert measured(images_per_second=seconds / 4.9) is not None
    assert measured(images_per_second=seconds / 5.1) is None
    assert len(rehearsals) == 1


def test_real_steps_have_a_throughput() -> None:
    found = measured()
    assert found is not None
    assert found > 0


def test_when_it_was_stopped_nothing_is_told() -> None:
    for most in (0, 2, 5):
        asked = count()
        assert (
            measure_throughput(
                job_of(TOP),
                WORK,
                images_per_second=1e6,
                should_stop=lambda asked=asked, most=most: next(asked) > most,  # type: ignore[misc]
            )
            is None
        )
