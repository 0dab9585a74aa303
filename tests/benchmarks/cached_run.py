"""The same pictures again with another learning rate: their features are in the cache."""

from pathlib import Path

from tests.benchmarks.data_sets import photographs
from tests.benchmarks.frozen_run import import_pictures, train_seconds
from tests.benchmarks.rows import Row
from tlapp.settings import LOCAL_LIMITS, Settings
from tlapp.training.config import TrainConfig
from tlapp.workspace import Workspace

EPOCHS = 30
FIRST_RATE, OTHER_RATES = 1e-3, (2e-3, 5e-4, 3e-3)


def measure(folder: Path) -> tuple[Row, ...]:
    """From the click to the last epoch, best of three; once in the process that filled the
    cache, once in one that finds it on disk."""
    source = photographs("clothing10", folder)
    settings = Settings(home=folder / "home", is_public=False, limits=LOCAL_LIMITS)
    workspace = Workspace(settings)
    dataset = import_pictures(workspace, source)
    count = len(dataset.images.images)
    train_seconds(workspace, dataset, TrainConfig(epochs=EPOCHS, learning_rate=FIRST_RATE))
    again = min(
        train_seconds(workspace, dataset, TrainConfig(epochs=EPOCHS, learning_rate=rate))
        for rate in OTHER_RATES
    )
    workspace.close()
    restarted = Workspace(settings)
    restarted.answers(
        restarted.prepare(()), None
    )  # loading the backbone is not what is measured here
    after = train_seconds(restarted, dataset, TrainConfig(epochs=EPOCHS, learning_rate=4e-3))
    restarted.close()
    return (
        Row(f"again with another rate, {count} pictures, {EPOCHS} epochs", again, "s", goal="<= 1"),
        Row("the same after a restart of the server", after, "s", goal="<= 1"),
    )
