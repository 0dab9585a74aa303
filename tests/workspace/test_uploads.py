"""Where uploads wait: counted, swept, and gone with their process."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.workspace.test_janitor import Clock
from tlapp.settings import Limits, Settings
from tlapp.workspace import UploadFolder, Workspace, open_uploads
from tlapp.workspace.cleanup import ORPHAN_SECONDS


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
