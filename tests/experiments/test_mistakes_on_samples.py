"""Each classic mistake shows its symptom on the sample pictures, with real pretrained weights.

On twelve pictures of each class, which show the same as all forty in a third of the time.
"""

import shutil
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.workspace.conftest import PATIENCE_SECONDS
from tlapp.data.dataset import ImportFinished
from tlapp.data.samples import sample_folder
from tlapp.experiments.bench import MistakeValue
from tlapp.settings import LOCAL_LIMITS, Settings
from tlapp.training.config import TrainConfig
from tlapp.workspace import Workspace, new_visitor, owner_of

pytestmark = pytest.mark.slow

PER_CLASS = 12

Make = Callable[[str], MistakeValue]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Makes a mistake on a copy of a default run on the samples; how it ended."""
    folder = tmp_path_factory.mktemp("samples")
    for path in sample_folder().iterdir():
        (folder / "set" / path.name).mkdir(parents=True)
        for picture in sorted(path.iterdir())[:PER_CLASS]:
            shutil.copy(picture, folder / "set" / path.name)
    settings = Settings(home=folder / "home", is_public=False, limits=LOCAL_LIMITS)
    workspace = Workspace(settings)
    owner = owner_of(new_visitor())
    *_, imported = workspace.library.import_folder(
        owner, folder / "set", name="samples", should_stop=lambda: False
    )
    assert isinstance(imported, ImportFinished)
    run_id = workspace.trainings.start(owner, imported.dataset, TrainConfig())
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    dataset = workspace.dataset(imported.dataset.dataset_id)
    experiments = workspace.experiments

    @cache
    def make(name: str) -> MistakeValue:
        experiment_id = workspace.experiments.start_mistake(workspace.run(run_id), dataset, name)
        assert experiments.wait(experiment_id, 4 * PATIENCE_SECONDS)
        seen = experiments.look(experiment_id)
        assert seen.state == "finished", seen.message
        assert isinstance(seen.value, MistakeValue)
        assert seen.value.right.accuracy >= 0.9
        return seen.value

    yield make
    workspace.close()


def accuracy(value: MistakeValue) -> float:
    assert value.wrong is not None
    return value.wrong.accuracy


def certainty(value: MistakeValue) -> float:
    """How much less of the probability the right class gets with the mistake."""
    assert value.wrong is not None
    assert value.right.certainty is not None
    assert value.wrong.certainty is not None
    return value.right.certainty - value.wrong.certainty


def test_without_freezing_a_large_rate_wrecks_the_network(make: Make) -> None:
    assert make("not_frozen").outcome == "guessing"


def test_wrong_numbers_at_prediction_alone_cost_answers(make: Make) -> None:
    value = make("wrong_at_prediction")
    assert accuracy(value) < value.right.accuracy
    assert certainty(value) > 0
    assert value.agreement is not None
    assert value.agreement < 0.8


def test_a_new_head_makes_up_for_numbers_that_are_wrong_on_both_sides(make: Make) -> None:
    assert accuracy(make("wrong_everywhere")) >= accuracy(make("wrong_at_prediction"))


def test_swapped_colours_are_something_else_to_the_network(make: Make) -> None:
    value = make("bgr")
    assert certainty(value) > 0
    assert value.agreement is not None
    assert value.agreement < 0.8


def test_bytes_as_they_are_drown_the_network(make: Make) -> None:
    value = make("zero_to_255")
    assert accuracy(value) < 0.6
    assert value.agreement is not None
    assert value.agreement < 0.3


def test_training_mode_makes_answers_depend_on_the_company(make: Make) -> None:
    assert accuracy(make("no_eval")) < 0.6


def test_statistics_drift_away_though_no_weight_learns(make: Make) -> None:
    assert accuracy(make("batchnorm")) < 0.85


def test_a_hundredfold_rate_jumps_over_what_was_known(make: Make) -> None:
    assert make("rate_times_100").outcome in ("worse", "guessing")


def test_known_pictures_look_better_than_new_ones(make: Make) -> None:
    value = make("train_on_validation")
    assert accuracy(value) == 1
    assert value.honest is not None
    assert value.honest.accuracy < 0.95


def test_nonsense_is_learned_by_heart(make: Make) -> None:
    value = make("labels_shuffled")
    assert value.train_accuracy is not None
    assert value.train_accuracy > 0.9
    assert accuracy(value) < 0.5
