"""A session: one movie or live stream being tracked."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from src_model.errors import DamagedFrameError, MovieError
from src_model.frames import FrameSource, LiveSource, Normalization, decide_normalization
from src_model.masks import Masklet
from src_model.memory.reading import MemoryReader
from src_model.prompts import Prompt, checked_object_id, make_prompt
from src_model.tracking.click_reading import accepted_masks
from src_model.tracking.frame_features import FrameFeatures
from src_model.tracking.frame_numbers import checked_frame, frame_range, with_advice
from src_model.tracking.live_masks import bound_masks
from src_model.tracking.object_choice import check_repairable, held_object, objects_to_track
from src_model.tracking.object_state import restore
from src_model.tracking.prompting import Prompting
from src_model.tracking.propagation import Propagation, is_active, repair_range
from src_model.tracking.tracked_object import TrackedObject
from src_model.tracking.windows.following import window_follower

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike

    from src_model.document import Annotation
    from src_model.masks import Rle
    from src_model.nn import ImageFeatures
    from src_model.tracking.feature_cache import FeatureCache
    from src_model.tracking.frame_features import FeatureOptions
    from src_model.tracking.network_steps import NetworkSteps
    from src_model.tracking.object_state import ObjectState
    from src_model.tracking.results import FrameResult, PromptAnswer
    from src_model.tracking.windows.following import WindowFollower


class Session:
    """One movie or live stream being tracked: objects, the memory bank of each, and a feature cache.

    Made by :meth:`StreamingPredictor.start <src_model.tracking.predictor.StreamingPredictor.start>`. Frames are read
    when they are needed and dropped; masks are kept run-length encoded.

    Parameters
    ----------
    steps
        The network and its settings.
    movie
        The movie, or a live source that grows.
    normalization
        How pixel values become 0..1. None: decided from the movie when first needed.
    options
        How image features are kept, and whether frames are read ahead.
    target
        The ``.sam2v`` file that :meth:`save` writes where it is told no other, and to which a live stream hands the
        masks that it lets go of.
    """

    def __init__(
        self,
        steps: NetworkSteps,
        movie: FrameSource,
        normalization: Normalization | None = None,
        options: FeatureOptions | None = None,
        *,
        target: Path | None = None,
    ) -> None:
        self.movie = movie
        self.document: Annotation | None = None
        """What the session went on from or was saved as; it also knows names, notes and history."""
        self.masks_from = 0
        """The first frame of which all masks are still held here; later than 0 in long live streams alone."""
        self.target = target
        self.steps = steps
        self._normalization = normalization
        self._features = FrameFeatures(steps, movie, lambda: self.normalization, options)
        self._objects: dict[int, TrackedObject] = {}

    # What is there ---------------------------------------------------------------------------------------------------

    @property
    def frame_shape(self) -> tuple[int, int]:
        """``(Y, X)`` of the movie's frames."""
        return self.movie.shape[1], self.movie.shape[2]

    @property
    def normalization(self) -> Normalization:
        """How pixel values become 0..1, decided once a movie."""
        self._normalization = self._normalization or decide_normalization(self.movie)
        return self._normalization

    @property
    def feature_cache(self) -> FeatureCache:
        """Image features of the frames around the one that is worked on."""
        return self._features.cache

    @property
    def objects(self) -> Mapping[int, TrackedObject]:
        """Everything held of each object, by id (read only)."""
        return MappingProxyType(self._objects)

    @property
    def masklets(self) -> dict[int, Masklet]:
        """The masks through time of each object, by id."""
        return {object_id: item.masklet for object_id, item in self._objects.items()}

    # Prompts ---------------------------------------------------------------------------------------------------------

    def prompt(
        self,
        frame: int,
        object_id: int | None,
        *,
        points: ArrayLike | None = None,
        labels: Sequence[int] | None = None,
        box: Sequence[float] | None = None,
        mask: ArrayLike | None = None,
        replace: bool = False,
    ) -> PromptAnswer:
        """Say where an object is, or is not, on a frame; a new id makes a new object.

        Prompts on a frame add up until they are cleared: points are joined, a newer box or mask replaces an older one.
        On a frame that was already tracked the prompt is a correction: the network sees the object's memory and the
        mask to be corrected. Which mask the first click on an object means is told by the size of the others, too.

        Parameters
        ----------
        frame
            Frame number, from 0.
        object_id
            The object, a whole number from 1.
        points, labels
            ``(N, 2)`` of (y, x) pixels, and one label a point: 1 inside the object, 0 outside (default: all 1).
        box
            ``(y0, x0, y1, x1)`` in pixels.
        mask
            ``(Y, X)``; taken as the answer itself.
        replace
            Forget earlier prompts on this frame first.

        Returns
        -------
        PromptAnswer
            The mask, and all three candidates if the prompt is a single click.

        Raises
        ------
        FrameRangeError, PromptError
            If the frame, the object id or the prompt cannot be meant.
        DamagedFrameError
            If the frame cannot be read; the message names the nearest ones that can.
        """
        frame = checked_frame(frame, len(self.movie))
        number = checked_object_id(object_id)
        prompt = make_prompt(self.frame_shape, points=points, labels=labels, box=box, mask=mask)
        return self.answer(frame, number, prompt, replace=replace)

    def answer(
        self, frame: int, object_id: int, prompt: Prompt, *, replace: bool = False, alike: Iterable[Rle] | None = None
    ) -> PromptAnswer:
        """Answer a prompt as :meth:`prompt` does; one of a mask and clicks is the mask, corrected by the clicks.

        ``alike``: masks ``(Y, X)`` of other objects, which tell a first click how large one is; None: of those here.
        """
        if prompt.mask is not None and prompt.points:
            self.answer(frame, object_id, Prompt(mask=prompt.mask), replace=replace)
            return self.answer(frame, object_id, prompt.without_mask())
        self._features.set_current_frame(frame)
        item = self._objects.get(object_id) or self._new_object(object_id)
        try:
            alike = accepted_masks(self._objects, object_id, frame) if alike is None else alike
            answer = self._prompting.answer(item, frame, prompt, replace=replace, alike=alike)
        except DamagedFrameError as error:
            raise with_advice(error, frame, len(self.movie), self._features.is_damaged) from error
        self._objects[object_id] = item
        return answer

    def choose(self, frame: int, object_id: int, candidate: int) -> PromptAnswer:
        """Take another candidate of the last prompt of an object.

        Raises
        ------
        PromptError
            If the object's last prompt was on another frame or has no such candidate.
        """
        return self._prompting.choose(self._object(object_id), frame, candidate)

    def clear_prompt(self, frame: int, object_id: int) -> None:
        """Remove all prompts of an object on a frame, and the mask they gave.

        Raises
        ------
        PromptError
            If there is none.
        """
        self._object(object_id).clear_prompt(frame)

    def remove_object(self, object_id: int) -> None:
        """Remove an object with its prompts and masks."""
        # A propagation that is under way may hold the object until its next frame; its memory goes at once.
        self._object(object_id).forget_memories()
        del self._objects[object_id]

    def restore(self, state: ObjectState) -> None:
        """Take over what is known of an object elsewhere: its masks, prompts and locks, in place of what is held here.

        Memories of frames whose masks are as they were stay; the others are made again when they are needed.
        """
        number = checked_object_id(state.object_id)
        item = self._objects.get(number) or self._new_object(number)
        restore(item, state)
        self._objects[number] = item

    def lock(self, frame: int, object_id: int, *, locked: bool = True) -> None:
        """Protect the mask of a tracked frame from being tracked again, or release it.

        Raises
        ------
        FrameRangeError
            If the object has no mask on the frame.
        """
        self._object(object_id).lock(frame, locked=locked)

    # Tracking --------------------------------------------------------------------------------------------------------

    def propagate(
        self,
        start: int | None = None,
        stop: int | None = None,
        *,
        reverse: bool = False,
        objects: Sequence[int] | None = None,
    ) -> Iterator[FrameResult]:
        """Track objects through the movie, frame by frame.

        Closing the generator keeps every finished frame; calling again with ``start`` at the next frame goes on as if
        it had never stopped. Prompted and locked frames are given as they are. A damaged frame is gone over: its result
        says so (``damaged``), holds no new masks, and leaves no trace in memory.

        Parameters
        ----------
        start, stop
            As in ``range``: ``stop`` is excluded. Left out: forwards from the first prompted frame to the end of the
            movie, in reverse from the last frame to frame 0 included. They are taken as they are: where an object is
            not known beside ``start``, the frames between stay without masks.
        reverse
            Track towards earlier frames.
        objects
            Ids of the objects to track; all that hold a prompt if left out.

        Returns
        -------
        Iterator of FrameResult
            One for every frame on which at least one object is tracked.

        Raises
        ------
        NoPromptError, UnknownObjectError, FrameRangeError
            Before anything is computed.
        """
        items = objects_to_track(self._objects, objects)
        frames = frame_range(items, len(self.movie), start, stop, reverse=reverse)
        return self._tracked(items, frames, reverse=reverse)

    def repair(
        self, frame: int, object_id: int, *, direction: Literal["both", "forward", "backward"] = "both"
    ) -> Iterator[FrameResult]:
        """Track an object again around a corrected frame, up to the next prompted or locked frame on each side.

        Only frames that were already tracked are touched; every other one stays byte for byte as it was. Damaged frames
        between them are gone over.

        Raises
        ------
        UnknownObjectError, NoPromptError
            If there is no such object, it holds no prompt on ``frame``, or its mask there is empty: that it is not on
            one frame says nothing about those beside it.
        """
        item = self._object(object_id)
        check_repairable(item, frame)
        return self._repaired(item, frame, direction)

    def push(self, image: ArrayLike) -> FrameResult:
        """Take one more frame of a live stream and track every object in it at once.

        Parameters
        ----------
        image
            ``(Y, X)`` or ``(Y, X, 3)``, of the same shape and type as the frames before it.

        Raises
        ------
        MovieError
            If this session was started on a movie that is already whole, or the image does not fit the stream.
        """
        if not isinstance(self.movie, LiveSource):
            raise MovieError("push needs a live session: call predictor.start() without a movie")
        frame = self.movie.append(np.asarray(image))
        items = [item for item in self._objects.values() if item.prompts]
        self._features.set_current_frame(frame)
        result = self._propagation.step(frame, items, reverse=False)
        bound_masks(self, frame)
        return result

    def features(self, frame: int) -> ImageFeatures:
        """Return the image features of a frame, from the cache or computed now."""
        return self._features(frame)

    def flush(self) -> None:
        """Wait until image features are on disk that are to be kept there."""
        self._features.flush()

    def save(self, path: str | Path | None = None) -> Path:
        """Write prompts, masks, locks and settings to a document, which every part of sam2v opens.

        Parameters
        ----------
        path
            A ``.sam2v`` file; one that is there is replaced. Left out: the file that the session was started with,
            went on from or was saved to last.

        Returns
        -------
        Path
            The file that was written, with its suffix.

        Raises
        ------
        AnnotationFileError, MovieError
            If there is no path or no frame yet, the suffix is another, or the file cannot be written.
        """
        from src_model.document import save

        if path is None and (self.document is None or self.document.path is None):
            path = self.target
        return save(self.to_document(), path)

    def to_document(self) -> Annotation:
        """Bring the document of this session up to date and return it; a new one where there was none.

        Raises
        ------
        MovieError
            If a live stream has no frame yet, or the movie cannot be read any more.
        """
        from src_model.tracking.session_document import update_document

        self.document = update_document(self, self.document)
        return self.document

    # Inside ----------------------------------------------------------------------------------------------------------

    @property
    def _reader(self) -> MemoryReader[NetworkSteps]:
        horizon = self.steps.network.config.max_pointers
        if self.steps.settings.short_movie_pointers:
            horizon = max(2, min(horizon, len(self.movie)))
        return MemoryReader(self.steps, self._features, horizon, self._features.damaged, self._features.is_gone)

    @property
    def _windows(self) -> WindowFollower | None:
        return window_follower(self.steps, self.frame_shape, self._features)

    @property
    def _prompting(self) -> Prompting:
        return Prompting(self._reader, self.frame_shape, self._windows)

    @property
    def _propagation(self) -> Propagation:
        return Propagation(self._reader, self.frame_shape, self._windows)

    def _tracked(self, items: list[TrackedObject], frames: range, *, reverse: bool) -> Iterator[FrameResult]:
        propagation, settings = self._propagation, self.steps.settings
        with self._features.reading_ahead(frames) as reach:
            for frame in frames:
                # Objects may be removed while the generator is suspended.
                items = [item for item in items if self._objects.get(item.object_id) is item]
                active = [item for item in items if is_active(item, frame, reverse=reverse, settings=settings)]
                if active:
                    reach(frame)
                    yield propagation.step(frame, active, reverse=reverse)

    def _repaired(
        self, item: TrackedObject, frame: int, direction: Literal["both", "forward", "backward"]
    ) -> Iterator[FrameResult]:
        for reverse, name in ((False, "forward"), (True, "backward")):
            if direction in (name, "both"):
                frames = repair_range(item, frame, reverse=reverse, is_damaged=self._features.is_damaged)
                yield from self._tracked([item], frames, reverse=reverse)

    def _new_object(self, object_id: int) -> TrackedObject:
        return TrackedObject(object_id, self.steps.settings.new_memory_bank(), Masklet(object_id, self.frame_shape))

    def _object(self, object_id: int) -> TrackedObject:
        return held_object(self._objects, object_id)
