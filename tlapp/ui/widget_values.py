"""From values of the rooms to the values of the widgets. Decides nothing, computes nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from tlapp.data.dataset import Dataset
from tlapp.errors import TlappError
from tlapp.evaluation.test_pictures import TestAnswer
from tlapp.runs.live import LiveRun
from tlapp.runs.record import EpochRow, RunRecord
from tlapp.training.config import TrainConfig
from tlapp.training.counts import ParameterCounts, count_parameters
from tlapp.training.doubts import doubts
from tlapp.training.freezing import StagePlan, plan_stages
from tlapp.training.presets import PRESETS, matching_preset
from tlapp.ui import text
from tlapp.ui.text import comparing
from tlapp.ui.text.doubts import sentence
from tlapp.ui.text.status import status_of
from tlapp.ui.widgets.backbone_cards import BackboneCard, BackboneCardsValue
from tlapp.ui.widgets.class_list import (
    ClassListValue,
    ClassRow,
    skipped_rows,
    thumbnails_per_class,
)
from tlapp.ui.widgets.ladder import LadderPreset, LadderStage, LadderValue, Moved
from tlapp.ui.widgets.predictions import ClassBar, PredictionsValue, TriedPicture
from tlapp.ui.widgets.run_view import Curves, RunViewValue, State
from tlapp.ui.widgets.values import picture_address
from tlapp.workspace import CardView, DownloadState, Workspace, split_of

CLASSES_SHOWN = 3  # most probable classes of one test picture

# --- Data --------------------------------------------------------------------------------------


def class_list(workspace: Workspace, dataset: Dataset) -> ClassListValue:
    """The classes with their pictures, what was left out, and what deserves attention."""
    images = dataset.images
    split = split_of(dataset)
    skipped = skipped_rows((each.name, each.reason) for each in dataset.skipped)
    skipped_count = len(dataset.skipped) + dataset.unnamed_skipped_count
    return ClassListValue(
        dataset=dataset.dataset_id,
        can_undo=dataset.before_edit is not None,
        summary=text.dataset_summary(
            len(images.images), len(images.class_names), len(split.train), len(split.valid)
        ),
        classes=tuple(
            ClassRow(name, count, thumbnails)
            for name, count, thumbnails in zip(
                images.class_names, images.counts(), _thumbnails(workspace, dataset), strict=True
            )
        ),
        notes=(
            *((text.OWN_SPLIT,) if has_own_split(dataset) else ()),
            *(finding.message for finding in workspace.library.findings(dataset)),
        ),
        skipped_line=text.skipped_line(skipped_count),
        skipped=skipped,
        skipped_rest=text.and_more(skipped_count - len(skipped)),
    )


def _thumbnails(workspace: Workspace, dataset: Dataset) -> list[tuple[str, ...]]:
    shown = thumbnails_per_class(len(dataset.images.class_names))
    addresses: list[list[str]] = [[] for _ in dataset.images.class_names]
    for image in dataset.images.images:
        row = addresses[image.class_index]
        if len(row) < shown:
            row.append(
                picture_address(workspace.library.thumbnail(dataset.dataset_id, image.image_id))
            )
    return [tuple(row) for row in addresses]


def no_classes() -> ClassListValue:
    """Before anything was brought."""
    return ClassListValue(summary="", classes=(), can_edit=False)


def has_own_split(dataset: Dataset) -> bool:
    """Whether the folder itself says what is held out."""
    return {"train", "valid"} <= {image.part for image in dataset.images.images}


# --- Train -------------------------------------------------------------------------------------


def cards(workspace: Workspace, selected: str) -> BackboneCardsValue:
    """Every backbone, and the chosen one."""
    return BackboneCardsValue(
        cards=tuple(
            _card(view, workspace.models.downloads.state(view.card.name))
            for view in workspace.models.cards()
        ),
        selected=selected,
    )


def _card(view: CardView, download: DownloadState) -> BackboneCard:
    card = view.card
    return BackboneCard(
        name=card.name,
        title=card.title,
        facts=text.card_facts(card, view.images_per_second),
        ready=view.is_ready,
        weights=text.weights_line(card, download, is_ready=view.is_ready),
        download="" if view.is_ready else _download(download),
        progress=download.done_bytes / max(download.total_bytes, 1),
    )


def _download(download: DownloadState) -> Literal["offered", "running", "failed"]:
    if download.state in ("waiting", "running"):
        return "running"
    return "failed" if download.state == "failed" else "offered"


def ladder(workspace: Workspace, dataset: Dataset | None, config: TrainConfig) -> LadderValue:
    """The stages of the chosen backbone with their locks and rates, and what these mean."""
    sketch = workspace.models.sketch(config.backbone)
    plans = plan_stages(sketch.stages, config)
    class_count = 0 if dataset is None else len(dataset.images.class_names)
    counts = count_parameters(sketch, class_count, config)
    head_parameters = _head_parameters(counts, plans)
    costs = None if dataset is None else workspace.models.costs(dataset, config)
    train_count = None if dataset is None else len(split_of(dataset).train)
    preset = matching_preset(config, train_count=train_count)
    return LadderValue(
        stages=tuple(
            LadderStage(plan.stage.name, plan.stage.parameter_count, plan.learning_rate)
            for plan in plans
        ),
        head=LadderStage(text.HEAD_STAGE, head_parameters, config.learning_rate),
        presets=tuple(LadderPreset(p.name, text.PRESET_TITLES[p.name]) for p in PRESETS),
        preset=preset.name if preset else "",
        sentence=text.learning_sentence(counts, costs)
        if costs
        else text.learning_sentence_without_classes(counts),
        untried=""
        if costs is None or config.is_head_alone or costs.is_epoch_measured
        else untried(config),
        doubts=()
        if train_count is None
        else tuple(sentence(doubt) for doubt in doubts(plans, config, train_count=train_count)),
        replaced_layer=text.replaced(
            counts.replaced_layer,
            (sketch.final_layer.inputs + 1) * sketch.final_layer.outputs,
            head_parameters if dataset is not None else None,
        ),
    )


def untried(config: TrainConfig) -> str:
    """Stands for these settings: a figure that was measured for others is not theirs."""
    return str(hash(config))


def moved(workspace: Workspace, record: RunRecord) -> Moved:
    """How far a run has moved its backbone; nothing when it has not. After its newest epoch while
    it goes on, then after the best one, which is kept."""
    newest = record.epochs[-1] if record.epochs else None
    row = record.best_row() if record.is_over else newest
    stages = workspace.models.sketch(str(record.config["backbone"])).stages
    if row is None or row.agreement is None or len(row.drift) != len(stages):
        return Moved()
    return Moved(
        stages=tuple(
            (stage.name, stage.parameter_count, share)
            for stage, share in zip(stages, row.drift, strict=True)
        ),
        sentence=comparing.still_sees(row.agreement),
    )


def with_problem(value: LadderValue, error: TlappError) -> LadderValue:
    """The same, saying why the settings on the page cannot work."""
    sentence = f"{error} {error.hint}".replace("**", "")
    return replace(value, sentence=sentence, is_problem=True, untried="")


def _head_parameters(counts: ParameterCounts, plans: Sequence[StagePlan]) -> int:
    return counts.trainable - sum(p.stage.parameter_count for p in plans if not p.is_frozen)


def opening() -> RunViewValue:
    """Until the page knows what its visitor has."""
    return RunViewValue(state="empty", status=text.OPENING)


def not_opened() -> RunViewValue:
    """The page does not know what its visitor has."""
    return RunViewValue(state="failed", status=text.NOT_OPENED)


def no_run(*, has_pictures: bool) -> RunViewValue:
    """Before the first training: what to do next."""
    return RunViewValue(
        state="empty", status=text.PRESS_TRAIN if has_pictures else text.BRING_PICTURES_FIRST
    )


def run(live: LiveRun, *, shown_dataset_id: str | None = None) -> RunViewValue:
    """A run at this moment; it tells what it learned from when the page shows other pictures."""
    record = live.record
    is_other = shown_dataset_id not in (None, record.dataset_id)
    return RunViewValue(
        state=_state(live),
        status=status_of(live),
        origin=text.learned_elsewhere(record.dataset_name) if is_other else "",
        run=record.run_id,
        progress=_progress(live),
        total_epochs=live.epochs or len(record.epochs),
        epochs=_curves(record.epochs),
        best_epoch=_best_epoch(record),
        phase_starts=record.phase_starts,
        accuracy_note=text.accuracy_note(record.valid_accuracy, record.valid_interval),
        interval=record.valid_interval,
        batches=live.batch_losses,
    )


def _state(live: LiveRun) -> State:
    if live.state == "running" and live.phase in ("download", "features"):
        return "preparing"
    return live.state


def _progress(live: LiveRun) -> float | None:
    if live.is_over or live.state == "waiting":
        return None
    if live.phase == "download":
        return live.download_done_bytes / max(live.download_total_bytes, 1)
    if live.phase == "features":
        return live.features_done / max(live.features_total, 1)
    finished = len(live.record.epochs) + (live.batch / live.batches if live.batches else 0.0)
    return min(finished / max(live.epochs, 1), 1.0)


def _curves(rows: Sequence[EpochRow]) -> Curves:
    return Curves(
        train=tuple(row.train_loss for row in rows),
        train_eval=tuple(row.train_eval_loss for row in rows),
        valid=tuple(row.valid_loss for row in rows),
        train_accuracy=tuple(row.train_eval_accuracy for row in rows),
        valid_accuracy=tuple(row.valid_accuracy for row in rows),
    )


def _best_epoch(record: RunRecord) -> int | None:
    best = [row.epoch for row in record.epochs if row.is_best]
    return record.best_epoch or (best[-1] if best else None)


# --- Try ---------------------------------------------------------------------------------------


def no_predictions(why: str) -> PredictionsValue:
    """Before anything was tried, or when nobody can answer."""
    return PredictionsValue(heading="", empty=why)


def predictions(results: Sequence[TestAnswer], heading: str) -> PredictionsValue:
    """The answers, picture by picture."""
    return PredictionsValue(
        heading=heading,
        pictures=tuple(
            TriedPicture(
                key=f"{index} {result.name}",
                name=result.name,
                thumbnail=picture_address(result.thumbnail) if result.thumbnail else "",
                classes=tuple(
                    ClassBar(answer.name, answer.probability)
                    for answer in result.ranked[:CLASSES_SHOWN]
                ),
                error=result.error,
            )
            for index, result in enumerate(results)
        ),
    )
