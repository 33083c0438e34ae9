"""A document in miniature: one track and what a host does with it, without history or files."""

from __future__ import annotations

from src_model.annotation.objects import AnnotatedObject
from src_model.annotation.prompts import Prompt
from src_model.annotation.provenance import AnnotatedFrame, Origin
from src_model.annotation.state import Track
from src_model.masks import Masklet, Rle
from src_model.workflow import FrameOutcome, PromptOutcome, snapshot
from tests.tracking import tiny


def new_track(object_id=1):
    return Track(AnnotatedObject(object_id), Masklet(object_id, tiny.SHAPE))


def click(track, frame, *points, labels=None):
    """Add clicks to the prompt of a frame."""
    prompt = track.prompts.get(frame, Prompt())
    track.prompts[frame] = prompt.with_points(points, labels or [1] * len(points))


def take_answer(track, outcome: PromptOutcome, candidate=None):
    entry = outcome.mask if candidate is None else outcome.candidates[candidate]
    track.masklet.restore(outcome.frame, AnnotatedFrame.of(entry, Origin.PROMPTED))


def take_frame(track, outcome: FrameOutcome):
    origin = Origin.TRACKED_BACK if outcome.reverse else Origin.TRACKED
    entry = outcome.masks.get(track.info.object_id)
    if entry is not None:
        track.masklet.restore(outcome.frame, AnnotatedFrame.of(entry, origin))


def paint(track, frame, mask):
    track.masklet.restore(frame, AnnotatedFrame(Rle.encode(mask), 1.0, 1.0, Origin.EDITED))


def masks(track):
    return {frame: entry.mask for frame, entry in snapshot(track).masks.items()}
