"""The ladder of the Train zone: the chosen backbone's stages, what learns, and what that means."""

from collections.abc import Hashable, Sequence
from dataclasses import replace

import gradio as gr
from gradio.blocks import Block

from tlapp.backbones.stages import stage_title
from tlapp.data.dataset import Dataset
from tlapp.errors import TlappError, TrainingError
from tlapp.messages import Say
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig
from tlapp.training.counts import ParameterCounts, count_parameters
from tlapp.training.doubts import doubts
from tlapp.training.freezing import StagePlan, plan_stages
from tlapp.training.presets import PRESETS, matching_preset
from tlapp.ui import text
from tlapp.ui.asked import event_text
from tlapp.ui.later import later
from tlapp.ui.page import Page
from tlapp.ui.panels.panel import Update
from tlapp.ui.sent import Reads
from tlapp.ui.text import comparing
from tlapp.ui.text.doubts import sentence
from tlapp.ui.visit import Visit, dataset_key, epoch_key
from tlapp.ui.widgets.ladder import (
    Ladder,
    LadderPreset,
    LadderStage,
    LadderValue,
    Moved,
    measured_update,
    moved_update,
)


class LadderPanel:
    """The stages with their locks and rates."""

    ladder: Ladder

    def __init__(self, page: Page) -> None:
        self._models = page.workspace.models

    def build(self) -> None:
        """Make the components."""
        self.ladder = Ladder(self._value(None, TrainConfig(), later), elem_id="ladder")

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All that `render` may fill."""
        return (self.ladder,)

    def view(self, visit: Visit) -> Hashable:
        """The settings, and the pictures that they are for."""
        return visit.config, dataset_key(visit.dataset)

    def render(self, visit: Visit) -> Update:
        """What is chosen, and what that means."""
        return {self.ladder: gr.update(value=self._shown(visit))}

    def render_refusal(self, visit: Visit, error: TlappError) -> Update:
        """The ladder as it was, saying why the settings on the page cannot work. Raises what is no
        fault of theirs."""
        if not isinstance(error, TrainingError):
            raise error
        said = visit.words.say(error.said).replace("**", "")
        problem = replace(self._shown(visit), sentence=said, is_problem=True, untried="")
        return {self.ladder: gr.update(value=problem)}

    def render_measured(self, visit: Visit, config: TrainConfig) -> Update:
        """How long an epoch takes, if the ladder still shows these settings."""
        value = self._value(visit.dataset, config, visit.words.say)
        return {self.ladder: measured_update(value, visit.words, of=_untried(config))}

    def reads_preset(self) -> Reads[str]:
        """The usual choice that was pressed."""
        return Reads((), lambda sent: event_text(sent.event, "name"))

    def _shown(self, visit: Visit) -> LadderValue:
        return self._value(visit.dataset, visit.config, visit.words.say)

    def _value(self, dataset: Dataset | None, config: TrainConfig, say: Say) -> LadderValue:
        sketch = self._models.sketch(config.backbone)
        plans = plan_stages(sketch.stages, config)
        class_count = 0 if dataset is None else len(dataset.images.class_names)
        counts = count_parameters(sketch, class_count, config)
        head_parameters = _head_parameters(counts, plans)
        costs = None if dataset is None else self._models.costs(dataset, config)
        train_count = None if dataset is None else len(dataset.split.train)
        preset = matching_preset(config, train_count=train_count)
        is_untried = not (costs is None or config.is_head_alone or costs.is_epoch_measured)
        found = () if train_count is None else doubts(plans, config, train_count=train_count)
        return LadderValue(
            stages=tuple(
                _stage(plan.stage.name, plan.stage.parameter_count, plan.learning_rate, say)
                for plan in plans
            ),
            head=_stage(text.HEAD_STAGE, head_parameters, config.learning_rate, say),
            presets=tuple(LadderPreset(p.name, say(text.PRESET_TITLES[p.name])) for p in PRESETS),
            preset=preset.name if preset else "",
            sentence=say(
                text.learning_sentence(counts, costs)
                if costs
                else text.learning_sentence_without_classes(counts)
            ),
            untried=_untried(config) if is_untried else "",
            doubts=tuple(say(sentence(doubt)) for doubt in found),
            replaced_layer=say(
                text.replaced(sketch.final_layer, sketch.feature_width, class_count)
            ),
        )


class MovedPanel:
    """On the ladder: how far the run on the page has moved its backbone."""

    def __init__(self, page: Page, ladder: LadderPanel) -> None:
        self._models = page.workspace.models
        self._ladder = ladder

    def build(self) -> None:
        """Nothing: the ladder is there."""

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All that `render` may fill."""
        return self._ladder.outputs

    def view(self, visit: Visit) -> object:
        """The run, and the epoch that it is at."""
        return epoch_key(visit.run)

    def render(self, visit: Visit) -> Update:
        """How far, stage by stage; the ladder's value stays as it is."""
        words = visit.words
        moved = Moved() if visit.run is None else self._moved(visit.run.record, words.say)
        return {self._ladder.ladder: moved_update(moved, words)}

    def _moved(self, record: RunRecord, say: Say) -> Moved:
        """Nothing when it has not moved. After its newest epoch while it goes on, then after the
        best one, which is kept."""
        newest = record.epochs[-1] if record.epochs else None
        row = record.best_row() if record.is_over else newest
        stages = self._models.sketch(str(record.config["backbone"])).stages
        if row is None or row.agreement is None or len(row.drift) != len(stages):
            return Moved()
        return Moved(
            stages=tuple(
                (stage.name, stage.parameter_count, share)
                for stage, share in zip(stages, row.drift, strict=True)
            ),
            sentence=say(comparing.still_sees(row.agreement)),
        )


def _stage(name: str, parameters: int, rate: float | None, say: Say) -> LadderStage:
    return LadderStage(name, say(stage_title(name)), parameters, rate)


def _untried(config: TrainConfig) -> str:
    """Stands for these settings: a figure that was measured for others is not theirs."""
    return str(hash(config))


def _head_parameters(counts: ParameterCounts, plans: Sequence[StagePlan]) -> int:
    return counts.trainable - sum(p.stage.parameter_count for p in plans if not p.is_frozen)
