"""A trial tells how fast a training will be, from steps that are really taken."""

from itertools import count
from typing import Any

import pytest

from tests.training.test_rehearsal import job_of
from tlapp.training import trial
from tlapp.training.config import TrainConfig
from tlapp.training.estimate import Workload
from tlapp.training.trial import learning_speed

TOP = TrainConfig(freeze="last:1", epochs=1, batch_size=6)
WORK = Workload(train_count=18, valid_count=9, class_count=3, stage_shares=(0.75, 0.25))


def speed_of(config: TrainConfig, *, images_per_second: float = 1e6) -> float | None:
    return learning_speed(
        job_of(config),
        WORK,
        images_per_second=images_per_second,
        should_stop=lambda: False,
    )


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The rehearsals that were begun; each step of them takes a quarter of a second."""
    begun: list[dict[str, Any]] = []

    def rehearse(task: Any, config: Any, start: Any, *, scales: Any, **_: Any) -> Any:
        begun.append({"pictures": len(task.train.labels), "views": config.augmented_views})
        yield from (1.1 for _ in scales)

    clock = (quarters / 4 for quarters in count())
    monkeypatch.setattr(trial, "rehearse_finetune", rehearse)
    monkeypatch.setattr(trial.time, "perf_counter", lambda: next(clock))
    return begun


def test_the_speed_is_the_work_of_the_steps_over_their_seconds(steps: list[dict[str, Any]]) -> None:
    each = 0.25 + 0.25 * 2.6  # a pass of the top and the way back through it
    assert speed_of(TOP) == pytest.approx(6 * each / 0.25)
    assert steps == [{"pictures": 6, "views": 0}]


def test_where_nothing_can_be_kept_a_step_is_more_work(steps: list[dict[str, Any]]) -> None:
    kept, passed = speed_of(TOP), speed_of(TrainConfig(**_top(train_batchnorm=True)))
    assert kept is not None
    assert passed == pytest.approx(kept * (1 + 0.25 * 2.6) / 0.9)


def test_large_networks_are_tried_on_fewer_pictures(steps: list[dict[str, Any]]) -> None:
    speed_of(TOP, images_per_second=1.3)
    speed_of(TOP, images_per_second=0.001)
    assert [step["pictures"] for step in steps] == [4, 2]


def test_a_real_trial_takes_real_steps_and_learns_nothing() -> None:
    job = job_of(TOP)
    before = {name: t.clone() for name, t in job.backbone.module.state_dict().items()}
    speed = learning_speed(job, WORK, images_per_second=1e6, should_stop=lambda: False)
    assert speed is not None
    assert speed > 0
    after = job.backbone.module.state_dict()
    assert all(after[name].equal(tensor) for name, tensor in before.items())


def test_a_trial_that_is_stopped_tells_nothing() -> None:
    asked = count()
    speed = learning_speed(
        job_of(TOP), WORK, images_per_second=1e6, should_stop=lambda: next(asked) > 2
    )
    assert speed is None


def _top(**other: Any) -> dict[str, Any]:
    return {"freeze": "last:1", "epochs": 1, "batch_size": 6, **other}
