"""What the object table and the time strip show, read off the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sam2v.panel.view_state import ObjectRow, TimeMarks
from src_model.annotation import Origin

if TYPE_CHECKING:
    from src_model.annotation import Annotation


def object_row(annotation: Annotation, object_id: int) -> ObjectRow:
    """Describe an object in a row of the table."""
    info = annotation.object(object_id)
    entries = annotation.masklet(object_id).entries()
    worst = min(entries, key=lambda frame: entries[frame].score, default=None)
    return ObjectRow(
        object_id=object_id,
        name=info.title,
        color=rgb(info.colour),
        frames_done=len(entries),
        frames_total=annotation.movie.length,
        worst_score=None if worst is None else entries[worst].score,
        worst_frame=worst,
        locked=info.locked,
        visible=info.visible,
    )


def time_marks(annotation: Annotation, object_id: int) -> TimeMarks:
    """Describe an object through time."""
    marks = TimeMarks.blank(annotation.movie.length)
    for state in annotation.frame_states(object_id):
        frame = state.frame
        marks.prompted[frame] = state.prompted
        marks.tracked[frame] = state.origin is not None and state.origin.is_tracked
        marks.edited[frame] = state.origin in (Origin.EDITED, Origin.IMPORTED)
        marks.locked[frame] = state.locked
        marks.absent[frame] = state.absent
        marks.scores[frame] = float("nan") if state.score is None else state.score
    return marks


def rgb(colour: str) -> tuple[int, int, int]:
    """Turn ``"#rrggbb"`` into three numbers."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return red, green, blue


def hex_colour(color: tuple[int, int, int]) -> str:
    """Turn three numbers into ``"#rrggbb"``."""
    return "#{:02x}{:02x}{:02x}".format(*color)
