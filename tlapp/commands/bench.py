"""What commands that train have in common: a workspace, the pictures in it, and progress.

The pictures are imported into a folder of this command alone, locked while it runs and removed
with it; features stay in the cache, so that a second run starts at once.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tlapp.commands import exit_code_of
from tlapp.commands.progress import Progress
from tlapp.data.dataset import Dataset, ImportFinished, ImportProgress
from tlapp.errors import DataError
from tlapp.runs.keeper import Keeper, is_kept
from tlapp.runs.live import LiveRun
from tlapp.settings import LOCAL_LIMITS, MEGABYTE, Settings
from tlapp.training.config import MAX_EPOCHS
from tlapp.workspace import Workspace, owner_of

LOOK_SECONDS = 0.1  # how often progress is shown
OWNER = owner_of("command line")  # what its runs are kept under


@contextmanager
def open_bench(home: Path) -> Iterator[Workspace]:
    """A workspace for one command, without limits of time: who types it may also wait."""
    limits = replace(LOCAL_LIMITS, training_seconds=float("inf"), epochs=MAX_EPOCHS)
    settings = Settings(home=home, is_public=False, limits=limits)
    with _import_folder(home) as imports:
        workspace = Workspace(settings, datasets_folder=imports)
        try:
            yield workspace
        finally:
            workspace.close()


@contextmanager
def _import_folder(home: Path) -> Iterator[Path]:
    """A folder of this process; those of processes that were killed are removed."""
    parent = home / "imports"
    keeper = Keeper(parent)
    folder = (parent / keeper.name).with_suffix("")
    try:
        for path in parent.iterdir():
            if path.is_dir() and not is_kept(parent, f"{path.name}.lock"):
                shutil.rmtree(path, ignore_errors=True)
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        keeper.close()


def import_pictures(workspace: Workspace, path: Path, progress: Progress) -> Dataset:
    """The folder or zip as a data set; what is left out is told. Raises DataError."""
    if not path.exists():
        raise DataError(
            f'There is no folder "{path}".',
            hint="Name a folder that holds one folder of pictures per class, or a zip of it.",
        )
    library = workspace.library
    start = library.import_folder if path.is_dir() else library.import_archive
    progress.show("Reading pictures")
    for event in start(OWNER, path, name=path.resolve().name, should_stop=lambda: False):
        if isinstance(event, ImportProgress):
            share = event.done / event.total if event.total else None
            progress.show("Reading pictures", f"{event.done} of {event.total}", share)
        elif isinstance(event, ImportFinished):
            _tell_skipped(event.dataset, progress)
            return event.dataset
    raise DataError("The import did not finish.", hint="Try again.")


def _tell_skipped(dataset: Dataset, progress: Progress) -> None:
    progress.end()
    for skipped in dataset.skipped:
        print(f"Skipped: {skipped.reason}", file=sys.stderr)


def follow(workspace: Workspace, run_id: str, progress: Progress) -> int:
    """Show the training until it is over; the exit code, which says whether it was cut short."""
    try:
        while not workspace.trainings.wait(run_id, LOOK_SECONDS):
            _show(workspace.live(run_id), progress)
    except KeyboardInterrupt as interrupt:
        progress.show("Stopping")
        workspace.trainings.stop(run_id)
        workspace.trainings.wait(run_id, None)
        return exit_code_of(interrupt)
    return 0


def _show(live: LiveRun, progress: Progress) -> None:
    if live.phase == "download":
        done, total = live.download_done_bytes, live.download_total_bytes
        detail = f"{done / MEGABYTE:.1f} of {total / MEGABYTE:.1f} MB"
        progress.show("Downloading the backbone", detail, done / total if total else None)
    elif live.phase == "features":
        done, total = live.features_done, live.features_total
        speed = live.features_per_second or 0.0
        detail = f"{done} of {total}, {speed:.0f} pictures a second"
        progress.show("Preparing pictures", detail, done / total if total else None)
    elif live.phase == "training":
        last = live.record.epochs[-1] if live.record.epochs else None
        accuracy = None if last is None else last.valid_accuracy
        held_out = "" if accuracy is None else f", held-out accuracy {100 * accuracy:.1f} %"
        detail = f"epoch {live.epoch} of {live.epochs}{held_out}"
        progress.show("Training", detail, len(live.record.epochs) / max(1, live.epochs))
