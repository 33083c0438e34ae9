"""Taking masklets from elsewhere into the document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.document.actions.base import ActionPlan
from src_model.document.actions.frames import check_entry
from src_model.document.lineage import Division, check_lineage
from src_model.document.objects import AnnotatedObject
from src_model.document.patch import Patch
from src_model.document.provenance import AnnotatedFrame, Origin
from src_model.errors import AnnotationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from src_model.document.state import State
    from src_model.masks import Masklet


@dataclass(frozen=True, slots=True)
class ImportMasklets:
    """Add objects with their masks, as read from a file or another layer.

    Attributes
    ----------
    masklets
        Their ids must be free; see :func:`renumbered`.
    objects
        What is known of them; one without an entry gets a default.
    divisions
        Between them or with objects that are there.
    """

    masklets: tuple[Masklet, ...]
    objects: tuple[AnnotatedObject, ...] = ()
    divisions: tuple[Division, ...] = ()

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Import {len(self.masklets)} object{'' if len(self.masklets) == 1 else 's'}"

    def plan(self, state: State) -> ActionPlan:
        """Add them.

        Raises
        ------
        AnnotationError
            If an id is taken or given twice, or divisions contradict.
        MaskError, FrameRangeError, UnknownObjectError
            If a mask or division does not fit the document.
        """
        infos = {info.object_id: info for info in self.objects}
        ids = dict.fromkeys((*(masklet.object_id for masklet in self.masklets), *infos))
        taken = [object_id for object_id in ids if object_id in state.tracks]
        if taken or len({masklet.object_id for masklet in self.masklets}) != len(self.masklets):
            raise AnnotationError(f"object ids {taken or 'given twice'} are taken; renumber the imported objects first")
        divisions = {division.parent: division for division in self.divisions}
        for division in self.divisions:
            for object_id in (division.parent, *division.daughters):
                if object_id not in ids:
                    state.track(object_id)
        clash = [parent for parent in divisions if parent in state.divisions]
        if clash or len(divisions) != len(self.divisions):
            raise AnnotationError(f"an object would divide twice: {clash or 'two imported divisions have one parent'}")
        check_lineage({**state.divisions, **divisions})
        return ActionPlan(
            Patch(
                objects={object_id: infos.get(object_id) or AnnotatedObject(object_id) for object_id in ids},
                masks={masklet.object_id: _imported(masklet, state) for masklet in self.masklets if len(masklet)},
                divisions=divisions,
            )
        )


def renumbered(
    masklets: Iterable[Masklet], divisions: Iterable[Division] = (), *, first_id: int
) -> tuple[tuple[Masklet, ...], tuple[Division, ...]]:
    """Return masklets and the divisions between them with ids counted from ``first_id``, in their order."""
    copies, names = [], {}
    for number, masklet in enumerate(masklets, first_id):
        names[masklet.object_id] = number
        copy = masklet.copy()
        copy.object_id = number
        copies.append(copy)
    renamed = (
        Division(names.get(item.parent, item.parent), item.frame, tuple(names.get(n, n) for n in item.daughters))
        for item in divisions
    )
    return tuple(copies), tuple(renamed)


def _imported(masklet: Masklet, state: State) -> dict[int, AnnotatedFrame | None]:
    frames: dict[int, AnnotatedFrame | None] = {}
    for frame, entry in masklet.entries().items():
        annotated = AnnotatedFrame.of(entry, Origin.IMPORTED)
        check_entry(annotated, masklet.object_id, frame, state)
        frames[frame] = annotated
    return frames
