"""Actions on what holds for the whole annotation."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, ClassVar

from src_model.document.actions.base import ActionPlan
from src_model.document.patch import Patch
from src_model.errors import AnnotationError

if TYPE_CHECKING:
    from src_model.document.movie import MovieIdentity
    from src_model.document.project import ModelIdentity, Settings
    from src_model.document.state import State
    from src_model.frames import Normalization
    from src_model.masks import Overlap


class _ProjectChange:
    """Changes the fields of the project that a subclass names."""

    __slots__ = ()

    def plan(self, state: State) -> ActionPlan:
        """Set it; AnnotationError if the value cannot be."""
        changes = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return ActionPlan(Patch(project=replace(state.project, **changes)))


@dataclass(frozen=True, slots=True)
class SetModel(_ProjectChange):
    """Choose another model; masks stay as they are."""

    model: ModelIdentity | None

    label: ClassVar[str] = "Choose model"


@dataclass(frozen=True, slots=True)
class SetNormalization(_ProjectChange):
    """Choose what the model sees of the movie's values; masks stay as they are."""

    normalization: Normalization | None

    label: ClassVar[str] = "Choose contrast"


@dataclass(frozen=True, slots=True)
class SetSettings(_ProjectChange):
    """Choose how to track; masks stay as they are."""

    settings: Settings

    label: ClassVar[str] = "Change settings"


@dataclass(frozen=True, slots=True)
class SetOverlap(_ProjectChange):
    """Choose who gets a pixel that several objects claim when they are flattened; masks stay as they are."""

    overlap: Overlap

    label: ClassVar[str] = "Change overlap policy"


@dataclass(frozen=True, slots=True)
class SetMovie:
    """Describe the movie anew: it was moved, became longer, or got a scale."""

    movie: MovieIdentity

    label: ClassVar[str] = "Change movie"

    def plan(self, state: State) -> ActionPlan:
        """Set it; AnnotationError if its frames have another size, or it ends before something annotated."""
        before = state.project.movie
        if self.movie.frame_shape != before.frame_shape:
            raise AnnotationError(
                f"'{self.movie.name}' has frames of {self.movie.frame_shape}, expected {before.frame_shape}; "
                "start a new annotation for another movie"
            )
        last = max((_last_frame(state, object_id) for object_id in state.tracks), default=-1)
        last = max([last, *(division.frame for division in state.divisions.values())])
        if self.movie.length <= last:
            raise AnnotationError(f"'{self.movie.name}' has {self.movie.length} frames, and frame {last} is annotated")
        return ActionPlan(Patch(project=replace(state.project, movie=self.movie)))


def _last_frame(state: State, object_id: int) -> int:
    track = state.tracks[object_id]
    return max((*track.masks.frames()[-1:], *track.prompts, *track.locked), default=-1)
