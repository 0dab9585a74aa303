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
from typing import Final

from tlapp.commands import exit_code_of
from tlapp.commands.progress import Progress
from tlapp.data.dataset import Dataset, ImportFinished, ImportProgress
from tlapp.errors import DataError
from tlapp.messages import Message, Words, message, number
from tlapp.runs.keeper import Keeper, is_kept
from tlapp.runs.live import LiveRun
from tlapp.settings import LOCAL_LIMITS, MEGABYTE, Settings
from tlapp.training.config import MAX_EPOCHS
from tlapp.workspace import Workspace, owner_of

LOOK_SECONDS = 0.1  # how often progress is shown
OWNER = owner_of("command line")  # what its runs are kept under
STOPPING: Final = message("Stopping")
PREPARING: Final = message("Preparing pictures")


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


def import_pictures(workspace: Workspace, path: Path, progress: Progress, words: Words) -> Dataset:
    """The folder or zip as a data set; what is left out is told. Raises DataError."""
    if not path.exists():
        raise DataError(
            message('There is no folder "{path}".', path=str(path)),
            hint=message(
                "Name a folder that holds one folder of pictures per class, or a zip of it."
            ),
        )
    library = workspace.library
    start = library.import_folder if path.is_dir() else library.import_archive
    reading = message("Reading pictures")
    progress.show(reading)
    for event in start(
        OWNER, path, name=path.resolve().name or str(path), should_stop=lambda: False
    ):
        if isinstance(event, ImportProgress):
            share = event.done / event.total if event.total else None
            progress.show(reading, done_of(event.done, event.total), share)
        elif isinstance(event, ImportFinished):
            progress.end()
            for skipped in event.dataset.skipped:
                print(
                    words.say(message("Skipped: {reason}", reason=skipped.reason)), file=sys.stderr
                )
            return event.dataset
    raise DataError(message("The import did not finish."), hint=message("Try again."))


def done_of(done: int, total: int) -> Message:
    """How far something is."""
    return message("{done} of {total}", done=str(done), total=str(total))


def megabytes_of(done_bytes: int, total_bytes: int) -> Message:
    """How far a download is."""
    done, total = done_bytes / MEGABYTE, total_bytes / MEGABYTE
    return message("{done} of {total} MB", done=number(done, 1), total=number(total, 1))


def follow(workspace: Workspace, run_id: str, progress: Progress) -> int:
    """Show the training until it is over; the exit code, which says whether it was cut short."""
    try:
        while not workspace.trainings.wait(run_id, LOOK_SECONDS):
            _show(workspace.live(run_id), progress)
    except KeyboardInterrupt as interrupt:
        progress.show(STOPPING)
        workspace.trainings.stop(run_id)
        workspace.trainings.wait(run_id, None)
        return exit_code_of(interrupt)
    return 0


def _show(live: LiveRun, progress: Progress) -> None:
    if live.phase == "download":
        done, total = live.download_done_bytes, live.download_total_bytes
        share = done / total if total else None
        progress.show(message("Downloading the backbone"), megabytes_of(done, total), share)
    elif live.phase == "features":
        done, total = live.features_done, live.features_total
        detail = message(
            "{done} of {total}, {speed} pictures a second",
            done=str(done),
            total=str(total),
            speed=f"{live.features_per_second or 0.0:.0f}",
        )
        progress.show(PREPARING, detail, done / total if total else None)
    elif live.phase == "training":
        share = len(live.record.epochs) / max(1, live.epochs)
        progress.show(message("Training"), _epochs_so_far(live), share)


def _epochs_so_far(live: LiveRun) -> Message:
    last = live.record.epochs[-1] if live.record.epochs else None
    accuracy = None if last is None else last.valid_accuracy
    epoch, epochs = str(live.epoch), str(live.epochs)
    if accuracy is None:
        return message("epoch {epoch} of {epochs}", epoch=epoch, epochs=epochs)
    return message(
        "epoch {epoch} of {epochs}, held-out accuracy {percent} %",
        epoch=epoch,
        epochs=epochs,
        percent=number(100 * accuracy, 1),
    )
