"""Actions on what holds for the whole annotation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from src_model.document.actions.base import Plan
from src_model.document.patch import Patch
from src_model.errors import AnnotationError

if TYPE_CHECKING:
    from src_model.document.movie import MovieIdentity
    from src_model.document.project import ModelIdentity, Settings
    from src_model.document.state import State
    from src_model.frames import Normalization
    from src_model.masks import Overlap


@dataclass(frozen=True, slots=True)
class SetModel:
    """Choose another model; masks stay as they are."""

    model: ModelIdentity | None

    @property
    def label(self) -> str:
        """What the step is called."""
        return "Choose model"

    def plan(self, state: State) -> Plan:
        """Set it."""
        return Plan(Patch(project=replace(state.project, model=self.model)))


@dataclass(frozen=True, slots=True)
class SetNormalization:
    """Choose what the model sees of the movie's values; masks stay as they are."""

    normalization: Normalization | None

    @property
    def label(self) -> str:
        """What the step is called."""
        return "Choose contrast"

    def plan(self, state: State) -> Plan:
        """Set it."""
        return Plan(Patch(project=replace(state.project, normalization=self.normalization)))


@dataclass(frozen=True, slots=True)
class SetSettings:
    """Choose how to track; masks stay as they are."""

    settings: Settings

    @property
    def label(self) -> str:
        """What the step is called."""
        return "Change settings"

    def plan(self, state: State) -> Plan:
        """Set them."""
        return Plan(Patch(project=replace(state.project, settings=self.settings)))


@dataclass(frozen=True, slots=True)
class SetOverlap:
    """Choose who gets a pixel that several objects claim when they are flattened; masks stay as they are."""

    overlap: Overlap

    @property
    def label(self) -> str:
        """What the step is called."""
        return "Change overlap policy"

    def plan(self, state: State) -> Plan:
        """Set it; AnnotationError if it is unknown."""
        return Plan(Patch(project=replace(state.project, overlap=self.overlap)))


@dataclass(frozen=True, slots=True)
class SetMovie:
    """Describe the movie anew: it was moved, became longer, or got a scale."""

    movie: MovieIdentity

    @property
    def label(self) -> str:
        """What the step is called."""
        return "Change movie"

    def plan(self, state: State) -> Plan:
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
        return Plan(Patch(project=replace(state.project, movie=self.movie)))


def _last_frame(state: State, object_id: int) -> int:
    track = state.tracks[object_id]
    return max((*track.masks.frames()[-1:], *track.prompts, *track.locked), default=-1)
