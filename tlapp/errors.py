"""The errors people see: what happened, and what to do next.

Every error that tlapp raises on purpose is a ``TlappError``. Anything else is a defect.
"""

import errno

from tlapp.messages import Message, joined, message, verbatim


class TlappError(Exception):
    """Something a person can act on.

    `error.what` says what happened, with the value that caused it; `error.hint` says what to do
    next. Neither ever holds a path of the server or a traceback. `str(error)` is the first in
    English, for the log.
    """

    def __init__(self, what: Message, *, hint: Message) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    @property
    def said(self) -> Message:
        """What happened, and then what to do next."""
        return joined(self.what, self.hint)

    def __str__(self) -> str:
        return str(self.what)


class DataError(TlappError):
    """The pictures or their archive cannot be used as they are."""


class PictureError(DataError):
    """One picture cannot be read; the others can."""


class BackboneError(TlappError):
    """A backbone is unknown, or its weights are not here or not what they should be."""


class TrainingError(TlappError):
    """The training cannot start or cannot go on."""


class DivergedError(TrainingError):
    """The loss grew beyond all bounds: the learning rate is too high."""


class RunError(TlappError):
    """A run is unknown, or not in a state that allows the wish."""


class JobError(TlappError):
    """The queue cannot take this job."""


class ServerError(TlappError):
    """The page cannot be served."""


class NotFoundError(TlappError):
    """No data set or run has this id (or it belongs to somebody else)."""


def is_full(error: OSError) -> bool:
    """Whether the disk has no room, or not for this user."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def reason_of(error: OSError) -> Message:
    """Why the system refused, in its own words."""
    return verbatim(error.strerror or "") or message("unknown reason")


def refused_by_disk(error: OSError, *, full: Message, read_only: Message) -> ServerError:
    """What to say when the disk refuses to write.

    `full` says what does not happen because the disk has no room, `read_only` what does not happen
    because it takes nothing.
    """
    if is_full(error):
        return ServerError(
            full,
            hint=message("Remove data sets or runs that are no longer needed, then try again."),
        )
    return ServerError(
        read_only,
        hint=message("Tell whoever runs this server that its folder cannot be written to."),
    )
