"""What is evaluated: anything that answers prompts and follows objects through a movie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from src_model.masks import MaskletFrame

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from src_model.tracking import Prompt, Session


class Tracker(Protocol):
    """Follows objects through one movie; made anew for every movie and protocol."""

    def prompt(self, frame: int, object_id: int, prompt: Prompt) -> MaskletFrame:
        """Answer a prompt; prompts on one frame add up, and may be given while `propagate` is suspended."""

    def propagate(self, frames: range, objects: Sequence[int]) -> Iterator[tuple[int, Mapping[int, MaskletFrame]]]:
        """Follow objects forwards, each from its first prompted frame on; prompted frames are given as they are."""


class SessionTracker:
    """The streaming predictor as a tracker.

    Parameters
    ----------
    session
        Just started on the movie.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def prompt(self, frame: int, object_id: int, prompt: Prompt) -> MaskletFrame:
        """Answer a prompt (see `Tracker`)."""
        answer = self._session.prompt(
            frame,
            object_id,
            points=prompt.points or None,
            labels=prompt.labels or None,
            box=prompt.box,
            mask=None if prompt.mask is None else prompt.mask.decode(),
        )
        return MaskletFrame(answer.rle, answer.score, answer.object_score)

    def propagate(self, frames: range, objects: Sequence[int]) -> Iterator[tuple[int, Mapping[int, MaskletFrame]]]:
        """Follow objects (see `Tracker`)."""
        for result in self._session.propagate(frames.start, frames.stop, objects=objects):
            entries = {
                object_id: MaskletFrame(rle, result.scores[object_id], result.object_scores[object_id])
                for object_id, rle in result.rles.items()
            }
            yield result.frame, entries
