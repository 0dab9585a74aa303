"""The learning-rate range test: one step at each rate, from far too low to far too high.

After Smith 2017 ("Cyclical learning rates for training neural networks") and fastai's `lr_find`.
Nothing is kept of it: a training at the rate that it finds begins afresh.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tlapp.backbones.cache import FeatureCache
from tlapp.stopping import ShouldStop
from tlapp.training.config import TrainConfig
from tlapp.training.events import PreparingFeatures
from tlapp.training.rehearsal import StepLoss, rehearse
from tlapp.training.task import TrainJob

STEPS = 100
LOWEST_RATE = 1e-6
HIGHEST_RATE = 10.0
RATES = tuple(
    LOWEST_RATE * (HIGHEST_RATE / LOWEST_RATE) ** (step / (STEPS - 1)) for step in range(STEPS)
)

_SMOOTHING = 0.8  # the share of what came before; fastai's 0.98 would lag by half of the steps
_BEGINNING = 10  # steps at rates that change nothing: what the loss is before any learning
_LOST = 4.0  # times the lowest loss, as in fastai: from there on it only grows
_LOST_OVER_BEGINNING = 2.0  # and times the first ones: few pictures a step make losses jump
_CLEAR_FALL = 1 / 3  # of the first losses: a lowest one above it may be one of chance
_SHARE = 0.1  # of the rate where the loss is lowest, as in fastai
_MOST_APART = 10.0  # times: a steepest descent so far below is a jump of the loss, not learning

Rule = Literal[
    "steepest",  # where the loss falls fastest
    "tenth",  # a tenth of the rate where it is lowest
    "safe",  # the highest rate that does no harm
    "safe tenth",  # a tenth of it
]


@dataclass(frozen=True, kw_only=True)
class RateReason:
    """The figures that a suggestion rests on. Losses are smoothed, in nats per picture."""

    rule: Rule
    first_loss: float  # mean of the first steps
    steepest_rate: float  # where the loss falls fastest over the logarithm of the rate
    lowest_rate: float  # where the loss is lowest
    lowest_loss: float
    safe_rate: float  # the highest one with no more loss than first


@dataclass(frozen=True, kw_only=True)
class RateSweep:
    """Everything that is known at one moment. Rates are the head's; stages keep their share."""

    config: TrainConfig  # the phase that the rate is for
    is_after_head: bool = False  # a phase before has trained the head
    rates: tuple[float, ...] = ()  # of the steps so far
    losses: tuple[float, ...] = ()  # smoothed, nats per picture, as long as `rates`
    done: int = 0  # steps
    total: int = STEPS
    pictures_done: int = 0  # made ready before the first step
    pictures_total: int = 0
    seconds_left: float | None = None  # None: not known yet
    is_over: bool = False
    ended_early: bool = False  # the loss was lost before the highest rate
    suggested_rate: float | None = None  # None: not over, or not one loss was a number
    reason: RateReason | None = None  # None: as for the suggestion


def find_rate(
    job: TrainJob, *, cache: FeatureCache | None, should_stop: ShouldStop
) -> Iterator[RateSweep]:
    """Sweeps that grow step by step, the last one with a suggestion; ends without it when stopped.

    It is the rate for the job's last phase, which begins with a head that the phases before have
    trained. Ends early when the smoothed loss is over 4 times its minimum (and twice the first
    losses), or no number. Same job and thread count give the same losses. Raises TrainingError,
    PictureError.
    """
    config = job.phases[-1]
    scales = [rate / config.learning_rate for rate in RATES]
    sweep = RateSweep(config=config, is_after_head=len(job.phases) > 1)
    raw: list[float] = []
    began = time.perf_counter()
    for event in rehearse(job, scales, cache=cache, should_stop=should_stop):
        if isinstance(event, PreparingFeatures):
            sweep = replace(sweep, pictures_done=event.done, pictures_total=event.total)
            began = time.perf_counter()
        elif isinstance(event, StepLoss):
            if not math.isfinite(event.loss):
                break
            raw.append(event.loss)
            sweep = _grown(sweep, raw, time.perf_counter() - began)
        if _is_lost(sweep.losses, raw):
            break
        yield sweep
    if not should_stop():
        yield _concluded(sweep, raw)


def _grown(sweep: RateSweep, raw: Sequence[float], seconds: float) -> RateSweep:
    """With the newest loss, which cost its part of `seconds`."""
    done = len(raw)
    return replace(
        sweep,
        rates=RATES[:done],
        losses=smoothed(raw),
        done=done,
        seconds_left=seconds / done * (STEPS - done),
    )


def smoothed(losses: Sequence[float]) -> tuple[float, ...]:
    """The exponential moving average, without its pull to zero at the start (as Adam's moments,
    Kingma and Ba 2015)."""
    found, mean = [], 0.0
    for count, loss in enumerate(losses, start=1):
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
        found.append(mean / (1 - _SMOOTHING**count))
    return tuple(found)


def _is_lost(losses: Sequence[float], raw: Sequence[float]) -> bool:
    return (
        len(losses) > _BEGINNING
        and losses[-1] > _LOST * min(losses)
        and losses[-1] > _LOST_OVER_BEGINNING * _first_loss(raw)
    )


def _first_loss(raw: Sequence[float]) -> float:
    first = raw[:_BEGINNING]
    return sum(first) / len(first)


def _concluded(sweep: RateSweep, raw: Sequence[float]) -> RateSweep:
    """The sweep with its suggestion."""
    over = replace(sweep, is_over=True, ended_early=sweep.done < STEPS, seconds_left=0.0)
    if not raw:
        return over
    first_loss = _first_loss(raw)
    reason = explain(
        sweep.rates, sweep.losses, first_loss=first_loss, is_trained=sweep.is_after_head
    )
    rate = {
        "steepest": reason.steepest_rate,
        "tenth": _SHARE * reason.lowest_rate,
        "safe": reason.safe_rate,
        "safe tenth": _SHARE * reason.safe_rate,
    }[reason.rule]
    return replace(over, reason=reason, suggested_rate=float(f"{rate:.2g}"))


def explain(
    rates: Sequence[float], losses: Sequence[float], *, first_loss: float, is_trained: bool
) -> RateReason:
    """What these smoothed losses say: the lower of two rates, one where the loss falls fastest and
    one that is a tenth of where it is lowest.

    A steepest descent that is over ten times lower than the other is a jump of the loss and counts
    for nothing. So do both where the loss does not fall by two thirds: a head that is trained
    already has little left to learn in these steps, and which few pictures a step sees decides
    where its losses are low. They still show from which rate on they grow; a tenth of that is safe.
    Where a phase before has trained the head (`is_trained`) and the losses after it were seen to
    grow, it is that rate itself: on three sets (`last:2` after a head, safe rates of 1.3e-4 to
    3e-4) whole trainings at 2e-4 gained as much as at a tenth of it or more, and at 3e-4 the most.
    """
    begin = min(_BEGINNING, len(losses) - 1)  # before it, a smoothed loss is that of few pictures
    lowest = min(range(begin, len(losses)), key=losses.__getitem__)
    falls = [losses[step] - losses[step + 1] for step in range(begin, lowest)]
    steepest = begin + falls.index(max(falls)) if falls else lowest
    safe = max((step for step, loss in enumerate(losses) if loss <= first_loss), default=0)
    rule: Rule = "tenth"
    if losses[lowest] > _CLEAR_FALL * first_loss:
        rule = "safe" if is_trained and 0 < safe < len(losses) - 1 else "safe tenth"
    elif rates[lowest] / _MOST_APART <= rates[steepest] / _SHARE <= rates[lowest]:
        rule = "steepest"
    return RateReason(
        rule=rule,
        first_loss=first_loss,
        steepest_rate=rates[steepest],
        lowest_rate=rates[lowest],
        lowest_loss=losses[lowest],
        safe_rate=rates[safe],
    )
