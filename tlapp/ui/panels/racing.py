"""The freeze race: one press, five trainings, one plot, one sentence."""

import gradio as gr
from gradio.blocks import Block

from tlapp.experiments.race import RaceResult, race_result
from tlapp.messages import Say
from tlapp.runs.live import LiveRun
from tlapp.ui.later import later
from tlapp.ui.page import Page
from tlapp.ui.panels.panel import Update
from tlapp.ui.text import racing
from tlapp.ui.visit import Visit, dataset_key, run_key
from tlapp.ui.widgets.race_view import RaceLane, RaceValue, RaceView


class RacePanel:
    """The race and its buttons."""

    race: RaceView
    start: gr.Button
    stop: gr.Button

    def __init__(self, page: Page) -> None:
        self._experiments = page.workspace.experiments
        self._most_seconds = page.settings.limits.training_seconds

    def build(self) -> None:
        """Make the components."""
        invitation = later(racing.invitation(None, 0.0))
        self.race = RaceView(RaceValue(status=invitation), elem_id="race-view")
        with gr.Row(elem_classes="tl-buttons"):
            self.start = gr.Button(
                later(racing.START_BUTTON), interactive=False, elem_id="race-start"
            )
            self.stop = gr.Button(
                later(racing.STOP_BUTTON), variant="stop", visible=False, elem_id="race-stop"
            )

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All that `render` may fill."""
        return (self.race, self.start, self.stop)

    def view(self, visit: Visit) -> object:
        """The lanes at this moment; before a race, what it would be of."""
        lanes = tuple(run_key(live) for live in visit.race)
        return lanes, dataset_key(visit.dataset), None if lanes else visit.config.backbone

    def render(self, visit: Visit) -> Update:
        """The newest race as it is, or what a race would be."""
        is_over = all(live.is_over for live in visit.race)
        return {
            self.race: _race(visit.race, visit.words.say)
            if visit.race
            else self._invitation(visit),
            self.start: gr.update(interactive=visit.dataset is not None, visible=is_over),
            self.stop: gr.update(visible=not is_over),
        }

    def _invitation(self, visit: Visit) -> RaceValue:
        seconds = None
        if visit.dataset is not None:
            backbone = visit.config.backbone
            seconds = self._experiments.estimate_race(visit.dataset, backbone)
        said = racing.invitation(seconds, self._most_seconds)
        return RaceValue(status=visit.words.say(said))


def _race(lives: tuple[LiveRun, ...], say: Say) -> RaceValue:
    records = [live.record for live in lives]
    result = race_result(records) if all(live.is_over for live in lives) else None
    return RaceValue(
        status=say(racing.race_status(lives)),
        lanes=tuple(_lane(live, result, say) for live in lives),
        verdict=tuple(map(say, racing.verdict(result, records))) if result else (),
    )


def _lane(live: LiveRun, result: RaceResult | None, say: Say) -> RaceLane:
    record = live.record
    return RaceLane(
        run=record.run_id,
        title=say(racing.lane_title(record)),
        figure=say(racing.best_figure(record)),
        note=say(racing.lane_note(live)),
        accuracies=tuple(row.valid_accuracy for row in record.epochs),
        seconds=record.elapsed,
        best=record.best_epoch if record.is_over else None,
        is_winner=result is not None and result.winner == record.lane,
    )
