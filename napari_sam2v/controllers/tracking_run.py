"""One run of the tracker: frames go into the document as they come, and are one step of its history."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_sam2v.panel.view_state import RunProgress
from src_model.workflow import TrackRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_sam2v.controllers.plans import TrackPlan
    from src_model.document import Annotation, OpenPropagation
    from src_model.workflow import DocumentTracker, FrameOutcome, ObjectSnapshot

_LEAST_SECONDS_FOR_A_GUESS = 1.0


@dataclass(slots=True)
class TrackingRun:
    """Takes the frames of a run.

    Attributes
    ----------
    annotation
        The document that the frames go into.
    total
        Frames to come.
    text
        What is tracked, in words.
    opened
        Where they go until they are one step.
    done
        Frames so far.
    damaged
        Those of them that could not be read.
    """

    annotation: Annotation
    total: int
    text: str
    opened: OpenPropagation
    done: int = 0
    frame: int = -1
    damaged: set[int] = field(default_factory=set)
    _began: float = field(default_factory=time.monotonic)

    @classmethod
    def start(cls, annotation: Annotation, total: int, label: str) -> TrackingRun:
        """Open a step of the document's history."""
        return cls(annotation, total, label, annotation.propagation(label))

    def take(self, outcome: FrameOutcome) -> None:
        """Take a frame into the document."""
        if self.done == 0:
            self._began = time.monotonic()  # loading the network is not tracking
        self.done += 1
        self.frame = outcome.frame
        if outcome.damaged is not None:
            self.damaged.add(outcome.frame)
        self.opened.reverse = outcome.reverse
        self.opened.add(outcome.frame, outcome.masks)

    def close(self) -> None:
        """Make one step of what came."""
        self.opened.close()

    @property
    def is_open(self) -> bool:
        """Whether the document still takes frames; undo ends a run."""
        return self.opened.is_open

    @property
    def progress(self) -> RunProgress:
        """How far the run is, and how long it may still take."""
        seconds = time.monotonic() - self._began
        left = None
        if self.done > 1 and seconds > _LEAST_SECONDS_FOR_A_GUESS:
            left = seconds / (self.done - 1) * max(0, self.total - self.done)
        return RunProgress(self.done, self.total, self.frame, left, self.text)


def follow(tracker: DocumentTracker, plan: TrackPlan, known: tuple[ObjectSnapshot, ...]) -> Iterator[FrameOutcome]:
    """Track along all passes of a plan; on the worker."""
    by_id = {each.object_id: each for each in known}
    yield from tracker.propagate(
        *(
            TrackRequest(tuple(by_id[number] for number in each.objects), each.frames.start, each.stop, each.reverse)
            for each in plan.passes
        )
    )
