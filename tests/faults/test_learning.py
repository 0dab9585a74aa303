"""Groups E and F: what changes beside a training, what breaks in it, and when it is stopped."""

import errno
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.pictures import class_folder, jpeg
from tests.training.test_session import is_equal, training, training_in_phases
from tests.training.tiny import Album, TinyNetwork, tiny_backbone
from tests.workspace.conftest import PATIENCE_SECONDS, bring
from tlapp.classifier import Classifier
from tlapp.data.dataset import Dataset, DatasetStore
from tlapp.data.images import remove_class, rename_class
from tlapp.errors import NotFoundError, PictureError, TlappError
from tlapp.messages import verbatim
from tlapp.runs.folder import RunFolder
from tlapp.settings import Settings
from tlapp.training.config import TrainConfig
from tlapp.training.events import (
    EpochFinished,
    TrainingEvent,
    TrainingFinished,
    TrainingStopped,
)
from tlapp.training.session import train
from tlapp.training.task import TrainJob
from tlapp.workspace import Workspace

QUICK = TrainConfig(epochs=2, batch_size=6, seed=3)
WHOLE = TrainConfig(epochs=2, batch_size=6, seed=3, freeze="none")
MOST_CALLS = 200


@pytest.fixture
def dataset(workspace: Workspace, owner: str, tmp_path: Path) -> Dataset:
    folder = class_folder(tmp_path / "small", per_class=5, width=40, height=36)
    return bring(workspace, owner, folder)


def trained(workspace: Workspace, owner: str, dataset: Dataset, config: TrainConfig) -> str:
    run_id = workspace.trainings.start(owner, dataset, config)
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    return run_id


def is_finite(classifier: Classifier) -> bool:
    tensors = (*classifier.backbone.module.state_dict().values(), *classifier.head.parameters())
    return all(bool(tensor.isfinite().all()) for tensor in tensors)


@pytest.mark.parametrize("config", [QUICK, WHOLE])
@pytest.mark.parametrize("per_class", [1, 2])
def test_one_picture_a_class_is_learnt_without_claiming_an_accuracy(
    workspace: Workspace, owner: str, tmp_path: Path, config: TrainConfig, per_class: int
) -> None:
    dataset = bring(workspace, owner, class_folder(tmp_path / "few", per_class=per_class))
    kinds = {finding.kind for finding in workspace.library.findings(dataset)}
    record = workspace.run(trained(workspace, owner, dataset, config))
    assert record.state == "finished"
    assert ("nothing_held_out" in kinds) is (per_class == 1)
    assert (record.valid_accuracy is None) is (per_class == 1)


def test_a_rare_class_is_warned_of_and_has_its_own_accuracy(
    workspace: Workspace, owner: str, tmp_path: Path
) -> None:
    folder = class_folder(tmp_path / "uneven", ("dots",), per_class=60, width=24, height=24)
    class_folder(folder, ("rare",), per_class=2, width=24, height=24, first_seed=900)
    dataset = bring(workspace, owner, folder)
    found = {finding.kind: finding for finding in workspace.library.findings(dataset)}
    assert found["imbalance"].class_names == ("dots", "rare")
    record = workspace.run(trained(workspace, owner, dataset, QUICK))
    assert [(each.name, each.total) for each in record.class_results] == [("dots", 12), ("rare", 1)]


def test_a_run_keeps_its_own_classes_when_they_change_afterwards(
    workspace: Workspace, owner: str, dataset: Dataset, settings: Settings
) -> None:
    run_id = trained(workspace, owner, dataset, QUICK)
    images = remove_class(rename_class(dataset.images, 0, "Others"), 1)
    workspace.library.save(replace(dataset, images=images))
    names = dataset.images.class_names
    assert workspace.run(run_id).class_names == names
    workspace.close()
    later = Workspace(settings)
    answers = later.visitors.answers(
        later.visitors.prepare([("new.jpg", jpeg(0, 77))]), later.trainings.classifier(run_id)
    )
    assert {item.name for item in answers[0].ranked} == set(names)
    assert trained(later, owner, replace(dataset, images=images), QUICK) != run_id
    later.close()


def test_pictures_that_change_during_a_training_are_those_of_its_beginning(
    workspace: Workspace, owner: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = workspace.trainings.classifier(trained(workspace, owner, dataset, WHOLE))
    began, may_go_on = threading.Event(), threading.Event()

    def held_train(job: TrainJob, **options: Any) -> Iterator[TrainingEvent]:
        began.set()
        assert may_go_on.wait(PATIENCE_SECONDS)
        yield from train(job, **options)

    monkeypatch.setattr("tlapp.workspace.trainings.train", held_train)
    run_id = workspace.trainings.start(owner, dataset, WHOLE)
    assert began.wait(PATIENCE_SECONDS)
    changed = replace(dataset, images=rename_class(dataset.images, 0, "Other"), split_seed=9)
    workspace.library.save(replace(changed, images=remove_class(changed.images, 1)))
    may_go_on.set()
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    found = workspace.trainings.classifier(run_id)
    assert found.class_names == dataset.images.class_names
    assert is_equal(found.head.state_dict(), expected.head.state_dict())
    assert is_equal(found.backbone.module.state_dict(), expected.backbone.module.state_dict())


@pytest.mark.parametrize("batch_size", [1, 7])
@pytest.mark.parametrize("pretrained", [True, False])
def test_a_picture_that_is_alone_in_a_batch_spoils_no_statistics(
    batch_size: int, pretrained: bool
) -> None:
    config = replace(WHOLE, batch_size=batch_size, train_batchnorm=True, pretrained=pretrained)
    album = Album(2, 4, 1)  # 8 pictures to learn from: 7 leave one alone
    last = list(training(album, tiny_backbone(pretrained=pretrained), config))[-1]
    assert isinstance(last, TrainingFinished)
    assert is_finite(last.result.classifier)


def test_a_mad_rate_in_a_later_phase_keeps_what_was_learnt_before(
    workspace: Workspace, owner: str, dataset: Dataset
) -> None:
    mad = replace(WHOLE, learning_rate=1e30)
    run_id = workspace.trainings.start(owner, dataset, QUICK, mad)
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    record = workspace.run(run_id)
    assert record.state == "failed"
    assert "Learning rate too high" in record.message.template
    assert record.best_epoch in (1, 2)
    assert is_finite(workspace.trainings.classifier(run_id))
    stored = [path.name for path in workspace.trainings.folder(run_id).rglob("epoch-*")]
    assert len(stored) == 1


def stopped_at(call: int, config: TrainConfig) -> tuple[TrainingEvent, list[TrainingEvent], bool]:
    """The last event, those before it, and whether it was asked so often, of a training that is
    to stop from this call on."""
    calls = 0

    def should_stop() -> bool:
        nonlocal calls
        calls += 1
        return calls >= call

    album = Album(2, 4, 2)
    events = list(training(album, tiny_backbone(), config, should_stop=should_stop))
    return events[-1], events[:-1], calls >= call


@pytest.mark.parametrize("config", [QUICK, WHOLE, replace(WHOLE, freeze="last:1")])
def test_stopping_at_any_moment_ends_at_once_with_the_best_so_far(config: TrainConfig) -> None:
    """Decoding, the first batch, measuring: wherever it is asked, it ends without another step."""
    has_been_asked = True
    call = 1
    while has_been_asked and call < MOST_CALLS:
        last, before, has_been_asked = stopped_at(call, config)
        epochs = [event for event in before if isinstance(event, EpochFinished)]
        if has_been_asked:
            assert isinstance(last, TrainingStopped)
            assert (last.result is None) is (not epochs)
            if last.result is not None:
                assert is_finite(last.result.classifier)
        call += 1
    assert isinstance(last, TrainingFinished)
    assert call > 3


def test_what_predicts_while_the_network_learns_is_a_copy_that_stays_as_it_is() -> None:
    config = replace(WHOLE, epochs=3, learning_rate=0.05, backbone_learning_rate=0.05)
    kept: list[tuple[Classifier, dict[str, torch.Tensor]]] = []
    for event in training(Album(), tiny_backbone(), config):
        if isinstance(event, EpochFinished):
            found = event.classifier
            tensors = {**found.head.state_dict(), **found.backbone.module.state_dict()}
            kept.append((found, {name: tensor.clone() for name, tensor in tensors.items()}))
    assert len(kept) == 3
    for classifier, tensors in kept:
        now = {**classifier.head.state_dict(), **classifier.backbone.module.state_dict()}
        assert is_equal(now, tensors)
        assert not classifier.backbone.module.training
    assert not is_equal(kept[0][1], kept[2][1])


def test_a_training_leaves_the_switches_of_the_process_as_they_are() -> None:
    backbone = tiny_backbone()

    def switches() -> tuple[int, bool, bytes]:
        random_state = torch.get_rng_state().numpy().tobytes()
        return torch.get_num_threads(), torch.is_grad_enabled(), random_state

    before = switches()
    for event in training_in_phases(Album(), backbone, (QUICK, WHOLE)):
        last = event
        assert switches() == before
    assert isinstance(last, TrainingFinished)


class BreaksAt:
    """Calls through, but for one call, which breaks."""

    def __init__(self, error: BaseException) -> None:
        self._error = error
        self._calls = 0
        self.call = 0
        self._lock = threading.Lock()

    def arm(self, call: int) -> None:
        """Break at this call from now on, 1 for the first."""
        self._calls, self.call = 0, call

    @property
    def has_broken(self) -> bool:
        """Whether it came to that call."""
        return self._calls >= self.call

    def wrap(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Call the function, or break."""
        with self._lock:
            self._calls += 1
            is_hit = self._calls == self.call
        if is_hit:
            raise self._error
        return function(*arguments, **options)


PLACES: dict[str, tuple[type, tuple[str, ...], BaseException]] = {
    "read": (DatasetStore, ("_read_picture",), OSError(errno.EIO, "I/O error")),
    "decode": (
        DatasetStore,
        ("_read_picture",),
        PictureError(verbatim("It is damaged."), hint=verbatim("Import.")),
    ),
    "forward": (TinyNetwork, ("forward",), RuntimeError("injected")),
    "memory": (TinyNetwork, ("forward",), MemoryError()),
    "save": (
        RunFolder,
        ("write", "append", "save_model", "save_state", "keep_models"),
        OSError(errno.ENOSPC, "No space left on device"),
    ),
}


@pytest.mark.parametrize("place", sorted(PLACES))
def test_whatever_breaks_at_whichever_call_the_run_has_failed_and_the_next_one_runs(
    workspace: Workspace,
    owner: str,
    dataset: Dataset,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    kind, names, error = PLACES[place]
    breaks = BreaksAt(error)
    for name in names:
        original = getattr(kind, name)

        def broken(*arguments: Any, _original: Any = original, **options: Any) -> Any:
            return breaks.wrap(_original, *arguments, **options)

        monkeypatch.setattr(kind, name, broken)
    for call in range(1, MOST_CALLS):
        breaks.arm(call)
        runs = {record.run_id for record in workspace.of(owner).runs()}
        try:
            run_id = trained(workspace, owner, dataset, WHOLE)
        except TlappError as refused:
            assert refused.hint
            assert {record.run_id for record in workspace.of(owner).runs()} == runs
            continue
        record = workspace.run(run_id)
        if not breaks.has_broken:
            break
        assert (call, record.state) == (call, "failed")
        assert record.message
        assert record.hint
        assert "Traceback" not in str(record.message)
        breaks.arm(MOST_CALLS)
        workspace.trainings.delete(workspace.of(owner).run(run_id).run_id)
        with pytest.raises(NotFoundError):
            workspace.run(run_id)
    assert record.state == "finished"
    assert call > 3
