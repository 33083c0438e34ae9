"""Which frames were corrected and wait to be repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.document import Origin

if TYPE_CHECKING:
    from src_model.document import Annotation, FramesChanged


class Corrections:
    """Frames that a person prompted or painted when the frames beside them had been tracked already.

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
