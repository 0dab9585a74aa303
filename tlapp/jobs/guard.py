"""Calling code that may break in any way from a thread that must not."""

import logging
import secrets
from collections.abc import Callable
from dataclasses import replace

from tlapp.errors import TlappError, is_full
from tlapp.jobs.job import JobEnd
from tlapp.messages import message

logger = logging.getLogger(__name__)


def failure_of(call: Callable[[], object]) -> JobEnd | None:
    """Call foreign code and return how it failed; None when it did not.

    The one broad `except` outside the page. The worker drives whatever generator it is given, and
    one that breaks (by a defect, for want of memory, even by SystemExit) must cost its own job
    only, never the thread that all other visitors wait for.
    """
    try:
        call()
    except TlappError as error:
        return JobEnd(state="failed", message=error.what, hint=error.hint)
    except BaseException as error:  # the thread must outlive its jobs, also SystemExit
        incident = secrets.token_hex(4)
        logger.exception("Incident %s", incident)
        return _words_for(error, incident)
    return None


def _words_for(error: BaseException, incident: str) -> JobEnd:
    end = JobEnd(
        state="failed",
        message=message("Something went wrong (incident {incident}).", incident=incident),
        hint=message(
            "Try again. If it comes back, tell whoever runs this server the incident's number."
        ),
    )
    if _is_short_of_memory(error):
        return replace(
            end,
            message=message(
                "There was not enough memory (incident {incident}).", incident=incident
            ),
            hint=message("Choose a smaller backbone, a smaller batch or fewer pictures."),
        )
    if isinstance(error, OSError) and is_full(error):
        return replace(
            end,
            message=message(
                "The disk of this machine is full (incident {incident}).", incident=incident
            ),
            hint=message("Remove data sets or runs that are no longer needed, then try again."),
        )
    return end


def _is_short_of_memory(error: BaseException) -> bool:
    """PyTorch has no class of its own for it on a CPU: it raises RuntimeError with these words."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )
