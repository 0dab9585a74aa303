"""What starts, stops and goes on with trainings, and with the search for their rate."""

from dataclasses import replace

from tlapp.data.dataset import Dataset
from tlapp.errors import DataError, RunError, ServerError, TrainingError
from tlapp.experiments.lr_finder import RateSweep
from tlapp.runs.record import RunRecord
from tlapp.training.config import TrainConfig, config_from_values
from tlapp.training.presets import fine_tuning_of
from tlapp.ui import text
from tlapp.ui.actions.data import accept_dataset
from tlapp.ui.actions.settings import SettingsForm, keep_config
from tlapp.ui.text import rate_finder as rate_words
from tlapp.ui.text.tuning import Origin, fine_tuned_name
from tlapp.ui.visit import Visit
from tlapp.workspace import Experiment


def start(visit: Visit, form: SettingsForm) -> None:
    """Train with what is on the page; the page shows the run from then on."""
    config = keep_config(visit, form.config(visit))
    dataset = shown_dataset(visit)
    run_id = visit.workspace.trainings.start(visit.owner, dataset, config)
    try:
        accept_dataset(visit, dataset.dataset_id)  # a refused training changes nothing
        visit.keep(run_id=run_id)
    except ServerError:  # the page cannot keep which run it shows, so nobody could stop it
        visit.workspace.trainings.stop(run_id)
        raise


def resume(visit: Visit, _: object = None) -> None:
    """Go on with the run on the page where it was stopped."""
    record = _shown_run(visit)
    dataset = visit.mine.dataset(record.dataset_id)
    visit.keep(run_id=visit.workspace.trainings.resume(record, dataset))


def fine_tune(visit: Visit, form: SettingsForm) -> None:
    """Go on from the head of the run on the page: with what the ladder opens, else the default.

    The ladder then shows what learns.
    """
    record = _shown_run(visit)
    config, _ = tuning_config(form.config(visit), record)
    dataset = visit.mine.dataset(record.dataset_id)
    name = fine_tuned_name(record.name, visit.words)
    run_id = visit.workspace.trainings.fine_tune(record, dataset, config, name=name)
    visit.keep(run_id=run_id, config=config)


def stop(visit: Visit, _: object = None) -> None:
    """Stop the run that the page shows; its best epoch is kept."""
    if visit.run is not None:
        visit.workspace.trainings.stop(visit.run.record.run_id)


def shown_dataset(visit: Visit) -> Dataset:
    """The pictures on the page. Raises DataError when there are none."""
    if visit.dataset is None:
        raise DataError(text.NO_PICTURES, hint=text.BRING_PICTURES)
    return visit.dataset


def _shown_run(visit: Visit) -> RunRecord:
    if visit.run is None:
        raise RunError(text.NO_RUN, hint=text.PRESS_TRAIN)
    return visit.run.record


def tuning_config(shown: TrainConfig, record: RunRecord) -> tuple[TrainConfig, Origin]:
    """The settings with which Fine-tune goes on from this run, and where they come from: what is
    open on the page if that fits the run's network, else what follows a head by default.

    Raises TrainingError for a run of another version.
    """
    head = config_from_values(record.phases[0])
    usual = fine_tuning_of(head, train_count=record.train_count)
    if shown.is_head_alone:
        return usual, "default"
    if (shown.backbone, shown.pretrained) != (head.backbone, head.pretrained):
        return usual, "other network"
    return shown, "page"


def find_rate(visit: Visit, form: SettingsForm) -> None:
    """Put a search for the settings and the pictures on the page in the queue."""
    config = keep_config(visit, form.config(visit))
    visit.workspace.experiments.start_rate_finder(visit.owner, shown_dataset(visit), config)


def stop_search(visit: Visit, _: object = None) -> None:
    """Stop the visitor's search."""
    if visit.rate_search is not None:
        visit.workspace.experiments.stop(visit.rate_search.experiment_id)


def use_rate(visit: Visit, form: SettingsForm) -> None:
    """Take the rate that was found; the stages of the backbone keep their share of it."""
    sweep = sweep_of(visit.rate_search)
    if sweep is None or sweep.suggested_rate is None:
        raise TrainingError(rate_words.NOTHING_FOUND, hint=rate_words.FIND_FIRST)
    config = form.config(visit)
    if not is_for(sweep, config):
        raise TrainingError(rate_words.OTHER_SETTINGS, hint=rate_words.FIND_AGAIN)
    keep_config(visit, _at_rate(config, sweep.suggested_rate))


def sweep_of(search: Experiment | None) -> RateSweep | None:
    """A search as far as it is; None: there was none, or it has no step yet."""
    return search.value if search is not None and isinstance(search.value, RateSweep) else None


def is_for(sweep: RateSweep, config: TrainConfig) -> bool:
    """Whether a rate was found for settings like these."""
    begins_with_head = not config.is_head_alone and config.head_epochs > 0
    return (_kind(config), begins_with_head) == (_kind(sweep.config), sweep.is_after_head)


def _kind(config: TrainConfig) -> tuple[object, ...]:
    """What a rate depends on most."""
    return config.backbone, config.freeze, config.pretrained, config.optimizer


def _at_rate(config: TrainConfig, rate: float) -> TrainConfig:
    """The settings with every rate times the same factor, so that the head's is `rate`."""
    factor = rate / config.learning_rate

    def scaled(other: float) -> float:
        return float(f"{other * factor:.3g}")

    return replace(
        config,
        learning_rate=rate,
        backbone_learning_rate=scaled(config.backbone_learning_rate),
        stage_rates=tuple((stage, scaled(each)) for stage, each in config.stage_rates),
    )
