"""The Train zone's components, and in which order they are filled."""

from dataclasses import dataclass

import gradio as gr

from tlapp.ui.panels.form import TrainForm
from tlapp.ui.widgets.backbone_cards import BackboneCards
from tlapp.ui.widgets.ladder import Ladder
from tlapp.ui.widgets.rate_chart import RateChart
from tlapp.ui.widgets.run_view import RunView


@dataclass(frozen=True, kw_only=True)
class RatePanel:
    """The components that find a learning rate."""

    start: gr.Button
    stop: gr.Button
    use: gr.Button
    chart: RateChart

    def views(self) -> list[gr.components.Component]:
        """What following a search fills, in its order."""
        return [self.chart, self.start, self.stop, self.use]


@dataclass(frozen=True, kw_only=True)
class TrainPanel:
    """The components of the zone."""

    cards: BackboneCards
    ladder: Ladder
    train: gr.Button
    stop: gr.Button
    go_on: gr.Button
    fine_tune: gr.Button
    next_step: gr.HTML
    form: TrainForm
    rates: RatePanel
    reset: gr.Button
    run_view: RunView

    def views(self) -> list[gr.components.Component]:
        """What `show` fills, in its order."""
        return [self.cards, *self.settings(), self.train, self.rates.start]

    def for_pictures(self) -> list[gr.components.Component]:
        """What `show_for_pictures` fills, in its order."""
        return [self.ladder, self.train, self.rates.start]

    def buttons(self) -> list[gr.components.Component]:
        """What starts and ends a training, in the order of `button_updates`."""
        return [self.train, self.stop, self.go_on, self.fine_tune]

    def for_next_step(self) -> list[gr.components.Component]:
        """What `tuning.refresh` fills, in its order."""
        return [self.next_step, self.rates.use, *self.starts()]

    def starts(self) -> list[gr.components.Component]:
        """What starts something with the pictures on the page."""
        return [self.train, self.go_on, self.fine_tune, self.rates.start]

    def settings(self) -> list[gr.components.Component]:
        """The ladder and the fields."""
        return [self.ladder, *self.form.components()]
