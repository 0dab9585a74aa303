"""The table of the page: which event does what, and what is drawn then."""

from functools import partial

import gradio as gr

from tlapp.ui.actions import data as data_actions
from tlapp.ui.actions import experiments as experiment_actions
from tlapp.ui.actions import runs as run_actions
from tlapp.ui.actions import settings as settings_actions
from tlapp.ui.actions import training as training_actions
from tlapp.ui.actions import trying as try_actions
from tlapp.ui.door.lines import IMPORT_LINE, TRIED
from tlapp.ui.handling import LATEST, QUIET
from tlapp.ui.page import Page
from tlapp.ui.panels.backbones import BackbonesPanel
from tlapp.ui.panels.comparing import ComparePanel
from tlapp.ui.panels.data import DataPanel
from tlapp.ui.panels.ladder import LadderPanel, MovedPanel
from tlapp.ui.panels.mistakes import MistakesPanel
from tlapp.ui.panels.panel import Panel
from tlapp.ui.panels.racing import RacePanel
from tlapp.ui.panels.rates import RatesPanel
from tlapp.ui.panels.results import ResultsPanel
from tlapp.ui.panels.settings import SettingsPanel
from tlapp.ui.panels.training import NextStepPanel, TrainingPanel
from tlapp.ui.panels.trying import TryPanel
from tlapp.ui.wiring import Row

MANY = {"trigger_mode": "multiple", **QUIET}
IMPORTING = {"concurrency_limit": 4, "concurrency_id": IMPORT_LINE, **MANY}
WAITING = {"concurrency_limit": None, **MANY}  # takes no thread


class Panels:
    """Every panel of the page."""

    def __init__(self, page: Page) -> None:
        self.data = DataPanel(page)
        self.backbones = BackbonesPanel(page)
        self.ladder = LadderPanel(page)
        self.moved = MovedPanel(page, self.ladder)
        self.training = TrainingPanel()
        self.next_step = NextStepPanel(page)
        self.settings = SettingsPanel(page, self.backbones, self.ladder)
        self.rates = RatesPanel()
        self.trying = TryPanel(page)
        self.results = ResultsPanel()
        self.compare = ComparePanel()
        self.race = RacePanel(page)
        self.mistakes = MistakesPanel()


def watched(panels: Panels) -> tuple[tuple[Panel, ...], ...]:
    """What the tab's watcher draws, in groups: what is slow to answer comes last."""
    quick: tuple[Panel, ...] = (
        *(panels.data, panels.ladder, panels.moved),
        *(panels.training, panels.next_step, panels.rates, panels.results),
        *(panels.race, panels.mistakes, panels.compare),
    )
    return quick, (panels.trying,)


def table(panels: Panels) -> list[Row]:
    """Every event that a person causes."""
    return [
        *_data_rows(panels),
        *_settings_rows(panels),
        *_field_rows(panels),
        *_training_rows(panels),
        *_try_rows(panels),
        *_run_rows(panels),
        *_experiment_rows(panels),
    ]


def _data_rows(panels: Panels) -> list[Row]:
    """What happens in the Data zone."""
    data, actions = panels.data, data_actions
    importing = partial(
        Row,
        shows=(data,),
        progress=data.render_progress,
        refused=data.render_refusal,
        options=IMPORTING,
    )
    shown = partial(Row, shows=(data,))
    split = partial(shown, action=actions.change_split, reads=data.reads_split())
    rows = [
        importing(event=data.drop.upload, action=actions.import_upload, reads=data.reads_upload()),
        importing(event=data.drop.select, action=actions.import_samples),
        shown(event=data.accept.click, action=actions.accept),
        shown(event=data.discard.click, action=actions.discard),
        shown(
            event=data.class_list.edit,
            action=actions.edit_classes,
            reads=data.reads_edit(),
            options=MANY,
        ),
        split(event=data.held_out_percent.release),
        split(event=data.split_seed.submit),
    ]
    if data.read_path is not None and data.local_path is not None:
        rows += [
            importing(event=event, action=actions.import_folder, reads=data.reads_folder())
            for event in (data.read_path.click, data.local_path.submit)
        ]
    return rows


def _settings_rows(panels: Panels) -> list[Row]:
    """What happens where the settings of a training are chosen."""
    backbones, ladder, settings = panels.backbones, panels.ladder, panels.settings
    actions = settings_actions
    chosen = partial(
        Row,
        shows=(ladder, settings),
        refreshes=(panels.next_step, panels.rates),
        is_followed=False,
        options=LATEST,
    )
    touched = partial(chosen, shows=(ladder,), refused=ladder.render_refusal)
    return [
        chosen(
            event=backbones.cards.choose,
            action=actions.choose_backbone,
            reads=backbones.reads_choice(),
            shows=(backbones, ladder, settings),
            is_followed=True,
        ),
        Row(
            event=backbones.cards.fetch,
            action=actions.download,
            reads=backbones.reads_download(),
            shows=(backbones,),
            progress=lambda visit, state: backbones.render(visit),
            is_followed=False,
            options=WAITING,
        ),
        chosen(event=ladder.ladder.lock, action=actions.change_locks, reads=settings.reads()),
        chosen(
            event=ladder.ladder.choose, action=actions.choose_preset, reads=ladder.reads_preset()
        ),
        touched(event=ladder.ladder.rate, action=actions.change_rate, reads=settings.reads_rate()),
        Row(
            event=ladder.ladder.measure,
            action=actions.measure_epoch,
            progress=ladder.render_measured,
            refreshes=(panels.next_step,),
            fills=ladder.outputs,
            is_followed=False,
            options={**LATEST, "concurrency_limit": None},
        ),
        chosen(event=settings.reset.click, action=actions.reset_settings, options=QUIET),
    ]


def _field_rows(panels: Panels) -> list[Row]:
    """What happens at a keystroke in a settings field."""
    ladder, settings = panels.ladder, panels.settings
    typed = partial(Row, is_followed=False, options=LATEST)
    rows = [
        typed(
            event=field.input,
            action=settings_actions.change_settings,
            reads=settings.reads(),
            shows=(ladder,),
            refreshes=(panels.next_step, panels.rates),
            refused=ladder.render_refusal,
        )
        for field in settings.fields.values()
    ]
    return rows + [
        typed(
            event=field.input,
            reads=settings.reads_field(name),
            notes=partial(settings.render_note, name),
            fills=(field,),
        )
        for name, field in settings.fields.items()
        if isinstance(field, gr.Number)  # the others cannot be wrong
    ]


def _training_rows(panels: Panels) -> list[Row]:
    """What starts, stops and goes on with trainings, and with the search for their rate."""
    training, rates, settings = panels.training, panels.rates, panels.settings
    actions = training_actions
    return [
        Row(
            event=training.train.click,
            action=actions.start,
            reads=settings.reads(),
            shows=(training,),
        ),
        Row(event=training.stop.click, action=actions.stop),
        Row(event=training.resume.click, action=actions.resume, shows=(training,)),
        Row(
            event=training.fine_tune.click,
            action=actions.fine_tune,
            reads=settings.reads(),
            shows=(training, panels.backbones, panels.ladder, settings),
        ),
        Row(
            event=rates.start.click,
            action=actions.find_rate,
            reads=settings.reads(),
            shows=(rates,),
        ),
        Row(event=rates.stop.click, action=actions.stop_search),
        Row(
            event=rates.use.click,
            action=actions.use_rate,
            reads=settings.reads(),
            shows=(panels.ladder, settings),
            refreshes=(rates, panels.next_step),
            is_followed=False,
        ),
    ]


def _try_rows(panels: Panels) -> list[Row]:
    """What happens in the Try zone."""
    trying = panels.trying
    tried = partial(Row, shows=(trying,), is_followed=False)
    return [
        tried(
            event=trying.drop.upload,
            action=try_actions.try_uploads,
            reads=trying.reads_upload(),
            options={**TRIED, **MANY},
        ),
        tried(
            event=trying.samples.click,
            action=try_actions.try_samples,
            options={**TRIED, **QUIET},
        ),
    ]


def _run_rows(panels: Panels) -> list[Row]:
    """What happens under Compare runs."""
    compare, actions = panels.compare, run_actions
    asked = partial(Row, reads=compare.reads_run(), shows=(compare,))
    changed = partial(asked, is_followed=False, options=MANY)
    return [
        changed(event=compare.runs.rename, action=actions.rename),
        changed(event=compare.runs.pin, action=actions.pin),
        changed(event=compare.runs.unpin, action=actions.unpin),
        asked(event=compare.runs.open, action=actions.show_run),
        asked(event=compare.runs.remove, action=actions.remove),
        asked(
            event=compare.runs.adopt,
            action=actions.adopt_settings,
            shows=(panels.backbones, panels.ladder, panels.settings),
            refreshes=(panels.next_step, panels.rates, panels.trying),
            is_followed=False,
        ),
    ]


def _experiment_rows(panels: Panels) -> list[Row]:
    """What starts and stops the freeze race and the classic mistakes."""
    race, mistakes, actions = panels.race, panels.mistakes, experiment_actions
    return [
        Row(event=race.start.click, action=actions.start_race, shows=(race,)),
        Row(event=race.stop.click, action=actions.stop_race),
        Row(
            event=mistakes.mistakes.guess,
            action=actions.make_mistake,
            reads=mistakes.reads_guess(),
            shows=(mistakes,),
        ),
        Row(event=mistakes.mistakes.stop, action=actions.stop_mistake),
    ]
