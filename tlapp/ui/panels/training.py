"""The Train zone's buttons, the run on the page as it learns, and what can be done next."""

from collections.abc import Hashable, Sequence
from dataclasses import replace

import gradio as gr
from gradio.blocks import Block

from tlapp.errors import TlappError
from tlapp.messages import NOTHING, Message, Say, joined
from tlapp.runs.live import LiveRun
from tlapp.runs.record import EpochRow, RunRecord
from tlapp.ui import present, text
from tlapp.ui.actions.training import tuning_config
from tlapp.ui.later import later
from tlapp.ui.page import Page
from tlapp.ui.panels.panel import Update
from tlapp.ui.text import tuning as words
from tlapp.ui.text.status import status_of
from tlapp.ui.visit import Visit, run_key
from tlapp.ui.widgets.run_view import Curves, RunView, RunViewValue, State
from tlapp.workspace import TRAINING, check_same_pictures


class TrainingPanel:
    """What starts and ends a training, and its curves."""

    train: gr.Button
    stop: gr.Button
    resume: gr.Button
    fine_tune: gr.Button
    run_view: RunView

    def build_buttons(self) -> None:
        """Make the buttons, which stand above what is said of the next step."""
        with gr.Row(elem_classes="tl-buttons"):
            self.train = gr.Button(
                later(text.TRAIN_BUTTON), variant="primary", interactive=False, elem_id="train"
            )
            self.stop = gr.Button(
                later(text.STOP_BUTTON), variant="stop", visible=False, elem_id="stop"
            )
            self.resume = gr.Button(later(text.GO_ON_BUTTON), visible=False, elem_id="go-on")
            self.fine_tune = gr.Button(
                later(text.FINE_TUNE_BUTTON), visible=False, elem_id="fine-tune"
            )

    def build(self) -> None:
        """Make the run's view."""
        self.run_view = RunView(
            RunViewValue(state="empty", status=later(text.OPENING)), elem_id="run-view"
        )

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All that `render` may fill."""
        return (self.run_view, self.train, self.stop, self.resume, self.fine_tune)

    def view(self, visit: Visit) -> object:
        """The run at this moment, and whether something can be begun."""
        dataset_id = None if visit.dataset is None else visit.dataset.dataset_id
        return run_key(visit.run), dataset_id, visit.can_begin

    def render(self, visit: Visit) -> Update:
        """The run and its buttons; without a run, what to do next."""
        live = visit.run
        is_busy = live is not None and not live.is_over
        can_tune = live is not None and live.is_over and live.record.is_finished_head
        can_resume = live is not None and live.can_go_on
        return {
            self.run_view: self._run(visit) if live is None else _run_value(live, visit),
            self.train: gr.update(visible=not is_busy, interactive=visit.can_begin),
            self.stop: gr.update(visible=is_busy),
            self.resume: gr.update(visible=can_resume, interactive=visit.can_begin),
            self.fine_tune: gr.update(visible=can_tune, interactive=visit.can_begin),
        }

    def render_not_opened(self, say: Say) -> Update:
        """The page does not know what its visitor has."""
        return {self.run_view: RunViewValue(state="failed", status=say(text.NOT_OPENED))}

    def _run(self, visit: Visit) -> RunViewValue:
        said = text.BRING_PICTURES_FIRST if visit.dataset is None else text.PRESS_TRAIN
        return RunViewValue(state="empty", status=visit.words.say(said))


class NextStepPanel:
    """What can be done with the run on the page beside training anew."""

    note: gr.HTML

    def __init__(self, page: Page) -> None:
        self._models = page.workspace.models

    def build(self) -> None:
        """Make the component."""
        self.note = gr.HTML("", elem_id="next-step")

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All that `render` may fill."""
        return (self.note,)

    def view(self, visit: Visit) -> Hashable:
        """What is said."""
        return self._said(visit)

    def render(self, visit: Visit) -> Update:
        """The sentences, if there are any."""
        return {self.note: present.next_step(visit.words.say(self._said(visit)))}

    def _said(self, visit: Visit) -> Message:
        """What can be done, or what must be over first."""
        if visit.under_way:
            is_training = visit.under_way == TRAINING
            return NOTHING if is_training else words.under_way(visit.under_way)
        live = visit.run
        if live is None or not live.is_over or live.record.best_epoch is None:
            return NOTHING
        record = live.record
        try:
            dataset = visit.mine.dataset(record.dataset_id)
            check_same_pictures(record, dataset)
            said = [words.GO_ON] if live.can_go_on else []
            if record.is_finished_head:
                said.append(self._offer(visit, record))
            elif record.phase_starts:
                said.append(words.FINE_TUNED)
                said += [words.HEAD_KEPT] if record.keeps_first_phase and record.continues else []
        except TlappError:  # the pictures are gone or changed, or its settings another version's
            return NOTHING
        return joined(*said)

    def _offer(self, visit: Visit, record: RunRecord) -> Message:
        config, origin = tuning_config(visit.config, record)
        alone = replace(config, head_epochs=0)
        dataset = visit.mine.dataset(record.dataset_id)
        counts, costs = self._models.counts(dataset, alone), self._models.costs(dataset, alone)
        return words.offer(config, origin, counts.trainable, costs.seconds)


def _run_value(live: LiveRun, visit: Visit) -> RunViewValue:
    """A run at this moment; it tells what it learned from when the page shows other pictures."""
    record = live.record
    shown = None if visit.dataset is None else visit.dataset.dataset_id
    is_other = shown not in (None, record.dataset_id)
    say = visit.words.say
    return RunViewValue(
        state=_state(live),
        status=say(status_of(live)).replace("`", ""),  # a command's marks; here it is plain text
        origin=say(text.learned_elsewhere(record.dataset_name)) if is_other else "",
        run=record.run_id,
        progress=_progress(live),
        total_epochs=live.epochs or len(record.epochs),
        epochs=_curves(record.epochs),
        best_epoch=_best_epoch(record),
        phase_starts=record.phase_starts,
        accuracy_note=say(text.accuracy_note(record.valid_accuracy, record.valid_interval)),
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
