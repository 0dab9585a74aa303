"""Visitors: tokens nobody guesses; page and test pictures are found again, each one's own."""

import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pictures import jpeg
from tests.shown import shown_state
from tests.workspace.conftest import StepTraining
from tlapp.damages import Damages
from tlapp.data.dataset import Dataset
from tlapp.errors import ServerError
from tlapp.evaluation.test_pictures import TestPictures, prepare_test_pictures
from tlapp.files import write_atomically
from tlapp.settings import Settings
from tlapp.training.config import TrainConfig
from tlapp.workspace import Changes, VisitorState, Workspace, new_visitor, owner_of
from tlapp.workspace import visitors as rooms
from tlapp.workspace.visitors import MOST_ADDRESSES, KeptTestPictures, VisitorStates


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
    assert shown_state(later, owner) == state
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
    assert shown_state(workspace, stranger) == VisitorState()
    assert shown_state(workspace, owner) == VisitorState(dataset_id=dataset.dataset_id)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"[]", b'{"dataset_id": 1}', b'{"run_id": {}}', b'{"config": {"epochs": "many"}}'],
)
def test_a_damaged_state_is_an_empty_page(
    workspace: Workspace, settings: Settings, owner: str, content: bytes
) -> None:
    workspace.visitors.change(owner, lambda _: VisitorState())
    (settings.home / "visitors" / f"{owner}.json").write_bytes(content)
    assert shown_state(workspace, owner) == VisitorState()


def test_a_hostile_owner_touches_no_file(workspace: Workspace, settings: Settings) -> None:
    before = _files(settings.home)
    for owner in ("", "../../x", "a/b", "A" * 64):
        workspace.visitors.change(owner, lambda _: VisitorState())
        assert shown_state(workspace, owner) == VisitorState()
    assert _files(settings.home) == before


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_state_that_another_version_wrote_keeps_what_is_known(
    workspace: Workspace, settings: Settings, owner: str, dataset: Dataset
) -> None:
    workspace.visitors.change(owner, lambda _: VisitorState())
    content = f'{{"dataset_id": "{dataset.dataset_id}", "colour": "green"}}'
    (settings.home / "visitors" / f"{owner}.json").write_text(content)
    assert shown_state(workspace, owner) == VisitorState(dataset_id=dataset.dataset_id)


def test_a_disk_that_refuses_is_told_and_nothing_is_changed(
    workspace: Workspace, owner: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    workspace.visitors.change(owner, lambda _: VisitorState(dataset_id=dataset.dataset_id))
    monkeypatch.setattr("tlapp.workspace.visitors.write_atomically", refuse)
    with pytest.raises(ServerError, match="disk"):
        workspace.visitors.change(owner, lambda _: VisitorState())
    assert shown_state(workspace, owner).dataset_id == dataset.dataset_id


RAW = [("a.jpg", jpeg()), ("broken.jpg", b"no picture"), ("b.jpg", jpeg(1))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "tried"


@pytest.fixture
def pictures(settings: Settings) -> TestPictures:
    return prepare_test_pictures(RAW, settings.limits)


@pytest.fixture
def owner() -> str:
    return owner_of(new_visitor())


def kept_in(folder: Path, most: int = 9) -> KeptTestPictures:
    """As a process finds it that has just started."""
    return KeptTestPictures(folder, lambda: True, most)


def names(pictures: TestPictures | None) -> list[str]:
    return [] if pictures is None else [entry.name for entry in pictures.entries]


def test_another_process_finds_them_and_answers_the_same(
    workspace: Workspace, settings: Settings, owner: str, pictures: TestPictures
) -> None:
    workspace.visitors.keep_test_pictures(owner, pictures)
    assert workspace.visitors.test_pictures(owner) is pictures
    before = workspace.visitors.imagenet_answers(
        pictures, workspace.models.backbone("efficientnet_lite0")
    )
    workspace.close()
    later = Workspace(settings)
    found = later.visitors.test_pictures(owner)
    assert found is not None
    assert (
        later.visitors.imagenet_answers(found, later.models.backbone("efficientnet_lite0"))
        == before
    )
    assert [result.name for result in before] == [name for name, _ in RAW]
    later.close()


def test_the_next_pictures_take_the_place_of_the_earlier(
    folder: Path, owner: str, pictures: TestPictures, settings: Settings
) -> None:
    kept = kept_in(folder)
    kept.keep(owner, pictures)
    kept.keep(owner, prepare_test_pictures(RAW[:1], settings.limits))
    assert names(kept.get(owner)) == names(kept_in(folder).get(owner)) == ["a.jpg"]


def test_whoever_looks_while_others_are_kept_leaves_memory_and_disk_alike(
    folder: Path, owner: str, pictures: TestPictures, settings: Settings
) -> None:
    other = prepare_test_pictures(RAW[:1], settings.limits)
    for _ in range(20):
        kept_in(folder).keep(owner, pictures)
        later = kept_in(folder)
        start = threading.Barrier(3)
        work: list[Callable[[], object]] = [
            lambda later=later: later.get(owner),  # type: ignore[misc]  # bound in the loop
            lambda later=later: later.keep(owner, other),  # type: ignore[misc]
        ]

        def run(each: Callable[[], object], start: threading.Barrier = start) -> None:
            start.wait()
            each()

        threads = [threading.Thread(target=run, args=(each,)) for each in work]
        for thread in threads:
            thread.start()
        start.wait()
        for thread in threads:
            thread.join()
        assert names(later.get(owner)) == names(kept_in(folder).get(owner)) == ["a.jpg"]


def test_the_longest_unused_leave_memory_but_are_found_again(
    folder: Path, pictures: TestPictures
) -> None:
    kept = kept_in(folder, most=1)
    owners = [owner_of(new_visitor()) for _ in range(2)]
    for owner in owners:
        kept.keep(owner, pictures)
    assert kept.get(owners[1]) is pictures
    again = kept.get(owners[0])
    assert again is not pictures
    assert names(again) == names(pictures)
    assert kept.get(owners[0]) is again


def test_nobody_sees_those_of_somebody_else(
    folder: Path, owner: str, pictures: TestPictures
) -> None:
    kept = kept_in(folder)
    kept.keep(owner, pictures)
    assert kept.get(owner_of(new_visitor())) is None
    for path in ("", "../x", "x" * 64):
        with pytest.raises(ValueError, match="no owner"):
            kept.get(path)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[200] ^= 255
    path.write_bytes(content)


def _without_a_member(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        index = archive.read("pictures.json")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pictures.json", index)


def _with_another_index(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pictures.json", b'{"a": 1}')


@pytest.mark.parametrize(
    "damage",
    [lambda path: path.write_bytes(b""), _cut, _changed, _without_a_member, _with_another_index],
)
def test_a_damaged_file_is_no_pictures(
    folder: Path, owner: str, pictures: TestPictures, damage: Callable[[Path], object]
) -> None:
    kept_in(folder).keep(owner, pictures)
    damage(folder / f"{owner}.zip")
    assert kept_in(folder).get(owner) is None


@pytest.mark.parametrize("is_told", [True, False])
def test_a_full_disk_keeps_them_in_memory_and_not_the_earlier_ones(
    folder: Path, owner: str, pictures: TestPictures, is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    kept_in(folder).keep(owner, pictures)
    later = KeptTestPictures(folder, lambda: not is_told)
    if not is_told:
        monkeypatch.setattr("tlapp.workspace.visitors.write_atomically", refuse)
    later.keep(owner, pictures)
    assert later.get(owner) is pictures
    assert kept_in(folder).get(owner) is None


def test_they_can_be_removed(folder: Path, owner: str, pictures: TestPictures) -> None:
    kept = kept_in(folder)
    kept.keep(owner, pictures)
    assert kept.owners() == (owner,)
    kept.forget(owner)
    assert kept.owners() == ()
    assert kept.get(owner) is None


def test_addresses_are_forgotten_the_oldest_first(workspace: Workspace) -> None:
    visitors = workspace.visitors
    for number in range(MOST_ADDRESSES + 1):
        visitors.note_address(str(number), "1.1.1.1")
    assert visitors.address_of("0") is None
    assert visitors.address_of("1") == "1.1.1.1"
    visitors.note_address("1", "")
    assert visitors.address_of("1") == "1.1.1.1"


def test_a_state_is_read_once_and_again_when_its_file_has_changed(
    tmp_path: Path, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    original = rooms.read_generation

    def counted(path: Path, make: Callable[[object], object]) -> object:
        read.append(path)
        return original(path, make)

    monkeypatch.setattr(rooms, "read_generation", counted)
    damages = Damages()
    states = VisitorStates(tmp_path, damages)
    state = VisitorState(run_id="r", config=TrainConfig(epochs=7))
    states.change(owner, lambda _: state)
    read.clear()
    assert [states.load(owner) for _ in range(5)] == [state] * 5
    assert not read, "it wrote the file itself"
    other = VisitorState(run_id="s")
    VisitorStates(tmp_path).change(owner, lambda _: other)  # another process
    read.clear()
    assert [states.load(owner) for _ in range(5)] == [other] * 5
    assert len(read) == 1
    (tmp_path / f"{owner}.json").write_bytes(b"torn")
    assert states.load(owner) == state  # the one before it
    assert [each.kind for each in damages.found()] == ["visitor"]
    states.forget(owner)
    assert states.load(owner) == VisitorState()


def test_a_state_that_another_process_writes_at_the_same_moment_is_noticed(
    tmp_path: Path, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = VisitorState(run_id="ours"), VisitorState(run_id="theirs")

    def overtaken(path: Path, content: bytes) -> int:
        number = write_atomically(path, content)
        write_atomically(path, content.replace(b"ours", b"theirs").rsplit(b',"checksum"')[0] + b"}")
        return number

    monkeypatch.setattr(rooms, "write_atomically", overtaken)
    states = VisitorStates(tmp_path)
    states.change(owner, lambda _: ours)
    assert states.load(owner) == theirs


def test_states_in_memory_are_bounded(tmp_path: Path) -> None:
    states = VisitorStates(tmp_path, most=3)
    for _ in range(9):
        owner = owner_of(new_visitor())
        states.change(owner, lambda state: state)
        states.load(owner)
    assert len(states._recent) == 3


def test_whoever_listens_is_woken_until_they_leave_and_leaves_nothing_behind() -> None:
    changes = Changes()
    woken: list[str] = []

    def fail() -> None:
        raise RuntimeError("injected")

    leave = [
        changes.listen("ada", fail),  # holds up nobody
        changes.listen("ada", lambda: woken.append("ada")),
        changes.listen("bob", lambda: woken.append("bob")),
    ]
    changes.tell("ada")
    changes.tell("somebody else")
    assert woken == ["ada"]
    for each in leave:
        each()
        each()
    changes.tell("ada")
    changes.tell("bob")
    assert woken == ["ada"]
    assert not changes._listeners
