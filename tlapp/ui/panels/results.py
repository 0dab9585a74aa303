"""Results: what the run on the page has shown on the held-out pictures, and what to do about it."""

import html

import gradio as gr
from gradio.blocks import Block

from tlapp.evaluation.diagnosis import diagnose
from tlapp.messages import Message, Say
from tlapp.runs.record import RunRecord
from tlapp.ui import text
from tlapp.ui.later import later
from tlapp.ui.panels.panel import Update
from tlapp.ui.text import comparing
from tlapp.ui.text.diagnosis import diagnosis
from tlapp.ui.visit import Visit, epoch_key


class ResultsPanel:
    """The result in words and bars, and the curves as files."""

    results: gr.HTML

    def build(self) -> None:
        """Make the component."""
        self.results = gr.HTML(_note(text.RESULTS_EMPTY, later), elem_id="results")

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All that `render` may fill."""
        return (self.results,)

    def view(self, visit: Visit) -> object:
        """The run, and the epoch that it is at."""
        return epoch_key(visit.run)

    def render(self, visit: Visit) -> Update:
        """The run's result; of one that goes on, what can be said already."""
        say = visit.words.say
        if visit.run is None:
            return {self.results: _note(text.RESULTS_EMPTY, say)}
        record = visit.run.record
        if not visit.run.is_over:
            return {self.results: _note(text.RESULTS_PENDING, say) + _diagnosis(record, say)}
        return {self.results: _result(record, say)}


def _note(said: Message, say: Say) -> str:
    return f'<p class="tl-note">{html.escape(say(said))}</p>'


def _result(record: RunRecord, say: Say) -> str:
    """What a run that is over has shown on the held-out pictures."""
    if not record.epochs:
        return _note(text.RESULTS_NONE, say)
    if record.valid_interval is None or record.valid_correct is None:
        sentence = text.NO_HELD_OUT
    else:
        sentence = text.result_sentence(
            record.valid_correct, record.valid_count, *record.valid_interval
        )
    links = "".join(
        f'<a class="tl-link" href="curves/{record.run_id}.{kind}" download>'
        f"{html.escape(say(label))}</a>"
        for kind, label in text.CURVE_LINKS.items()
    )
    return (
        f'<p id="result-sentence">{html.escape(say(sentence))}</p>'
        f"{_gain(record, say)}"
        f"{_diagnosis(record, say)}"
        f"{_class_results(record, say)}"
        f'<p class="tl-links">{links}</p>'
    )


def _gain(record: RunRecord, say: Say) -> str:
    """What the later phases have added to the head alone; "" when there is nothing to compare."""
    gain = record.gain_over_first_phase()
    if gain is None:
        return ""
    sentence = comparing.gain_sentence(
        gain, keeps_head=record.keeps_first_phase, has_head_run=record.continues != ""
    )
    return f'<p id="gain-sentence">{html.escape(say(sentence))}</p>'


def _diagnosis(record: RunRecord, say: Say) -> str:
    """What is the matter with the run, and what to do; "" when there is nothing to say."""
    items = "".join(
        f"<li>{html.escape(say(what))} <b>{html.escape(say(to_do))}</b></li>"
        for what, to_do in map(diagnosis, diagnose(record))
    )
    return f'<ul id="diagnosis">{items}</ul>' if items else ""


def _class_results(record: RunRecord, say: Say) -> str:
    rows = "".join(
        f"<li><span>{html.escape(row.name)}</span>"
        f'<i class="tl-bar"><i style="width:{row.correct / row.total:.0%}"></i></i>'
        f"<b>{html.escape(say(text.of_pictures(row.correct, row.total)))}</b></li>"
        for row in record.class_results
        if row.total
    )
    heading = html.escape(say(text.PER_CLASS_HEADING))
    return f'<h3>{heading}</h3><ul class="tl-per-class">{rows}</ul>' if rows else ""
