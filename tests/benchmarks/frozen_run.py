"""A whole frozen training on new pictures, over the work that cannot be avoided.

That work: every picture decoded once and passed once through the backbone, in the fastest bare way.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.benchmarks.bare_forward import best_bare_forward, seconds_of
from tests.benchmarks.data_sets import photographs
from tests.benchmarks.rows import Row
from tlapp.backbones.catalog import DEFAULT_BACKBONE, find_card
from tlapp.backbones.loading import Backbone, load_backbone
from tlapp.backbones.weights import WeightsStore
from tlapp.data.dataset import Dataset, DatasetStore
from tlapp.data.decode import open_working_copy
from tlapp.data.images import Picture
from tlapp.settings import LOCAL_LIMITS, Settings
from tlapp.training.config import TrainConfig
from tlapp.workspace import Workspace, new_visitor, owner_of

EPOCHS = 30
ROUNDS = 3


def measure(folder: Path) -> tuple[Row, ...]:
    """Run and unavoidable work by turns; the best of each, as load from elsewhere only slows."""
    source = photographs("clothing10", folder)
    runs, decodes, forwards = [], [], []
    backbone = load_backbone(find_card(DEFAULT_BACKBONE), WeightsStore(folder / "weights"))
    side = backbone.preprocess.crop_pixels
    best_way = best_bare_forward(backbone.module, side)
    for number in range(ROUNDS):
        seconds, decode_seconds, count = _first_run(folder / str(number), source, backbone)
        runs.append(seconds)
        decodes.append(decode_seconds)
        forwards.append(seconds_of(backbone.module, side, best_way, count))
    unavoidable = min(decodes) + min(forwards)
    return (
        Row(f"decode {count} pictures once, both cores", min(decodes), "s"),
        Row(f"one best bare forward of each ({best_way})", min(forwards), "s"),
        Row(
            f"whole frozen run, {EPOCHS} epochs, first time",
            min(runs),
            "s",
            ratio=min(runs) / unavoidable,
            goal="<= 1.25",
        ),
    )


def _settings(home: Path) -> Settings:
    return Settings(home=home, is_public=False, limits=LOCAL_LIMITS)


def _first_run(home: Path, source: Path, backbone: Backbone) -> tuple[float, float, int]:
    """Seconds from pressing Train to the end; seconds of decoding alone; pictures. Empty cache."""
    workspace = Workspace(_settings(home))
    try:
        workspace.visitors.imagenet_answers(
            workspace.visitors.prepare(()), workspace.models.backbone("efficientnet_lite0")
        )  # a server has the backbone loaded by then
        dataset = import_pictures(workspace, source)
        seconds = train_seconds(workspace, dataset, TrainConfig(epochs=EPOCHS))
        picture_of = DatasetStore(home / "datasets", LOCAL_LIMITS).pictures(dataset)
        pictures = [picture_of(image.image_id) for image in dataset.images.images]
        return seconds, _decode_seconds(pictures, backbone), len(pictures)
    finally:
        workspace.close()


def import_pictures(workspace: Workspace, source: Path) -> Dataset:
    """The folder as a data set of a new visitor."""
    owner = owner_of(new_visitor())
    for _ in workspace.library.import_folder(owner, source, name="run", should_stop=lambda: False):
        pass
    return workspace.of(owner).datasets()[0]


def train_seconds(workspace: Workspace, dataset: Dataset, config: TrainConfig) -> float:
    """Wall time from the click to the end of the last epoch."""
    started = time.perf_counter()
    run_id = workspace.trainings.start(dataset.owner, dataset, config)
    while not workspace.live(run_id).is_over:
        time.sleep(0.01)
    seconds = time.perf_counter() - started
    state = workspace.live(run_id).state
    assert state == "finished", state
    return seconds


def _decode_seconds(pictures: list[Picture], backbone: Backbone) -> float:
    """Reading, decoding and preprocessing every picture once, on a thread per core."""

    def decode(picture: Picture) -> None:
        backbone.preprocess.apply(open_working_copy(picture.read()))

    started = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for _ in pool.map(decode, pictures):
            pass
    return time.perf_counter() - started
