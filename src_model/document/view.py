"""A document to be read: as it is, or as it was at a moment."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from src_model.document.patch import Patch
from src_model.document.provenance import ORIGINS, AnnotatedFrame, FrameState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from src_model.document.history import HistoryPosition
    from src_model.document.lineage import Division
    from src_model.document.movie import MovieIdentity
    from src_model.document.objects import AnnotatedObject
    from src_model.document.project import Project
    from src_model.document.state import State, Track
    from src_model.document.working_copy import WorkingCopy
    from src_model.masks import Masklet, Rle
    from src_model.prompts import Prompt


class DocumentView:
    """What can be read of a document. One that is no document itself never changes and may be read on any thread.

    Parameters
    ----------
    state
        Cells of the document, at the moment that is viewed.
    copy
        Keeps the file there that they are read from.
    path
        The file of the document.
    position
        Where in its history the document was.
    """

    def __init__(
        self, state: State, copy: WorkingCopy, path: Path | None = None, position: HistoryPosition | None = None
    ) -> None:
        self._state = state
        self._copy = copy
        self._path = path
        self._position = position

    @property
    def project(self) -> Project:
        """Movie, model, normalisation, settings and overlap policy."""
        return self._state.project

    @property
    def movie(self) -> MovieIdentity:
        """The movie that is annotated."""
        return self._state.project.movie

    @property
    def objects(self) -> dict[int, AnnotatedObject]:
        """The objects by ascending id."""
        return {object_id: track.info for object_id, track in self._state.tracks.items()}

    def has(self, object_id: int) -> bool:
        """Whether there is an object of this id."""
        return object_id in self._state.tracks

    @property
    def divisions(self) -> Mapping[int, Division]:
        """The divisions by ascending parent."""
        return MappingProxyType(self._state.divisions)

    @property
    def mask_count(self) -> int:
        """How many masks there are, over all objects and frames; it takes a second for two million."""
        return sum(self.mask_counts().values())

    def mask_counts(self) -> dict[int, int]:
        """Count the masks of every object, by ascending id; it takes a second for two million."""
        counts = self._state.store.mask_counts()
        return {object_id: counts.get(object_id, 0) for object_id in self._state.tracks}

    def snapshot(self) -> DocumentView:
        """Return the document as it is now, for any thread."""
        return self

    @property
    def position(self) -> HistoryPosition:
        """Where in its history the document is."""
        assert self._position is not None, "every snapshot has one"
        return self._position

    @property
    def version(self) -> int:
        """Of the latest values that count."""
        return self._state.store.moment.version

    @property
    def copy(self) -> WorkingCopy:
        """Where the document lies while it is open."""
        return self._copy

    @property
    def path(self) -> Path | None:
        """The file of the document; None if it was never saved."""
        return self._path

    def contents(self) -> Patch:
        """Read all cells, as the patch that leads from nothing to the document."""
        tracks = self._state.tracks
        masks = {number: dict(track.masks.entries()) for number, track in tracks.items()}
        return Patch(
            objects={number: track.info for number, track in tracks.items()},
            masks={number: entries for number, entries in masks.items() if entries},
            prompts={number: dict(track.prompts) for number, track in tracks.items() if track.prompts},
            locks={number: dict.fromkeys(track.locked, True) for number, track in tracks.items() if track.locked},
            divisions=dict(self._state.divisions),
            project=self.project,
        )

    def next_id(self) -> int:
        """Return a free object id, larger than all in use."""
        return max(self._state.tracks, default=0) + 1

    def track(self, object_id: int) -> Track:
        """Return an object with its masks, prompts and locks, to be read only; or raise UnknownObjectError."""
        return self._state.track(object_id)

    def object(self, object_id: int) -> AnnotatedObject:
        """Return what a person says about an object, or raise UnknownObjectError."""
        return self._state.track(object_id).info

    def masklet(self, object_id: int) -> Masklet:
        """Read all masks of an object; or raise UnknownObjectError."""
        return self._state.track(object_id).masks.masklet()

    def frame(self, object_id: int, frame: int) -> AnnotatedFrame | None:
        """Return an object's mask, scores and origin on a frame; None where it has no mask; or UnknownObjectError."""
        return self._state.track(object_id).masks.get(frame)

    def mask_at(self, object_id: int, frame: int) -> Rle | None:
        """Return an object's mask on a frame, None where it has none; or raise UnknownObjectError."""
        entry = self.frame(object_id, frame)
        return None if entry is None else entry.mask

    def masks_at(self, frame: int, *, visible_only: bool = False) -> dict[int, AnnotatedFrame]:
        """Return all masks of a frame with scores and origins, by ascending object id; or those of shown objects."""
        tracks = self._state.tracks
        entries = self._state.store.masks_on(frame, self.movie.frame_shape)
        return {
            object_id: entry
            for object_id, entry in entries.items()
            if object_id in tracks and (tracks[object_id].info.visible or not visible_only)
        }

    def prompt(self, object_id: int, frame: int) -> Prompt | None:
        """Return what was said about an object on a frame, or None; or raise UnknownObjectError."""
        return self._state.track(object_id).prompts.get(frame)

    def prompts(self, object_id: int) -> Mapping[int, Prompt]:
        """Return an object's prompts by ascending frame; or raise UnknownObjectError."""
        return MappingProxyType(dict(self._state.track(object_id).prompts))

    def locked_frames(self, object_id: int) -> tuple[int, ...]:
        """Return the frames that are locked one by one, ascending; or raise UnknownObjectError."""
        return tuple(self._state.track(object_id).locked)

    def is_locked(self, object_id: int, frame: int) -> bool:
        """Tell whether a frame is locked, alone or with the whole object; or raise UnknownObjectError."""
        track = self._state.track(object_id)
        return track.info.locked or frame in track.locked

    def frame_states(self, object_id: int) -> tuple[FrameState, ...]:
        """Return all frames of which something is known, ascending, for a time strip; or raise UnknownObjectError."""
        track = self._state.track(object_id)
        facts = {fact.frame: fact for fact in track.masks.facts()}
        states = []
        for number in sorted({*facts, *track.prompts, *track.locked}):
            fact = facts.get(number)
            states.append(
                FrameState(
                    frame=number,
                    origin=None if fact is None else ORIGINS[fact.origin],
                    prompted=number in track.prompts,
                    locked=track.info.locked or number in track.locked,
                    absent=fact is not None and fact.is_empty,
                    score=None if fact is None else fact.score,
                    object_score=None if fact is None else fact.object_score,
                )
            )
        return tuple(states)
