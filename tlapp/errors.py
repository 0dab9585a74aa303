"""The errors people see: what happened, and what to do next.

Every error that tlapp raises on purpose is a ``TlappError``. Anything else is a defect.
"""


class TlappError(Exception):
    """Something a person can act on.

    ``str(error)`` says what happened, with the value that caused it; ``error.hint`` says what to
    do next. Neither ever holds a path of the server or a traceback.
    """

    def __init__(self, what: str, *, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


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
