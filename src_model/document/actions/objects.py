"""Actions on objects: adding them, and what a person says about them.

Names, colors, classes, notes and visibility may change while an object is locked: a lock keeps its masks, prompts and
identity.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, ClassVar

from src_model.document.actions.base import ActionPlan
from src_model.document.patch import Patch
from src_model.errors import AnnotationError

if TYPE_CHECKING:
    from src_model.document.event_log import EventKind
    from src_model.document.objects import AnnotatedObject
    from src_model.document.state import State


@dataclass(frozen=True, slots=True)
class AddObject:
    """Add an object; ``Annotation.next_id()`` gives an id that is free."""

    info: AnnotatedObject

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Add {self.info.title}"

    def plan(self, state: State) -> ActionPlan:
        """Add it; AnnotationError if the id is taken."""
        object_id = self.info.object_id
        if object_id in state.tracks:
            raise AnnotationError(f"object id {object_id} is taken by {state.track(object_id).info.title}")
        return ActionPlan(Patch(objects={object_id: self.info}))


@dataclass(frozen=True, slots=True)
class _ObjectChange:
    """Changes what is said about an object: the fields that a subclass adds are those of ``AnnotatedObject``."""

    object_id: int

    def plan(self, state: State) -> ActionPlan:
        """Change it; UnknownObjectError if there is no such object, AnnotationError if the value cannot be."""
        changes = {field.name: getattr(self, field.name) for field in fields(self)}
        return ActionPlan(Patch(objects={self.object_id: replace(state.track(self.object_id).info, **changes)}))


@dataclass(frozen=True, slots=True)
class RenameObject(_ObjectChange):
    """Give an object another name."""

    name: str

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Rename object {self.object_id}"


@dataclass(frozen=True, slots=True)
class RecolorObject(_ObjectChange):
    """Give an object another color, ``"#rrggbb"``; an empty one is the default color of its id."""

    color: str

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Recolor object {self.object_id}"


@dataclass(frozen=True, slots=True)
class ClassifyObject(_ObjectChange):
    """Say what kind of object it is; an empty class is none."""

    class_name: str

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Classify object {self.object_id}"


@dataclass(frozen=True, slots=True)
class NoteObject(_ObjectChange):
    """Write a note about an object."""

    note: str

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Note on object {self.object_id}"


@dataclass(frozen=True, slots=True)
class LockObject(_ObjectChange):
    """Lock a whole object, or unlock it; locked frames of it stay locked."""

    locked: bool = True

    event: ClassVar[EventKind] = "lock"

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"{'Lock' if self.locked else 'Unlock'} object {self.object_id}"


@dataclass(frozen=True, slots=True)
class ShowObject(_ObjectChange):
    """Show an object, or hide it."""

    visible: bool = True

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"{'Show' if self.visible else 'Hide'} object {self.object_id}"
