"""Every error a user of sam2v can meet, in one place.

Each class also derives from the built-in exception a caller would expect for that kind of mistake, so that
``except ValueError`` around a bad box works without importing this module.
"""

from __future__ import annotations


class Sam2vError(Exception):
    """Base class of all errors raised on purpose by sam2v."""


class FrameRangeError(Sam2vError, IndexError):
    """A frame number lies outside the movie."""


class PromptError(Sam2vError, ValueError):
    """A point, box or mask prompt cannot be used as given."""


class UnknownObjectError(Sam2vError, LookupError):
    """An object id was named that the session does not hold."""


class NoPromptError(Sam2vError, RuntimeError):
    """Something was to be tracked before anything was prompted."""


class MovieError(Sam2vError, ValueError):
    """A movie cannot be opened, or one of its frames cannot be read."""


class DamagedFrameError(MovieError):
    """One frame cannot be read, because its data are damaged or missing; the rest of the movie can be used.

    Parameters
    ----------
    message
        Which frame of which movie, and what is wrong with it.
    frame
        Frame number, from 0.
    """

    def __init__(self, message: str, frame: int) -> None:
        super().__init__(message)
        self.frame = frame


class MaskError(Sam2vError, ValueError):
    """A mask or its run-length encoding is malformed."""


class CheckpointError(Sam2vError, RuntimeError):
    """A checkpoint is missing, damaged, or not a model that sam2v knows."""


class FeatureStoreError(Sam2vError, OSError):
    """Image features cannot be kept where they should be."""


class EvaluationError(Sam2vError, ValueError):
    """Predictions and truth cannot be compared as given, or do not go with the results that are there."""


class AnnotationError(Sam2vError, ValueError):
    """An edit of an annotation cannot be done as asked."""


class LockedError(AnnotationError):
    """An edit would change an object or a frame that is locked."""


class AnnotationFileError(Sam2vError, ValueError):
    """A saved annotation cannot be read or written, or does not belong to this movie or model."""


class FormatError(Sam2vError, ValueError):
    """A file of another program cannot be read, or an annotation cannot be written as one."""


class StoppedError(Sam2vError, RuntimeError):
    """The user stopped what was being done; nothing was left half done."""


class TrainingError(Sam2vError, ValueError):
    """A training run cannot be started, continued or made from what was given."""


class RequestError(Sam2vError, ValueError):
    """A request to a served model cannot be answered as given.

    Parameters
    ----------
    message
        What is wrong and what to do.
    status
        HTTP status of the answer, 4xx.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class RemoteError(Sam2vError, RuntimeError):
    """Another program's server refuses, lacks or does not answer what was asked of it."""


class BusyError(Sam2vError, TimeoutError):
    """A served model or a panel has too much to do, or a store beside it does not answer; try the same again later."""


class MissingExtraError(Sam2vError, ImportError):
    """An optional dependency is needed; the message says which extra installs it."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the package '{package}': pip install \"napari-sam2v[{extra}]\"")
