"""How the panel puts numbers into words; no Qt in here."""

from __future__ import annotations

from math import isfinite

from napari_sam2v.view_state import ModelEntry, TimeMarks
from src_model.errors import Sam2vError
from src_model.measures import Measurement, MeasureUnits, TrackSeries
from src_model.workflow.progress import RunProgress


def duration(seconds: float) -> str:
    """Write a time span as people say it: "5 s", "3 min", "1 h 20 min"."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def size(megabytes: float) -> str:
    """Write a file size given in megabytes: "40 MB", "1.2 GB"."""
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{max(1, round(megabytes))} MB"


def count(number: int, noun: str) -> str:
    """Write a number with its noun: "1 object", "1,200 frames"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def key_text(key: str) -> str:
    """Write a key of napari ("Shift-N") as keyboards and menus show it ("Shift+N")."""
    return "+".join(key.replace("Control", "Ctrl").rsplit("-", key.count("-"))) if key not in {"-", ""} else key


def with_key(text: str, key: str) -> str:
    """Add a key in brackets to a tooltip, where there is one."""
    return f"{text} ({key_text(key)})" if key else text


def model_line(model: ModelEntry) -> str:
    """Say in one line what there is to know of a model before one chooses it."""
    place = f"{size(model.size_mb)} on disk" if model.on_disk else f"{size(model.size_mb)} to download"
    return f"{place} · {model.hint}" if model.hint else place


def progress_line(progress: RunProgress) -> str:
    """Say how far a run is and how long it still takes; what it is comes last, as a long name may be cut."""
    parts = []
    if progress.total > 0:
        parts.append(f"{progress.done:,} of {progress.total:,}")
    if progress.seconds_left is not None and isfinite(progress.seconds_left):
        parts.append(f"{duration(progress.seconds_left)} left")
    return " · ".join([*parts, progress.text] if progress.text else parts)


def download_line(progress: RunProgress) -> str:
    """Say how much of a download is here, `done` and `total` in megabytes, and how long it still takes."""
    parts = [progress.text] if progress.text else []
    parts.append(f"{progress.done:,} of {size(progress.total)}" if progress.total > 0 else size(progress.done))
    if progress.seconds_left is not None and isfinite(progress.seconds_left):
        parts.append(duration(progress.seconds_left))
    return " · ".join(parts)


def frame_line(marks: TimeMarks, frame: int) -> str:
    """Say what is known of one frame of an object: its number, its states, its score."""
    parts = [f"frame {frame:,}"]
    if not 0 <= frame < marks.length:
        return parts[0]
    names = ("prompted", "edited", "imported", "locked")
    parts += [name for name in names if getattr(marks, name)[frame]]
    if marks.absent[frame]:
        parts.append("not in view")
    elif marks.tracked[frame] and len(parts) == 1:
        parts.append("tracked")
    elif len(parts) == 1:
        parts.append("not tracked yet")
    score = float(marks.scores[frame])
    return " · ".join([*parts, f"score {score:.2f}"] if isfinite(score) else parts)


def track_line(title: str, frames: range, frame: int, score: float | None, note: str) -> str:
    """Say what a track is: its name, its frames, what is known of one frame of it, and why it begins and ends."""
    parts = [title, f"frames {frames.start:,} to {frames.stop - 1:,}" if frames else "no mask"]
    if frames:
        parts.append(f"frame {frame:,}: {'no mask' if score is None else f'score {score:.2f}'}")
    return " \u00b7 ".join([*parts, note] if note else parts)


def edge_line(parent: str, daughter: str, frame: int) -> str:
    """Say what an edge of the lineage is."""
    return f"{daughter} comes of {parent} on frame {frame:,}"


def curves_line(found: Measurement, title: str, frame: int, most: int = 0, left_out: int = 0) -> str:
    """Say of curves what the first object measures on a frame, how far measuring is, and how many are not shown."""
    parts = []
    if not found.series:
        parts.append("Select objects that have masks: in the table, the lineage or the image")
    else:
        first = found.series[0]
        parts += [title, f"frame {frame:,}"]
        row = first.row(frame)
        parts += ["no mask"] if row is None else _values(first, row, found.units)
    if not found.is_complete:
        parts.append(f"measured {found.done:,} of {count(found.total, 'frame')}")
    if left_out:
        parts.append(f"the first {most} of {most + left_out:,} objects")
    return " \u00b7 ".join(parts)


def _values(series: TrackSeries, row: int, units: MeasureUnits) -> list[str]:
    values = (
        (f"{series.area[row]:,.6g} {units.area}", series.area[row]),
        (f"{series.speed[row]:.3g} {units.speed}", series.speed[row]),
        (f"intensity {series.intensity[row]:,.4g}", series.intensity[row]),
        (f"score {series.score[row]:.2f}", series.score[row]),
    )
    return [text for text, value in values if isfinite(value)]


def error_text(error: Exception) -> str:
    """Say what went wrong and that nothing is lost; our own errors already say what to do."""
    if isinstance(error, Sam2vError):
        text = str(error)
        return text[:1].upper() + text[1:]
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return "There is not enough memory for this. Choose a smaller model or close other programs; your work is kept."
    return f"Something went wrong that should not have: {type(error).__name__}: {error}. Your work is kept."
