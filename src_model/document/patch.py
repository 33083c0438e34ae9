"""Changes of the document as values: what some of its cells become.

The document is a table of cells, each with an immutable value: an object, the mask of an object on a frame, a prompt, a
lock, a division, the project. A patch gives new values to some cells; None empties one. Every action is turned into a
patch, and the document knows no other way to change: so checks, events and the history need only understand patches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from src_model.document.lineage import Division
    from src_model.document.objects import AnnotatedObject
    from src_model.document.project import Project
    from src_model.document.provenance import AnnotatedFrame
    from src_model.prompts import Prompt

_Value = TypeVar("_Value")
ByFrame: TypeAlias = Mapping[int, Mapping[int, _Value]]
"""Values by object id and frame."""

_NOTHING: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, repr=False)
class Patch:
    """New values of some cells.

    Attributes
    ----------
    objects
        By object id; None removes the object, all of whose other cells the patch has to empty too.
    masks, prompts
        By object id and frame; None removes.
    locks
        Whether a frame is locked, by object id and frame.
    divisions
        By parent; None removes.
    project
        The new one; None leaves it as it is.
    """

    objects: Mapping[int, AnnotatedObject | None] = field(default_factory=lambda: _NOTHING)
    masks: ByFrame[AnnotatedFrame | None] = field(default_factory=lambda: _NOTHING)
    prompts: ByFrame[Prompt | None] = field(default_factory=lambda: _NOTHING)
    locks: ByFrame[bool] = field(default_factory=lambda: _NOTHING)
    divisions: Mapping[int, Division | None] = field(default_factory=lambda: _NOTHING)
    project: Project | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        tables = (self.objects, self.masks, self.prompts, self.locks, self.divisions)
        return not any(tables) and self.project is None

    def __repr__(self) -> str:
        """Say how much changes; there may be hundreds of thousands of masks."""
        counts = {
            "objects": len(self.objects),
            "masks": sum(map(len, self.masks.values())),
            "prompts": sum(map(len, self.prompts.values())),
            "locks": sum(map(len, self.locks.values())),
            "divisions": len(self.divisions),
            "project": int(self.project is not None),
        }
        return f"Patch({', '.join(f'{count} {name}' for name, count in counts.items() if count)})"


class PatchBuilder:
    """Collects patches that follow one another into one."""

    def __init__(self) -> None:
        self.objects: dict[int, AnnotatedObject | None] = {}
        self.masks: defaultdict[int, dict[int, AnnotatedFrame | None]] = defaultdict(dict)
        self.prompts: defaultdict[int, dict[int, Prompt | None]] = defaultdict(dict)
        self.locks: defaultdict[int, dict[int, bool]] = defaultdict(dict)
        self.divisions: dict[int, Division | None] = {}
        self.project: Project | None = None

    def add_later(self, patch: Patch) -> None:
        """Add a patch that is applied after those collected so far."""
        self.objects.update(patch.objects)
        self.divisions.update(patch.divisions)
        for object_id, masks in patch.masks.items():
            self.masks[object_id].update(masks)
        for object_id, prompts in patch.prompts.items():
            self.prompts[object_id].update(prompts)
        for object_id, locks in patch.locks.items():
            self.locks[object_id].update(locks)
        self.project = patch.project or self.project

    def build(self) -> Patch:
        """Return what was collected; the builder is not used again."""
        return Patch(
            self.objects, _filled(self.masks), _filled(self.prompts), _filled(self.locks), self.divisions, self.project
        )


def in_order(patches: list[Patch]) -> Patch:
    """Return one patch that does what the given ones do one after the other."""
    if len(patches) == 1:
        return patches[0]
    builder = PatchBuilder()
    for patch in patches:
        builder.add_later(patch)
    return builder.build()


def _filled(table: Mapping[int, dict[int, _Value]]) -> dict[int, dict[int, _Value]]:
    return {object_id: values for object_id, values in table.items() if values}
