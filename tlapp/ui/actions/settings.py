"""What the settings of a training do: backbone, locks, rates and fields, kept as they are touched."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from tlapp.backbones.catalog import find_card
from tlapp.errors import BackboneError
from tlapp.settings import Limits
from tlapp.training.config import HEAD_ALONE, TrainConfig
from tlapp.training.freezing import freeze_from, plan_stages
from tlapp.training.presets import apply_preset, defaults, find_preset, phases_of
from tlapp.ui.asked import asked_whole
from tlapp.ui.tabs import rounds_of_news
from tlapp.ui.visit import Visit
from tlapp.workspace import DownloadState, check_epochs, check_epochs_setting

MOST_WAITED_SECONDS = 600.0  # for a machine that nobody trains on; then nothing is measured
LOOK_SECONDS = 0.5
_EPOCHS = ("epochs", "head_epochs")  # the fields that count them


@dataclass(frozen=True, kw_only=True, eq=False)
class SettingsForm:
    """The settings as they stand on the page: cards, locks and fields."""

    backbone: str
    locked: tuple[str, ...]  # stages
    fields: Mapping[str, Any]  # by their names in a `TrainConfig`; None: empty

    def config(self, visit: Visit) -> TrainConfig:
        """The config that they stand for; an empty field means its default for so many pictures.

        Rates of single stages are known to the visitor's settings alone. Raises BackboneError, and
        TrainingError, naming the value, for anything that cannot work.
        """
        limits = visit.workspace.settings.limits
        stages = visit.workspace.models.sketch(find_card(self.backbone).name).stages
        names = {stage.name for stage in stages}
        freeze = freeze_from(stages, self.locked)
        default = defaults(freeze, backbone=self.backbone, train_count=visit.train_count)
        given = {name: asked_whole(value) for name, value in self.fields.items()}
        filled = {
            name: getattr(default, name) if value is None else value
            for name, value in given.items()
        }
        for name in _EPOCHS:
            check_epochs_setting(name, filled[name], limits)
        rates = (
            (stage, rate)
            for stage, rate in visit.config.stage_rates
            if stage not in self.locked and stage in names
        )
        config = TrainConfig(
            backbone=self.backbone, freeze=freeze, stage_rates=tuple(rates), **cast(Any, filled)
        )
        check_epochs(sum(phase.epochs for phase in phases_of(config)), limits)
        return config


@dataclass(frozen=True, kw_only=True)
class StageRate:
    """A rate for one stage; None: the one that the fields give it."""

    stage: str
    rate: Any
    settings: SettingsForm


def keep_config(visit: Visit, config: TrainConfig) -> TrainConfig:
    """Keep these settings for the visitor, if they can be drawn. Raises TrainingError."""
    plan_stages(visit.workspace.models.sketch(config.backbone).stages, config)
    visit.keep(config=config)
    return config


def change_settings(visit: Visit, form: SettingsForm) -> None:
    """Keep the fields as they are. Raises TrainingError, at once, where they cannot work."""
    keep_config(visit, form.config(visit))


def check_field(name: str, value: object, limits: Limits) -> None:
    """Refuse what cannot work whatever the other fields hold. Raises TrainingError."""
    plain = asked_whole(value)
    if plain is None:
        return
    if name in _EPOCHS:
        check_epochs_setting(name, plain, limits)
    TrainConfig(**{name: plain})


def choose_backbone(visit: Visit, name: str) -> None:
    """Take another backbone for the next training, and for what Try says before it.

    Its stages are others: locks are taken over where they mean the same for every backbone.
    """
    card = find_card(name)
    config = replace(visit.config, backbone=card.name, stage_rates=())
    if not visit.can_show(config):  # it has no such stages
        config = TrainConfig(backbone=card.name, seed=config.seed)
    keep_config(visit, config)


def change_locks(visit: Visit, form: SettingsForm) -> None:
    """Lock or open stages. Between the head alone and more, the fields take other defaults."""
    before = visit.config
    stages = visit.workspace.models.sketch(before.backbone).stages
    freeze = freeze_from(stages, form.locked)
    if before.is_head_alone == (freeze == HEAD_ALONE):
        config = form.config(visit)
    else:
        config = defaults(
            freeze,
            backbone=before.backbone,
            pretrained=before.pretrained,
            seed=before.seed,
            train_count=visit.train_count,
        )
    keep_config(visit, config)


def choose_preset(visit: Visit, name: str) -> None:
    """Take one of the usual choices of what learns."""
    preset = find_preset(name)
    if preset is not None:
        before = visit.config
        config = apply_preset(
            preset, backbone=before.backbone, seed=before.seed, train_count=visit.train_count
        )
        keep_config(visit, config)


def change_rate(visit: Visit, form: StageRate) -> None:
    """Let one stage learn at a rate of its own; None: at the one that the fields give it."""
    config = form.settings.config(visit)
    others = tuple(each for each in config.stage_rates if each[0] != form.stage)
    rates = others if form.rate is None else (*others, (form.stage, form.rate))
    keep_config(visit, replace(config, stage_rates=rates))


def reset_settings(visit: Visit, _: object = None) -> None:
    """The defaults for the chosen backbone and what is chosen to learn."""
    before = visit.config
    config = defaults(before.freeze, backbone=before.backbone, train_count=visit.train_count)
    keep_config(visit, config)


async def measure_epoch(visit: Visit, _: object = None) -> AsyncIterator[TrainConfig]:
    """Find out how long an epoch takes with what is chosen, as soon as nobody trains.

    Yields the settings when it is known.
    """
    models = visit.workspace.models
    config = await asyncio.to_thread(lambda: visit.config)
    dataset = await asyncio.to_thread(lambda: visit.dataset)
    if dataset is None or not models.can_measure(config):
        return

    def is_wanted() -> bool:
        return Visit(visit.workspace, visit.owner).config == config

    end = time.monotonic() + MOST_WAITED_SECONDS
    measure = partial(models.measure_epoch, dataset, config, is_wanted=is_wanted)
    while not await asyncio.to_thread(measure):
        if time.monotonic() > end or not await asyncio.to_thread(is_wanted):
            return
        await asyncio.sleep(LOOK_SECONDS)
    yield config


async def download(visit: Visit, name: str) -> AsyncIterator[DownloadState]:
    """Bring a backbone's weights here. Yields how far it is; raises BackboneError."""
    downloads = visit.workspace.models.downloads
    name = find_card(name).name
    await asyncio.to_thread(downloads.start, name)
    async with rounds_of_news(lambda wake: downloads.listen(name, wake)) as rounds:
        async for _ in rounds:
            state = await asyncio.to_thread(downloads.state, name)
            yield state
            if state.state == "failed":
                raise BackboneError(state.message, hint=state.hint)
            if state.state not in ("waiting", "running"):
                return
