"""CVAT's tracker: shapes to start from and states to go on from, all objects of a request as one batch."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cvat_serverless.coarse_mask import CoarseMask
from cvat_serverless.image_tracking import ImageTracking
from cvat_serverless.recovery import MemoryRecovery
from cvat_serverless.requests import GivenShape, TrackerRequest, parse
from cvat_serverless.shapes import Shape, ShapeType, make_shape, shape_of
from cvat_serverless.state import StateCodec, TrackState, new_track_id, outline_of
from cvat_serverless.stored_track import Sighting, StoredTrack
from src_model.errors import RequestError
from src_model.masks import Rle, box_iou
from src_model.memory.stored import StoredMemory
from src_model.prompts import Prompt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cvat_serverless.shared_model import RequestImage, SharedModel
    from cvat_serverless.store import TrackStore
    from cvat_serverless.stored_track import TrackPosition
    from src_model.tracking.results import FrameResult
    from src_model.tracking.tracked_object import TrackedObject

_log = logging.getLogger(__name__)

_CORRECTION_OVERLAP = 0.5
"""IoU of boxes from which a shape drawn on a frame seen before counts as a correction of what was there."""
_PRESENT = 0.5
"""Object score from which an object counts as visible: the network is trained to tell at 0.5."""


@dataclass(frozen=True, slots=True)
class ObjectRequest:
    """One object of a request.

    Attributes
    ----------
    kind
        The type of shape that CVAT wants of it.
    bare
        Whether shapes are bare lists of four numbers, as CVAT before 2.60 sends them.
    shape
        What to start from, inside the image; None if it goes on from a state.
    state
        What to go on from; None if it starts from a shape.
    """

    kind: ShapeType
    bare: bool = False
    shape: Shape | None = None
    state: TrackState | None = None


@dataclass(frozen=True, slots=True)
class ObjectAnswer:
    """An object on the frame of the request.

    Attributes
    ----------
    request
        What was asked for of it.
    track_id
        Name of the track in the store.
    step
        Which of the track's frames this is, from 0.
    shape
        Where the object is, of the type that was asked for.
    image
        ``(Y, X)`` of the frame, in pixels.
    mask
        Its mask; None if that is not known.
    """

    request: ObjectRequest
    track_id: str
    step: int
    shape: Shape
    image: tuple[int, int]
    mask: CoarseMask | None = None

    @property
    def state(self) -> TrackState:
        """What to go on from on the next frame."""
        request, outline, mask = self.request, outline_of(self.shape, self.image), self.mask
        if mask is None and self.shape.type != "rectangle":
            mask = CoarseMask.of(self.shape.place(self.image))
        return TrackState(self.track_id, self.step, request.kind, request.bare, outline, self.image, mask)


@dataclass(frozen=True, slots=True)
class _Job:
    """What the network has to do for one object.

    Attributes
    ----------
    request
        What was asked for.
    track, last
        What the object goes on from, and from which step of it; None for a new object, or if its memory is gone.
    prompt
        Its prompt on this frame; None if it is tracked.
    """

    request: ObjectRequest
    track: StoredTrack | None = None
    last: int = -1
    prompt: Prompt | None = None

    @property
    def last_mask(self) -> CoarseMask | None:
        """The mask of the frame that the object goes on from."""
        if self.track is not None and self.last == self.track.step:
            return self.track.mask
        return None if self.request.state is None else self.request.state.coarse_mask

    def object(self, object_id: int, frame: int, recovery: MemoryRecovery) -> TrackedObject:
        """Make the object as it was before the frame; one whose memory is gone, as it is found on it."""
        if self.track is not None:
            item = self.track.restored(object_id, frame, recovery.settings, last=self.last)
            if self.prompt is not None:
                item.directions[frame] = False  # a correction: the network reads the object's memory for it
            return item
        if self.request.state is not None:
            return recovery.recovered(object_id, self.request.state)
        return recovery.new_object(object_id)


class TrackerFunction:
    """Answers the requests of CVAT's trackers.

    Parameters
    ----------
    model
        The model, shared with other functions.
    store
        Keeps tracks, with their memories, between requests.
    codec
        Reads and writes tracker states.
    """

    def __init__(self, model: SharedModel, store: TrackStore, codec: StateCodec) -> None:
        self._model = model
        self._store = store
        self._codec = codec

    def __call__(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request.

        Raises
        ------
        RequestError
            If it does not say what is to be tracked; nothing has changed then.
        BusyError
            If the model or the store is busy for too long.
        """
        request = parse(TrackerRequest, body)
        image = self._model.receive(request.image)
        with self._model.turn():
            self._model.open(image)
            answers = self._answer(self._read(request, image), image)
        return {
            "shapes": [_shape_for_cvat(answer) for answer in answers],
            "states": [self._codec.pack(answer.state) for answer in answers],
        }

    def answer(self, requests: Sequence[ObjectRequest], image: RequestImage) -> list[ObjectAnswer]:
        """Find all objects of a request in its image, each as if it were alone.

        Raises
        ------
        BusyError
            If the model or the store is busy for too long; nothing has changed then.
        """
        with self._model.turn():
            return self._answer(requests, image)

    def _answer(self, requests: Sequence[ObjectRequest], image: RequestImage) -> list[ObjectAnswer]:
        claimed: set[str] = set()
        found = [
            self._start(each, image, claimed) if each.state is None else self._go_on(each, each.state, image)
            for each in requests
        ]
        tracked = iter(self._track([each for each in found if isinstance(each, _Job)], image))
        return [self._keep(each.request, next(tracked)) if isinstance(each, _Job) else each for each in found]

    # What is asked for -----------------------------------------------------------------------------------------------

    def _read(self, request: TrackerRequest, image: RequestImage) -> list[ObjectRequest]:
        count = max(len(request.shapes), len(request.states))
        if not count:
            raise RequestError("the request has neither shapes nor states; draw an object to be tracked")
        return [
            self._read_object(
                request.shapes[index] if index < len(request.shapes) else None,
                request.states[index] if index < len(request.states) else None,
                image,
            )
            for index in range(count)
        ]

    def _read_object(self, shape: GivenShape | list[float] | None, state: object, image: RequestImage) -> ObjectRequest:
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

    # What each object goes on from -----------------------------------------------------------------------------------

    def _go_on(self, request: ObjectRequest, state: TrackState, image: RequestImage) -> _Job | ObjectAnswer:
        track = self._store.get(state.track_id)
        if track is None or track.step < state.step or track.image != image.shape or track.shape.type != request.kind:
            self._model.counts.recoveries += 1
            _log.warning(
                "the memory of track %s is not here, after a restart or for lack of room: it goes on from the last "
                "mask of its frame %d",
                state.track_id,
                state.step,
            )
            return _Job(request)
        following = track.sighting(state.step + 1)
        if following is not None and following.image == image.digest and track.step == state.step + 1:
            # CVAT asks again for what it has not got, for instance after a time-out.
            self._model.counts.repeats += 1
            return ObjectAnswer(request, track.track_id, track.step, track.shape, image.shape, track.mask)
        return _Job(request, track, state.step)

    def _start(self, request: ObjectRequest, image: RequestImage, claimed: set[str]) -> _Job | ObjectAnswer:
        shape = request.shape
        assert shape is not None, "a request has a shape or a state"
        is_box = shape.type == "rectangle"
        prompt = Prompt(box=shape.box) if is_box else Prompt(mask=shape.place(image.shape))
        position = self._corrected_position(shape, image, claimed)
        track = None if position is None else self._store.get(position.track_id)
        if position is not None and track is not None and position.fingerprint == shape.fingerprint:
            # Nothing was changed: CVAT only forgot the state, for instance when its user went back.
            return ObjectAnswer(request, position.track_id, position.step, shape, image.shape)
        if position is None or track is None or position.step == 0:
            self._model.counts.objects_started += 1
            return _Job(request, prompt=prompt)
        self._model.counts.corrections += 1
        _log.info("track %s was corrected on its frame %d", track.track_id, position.step)
        return _Job(request, track, position.step - 1, prompt)

    def _corrected_position(self, shape: Shape, image: RequestImage, claimed: set[str]) -> TrackPosition | None:
        """Find the object that a shape corrects: tracked in this image, of the same type, where the shape is."""
        candidates = [
            (2.0 if known.fingerprint == shape.fingerprint else box_iou(known.box, shape.box), known)
            for known in self._store.positions_in(image.digest)
            if known.kind == shape.type and known.track_id not in claimed
        ]
        overlap, best = max(candidates, key=lambda pair: pair[0], default=(0.0, None))
        if best is None or overlap < _CORRECTION_OVERLAP:
            return None
        claimed.add(best.track_id)
        return best

    # Tracking --------------------------------------------------------------------------------------------------------

    def _track(self, jobs: Sequence[_Job], image: RequestImage) -> list[StoredTrack]:
        """Prompt and track all objects of a request on its frame, as one batch."""
        if not jobs:
            return []
        # Every step that an object goes on from lies before the frame, and one more for recovery.
        frame = max(job.last for job in jobs) + 2
        tracking = ImageTracking.of(self._model, image, frame)
        recovery = MemoryRecovery(tracking, self._model.steps.settings, frame)
        items = [job.object(object_id, frame, recovery) for object_id, job in enumerate(jobs, 1)]
        for item, job in zip(items, jobs, strict=True):
            if job.prompt is not None:
                tracking.prompting.answer(item, frame, job.prompt, replace=True)
        result = tracking.propagation.step(frame, items, reverse=False)
        return [self._stored(item, job, result, image) for item, job in zip(items, jobs, strict=True)]

    def _stored(self, item: TrackedObject, job: _Job, result: FrameResult, image: RequestImage) -> StoredTrack:
        is_present = result.object_scores[item.object_id] >= _PRESENT
        mask = result.rles[item.object_id] if is_present else Rle.empty(image.shape)
        shape = job.request.shape or self._tracked_shape(mask, job)
        sighting = Sighting(image.digest, shape.box, shape.fingerprint)
        if job.track is None:
            memory = StoredMemory.of(item.bank, result.frame, 0)
            track = StoredTrack(new_track_id(), 0, image.shape, shape, memory, (sighting,))
        else:
            track = job.track.continued(item, result.frame, shape, sighting, last=job.last)
        return replace(track, mask=CoarseMask.of(mask, job.last_mask) or job.last_mask)

    def _tracked_shape(self, mask: Rle, job: _Job) -> Shape:
        """Return the shape of a mask; a lost object stays where it was, since CVAT has no word for being absent."""
        self._model.counts.objects_tracked += 1
        shape = shape_of(mask, job.request.kind)
        if shape is not None:
            return shape
        self._model.counts.objects_lost += 1
        if job.track is not None and job.last == job.track.step:
            return job.track.shape
        assert job.request.state is not None, "an object without a shape has a state"
        return job.request.state.shape

    def _keep(self, request: ObjectRequest, track: StoredTrack) -> ObjectAnswer:
        if not self._store.put(track):
            # Another request went on from the same frame before, or this is a correction: a track of its own.
            track = replace(track, track_id=new_track_id())
            self._store.put(track)
        return ObjectAnswer(request, track.track_id, track.step, track.shape, track.image, track.mask)


def _shape_for_cvat(answer: ObjectAnswer) -> object:
    points = list(answer.shape.points)
    return points if answer.request.bare else {"type": answer.shape.type, "points": points}
