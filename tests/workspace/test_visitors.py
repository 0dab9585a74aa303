"""Visitors: tokens nobody guesses or reads from disk, and a page that is found again."""

from pathlib import Path

import pytest

from tests.workspace.conftest import StepTraining
from tlapp.data.dataset import Dataset
from tlapp.errors import ServerError
from tlapp.settings import Settings
from tlapp.training.config import TrainConfig
from tlapp.workspace import VisitorState, Workspace, new_visitor, owner_of


def test_tokens_are_long_different_and_never_on_disk(
    workspace: Workspace, settings: Settings
) -> None:
    tokens = {new_visitor() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43  # 256 bits, 6 a letter
    for token in tokens:
        workspace.visitors.change(owner_of(token), lambda _: VisitorState())
    kept = b"".join(str(path).encode() + path.read_bytes() for path in _files(settings.home))
    assert not any(token.encode() in kept for token in tokens)


def test_the_page_is_found_again_by_another_process(
    workspace: Workspace,
    settings: Settings,
    owner: str,
    dataset: Dataset,
    steps: StepTraining,
) -> None:
    run_id = workspace.trainings.start(owner, dataset, TrainConfig())
    state = VisitorState(
        dataset_id=dataset.dataset_id,
        pending_dataset_id=dataset.dataset_id,
        run_id=run_id,
        config=TrainConfig(epochs=7, freeze="last:1", stage_rates=(("top", 0.001),)),
    )
    workspace.visitors.change(owner, lambda _: state)
    workspace.close()
    later = Workspace(settings)
    assert later.of(owner).state() == state
    later.close()


def test_what_is_gone_or_somebody_elses_is_not_shown(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    stranger = owner_of(new_visitor())
    state = VisitorState(
        dataset_id=dataset.dataset_id,
        pending_dataset_id="d_" + "x" * 32,
        run_id="r_" + "x" * 32,
    )
    workspace.visitors.change(stranger, lambda _: state)
    workspace.visitors.change(owner, lambda _: state)
    assert workspace.of(stranger).state() == VisitorState()
    assert workspace.of(owner).state() == VisitorState(dataset_id=dataset.dataset_id)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"[]", b'{"dataset_id": 1}', b'{"run_id": {}}', b'{"config": {"epochs": "many"}}'],
)
def test_a_damaged_state_is_an_empty_page(
    workspace: Workspace, settings: Settings, owner: str, content: bytes
) -> None:
    workspace.visitors.change(owner, lambda _: VisitorState())
    (settings.home / "visitors" / f"{owner}.json").write_bytes(content)
    assert workspace.of(owner).state() == VisitorState()


def test_a_hostile_owner_touches_no_file(workspace: Workspace, settings: Settings) -> None:
    before = _files(settings.home)
    for owner in ("", "../../x", "a/b", "A" * 64):
        workspace.visitors.change(owner, lambda _: VisitorState())
        assert workspace.of(owner).state() == VisitorState()
    assert _files(settings.home) == before


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_state_that_another_version_wrote_keeps_what_is_known(
    workspace: Workspace, settings: Settings, owner: str, dataset: Dataset
) -> None:
    workspace.visitors.change(owner, lambda _: VisitorState())
    content = f'{{"dataset_id": "{dataset.dataset_id}", "colour": "green"}}'
    (settings.home / "visitors" / f"{owner}.json").write_text(content)
    assert workspace.of(owner).state() == VisitorState(dataset_id=dataset.dataset_id)


def test_a_disk_that_refuses_is_told_and_nothing_is_changed(
    workspace: Workspace, owner: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    workspace.visitors.change(owner, lambda _: VisitorState(dataset_id=dataset.dataset_id))
    monkeypatch.setattr("tlapp.workspace.visitors.write_atomically", refuse)
    with pytest.raises(ServerError, match="disk"):
        workspace.visitors.change(owner, lambda _: VisitorState())
    assert workspace.of(owner).state().dataset_id == dataset.dataset_id
