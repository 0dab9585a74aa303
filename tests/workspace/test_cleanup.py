"""Cleaning up: what is idle or orphaned goes, and nothing that is in use."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pictures import jpeg
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining, bring
from tlapp.data.dataset import Dataset
from tlapp.errors import NotFoundError
from tlapp.settings import HOUR, Limits, Settings
from tlapp.training.config import TrainConfig
from tlapp.workspace import (
    UploadFolder,
    Workspace,
    new_visitor,
    open_uploads,
    owner_of,
)
from tlapp.workspace.cleanup import ORPHAN_SECONDS

IDLE_SECONDS = 2.0 * HOUR


class Clock:
    """Steady time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def public(
    settings: Settings, clock: Clock, public_limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    """A workspace with the public limits, whose janitor lives by `clock`."""
    workspace = Workspace(replace(settings, limits=public_limits))
    monkeypatch.setattr(workspace.janitor, "_clock", clock)
    yield workspace
    workspace.close()


def _visit(workspace: Workspace) -> str:
    owner = owner_of(new_visitor())
    workspace.janitor.touch(owner)
    return owner


def test_everything_of_an_idle_visitor_is_removed_and_nothing_of_another(
    public: Workspace, clock: Clock, small_folder: Path, steps: StepTraining
) -> None:
    idle, active = _visit(public), _visit(public)
    theirs, kept = bring(public, idle, small_folder), bring(public, active, small_folder)
    run_id = public.trainings.start(idle, theirs, TrainConfig())
    public.trainings.stop(run_id)
    assert public.trainings.wait(run_id, PATIENCE_SECONDS)
    clock.seconds += IDLE_SECONDS + 1
    public.janitor.touch(active)
    public.janitor.sweep()
    with pytest.raises(NotFoundError):
        public.dataset(theirs.dataset_id)
    with pytest.raises(NotFoundError):
        public.run(run_id)
    assert public.of(active).dataset(kept.dataset_id)


def test_a_visitor_whose_training_runs_is_not_idle(
    public: Workspace, clock: Clock, small_folder: Path, steps: StepTraining
) -> None:
    owner = _visit(public)
    dataset = bring(public, owner, small_folder)
    run_id = public.trainings.start(owner, dataset, TrainConfig())
    clock.seconds += 10 * IDLE_SECONDS
    public.janitor.sweep()
    assert public.run(run_id).state in ("waiting", "running")
    assert public.dataset(dataset.dataset_id)


def test_after_a_restart_everybody_gets_the_full_time(
    public: Workspace, clock: Clock, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = bring(public, _visit(public), small_folder)
    later = Workspace(public.settings)
    monkeypatch.setattr(later.janitor, "_clock", clock)
    clock.seconds += 100 * IDLE_SECONDS
    later.janitor.sweep()
    assert later.of(dataset.owner).datasets()
    clock.seconds += IDLE_SECONDS + 1
    later.janitor.sweep()
    assert not later.of(dataset.owner).datasets()
    later.close()


def test_on_ones_own_machine_nothing_is_ever_removed(
    workspace: Workspace, owner: str, small_folder: Path
) -> None:
    dataset = bring(workspace, owner, small_folder)
    workspace.janitor.sweep()
    assert workspace.dataset(dataset.dataset_id)


def test_test_pictures_go_with_an_idle_visitor_who_brought_nothing_else(
    public: Workspace, clock: Clock
) -> None:
    idle, active = _visit(public), _visit(public)
    for owner in (idle, active):
        public.visitors.keep_test_pictures(owner, public.visitors.prepare([("a.jpg", jpeg())]))
    public.janitor.sweep()
    clock.seconds += IDLE_SECONDS + 1
    public.janitor.touch(active)
    public.janitor.sweep()
    assert public.visitors.test_pictures(idle) is None
    assert public.visitors.owners() == (active,)


def test_orphaned_files_go_and_growing_ones_stay(
    public: Workspace, clock: Clock, settings: Settings
) -> None:
    orphan = settings.home / "visitors" / ".part-1-x.json"
    growing = settings.home / "runs" / ".part-2-y"
    growing.mkdir(parents=True)
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"half")
    for size in range(3):
        (growing / str(size)).write_bytes(b"more")
        public.janitor.sweep()
        clock.seconds += ORPHAN_SECONDS * 0.6
    assert not orphan.exists()
    assert growing.exists()


def test_a_sweep_measures_what_the_home_folder_holds(public: Workspace, small_folder: Path) -> None:
    owner = _visit(public)
    bring(public, owner, small_folder)
    assert public.janitor.sweep() > 10_000


def test_visitors_who_left_nothing_are_forgotten(
    public: Workspace, clock: Clock, small_folder: Path
) -> None:
    _visit(public)
    clock.seconds += IDLE_SECONDS / 2
    owner = _visit(public)
    clock.seconds += IDLE_SECONDS / 2 + 1
    public.janitor.sweep()
    assert set(public.janitor._seen) == {owner}


def test_a_visitor_whose_things_cannot_be_removed_holds_up_nobody_else(
    public: Workspace, clock: Clock, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, others = _visit(public), [_visit(public) for _ in range(3)]
    datasets = [bring(public, owner, small_folder) for owner in (stuck, *others)]
    for owner in (stuck, *others):
        public.visitors.change(owner, lambda state: state)
    public.janitor.sweep()
    listed = public.library.datasets

    def broken(owner: str) -> tuple[Dataset, ...]:
        if owner == stuck:
            raise RuntimeError("injected")
        return listed(owner)

    monkeypatch.setattr(public.library, "datasets", broken)
    clock.seconds += IDLE_SECONDS + 1
    assert public.janitor.sweep() > 0
    assert public.dataset(datasets[0].dataset_id)
    for dataset in datasets[1:]:
        with pytest.raises(NotFoundError):
            public.dataset(dataset.dataset_id)


def test_what_cannot_be_listed_does_not_keep_a_sweep_from_the_rest(
    public: Workspace, clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan = settings.home / "visitors" / ".part-1-x.json"
    orphan.parent.mkdir(parents=True, exist_ok=True)
    orphan.write_bytes(b"half")

    def broken() -> tuple[str, ...]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(public.visitors, "owners", broken)
    public.janitor.sweep()
    clock.seconds += ORPHAN_SECONDS + 1
    public.janitor.sweep()
    assert not orphan.exists()


@pytest.mark.parametrize("jump_seconds", [-24 * HOUR, 24 * HOUR])
def test_a_wall_clock_that_jumps_removes_nobody(
    public: Workspace,
    clock: Clock,
    small_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    jump_seconds: float,
) -> None:
    owner = _visit(public)
    dataset = bring(public, owner, small_folder)
    public.janitor.sweep()
    wall_seconds = time.time() + jump_seconds
    monkeypatch.setattr("time.time", lambda: wall_seconds)
    clock.seconds += IDLE_SECONDS / 2
    public.janitor.sweep()
    assert public.of(owner).dataset(dataset.dataset_id)


@pytest.fixture
def uploads(settings: Settings) -> Iterator[UploadFolder]:
    opened = open_uploads(settings.home)
    yield opened
    opened.close()


def _upload(uploads: UploadFolder, size: int) -> Path:
    path = uploads.new_folder() / "a.zip"
    path.write_bytes(b"x" * size)
    return path


def test_what_waits_counts_against_what_everything_may_take(
    settings: Settings, uploads: UploadFolder, limits: Limits
) -> None:
    workspace = Workspace(replace(settings, limits=replace(limits, disk_bytes=10_000)))
    assert workspace.library.has_room(uploads.held_bytes())
    path = _upload(uploads, 10_001)
    assert not workspace.library.has_room(uploads.held_bytes())
    assert workspace.janitor.sweep() >= 10_001
    assert not workspace.library.has_room()
    path.unlink()
    workspace.janitor.sweep()
    assert workspace.library.has_room(uploads.held_bytes())
    workspace.close()


def test_what_nobody_takes_is_swept_and_what_is_coming_is_not(
    settings: Settings, uploads: UploadFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(settings)
    clock = Clock()
    monkeypatch.setattr(workspace.janitor, "_clock", clock)
    left, coming = _upload(uploads, 5), _upload(uploads, 5)
    workspace.janitor.sweep()
    clock.seconds += ORPHAN_SECONDS + 1
    coming.write_bytes(b"more of it")
    workspace.janitor.sweep()
    assert not left.exists()
    assert coming.exists()
    workspace.close()


def test_uploads_go_with_their_process(tmp_path: Path) -> None:
    uploads = open_uploads(tmp_path)
    path = _upload(uploads, 5)
    uploads.close()
    assert not path.exists()
    assert not uploads.path.exists()
