"""Compare runs: every run that is kept, the curves of the chosen ones, and what to do with them."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from gradio.blocks import Block

from tlapp.messages import NOTHING, Message, Say, verbatim
from tlapp.runs.record import RunRecord
from tlapp.training.config import HEAD_ALONE
from tlapp.ui import text
from tlapp.ui.actions.runs import RunForm
from tlapp.ui.later import later
from tlapp.ui.panels.panel import Update
from tlapp.ui.sent import Reads
from tlapp.ui.text import comparing
from tlapp.ui.visit import Visit
from tlapp.ui.widgets.run_list import RunList, RunListValue, RunRow


class ComparePanel:
    """The table of runs."""

    runs: RunList

    def build(self) -> None:
        """Make the component."""
        self.runs = RunList(run_list((), None, later), elem_id="runs")

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All that `render` may fill."""
        return (self.runs,)

    def view(self, visit: Visit) -> Hashable:
        """The run on the page, and what is under way: a run comes here when it is over."""
        return visit.state.run_id, visit.under_way

    def render(self, visit: Visit) -> Update:
        """The runs that are over and have learned something, newest first."""
        return {self.runs: run_list(visit.learned_runs, visit.state.run_id, visit.words.say)}

    def reads_run(self) -> Reads[RunForm]:
        """The run that is asked for."""
        return Reads((), lambda sent: RunForm(event=sent.event))


def run_list(records: Sequence[RunRecord], shown_run: str | None, say: Say) -> RunListValue:
    """The runs as a table, the best on the same held-out pictures marked."""
    best: dict[tuple[object, ...], RunRecord] = {}
    for record in reversed(records):  # of equal ones the older
        if (record.valid_accuracy or 0.0) > (_accuracy(best.get(_measured_on(record))) or 0.0):
            best[_measured_on(record)] = record
    names = {field: say(name) for field, name in comparing.SETTING_NAMES.items()}
    pictures, continues = say(comparing.PICTURES), say(comparing.CONTINUES)
    return RunListValue(
        columns=tuple(map(say, comparing.RUN_COLUMNS)),
        rows=tuple(
            RunRow(
                run=record.run_id,
                name=record.name,
                cells=tuple(map(say, _run_cells(record))),
                settings=(
                    (pictures, say(_learned_from(record))),
                    (continues, say(comparing.setting(bool(record.continues)))),
                    *((names[field], say(value)) for field, value in _run_settings(record)),
                ),
                accuracies=tuple(row.valid_accuracy for row in record.epochs),
                seconds=record.elapsed,
                best=record.best_epoch,
                is_best=best.get(_measured_on(record)) is record,
                is_shown=record.run_id == shown_run,
                is_pinned=record.is_pinned,
                ended=say(comparing.ENDED.get(record.state, NOTHING)),
            )
            for record in records
        ),
        empty=say(comparing.NO_RUNS),
    )


def _measured_on(record: RunRecord) -> tuple[object, ...]:
    """What decides about the held-out pictures: only runs that share them can be ranked."""
    return record.data_fingerprint, record.held_out_share, record.split_seed


def _accuracy(record: RunRecord | None) -> float | None:
    return None if record is None else record.valid_accuracy


def _last_phase(record: RunRecord) -> int:
    """The number of the last phase that has an epoch; one that never began counts for nothing."""
    return record.epochs[-1].phase if record.epochs else len(record.phases)


def _learned(record: RunRecord, config: Mapping[str, Any], *, has_head_phase: bool) -> Message:
    what = comparing.learned(
        str(config.get("freeze", "")),
        is_pretrained=config.get("pretrained") is not False,
        has_head_phase=has_head_phase,
    )
    return comparing.learned_but_kept(what) if record.keeps_first_phase else what


def _run_cells(record: RunRecord) -> tuple[Message, ...]:
    """As `comparing.RUN_COLUMNS`."""
    phase = _last_phase(record)
    config = record.phases[phase - 1]
    parameters = record.trainable_parameters
    return (
        verbatim(comparing.backbone(str(config.get("backbone", "")))),
        _learned(record, config, has_head_phase=phase > 1),
        comparing.share(record.valid_accuracy),
        comparing.interval(record.valid_interval),
        comparing.rates(config),
        NOTHING if parameters is None else text.amount(parameters),
        comparing.time_taken(record.seconds, record.seconds_before),
    )


def _learned_from(record: RunRecord) -> Message:
    return comparing.learned_from(record.dataset_name, record.train_count, record.valid_count)


def _run_settings(record: RunRecord) -> Iterator[tuple[str, Message]]:
    """Every setting of the run, as `comparing.SETTING_NAMES`."""
    *before, last = record.phases[: _last_phase(record)]
    values = {**last, "head_epochs": comparing.head_phase(before[0]) if before else 0}
    values["backbone"] = comparing.backbone(str(values.get("backbone", "")))
    if values.get("freeze") == HEAD_ALONE:
        values["backbone_learning_rate"] = comparing.FROZEN
    values["freeze"] = comparing.frozen(str(values.get("freeze", "")))
    for field in comparing.SETTING_NAMES:
        if field in values:
            yield field, comparing.setting(values[field])
