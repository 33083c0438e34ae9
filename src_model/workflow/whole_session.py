"""Find all and track all in a session of the Python API, by way of its document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.document.snapshot import snapshots_of
from src_model.workflow.document_tracker import DocumentTracker
from src_model.workflow.finding import find_all
from src_model.workflow.whole_movie import track_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from src_model.detection import Detector
    from src_model.document import Annotation
    from src_model.tracking import Session, StreamingPredictor
    from src_model.workflow.movie_outcome import WholeMovieOptions
    from src_model.workflow.progress import RunProgress
    from src_model.workflow.whole_movie import WholeMovieReport


def find_objects(
    predictor: StreamingPredictor, session: Session, frame: int, *, detector: Detector | None = None
) -> tuple[int, ...]:
    """Find every object of a frame that a session does not hold yet, and prompt each with its mask.

    Parameters
    ----------
    predictor
        What the session was started with.
    session
        The session; its objects stay as they are.
    frame
        Frame number, from 0.
    detector
        What proposes objects; automatic masks if left out.

    Returns
    -------
    tuple of int
        Ids of the new objects, ready for :meth:`Session.propagate <src_model.tracking.Session.propagate>`.

    Raises
    ------
    DamagedFrameError, FrameRangeError
        If the frame cannot be read.
    """
    document, tracker = session.to_document(), DocumentTracker.of(session, predictor)
    found = find_all(document, tracker, frame, detector=detector)
    _bring(session, tracker, document)
    return found


def track_movie(
    predictor: StreamingPredictor,
    session: Session,
    options: WholeMovieOptions | None = None,
    *,
    detector: Detector | None = None,
    progress: Callable[[RunProgress], object] | None = None,
) -> WholeMovieReport:
    """Find every object of a session's movie and track all of them forward, with divisions.

    Parameters
    ----------
    predictor
        What the session was started with.
    session
        The session. Objects that it holds are tracked along; what is prompted or locked stays as it is.
    options
        How often new objects are looked for, and what is made of divisions.
    detector
        What finds objects; automatic masks if left out.
    progress
        Told after each frame; what it raises stops the run, and what was done stays. Called again, it goes on there.

    Returns
    -------
    WholeMovieReport
        What begins, ends and divides. Divisions are in ``session.document``, and in what :meth:`Session.save
        <src_model.tracking.Session.save>` writes.
    """
    document, tracker = session.to_document(), DocumentTracker.of(session, predictor)
    try:
        return track_all(document, tracker, options, detector=detector, progress=progress)
    finally:
        _bring(session, tracker, document)


def _bring(session: Session, tracker: DocumentTracker, document: Annotation) -> None:
    """Let a session hold what its document does, and nothing else: masks that competed ceded pixels there."""
    tracker.follow(snapshots_of(document), session.objects.keys() - document.objects.keys())
