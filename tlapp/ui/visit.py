"""One visitor's page at one moment: what all panels are drawn from.

Each property is read when it is first asked for, and then stays as it is: a visit reads each file
at most once, and all that is drawn from it fits together.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

from tlapp.data.dataset import Dataset
from tlapp.errors import TlappError
from tlapp.evaluation.test_pictures import TestPictures
from tlapp.messages import ENGLISH, Message, Words, words
from tlapp.runs.live import LiveRun
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig, config_from_values
from tlapp.training.freezing import plan_stages
from tlapp.workspace import MISTAKE, RATE_FINDER, Experiment, Owned, VisitorState, Workspace


@dataclass(frozen=True, eq=False)
class Visit:
    """What one visitor has, as it is now. For one thread; made by `Page.visit`."""

    workspace: Workspace
    owner: str
    tab: str = ""  # Gradio's name of the open page
    language: str = ENGLISH

    @cached_property
    def words(self) -> Words:
        """Puts messages into the visitor's language."""
        return words(self.language)

    @cached_property
    def mine(self) -> Owned:
        """What is this visitor's, and nothing of anybody else."""
        return self.workspace.of(self.owner)

    @cached_property
    def under_way(self) -> Message:
        """What of the visitor's waits or runs, as they call it; it may be nothing. Whoever follows
        reads it first: what is read after nothing is final."""
        return self.workspace.trainings.under_way(self.owner)

    @cached_property
    def state(self) -> VisitorState:
        """What is kept of the page; it may name things that are gone."""
        return self.workspace.visitors.state(self.owner)

    @cached_property
    def pending_dataset(self) -> Dataset | None:
        """The import that waits for a decision."""
        return self._dataset(self.state.pending_dataset_id)

    @cached_property
    def accepted_dataset(self) -> Dataset | None:
        """What trainings learn from, until another one is accepted."""
        return self._dataset(self.state.dataset_id)

    @property
    def dataset(self) -> Dataset | None:
        """What the Data zone shows."""
        return self.pending_dataset or self.accepted_dataset

    @property
    def train_count(self) -> int | None:
        """How many pictures a training would learn from; None: there are none yet."""
        return None if self.dataset is None else len(self.dataset.split.train)

    @cached_property
    def run(self) -> LiveRun | None:
        """The run on the page."""
        if self.state.run_id is None:
            return None
        try:
            return self.mine.live(self.state.run_id)
        except TlappError:  # it is gone, somebody else's or damaged: nothing to show
            return None

    @cached_property
    def config(self) -> TrainConfig:
        """The settings for the next training: what was touched last, else those of the run on the
        page, else the defaults."""
        if self.state.config is not None and self.can_show(self.state.config):
            return self.state.config
        if self.run is not None:
            with suppress(TlappError):  # its settings are another version's
                config = config_of(self.run.record)
                if self.can_show(config):
                    return config
        return TrainConfig()

    @cached_property
    def race(self) -> tuple[LiveRun, ...]:
        """The lanes of the visitor's newest race, gentlest first; (): there is none."""
        records = self.workspace.experiments.newest_race(self.owner)
        return tuple(self.workspace.trainings.live(record.run_id) for record in records)

    @cached_property
    def mistake(self) -> Experiment | None:
        """The newest classic mistake; None: there is none."""
        return self.workspace.experiments.newest(self.owner, MISTAKE)

    @cached_property
    def rate_search(self) -> Experiment | None:
        """The newest search for a learning rate; None: there is none."""
        return self.workspace.experiments.newest(self.owner, RATE_FINDER)

    @cached_property
    def learned_runs(self) -> tuple[RunRecord, ...]:
        """The runs that are over and have learned something, newest first."""
        return tuple(record for record in self.mine.runs() if record.is_over and record.epochs)

    @cached_property
    def test_pictures(self) -> TestPictures | None:
        """What was brought to Try; None: nothing."""
        return self.workspace.visitors.test_pictures(self.owner)

    @property
    def can_begin(self) -> bool:
        """Whether there are pictures to learn from, and nothing of the visitor's is under way."""
        return self.dataset is not None and not self.under_way

    def can_show(self, config: TrainConfig) -> bool:
        """Whether there is such a backbone, with such stages: another version may have had others."""
        try:
            plan_stages(self.workspace.models.sketch(config.backbone).stages, config)
        except TlappError:
            return False
        return True

    def keep(self, **changes: object) -> VisitorState:
        """Keep these fields of the visitor's state; the state before."""
        return self.workspace.visitors.change(
            self.owner,
            lambda state: replace(state, **changes),  # type: ignore[arg-type]  # field names
        )

    def _dataset(self, dataset_id: str | None) -> Dataset | None:
        if dataset_id is None:
            return None
        try:
            return self.mine.dataset(dataset_id)
        except TlappError:  # it is gone, somebody else's or damaged: nothing to show
            return None


def config_of(record: RunRecord) -> TrainConfig:
    """The settings of a run as the page has them: the head's phase before it as `head_epochs`.

    Raises TrainingError when they are those of a version that knew other ones.
    """
    config = config_from_values(record.config)
    if not record.earlier_phases or config.is_head_alone:
        return config
    return replace(config, head_epochs=record.earlier_phases[0]["epochs"])


def dataset_key(dataset: Dataset | None) -> tuple[object, ...]:
    """What tells this version of a data set from any other; small, to be kept."""
    if dataset is None:
        return ()
    return (
        dataset.dataset_id,
        dataset.images.fingerprint,
        dataset.held_out_share,
        dataset.split_seed,
        dataset.before_edit is not None,
        len(dataset.skipped),
    )


def run_key(live: LiveRun | None) -> object:
    """What tells this moment of a run from any other; small once the run is over."""
    if live is None or not live.is_over:
        return live
    record = live.record
    return record.run_id, record.name, record.state, record.best_epoch, live.can_go_on


def epoch_key(live: LiveRun | None) -> object:
    """What tells one epoch of a run from any other, and the end of the run from both."""
    if live is None or live.is_over:
        return run_key(live)
    return live.record.run_id, len(live.record.epochs)


def experiment_key(experiment: Experiment | None) -> object:
    """What tells this moment of an experiment from any other; small once it is over."""
    if experiment is None or not experiment.is_over:
        return experiment
    return experiment.experiment_id, experiment.state
