"""The next useful step, in words."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_sam2v.panel.wording import count, key_text
from napari_sam2v.workbench.track_desk import repair_span
from src_model.annotation import Origin

if TYPE_CHECKING:
    from napari_sam2v.panel.view_state import StatusKind, TimeMarks
    from napari_sam2v.workbench.workbench import Workbench
    from src_model.annotation import Annotation

_LOW_SCORE = 0.7
"""Below this, a mask is worth a look."""


_START = {
    "point_positive": "Click an object in the image to get its mask",
    "box": "Draw a box around an object to get its mask",
    "lasso": "Outline an object in the image; it becomes a mask",
    "paint": "Paint an object in the image; it becomes a mask",
}
"""How a new object begins, by the tool in hand."""


class Status(NamedTuple):
    """A line of text and what kind it is."""

    text: str
    kind: StatusKind


def next_step(
    workbench: Workbench,
    keys: Mapping[str, str],
    marks: Callable[[int], TimeMarks],
    *,
    busy: bool = False,
    tool: str = "point_positive",
) -> Status:
    """Say what one would do next.

    Parameters
    ----------
    workbench
        With the document.
    keys
        The key of each action.
    marks
        Returns what is known of an object; going through the document would take long in long movies.
    busy
        Whether the model looks at a prompt.
    tool
        The tool in hand, by action id; empty for none.
    """
    document = workbench.document
    if document is None:
        return Status("Open a movie, then choose its layer above", "hint")
    progress = workbench.tracking.progress
    if progress is not None:
        stop = f": {key_text(keys['stop'])} stops and keeps the finished frames" if keys.get("stop") else ""
        later = ". What the model sees changes after this run" if workbench.is_behind else ""
        return Status(f"{progress.text or 'Tracking'}{stop}{later}", "busy")
    if busy:
        return Status("Looking at this frame", "busy")
    if workbench.selected is None:
        return Status(_START.get(tool) or _start_without_tool(keys), "hint")
    text, kind = _for_object(workbench, document, workbench.selected, marks(workbench.selected), keys)
    return Status(text[:1].upper() + text[1:], kind)


def _start_without_tool(keys: Mapping[str, str]) -> str:
    key = keys.get("point_positive")
    return f"Take Include{f' ({key_text(key)})' if key else ''}, then click an object in the image"


def _for_object(
    workbench: Workbench, document: Annotation, object_id: int, marks: TimeMarks, keys: Mapping[str, str]
) -> Status:
    title = document.object(object_id).title
    if document.object(object_id).locked:
        return Status(f"{title} is locked; {_pressed(keys, 'next_object', 'next')} starts another object", "hint")
    if not (marks.prompted | marks.edited).any():
        return Status(f"Click {title} in the image, draw a box around it, or paint it", "hint")
    readings = workbench.prompts.readings
    if not marks.tracked.any() and marks.prompted.any():
        more = ""
        if readings is not None and len(readings.candidates) > 1:
            more = f"; {_pressed(keys, 'next_reading', 'next reading')} if another outline was meant"
        return Status(f"Mask right? {_pressed(keys, 'track_forward', 'Forward')} tracks it{more}", "hint")
    if can_be_repaired(document, object_id, workbench.frame, workbench.damaged):
        return Status(f"Corrected. {_pressed(keys, 'repair', 'Repair')} tracks again around this frame", "hint")
    return _review(title, marks, keys)


def can_be_repaired(document: Annotation, object_id: int, frame: int, damaged: Container[int] = ()) -> bool:
    """Whether a frame was corrected, the object is seen on it, and frames beside it were tracked before that."""
    entry = document.frame(object_id, frame)
    if entry is None or entry.mask.is_empty or entry.origin not in (Origin.PROMPTED, Origin.EDITED):
        return False
    first = min(document.masklet(object_id).entries())
    return frame > first and len(repair_span(document, object_id, frame, damaged)) > 1


def _review(title: str, marks: TimeMarks, keys: Mapping[str, str]) -> Status:
    doubtful = int(np.count_nonzero(marks.tracked & ~marks.locked & (marks.scores < _LOW_SCORE)))
    if doubtful:
        frames = f"{count(doubtful, 'frame')} of {title} may be wrong"
        return Status(f"{frames}: {_pressed(keys, 'worst_frame', 'Worst frame')} shows the worst", "warning")
    known = int(np.count_nonzero(~np.isnan(marks.scores)))
    if known < marks.length:
        text = (
            f"{title} is known on {known:,} of {count(marks.length, 'frame')}; track on, or review with the time strip"
        )
        return Status(text, "hint")
    return Status(f"{title} is tracked; {_pressed(keys, 'next_object', 'Next object')} starts the next one", "hint")


def _pressed(keys: Mapping[str, str], action: str, button: str) -> str:
    key = keys.get(action)
    return key_text(key) if key else f"'{button}'"
