"""What is known of each object on each frame, updated with each change, so that long movies take no longer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_sam2v.view_state import ObjectRow, TimeMarks
from src_model.document import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from src_model.document import (
        Annotation,
        FramesChanged,
        FrameState,
        LocksChanged,
        ObjectsChanged,
        PromptsChanged,
    )

_NO_SCORE = float("nan")
_TRACKED = frozenset(origin for origin in Origin if origin.is_tracked)


class ObjectMarks:
    """Marks of every object of a document.

    Parameters
    ----------
    annotation
        The document; it is listened to until :meth:`close`.
    """

    def __init__(self, annotation: Annotation) -> None:
        self._annotation = annotation
        self._marks: dict[int, TimeMarks] = {}
        for signal in (annotation.events.frames, annotation.events.prompts, annotation.events.locks):
            signal.connect(self._on_spans)
        annotation.events.objects.connect(self._on_objects)

    def close(self) -> None:
        """Stop listening."""
        events = self._annotation.events
        for signal in (events.frames, events.prompts, events.locks):
            signal.disconnect(self._on_spans, missing_ok=True)
        events.objects.disconnect(self._on_objects, missing_ok=True)

    def of(self, object_id: int) -> TimeMarks:
        """Return what is known of an object on each frame; its arrays change with the document."""
        if object_id not in self._marks:
            states = self._annotation.frame_states(object_id)
            marks = self._marks[object_id] = _marks_of(states, self._annotation.movie.length)
            if self._annotation.object(object_id).locked:
                marks.locked[:] = True
        return self._marks[object_id]

    def row(self, object_id: int) -> ObjectRow:
        """Describe an object in a row of the table."""
        marks = self.of(object_id)
        worst = marks.worst_frame()
        return replace(
            self._outline(object_id, int(np.count_nonzero(~np.isnan(marks.scores)))),
            worst_score=None if worst is None else float(marks.scores[worst]),
            worst_frame=worst,
            doubtful=int(np.count_nonzero(marks.in_doubt())),
        )

    def _outline(self, object_id: int, done: int) -> ObjectRow:
        info = self._annotation.object(object_id)
        return ObjectRow(
            object_id=object_id,
            name=info.title,
            color=rgb(info.color),
            frames_done=done,
            frames_total=self._annotation.movie.length,
            locked=info.locked,
            visible=info.visible,
        )

    def outlines(self) -> list[ObjectRow]:
        """Describe all objects; those whose marks nobody has asked for yet, without scores."""
        counts = self._annotation.mask_counts()
        return [
            self.row(object_id) if object_id in self._marks else self._outline(object_id, counts[object_id])
            for object_id in self._annotation.objects
        ]

    def _on_spans(self, change: FramesChanged | PromptsChanged | LocksChanged) -> None:
        self._remark(change.spans)

    def _remark(self, spans_by_id: Mapping[int, Iterable[tuple[int, int]]]) -> None:
        for object_id, spans in spans_by_id.items():
            marks = self._marks.get(object_id)
            if marks is None or object_id not in self._annotation.objects:
                continue
            for start, stop in spans:
                for frame in range(start, stop):
                    self._mark(marks, object_id, frame)

    def _on_objects(self, change: ObjectsChanged) -> None:
        for object_id in (*change.removed, *change.edited):
            self._marks.pop(object_id, None)

    def _mark(self, marks: TimeMarks, object_id: int, frame: int) -> None:
        document = self._annotation
        entry = document.frame(object_id, frame)
        marks.prompted[frame] = document.prompt(object_id, frame) is not None
        marks.locked[frame] = document.is_locked(object_id, frame)
        marks.tracked[frame] = entry is not None and entry.origin.is_tracked
        marks.edited[frame] = entry is not None and entry.origin is Origin.EDITED
        marks.imported[frame] = entry is not None and entry.origin is Origin.IMPORTED
        marks.absent[frame] = entry is not None and entry.mask.is_empty
        marks.scores[frame] = _NO_SCORE if entry is None else entry.score


class Corrections:
    """Frames that a user prompted or painted after the frames beside them had been tracked.

    A correction waits as long as a neighbour is as it was when it was made, mask and scores: tracking them again
    settles it, and undoing that brings it back. Of the neighbours only hashes are kept. The document does not record
    this, so that work that was opened from a file has no corrections that wait.

    Parameters
    ----------
    annotation
        The document; it is listened to until :meth:`close`.
    """

    def __init__(self, annotation: Annotation) -> None:
        self._annotation = annotation
        self._beside: dict[tuple[int, int], dict[int, int]] = {}  # of the frames next to it, by frame
        annotation.events.frames.connect(self._on_frames)

    def close(self) -> None:
        """Stop listening."""
        self._annotation.events.frames.disconnect(self._on_frames, missing_ok=True)

    def waits(self, object_id: int, frame: int) -> bool:
        """Whether an object was corrected on a frame, and not tracked again beside it since."""
        beside = self._beside.get((object_id, frame))
        if beside is None or object_id not in self._annotation.objects or not self._is_by_hand(object_id, frame):
            return False
        return any(hash(self._annotation.frame(object_id, number)) == known for number, known in beside.items())

    def _on_frames(self, change: FramesChanged) -> None:
        for object_id, spans in change.spans.items():
            if object_id not in self._annotation.objects:
                continue
            for start, stop in spans:
                # inside a longer change, as of a merge or an import, the neighbours are as new as the frame itself
                for frame in {start, stop - 1}:
                    if self._is_by_hand(object_id, frame):
                        self._note(object_id, frame, start, stop)

    def _note(self, object_id: int, frame: int, start: int, stop: int) -> None:
        beside: dict[int, int] = {}
        for number in (frame - 1, frame + 1):
            entry = None if start <= number < stop else self._annotation.frame(object_id, number)
            if entry is not None and entry.origin.is_tracked:
                beside[number] = hash(entry)
        if beside:
            self._beside[object_id, frame] = beside

    def _is_by_hand(self, object_id: int, frame: int) -> bool:
        entry = self._annotation.frame(object_id, frame)
        return entry is not None and entry.origin in (Origin.PROMPTED, Origin.EDITED)


def _marks_of(states: Sequence[FrameState], length: int) -> TimeMarks:
    """Make the marks of an object from all that is known of it."""
    marks = TimeMarks.blank(length)
    frames = np.fromiter((state.frame for state in states), np.intp, len(states))
    origins = [state.origin for state in states]
    marks.prompted[frames] = [state.prompted for state in states]
    marks.locked[frames] = [state.locked for state in states]
    marks.absent[frames] = [state.absent for state in states]
    marks.tracked[frames] = [origin in _TRACKED for origin in origins]
    marks.edited[frames] = [origin is Origin.EDITED for origin in origins]
    marks.imported[frames] = [origin is Origin.IMPORTED for origin in origins]
    marks.scores[frames] = [_NO_SCORE if state.score is None else state.score for state in states]
    return marks


def rgb(color: str) -> tuple[int, int, int]:
    """Turn ``"#rrggbb"`` into red, green and blue, 0 to 255."""
    red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return red, green, blue


def hex_color(color: tuple[int, int, int]) -> str:
    """Turn red, green and blue, 0 to 255, into ``"#rrggbb"``."""
    return "#{:02x}{:02x}{:02x}".format(*color)
