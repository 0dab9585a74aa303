"""The workspace as a whole: whatever is damaged, it opens; whoever comes, each has their own."""

import inspect
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.damage import DAMAGES, copy_home, fill, flip, folder_instead, nest, tear
from tests.pictures import class_folder, jpeg
from tests.shown import shown_state
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining, bring
from tests.workspace.homes import IMAGE_IDS, KEY, WIDTH, FullHome, features, make_home
from tlapp.data.dataset import Dataset
from tlapp.errors import NotFoundError, RunError, ServerError, TlappError
from tlapp.messages import NOTHING, Message
from tlapp.runs.folder import RunFolder
from tlapp.runs.record import RunRecord
from tlapp.settings import LOCAL_LIMITS, Settings
from tlapp.stored import earlier_path
from tlapp.training.config import TrainConfig
from tlapp.workspace import Owned, VisitorState, Workspace, new_visitor, owner_of
from tlapp.workspace.plan import next_phases

FILES: dict[str, Callable[[FullHome], Path]] = {
    "run": lambda home: home.run_path("run.json"),
    "epochs": lambda home: home.run_path("epochs.jsonl"),
    "state": lambda home: home.run_path("state.safetensors"),
    "model": lambda home: home.only(f"runs/{home.run_ids[0]}/models/*/classifier.json"),
    "head": lambda home: home.only(f"runs/{home.run_ids[0]}/models/*/head-*.safetensors"),
    "dataset": lambda home: home.folder / "datasets" / home.dataset_ids[0] / "dataset.json",
    "visitor": lambda home: home.folder / "visitors" / f"{home.owners[0]}.json",
    "tried": lambda home: home.folder / "tried" / f"{home.owners[0]}.zip",
    "speeds": lambda home: home.folder / "speeds.json",
    "features": lambda home: home.only("features/*.safetensors"),
    "weights": lambda home: home.only("weights/*.json"),
}
NAMED_AS = {"head": "model"}
# A link that leads nowhere is no file for these: as if it had been removed.
NOT_NAMED = {("tried", "dangle"), ("features", "dangle"), ("features", "loop")}
NOT_NAMED |= {("features", "pipe"), ("features", "folder_instead")}


@pytest.fixture(scope="module")
def full_home(tmp_path_factory: pytest.TempPathFactory) -> FullHome:
    """Made once; tests damage copies of it."""
    return make_home(tmp_path_factory.mktemp("full"))


@pytest.fixture
def home(full_home: FullHome, tmp_path: Path) -> FullHome:
    """For damaging."""
    return full_home.at(copy_home(full_home.folder, tmp_path / "home"))


@contextmanager
def opened(settings: Settings) -> Iterator[Workspace]:
    workspace = Workspace(settings)
    try:
        yield workspace
    finally:
        workspace.close()


def use_everything(workspace: Workspace, home: FullHome, number: int) -> None:
    """Ask for everything of one owner: the answer is there, or an error in words."""
    owner, dataset_id, run_id = (
        home.owners[number],
        home.dataset_ids[number],
        home.run_ids[number],
    )
    asks: tuple[Callable[[], object], ...] = (
        lambda: shown_state(workspace, owner),
        lambda: workspace.of(owner).runs(),
        lambda: workspace.of(owner).datasets(),
        lambda: workspace.dataset(dataset_id),
        lambda: workspace.live(run_id),
        lambda: workspace.run(run_id).to_json(),
        lambda: workspace.trainings.curves(run_id, "csv"),
        lambda: next_phases(
            workspace.run(run_id), RunFolder(workspace.trainings.folder(run_id)), None
        ),
        lambda: workspace.trainings._runs.folder(run_id).state(),
        lambda: workspace.visitors.test_pictures(owner),
    )
    for ask in asks:
        with suppress(TlappError):
            ask()


def read_features(workspace: Workspace) -> list[bool]:
    """Which features are found; those that are must be right."""
    rows, is_found = workspace.trainings.cache.get(KEY, IMAGE_IDS, WIDTH)
    assert torch.equal(rows[is_found], features()[is_found])
    return is_found


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_file_is_named_once_and_costs_nothing_else(
    home: FullHome, file: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    DAMAGES[damage](FILES[file](home))
    with opened(home.settings) as workspace:
        workspace.damages.look()
        for number in (0, 1):
            use_everything(workspace, home, number)
        read_features(workspace)
        if file in ("model", "head"):
            with pytest.raises(RunError):
                workspace.trainings.classifier(home.run_ids[0])
            assert workspace.trainings.classifier(home.run_ids[1]).class_names == ("cat", "dog")
        found = workspace.damages.found()
        assert (NAMED_AS.get(file, file) in [each.kind for each in found]) == (
            (file, damage) not in NOT_NAMED
        )
        owner = home.owners[1]
        assert [each.run_id for each in workspace.of(owner).runs()] == [home.run_ids[1]]
        assert len(workspace.run(home.run_ids[1]).epochs) == 3
        assert [each.dataset_id for each in workspace.of(owner).datasets()] == [home.dataset_ids[1]]
        assert shown_state(workspace, owner).run_id == home.run_ids[1]
        assert workspace.visitors.test_pictures(owner) is not None
        assert workspace.models.cards()
    warnings = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert len(warnings) == len(found)
    assert not [each for each in warnings if each.exc_info]
    assert "secret-name" not in caplog.text


def damage_all(home: FullHome, damage: Callable[[Path], object]) -> None:
    """Damage what is rewritten in place, and leave what was kept before it."""
    for file in ("run", "dataset", "visitor", "speeds"):
        damage(FILES[file](home))


@pytest.mark.parametrize("damage", [tear, flip, nest, fill, folder_instead])
def test_what_was_kept_before_the_last_change_is_used_with_a_notice(
    home: FullHome, damage: Callable[[Path], object]
) -> None:
    damage_all(home, damage)
    with opened(home.settings) as workspace:
        owner = home.owners[0]
        found = workspace.damages.look()
        assert {each.kind for each in found} == {"run", "dataset", "visitor", "speeds"}
        assert all(each.is_replaced for each in found)
        assert {each.owner for each in found if each.kind != "speeds"} == {owner}
        assert workspace.dataset(home.dataset_ids[0]).name == "Small"
        assert shown_state(workspace, owner).dataset_id == home.dataset_ids[0]
        assert shown_state(workspace, owner).run_id is None
        record = workspace.run(home.run_ids[0])
        assert (record.state, record.best_epoch) == ("stopped", 3)
        assert "damaged" in str(record.message)


def test_a_second_damage_finds_the_good_generation_that_the_first_has_left(home: FullHome) -> None:
    folder = home.folder / "datasets" / home.dataset_ids[0]
    tear(folder / "dataset.json")
    with opened(home.settings) as workspace:
        workspace.library.save(replace(workspace.dataset(home.dataset_ids[0]), name="Third"))
    tear(folder / "dataset.json")
    with opened(home.settings) as workspace:
        assert workspace.dataset(home.dataset_ids[0]).name == "Small"
    assert sorted(path.name for path in folder.iterdir()) == [
        "dataset.json",
        "dataset.json.before",
        "pictures",
    ]


def test_what_was_removed_does_not_come_back_from_the_generation_before(home: FullHome) -> None:
    with opened(home.settings) as workspace:
        owner = home.owners[0]
        workspace.visitors.forget(owner)
        workspace.trainings.delete(home.run_ids[0])
        workspace.library.delete(workspace.dataset(home.dataset_ids[0]))
        assert not list((home.folder / "visitors").glob(f"{owner}*"))
    with opened(home.settings) as workspace:
        assert shown_state(workspace, owner).dataset_id is None
        assert workspace.of(owner).runs() == workspace.of(owner).datasets() == ()
        assert workspace.damages.look() == ()


def test_lost_epochs_are_told_and_the_model_still_answers(home: FullHome) -> None:
    log = home.run_path("epochs.jsonl")
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0] + lines[1][:20] + b"\n" + lines[2])
    with opened(home.settings) as workspace:
        record = workspace.run(home.run_ids[0])
        assert [row.epoch for row in record.epochs] == [1, 3]
        assert "epoch 2 are lost" in str(record.message)
        workspace.trainings.change(home.run_ids[0], name="Other")
        assert workspace.run(home.run_ids[0]).message == record.message
        with pytest.raises(RunError, match="lost"):
            workspace.trainings.resume(
                workspace.run(home.run_ids[0]), workspace.dataset(home.dataset_ids[0])
            )


@pytest.mark.parametrize("kept", [0, 1])
def test_a_log_that_is_shorter_than_it_was_is_told(home: FullHome, kept: int) -> None:
    log = home.run_path("epochs.jsonl")
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:kept]))
    with opened(home.settings) as workspace:
        record = workspace.run(home.run_ids[0])
        assert len(record.epochs) == kept
        assert f"epochs {kept + 1} to 3 are lost" in str(record.message)
        assert [each.kind for each in workspace.damages.found()] == ["epochs"]
        assert workspace.live(home.run_ids[0]).record.is_finished_head == (kept > 0)


def test_a_damaged_model_is_listed_once_as_its_owners(home: FullHome) -> None:
    tear(FILES["model"](home))
    with opened(home.settings) as workspace:
        workspace.damages.look()
        with pytest.raises(RunError):
            workspace.trainings.classifier(home.run_ids[0])
        (found,) = workspace.damages.found()
        assert (found.kind, found.owner) == ("model", home.owners[0])
        assert re.fullmatch(r"epoch \d: it is torn, or no JSON", str(found.fault))


def test_a_fault_is_half_a_sentence(home: FullHome) -> None:
    for file in ("dataset", "head"):
        tear(FILES[file](home))
    earlier_path(FILES["dataset"](home)).unlink()
    with opened(home.settings) as workspace:
        workspace.damages.look()
        with pytest.raises(RunError):
            workspace.trainings.classifier(home.run_ids[0])
        faults = {each.kind: str(each.fault) for each in workspace.damages.found()}
    assert faults["dataset"] == "it is torn, or no JSON"
    assert faults["model"].endswith(": the head file of this model is damaged")


def test_what_is_kept_anew_is_not_called_damaged_any_more(home: FullHome) -> None:
    files = ("visitor", "tried", "speeds", "features")
    owner = home.owners[0]
    with opened(home.settings) as workspace:
        pictures = workspace.visitors.test_pictures(owner)
    assert pictures is not None
    for file in files:
        tear(FILES[file](home))
    with opened(home.settings) as workspace:

        def kinds() -> set[str]:
            return {each.kind for each in workspace.damages.found()}

        workspace.damages.look()
        assert kinds() == set(files)
        workspace.visitors.change(owner, lambda state: state)
        assert kinds() == {"tried", "speeds", "features"}
        workspace.visitors.keep_test_pictures(owner, pictures)
        assert kinds() == {"speeds", "features"}
        workspace.trainings.cache.put(KEY, IMAGE_IDS, features())
        assert kinds() == {"speeds"}
        workspace.models.estimates._speeds.put("resnet18", 9.0)
        assert kinds() == set()
        assert workspace.damages.look() == ()


def test_features_that_change_while_the_program_runs_are_not_used(home: FullHome) -> None:
    with opened(home.settings) as workspace:
        assert all(read_features(workspace))
        flip(FILES["features"](home))
        assert not any(read_features(workspace))
        assert [each.kind for each in workspace.damages.found()] == ["features"]


def test_a_folder_that_is_a_file_is_named_and_the_rest_opens(home: FullHome) -> None:
    (home.folder / "features").rename(home.folder / "elsewhere")
    (home.folder / "features").write_text("no folder")
    with opened(home.settings) as workspace:
        assert [(each.kind, each.item) for each in workspace.damages.look()] == [
            ("folder", "features")
        ]
        assert len(workspace.of(home.owners[0]).runs()) == 1


def test_runs_that_cannot_be_kept_stop_the_start_in_words(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "runs").write_text("no folder")
    settings = Settings(home=tmp_path / "home", is_public=False, limits=LOCAL_LIMITS)
    with pytest.raises(ServerError, match='"runs"') as refused:
        Workspace(settings)
    assert str(tmp_path) not in f"{refused.value} {refused.value.hint}"


def test_a_home_of_an_earlier_version_opens_without_a_word(home: FullHome) -> None:
    for path in home.folder.rglob("*.before"):
        path.unlink()
    for path in home.folder.rglob("*.json*"):
        lines = [_without_seal(line) for line in _documents(path)]
        path.write_bytes(b"\n".join(lines) + b"\n" * path.name.endswith("l"))
    with opened(home.settings) as workspace:
        assert workspace.damages.look() == ()
        assert len(workspace.run(home.run_ids[0]).epochs) == 3
        assert workspace.dataset(home.dataset_ids[0]).name == "Renamed"
        assert shown_state(workspace, home.owners[0]).run_id == home.run_ids[0]


def _documents(path: Path) -> list[bytes]:
    content = path.read_bytes()
    return content.splitlines() if path.name.endswith("l") else [content]


def _without_seal(content: bytes) -> bytes:
    values = json.loads(content)
    for name in ("checksum", "epoch_count"):
        values.pop(name, None)
    return json.dumps(values).encode()


VISITORS = 6


def test_visitors_at_once_get_their_own_answers(workspace: Workspace, tmp_path: Path) -> None:
    def visit(number: int) -> tuple[str, set[str]]:
        owner = owner_of(new_visitor())
        classes = (f"dots {number}", f"stripes {number}")
        folder = class_folder(tmp_path / str(number), classes, per_class=4, first_seed=number)
        dataset = bring(workspace, owner, folder, str(number))
        run_id = workspace.trainings.start(owner, dataset, TrainConfig(epochs=20))
        state = VisitorState(dataset_id=dataset.dataset_id, run_id=run_id)
        workspace.visitors.change(owner, lambda _: state)
        pictures = workspace.visitors.prepare([("a.jpg", jpeg(0, 900 + number))])
        while not workspace.trainings.wait(run_id, 0.01):
            workspace.of(owner).live(run_id)
            workspace.of(owner).runs()
        assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
        record = workspace.of(owner).run(run_id)
        assert (record.state, len(record.epochs)) == ("finished", 20), record.message
        assert shown_state(workspace, owner) == state
        (answer,) = workspace.visitors.answers(pictures, workspace.trainings.classifier(run_id))
        return str(number), {item.name for item in answer.ranked}

    with ThreadPoolExecutor(VISITORS) as pool:
        results = dict(pool.map(visit, range(VISITORS)))
    assert results == {
        str(number): {f"dots {number}", f"stripes {number}"} for number in range(VISITORS)
    }


BY_ID: dict[str, Callable[[Owned, str, str], object]] = {
    "dataset": lambda own, dataset_id, run_id: own.dataset(dataset_id),
    "run": lambda own, dataset_id, run_id: own.run(run_id),
    "live": lambda own, dataset_id, run_id: own.live(run_id),
}
OF_THE_OWNER: dict[str, Callable[[Owned], object]] = {
    "datasets": lambda own: own.datasets(),
    "runs": lambda own: own.runs(),
}


def test_every_way_to_what_is_owned_is_in_these_tables() -> None:
    methods = inspect.getmembers(Owned, inspect.isfunction)
    assert {name for name, _ in methods if not name.startswith("_")} == {*BY_ID, *OF_THE_OWNER}


@pytest.mark.parametrize("is_over", [False, True])
@pytest.mark.parametrize("is_in_memory", [False, True])
def test_somebody_elses_id_is_an_unknown_one_everywhere(
    workspace: Workspace,
    settings: Settings,
    owner: str,
    dataset: Dataset,
    steps: StepTraining,
    is_over: bool,
    is_in_memory: bool,
) -> None:
    run_id = workspace.trainings.start(owner, dataset, TrainConfig())
    shown = VisitorState(
        dataset_id=dataset.dataset_id, pending_dataset_id=dataset.dataset_id, run_id=run_id
    )
    stranger = owner_of(new_visitor())
    for each in (owner, stranger):  # the stranger has got hold of the ids
        workspace.visitors.change(each, lambda _: shown)
    if is_over:
        workspace.trainings.stop(run_id)
        assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    if is_in_memory:
        for ask in OF_THE_OWNER.values():
            assert ask(workspace.of(owner))
        for ask_by_id in BY_ID.values():
            assert ask_by_id(workspace.of(owner), dataset.dataset_id, run_id)
    own = workspace.of(stranger)
    for ask_by_id in BY_ID.values():
        for _ in range(2):  # a refusal leaves nothing behind either
            with pytest.raises(NotFoundError):
                ask_by_id(own, dataset.dataset_id, run_id)
    assert shown_state(workspace, stranger) == VisitorState()
    assert (own.datasets(), own.runs()) == ((), ())
    assert workspace.trainings.under_way(stranger) == NOTHING
    assert workspace.experiments.newest_race(stranger) == ()
    assert workspace.visitors.test_pictures(stranger) is None
    assert shown_state(workspace, owner) == shown


def test_an_unknown_id_and_somebody_elses_are_answered_alike(
    workspace: Workspace, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    run_id = workspace.trainings.start(owner, dataset, TrainConfig())
    own = workspace.of(owner_of(new_visitor()))
    for ask in BY_ID.values():
        said = set()
        for ids in ((dataset.dataset_id, run_id), ("A" * 32, "r_" + "A" * 32)):
            with pytest.raises(NotFoundError) as refusal:
                ask(own, *ids)
            said.add((str(refusal.value), refusal.value.hint))
        assert len(said) == 1


def test_whatever_changes_of_an_owner_wakes_those_who_listen_for_it_alone(
    workspace: Workspace, owner: str, dataset: Dataset, steps: StepTraining, small_folder: Path
) -> None:
    stranger = owner_of(new_visitor())
    woken, others = threading.Event(), threading.Event()
    workspace.changes.listen(owner, woken.set)
    workspace.changes.listen(stranger, others.set)

    def is_told(change: Callable[[], object]) -> bool:
        woken.clear()
        change()
        return woken.wait(PATIENCE_SECONDS)

    visitors, library, trainings = workspace.visitors, workspace.library, workspace.trainings
    pictures = visitors.prepare([("a.jpg", jpeg())])
    assert is_told(lambda: visitors.change(owner, lambda state: state))
    assert is_told(lambda: visitors.keep_test_pictures(owner, pictures))
    assert is_told(lambda: bring(workspace, owner, small_folder))
    assert is_told(lambda: library.save(replace(dataset, name="Other")))
    assert is_told(lambda: trainings.start(owner, dataset, TrainConfig()))
    (record,) = workspace.of(owner).runs()
    assert is_told(steps.step)
    assert is_told(lambda: trainings.stop(record.run_id))
    assert trainings.wait(record.run_id, PATIENCE_SECONDS)
    assert is_told(lambda: trainings.change(record.run_id, name="Mine"))
    assert is_told(lambda: trainings.delete(record.run_id))
    assert is_told(lambda: library.delete(dataset))
    assert is_told(lambda: workspace.experiments.start(owner, "count", lambda _: iter([1])))
    assert not others.is_set()


def test_when_somebody_is_woken_at_the_end_the_end_is_there_to_be_seen(
    workspace: Workspace, owner: str, dataset: Dataset, steps: StepTraining
) -> None:
    run_id = workspace.trainings.start(owner, dataset, TrainConfig())
    seen: list[tuple[RunRecord, Message]] = []
    is_over = threading.Event()

    def look() -> None:
        seen.append((workspace.run(run_id), workspace.trainings.under_way(owner)))
        if seen[-1][0].is_over:
            is_over.set()

    workspace.changes.listen(owner, look)
    steps.step()
    steps.finish()
    assert is_over.wait(PATIENCE_SECONDS)
    assert all((not under_way) is record.is_over for record, under_way in seen)
