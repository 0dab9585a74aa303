"""The one door to everything that is kept: page, API and command line all come through here.

Page calls give `owner` and see only what is theirs. API calls leave it out: whoever knows the id
may use it (ids have more than 128 random bits). Every method may be called from any thread.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from tlapp.backbones.catalog import DEFAULT_BACKBONE
from tlapp.backbones.loading import Backbone
from tlapp.classifier import Classifier
from tlapp.data.checks import Finding
from tlapp.data.dataset import Dataset, ImportEvent
from tlapp.data.splits import Split
from tlapp.runs.record import RunRecord
from tlapp.settings import Settings
from tlapp.training.config import TrainConfig
from tlapp.training.counts import ParameterCounts
from tlapp.workspace.downloads import DownloadState
from tlapp.workspace.live import LiveRun
from tlapp.workspace.shelf import CardView
from tlapp.workspace.trying import RawPicture, Tried, TryResult
from tlapp.workspace.visitors import VisitorState

ShouldStop = Callable[[], bool]
Unsubscribe = Callable[[], None]


class Workspace:
    """Data sets, runs, backbones and jobs under one home folder."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is opened or created until it is needed; no thread is started."""
        raise NotImplementedError

    # Visitors

    def new_visitor(self) -> str:
        """A fresh token (256 random bits) for a browser to keep."""
        raise NotImplementedError

    def owner_of(self, token: str) -> str:
        """The owner that stands for a token: its SHA-256. Only this is stored."""
        raise NotImplementedError

    def visitor_state(self, owner: str) -> VisitorState:
        """What the page showed to this visitor last. Ids of things that are gone come as None."""
        raise NotImplementedError

    def save_visitor_state(self, owner: str, state: VisitorState) -> None:
        """Keep what the page shows to this visitor."""
        raise NotImplementedError

    def touch(self, owner: str) -> None:
        """This visitor is here: the idle time before their data is removed starts again."""
        raise NotImplementedError

    # Data sets

    def import_archive(
        self, owner: str, path: Path, *, name: str, should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """Import a zip. Raises DataError when it is refused; nothing is then left of it."""
        raise NotImplementedError

    def import_folder(
        self, owner: str, path: Path, *, name: str, should_stop: ShouldStop
    ) -> Iterator[ImportEvent]:
        """Import a folder of this machine. Raises DataError, also when strangers may visit."""
        raise NotImplementedError

    def import_samples(self, owner: str, *, should_stop: ShouldStop) -> Iterator[ImportEvent]:
        """Import the sample pictures that come with tlapp."""
        raise NotImplementedError

    def dataset(self, dataset_id: str, *, owner: str | None = None) -> Dataset:
        """A data set. Raises NotFoundError when it is unknown or not `owner`'s."""
        raise NotImplementedError

    def datasets(self, owner: str) -> tuple[Dataset, ...]:
        """The visitor's data sets, newest first."""
        raise NotImplementedError

    def save_dataset(self, dataset: Dataset, *, owner: str | None = None) -> None:
        """Keep a changed data set (renamed, merged, split otherwise) in place of the earlier."""
        raise NotImplementedError

    def delete_dataset(self, dataset_id: str, *, owner: str | None = None) -> None:
        """Remove a data set. Raises RunError while a training uses it."""
        raise NotImplementedError

    def split(self, dataset: Dataset) -> Split:
        """Which pictures are learned from and which are held out, as training will do it."""
        raise NotImplementedError

    def findings(self, dataset: Dataset) -> tuple[Finding, ...]:
        """What deserves attention before training."""
        raise NotImplementedError

    def thumbnail(self, dataset_id: str, image_id: str, side_pixels: int = 96) -> bytes:
        """A small JPEG of one picture."""
        raise NotImplementedError

    # Backbones

    def cards(self) -> tuple[CardView, ...]:
        """Every backbone: its card, whether it is ready offline, and its speed here. Quick."""
        raise NotImplementedError

    def backbone(self, name: str, *, pretrained: bool = True) -> Backbone:
        """A loaded backbone (seconds at first, then at once). Raises BackboneError."""
        raise NotImplementedError

    def download(self, backbone_name: str) -> DownloadState:
        """Start to download the weights (or join the download that is under way)."""
        raise NotImplementedError

    def download_state(self, backbone_name: str) -> DownloadState:
        """How far the download is."""
        raise NotImplementedError

    def stop_download(self, backbone_name: str) -> None:
        """Stop it; what has arrived is kept and the next try goes on from there."""
        raise NotImplementedError

    def listen_download(self, backbone_name: str, callback: Callable[[], None]) -> Unsubscribe:
        """Call `callback` (from another thread) at every change of `download_state`."""
        raise NotImplementedError

    # Training

    def counts(self, dataset_id: str, config: TrainConfig) -> ParameterCounts:
        """How many parameters would learn, how many stay, and the layer that is replaced."""
        raise NotImplementedError

    def estimate(self, dataset_id: str, config: TrainConfig) -> float | None:
        """Expected seconds of this training on this machine; None: not measured yet."""
        raise NotImplementedError

    def start_training(
        self, owner: str, dataset_id: str, config: TrainConfig, *, name: str = ""
    ) -> str:
        """Put a training in the queue and return its run id.

        The data set is taken as it is now; later changes do not reach the run. Weights that are
        not here yet are downloaded first (phase "download"). Raises NotFoundError (data set),
        DataError (cannot be trained on), TrainingError (settings over the limits), JobError
        (queue full, or this owner has a training that waits or runs).
        """
        raise NotImplementedError

    def stop(self, run_id: str, *, owner: str | None = None) -> None:
        """Ask a run to stop within a batch; its best epoch so far is kept. Harmless afterwards."""
        raise NotImplementedError

    def run(self, run_id: str, *, owner: str | None = None) -> RunRecord:
        """The record, epochs so far included. Raises NotFoundError."""
        raise NotImplementedError

    def runs(self, owner: str) -> tuple[RunRecord, ...]:
        """The visitor's runs, newest first."""
        raise NotImplementedError

    def delete_run(self, run_id: str, *, owner: str | None = None) -> None:
        """Remove a run and its model. Raises RunError while it waits or runs."""
        raise NotImplementedError

    def live(self, run_id: str, *, owner: str | None = None) -> LiveRun:
        """The run at this moment; also for runs of earlier processes. Raises NotFoundError."""
        raise NotImplementedError

    def listen(self, run_id: str, callback: Callable[[], None]) -> Unsubscribe:
        """Call `callback` (from the worker's thread; it must be quick) at every change of `live`.

        Subscribe first and read `live` after it: then no change is missed. For a run that is over
        it is never called.
        """
        raise NotImplementedError

    def classifier(self, run_id: str) -> Classifier:
        """The newest epoch's classifier while running, the best one afterwards. RunError: none."""
        raise NotImplementedError

    def curves(self, run_id: str, kind: Literal["png", "svg", "csv"]) -> bytes:
        """The run's curves as a file's content. Raises RunError when there is no epoch yet."""
        raise NotImplementedError

    def write_curves(self, run_id: str, kind: Literal["png", "svg", "csv"]) -> Path:
        """The same, written into the run's folder (under `settings.home`)."""
        raise NotImplementedError

    # Trying

    def prepare(self, raw: Sequence[RawPicture]) -> Tried:
        """Decode test pictures once. A picture that cannot be read carries its reason.

        Raises DataError when there are more than `limits.try_images`.
        """
        raise NotImplementedError

    def answers(
        self, tried: Tried, run_id: str | None, *, backbone_name: str = DEFAULT_BACKBONE
    ) -> tuple[TryResult, ...]:
        """What a run's newest classifier says; with None, what the ImageNet head says.

        The backbone runs once for the same pictures: asking again after the next epoch of a
        frozen run costs milliseconds. Raises NotFoundError, RunError (no epoch yet), BackboneError.
        """
        raise NotImplementedError

    def predict(self, run_id: str, raw: Sequence[RawPicture]) -> tuple[TryResult, ...]:
        """`prepare` and `answers` in one."""
        raise NotImplementedError

    def predict_imagenet(
        self, backbone_name: str, raw: Sequence[RawPicture]
    ) -> tuple[TryResult, ...]:
        """What the backbone's original 1000-class head says, the 5 most probable."""
        raise NotImplementedError

    # Life

    def start_background(self) -> None:
        """For servers: start the janitor, and measure the ready backbones while nobody trains."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop the running job (its best epoch is kept) and every thread; also on SIGTERM."""
        raise NotImplementedError
