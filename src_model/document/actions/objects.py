"""Actions on objects: adding them, and what a person says about them.

Names, colours, classes, notes and visibility may change while an object is locked: a lock keeps its masks, prompts and
identity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from src_model.document.actions.base import Plan
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

    def plan(self, state: State) -> Plan:
        """Add it; AnnotationError if the id is taken."""
        object_id = self.info.object_id
        if object_id in state.tracks:
            raise AnnotationError(f"object id {object_id} is taken by {state.track(object_id).info.title}")
        return Plan(Patch(objects={object_id: self.info}))


@dataclass(frozen=True, slots=True)
class RenameObject:
    """Give an object another name."""

    object_id: int
    name: str

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Rename object {self.object_id}"

    def plan(self, state: State) -> Plan:
        """Change the name; UnknownObjectError if there is no such object."""
        return _changed(replace(state.track(self.object_id).info, name=self.name))


@dataclass(frozen=True, slots=True)
class RecolourObject:
    """Give an object another colour, ``"#rrggbb"``; an empty one is the default colour of its id."""

    object_id: int
    colour: str

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Recolour object {self.object_id}"

    def plan(self, state: State) -> Plan:
        """Change the colour; UnknownObjectError if there is no such object, AnnotationError if it is no colour."""
        return _changed(replace(state.track(self.object_id).info, colour=self.colour))


@dataclass(frozen=True, slots=True)
class ClassifyObject:
    """Say what kind of object it is; an empty class is none."""

    object_id: int
    class_name: str

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Classify object {self.object_id}"

    def plan(self, state: State) -> Plan:
        """Change the class; UnknownObjectError if there is no such object."""
        return _changed(replace(state.track(self.object_id).info, class_name=self.class_name))


@dataclass(frozen=True, slots=True)
class NoteObject:
    """Write a note about an object."""

    object_id: int
    note: str

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Note on object {self.object_id}"

    def plan(self, state: State) -> Plan:
        """Change the note; UnknownObjectError if there is no such object."""
        return _changed(replace(state.track(self.object_id).info, note=self.note))


@dataclass(frozen=True, slots=True)
class LockObject:
    """Lock a whole object, or unlock it; locked frames of it stay locked."""

    object_id: int
    locked: bool = True

    event: ClassVar[EventKind] = "lock"

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"{'Lock' if self.locked else 'Unlock'} object {self.object_id}"

    def plan(self, state: State) -> Plan:
        """Change the lock; UnknownObjectError if there is no such object."""
        return _changed(replace(state.track(self.object_id).info, locked=self.locked))


@dataclass(frozen=True, slots=True)
class ShowObject:
    """Show an object, or hide it."""

    object_id: int
    visible: bool = True

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"{'Show' if self.visible else 'Hide'} object {self.object_id}"

    def plan(self, state: State) -> Plan:
        """Change the visibility; UnknownObjectError if there is no such object."""
        return _changed(replace(state.track(self.object_id).info, visible=self.visible))


def _changed(info: AnnotatedObject) -> Plan:
    return Plan(Patch(objects={info.object_id: info}))
