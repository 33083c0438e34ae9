"""The tracker: shapes to start from and states to go on from, all objects of a request as one batch."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cvat_serverless.healing import Healing
from cvat_serverless.requests import GivenShape, TrackerRequest, parse
from cvat_serverless.shapes import Shape, ShapeType, make_shape, shape_of
from cvat_serverless.silhouette import Silhouette
from cvat_serverless.state import StateCodec, TrackState, new_track_id, outline_of
from cvat_serverless.tracks import Sighting, asleep, new_bank
from cvat_serverless.views import ImageTracking
from src_model.errors import RequestError
from src_model.masks import Masklet, Rle, box_iou
from src_model.tracking.prompts import Prompt
from src_model.tracking.tracked_object import TrackedObject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cvat_serverless.engine import SeenImage, SharedModel
    from cvat_serverless.store import TrackStore
    from cvat_serverless.tracks import StoredTrack, TrackPosition
    from src_model.tracking.results import FrameResult
    from src_model.tracking.settings import TrackingSettings

_log = logging.getLogger(__name__)

_CORRECTION_OVERLAP = 0.5
"""IoU of boxes from which a shape drawn on a frame seen before is taken as a correction of what was there."""
_PRESENT = 0.5


@dataclass(frozen=True, slots=True)
class ObjectRequest:
    """One object of a request.

    Attributes
    ----------
    kind
        The type of shape wanted.
    bare
        Whether shapes are bare lists of four numbers.
    shape
        What to start from; in the image.
    state
        What to go on from instead.
    """

    kind: ShapeType
    bare: bool = False
    shape: Shape | None = None
    state: TrackState | None = None


@dataclass(frozen=True, slots=True)
class _Task:
    """How one object of a request is answered.

    Attributes
    ----------
    asked
        What CVAT wants.
    track, last
        What it goes on from, and from which of its steps; None for a new object.
    prompt
        What it is prompted with on this frame; None if it is tracked, or healed for want of a track.
    """

    asked: ObjectRequest
    track: StoredTrack | None = None
    last: int = -1
    prompt: Prompt | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An object on the frame of the request.

    Attributes
    ----------
    asked
        What was wanted.
    track_id, step
        Which track in the store, and which of its frames.
    shape
        Where it is.
    image
        ``(Y, X)`` of the frame.
    silhouette
        Its mask; None if that is not known.
    """

    asked: ObjectRequest
    track_id: str
    step: int
    shape: Shape
    image: tuple[int, int]
    silhouette: Silhouette | None = None

    @property
    def state(self) -> TrackState:
        """What to go on from on the next frame."""
        asked, outline, silhouette = self.asked, outline_of(self.shape, self.image), self.silhouette
        if silhouette is None and self.shape.type != "rectangle":
            silhouette = Silhouette.of(self.shape.place(self.image))
        return TrackState(self.track_id, self.step, asked.kind, asked.bare, outline, self.image, silhouette)


class TrackerFunction:
    """Answers the requests of CVAT's trackers.

    Parameters
    ----------
    engine
        The model.
    store
        Where memories wait.
    codec
        Reads and writes states.
    """

    def __init__(self, engine: SharedModel, store: TrackStore, codec: StateCodec) -> None:
        self._engine = engine
        self._store = store
        self._codec = codec

    def __call__(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request.

        Raises
        ------
        RequestError
            If it cannot be meant; nothing has changed then.
        BusyError
            If the model or the store is busy for too long.
        """
        request = parse(TrackerRequest, body)
        sent = self._engine.receive(request.image)
        with self._engine.turn():
            image = self._engine.open(sent)
            answers = self._answered(self._read(request, image), image)
        return {
            "shapes": [_shape_for_cvat(answer) for answer in answers],
            "states": [self._codec.pack(answer.state) for answer in answers],
        }

    def answer(self, asked: Sequence[ObjectRequest], image: SeenImage) -> list[Answer]:
        """Find all objects of a request in its image, each as if it were alone.

        Raises
        ------
        BusyError
            If the model or the store is busy for too long; nothing has changed then.
        """
        with self._engine.turn():
            return self._answered(asked, image)

    def _answered(self, asked: Sequence[ObjectRequest], image: SeenImage) -> list[Answer]:
        placed = self._placed(asked, image)
        tracked = iter(self._tracked([task for task in placed if isinstance(task, _Task)], image))
        return [self._kept(item.asked, next(tracked)) if isinstance(item, _Task) else item for item in placed]

    # What was asked for ----------------------------------------------------------------------------------------------

    def _read(self, request: TrackerRequest, image: SeenImage) -> list[ObjectRequest]:
        count = max(len(request.shapes), len(request.states))
        if not count:
            raise RequestError("the request has neither shapes nor states; draw an object to be tracked")
        return [
            self._read_one(
                request.shapes[index] if index < len(request.shapes) else None,
                request.states[index] if index < len(request.states) else None,
                image,
            )
            for index in range(count)
        ]

    def _read_one(self, shape: GivenShape | list[float] | None, state: object, image: SeenImage) -> ObjectRequest:
        if isinstance(shape, list):
            return ObjectRequest("rectangle", True, make_shape("rectangle", shape, image.shape, may_cover_nothing=True))
        if shape is not None:
            # A shape of no area among others is no reason to lose them: it stays where it is.
            made = make_shape(shape.type, shape.points, image.shape, may_cover_nothing=True)
            return ObjectRequest(made.type, False, made)
        known = self._codec.unpack(state)
        if known.image != image.shape:
            raise RequestError(
                f"the tracker state belongs to frames of {known.image[1]} x {known.image[0]} pixels, this one has "
                f"{image.shape[1]} x {image.shape[0]}; draw the object again"
            )
        return ObjectRequest(known.kind, known.bare, state=known)

    # Where each object goes on from ----------------------------------------------------------------------------------

    def _placed(self, asked: Sequence[ObjectRequest], image: SeenImage) -> list[_Task | Answer]:
        taken: set[str] = set()
        return [
            self._followed(one, one.state, image) if one.state is not None else self._drawn(one, image, taken)
            for one in asked
        ]

    def _followed(self, one: ObjectRequest, state: TrackState, image: SeenImage) -> _Task | Answer:
        track = self._store.get(state.track_id)
        if track is None or track.step < state.step or track.image != image.shape or track.shape.type != one.kind:
            return self._healed(one, state)
        after = track.sighting(state.step + 1)
        if after is not None and after.image == image.digest and track.step == state.step + 1:
            # CVAT asks again for what it has not got, for instance after a time-out.
            self._engine.counts.repeats += 1
            return Answer(one, track.track_id, track.step, track.shape, image.shape, track.silhouette)
        return _Task(one, track, state.step)

    def _healed(self, one: ObjectRequest, state: TrackState) -> _Task:
        self._engine.counts.healings += 1
        _log.warning(
            "the memory of track %s is not here, after a restart or for lack of room: it goes on from the last mask "
            "of its frame %d",
            state.track_id,
            state.step,
        )
        return _Task(one)

    def _drawn(self, one: ObjectRequest, image: SeenImage, taken: set[str]) -> _Task | Answer:
        shape = one.shape
        assert shape is not None
        is_box = shape.type == "rectangle"
        prompt = Prompt(box=shape.box) if is_box else Prompt(mask=shape.place(image.shape))
        seen = self._corrected(shape, image, taken)
        track = None if seen is None else self._store.get(seen.track_id)
        if seen is not None and track is not None and seen.mark == shape.mark:
            # Nothing was changed: CVAT only forgot the state, for instance when its user went back.
            return Answer(one, seen.track_id, seen.step, shape, image.shape)
        if seen is None or track is None or seen.step == 0:
            self._engine.counts.objects_started += 1
            return _Task(one, prompt=prompt)
        self._engine.counts.corrections += 1
        _log.info("track %s was corrected on its frame %d", track.track_id, seen.step)
        return _Task(one, track, seen.step - 1, prompt)

    def _corrected(self, shape: Shape, image: SeenImage, taken: set[str]) -> TrackPosition | None:
        """Find the object that a shape corrects: seen in this image, of the same type, where the shape is."""
        candidates = [
            (2.0 if seen.mark == shape.mark else box_iou(seen.box, shape.box), seen)
            for seen in self._store.seen_in(image.digest)
            if seen.kind == shape.type and seen.track_id not in taken
        ]
        overlap, best = max(candidates, key=lambda pair: pair[0], default=(0.0, None))
        if best is None or overlap < _CORRECTION_OVERLAP:
            return None
        taken.add(best.track_id)
        return best

    # Tracking --------------------------------------------------------------------------------------------------------

    def _tracked(self, tasks: Sequence[_Task], image: SeenImage) -> list[StoredTrack]:
        """Prompt and track all objects of a request on its frame, as one batch."""
        if not tasks:
            return []
        now = max(task.last for task in tasks) + 2
        tracking = ImageTracking.of(self._engine, image, now)
        settings = self._engine.steps.settings
        healing = Healing(tracking, settings, now)
        items = [_awake(number, task, now, settings, healing) for number, task in enumerate(tasks, 1)]
        for item, task in zip(items, tasks, strict=True):
            if task.prompt is not None:
                tracking.prompting.answer(item, now, task.prompt, replace=True)
        result = tracking.propagation.step(now, items, reverse=False)
        return [self._asleep(item, task, result, image) for item, task in zip(items, tasks, strict=True)]

    def _asleep(self, item: TrackedObject, task: _Task, result: FrameResult, image: SeenImage) -> StoredTrack:
        shape = task.asked.shape or self._found(item, task, result)
        sighting = Sighting(image.digest, shape.box, shape.mark)
        before = _last_silhouette(task)
        mask = result.rles[item.object_id] if _is_present(item, result) else Rle.empty(image.shape)
        if task.track is None:
            track = asleep(item, result.frame, new_track_id(), shape, (sighting,), image.shape)
        else:
            track = task.track.followed(item, result.frame, shape, sighting, last=task.last)
        return replace(track, silhouette=Silhouette.of(mask, before) or before)

    def _found(self, item: TrackedObject, task: _Task, result: FrameResult) -> Shape:
        """Return where a tracked object is; a lost one stays where it was, since CVAT has no word for being absent."""
        counts, state, kind = self._engine.counts, task.asked.state, task.asked.kind
        counts.objects_tracked += 1
        shape = shape_of(result.rles[item.object_id], kind) if _is_present(item, result) else None
        if shape is not None:
            return shape
        counts.objects_lost += 1
        if task.track is not None and task.last == task.track.step:
            return task.track.shape
        assert state is not None, "an object without a shape has a state"
        return state.shape

    # What CVAT gets --------------------------------------------------------------------------------------------------

    def _kept(self, asked: ObjectRequest, track: StoredTrack) -> Answer:
        if not self._store.put(track):
            # Another request went on from the same frame before, or this is a correction: a track of its own.
            track = track.renamed(new_track_id())
            self._store.put(track)
        return Answer(asked, track.track_id, track.step, track.shape, track.image, track.silhouette)


def _awake(number: int, task: _Task, now: int, settings: TrackingSettings, healing: Healing) -> TrackedObject:
    if task.track is None:
        if task.asked.state is not None:
            return healing.healed(number, task.asked.state)
        return TrackedObject(number, new_bank(settings), Masklet(number, healing.tracking.shape))
    item = task.track.awake(number, now, settings, last=task.last)
    if task.prompt is not None:
        item.directions[now] = False  # a correction: the network sees what it remembers
    return item


def _last_silhouette(task: _Task) -> Silhouette | None:
    """Return the mask of the frame that an object goes on from."""
    if task.track is not None and task.last == task.track.step:
        return task.track.silhouette
    return None if task.asked.state is None else task.asked.state.silhouette


def _is_present(item: TrackedObject, result: FrameResult) -> bool:
    return result.object_scores[item.object_id] >= _PRESENT


def _shape_for_cvat(answer: Answer) -> object:
    points = list(answer.shape.points)
    return points if answer.asked.bare else {"type": answer.shape.type, "points": points}
