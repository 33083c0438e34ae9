"""Objects cut into pieces of track without gaps, linked by parents, as cell tracking formats want them.

A tracklet ends where its object vanishes, and where daughters appear while it goes on; what follows is a tracklet of
its own with the former as its parent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.errors import FormatError
from src_model.formats.run import fitting_numbers, free_numbers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


@dataclass(slots=True)
class Tracklet:
    """A piece of an object's track.

    Attributes
    ----------
    label
        Its number in the file, 1 or more.
    object_id
        The object of which it is a piece.
    first, last
        Numbers of its first and last frame, both included.
    parent
        Label of the tracklet it comes from; 0 for none.
    """

    label: int
    object_id: int
    first: int
    last: int
    parent: int = 0


class TrackletBuilder:
    """Cuts objects into tracklets while their frames come by.

    Parameters
    ----------
    object_ids
        All objects that may come.
    parents
        Object id of the parent, by that of the daughter.
    limit
        Largest label. An object's first tracklet has the object's id as its label where that fits.
    """

    def __init__(self, object_ids: Collection[int], parents: Mapping[int, int], limit: int) -> None:
        self._parents = dict(parents)
        self.numbers = fitting_numbers(object_ids, limit)
        self._free = free_numbers(self.numbers.values(), limit)
        self._limit = limit
        self._open: dict[int, Tracklet] = {}
        self.tracklets: list[Tracklet] = []
        self.gaps: list[tuple[int, int]] = []
        """(object, frame) pairs where an object came back."""
        self.continued: list[tuple[int, int]] = []
        """(object, frame) pairs where an object went on although daughters appeared."""

    def step(self, frame: int, visible: Iterable[int]) -> dict[int, int]:
        """Take the next frame; return the label of each object on it.

        Raises
        ------
        FormatError
            If there are more tracklets than labels.
        """
        here = set(visible)
        earlier = {object_id: self._open[object_id].label for object_id in self._open}
        divided = {self._parents[one] for one in here - earlier.keys() if one in self._parents}
        for object_id in sorted(here):
            tracklet = self._open.get(object_id)
            if tracklet is None:
                self._start(self.numbers[object_id], object_id, frame, earlier.get(self._parents.get(object_id, 0), 0))
            elif tracklet.last == frame - 1 and object_id not in divided:
                tracklet.last = frame
            else:
                (self.gaps if tracklet.last < frame - 1 else self.continued).append((object_id, frame))
                self._start(self._new_label(), object_id, frame, tracklet.label)
        return {object_id: self._open[object_id].label for object_id in here}

    def lost_links(self) -> list[tuple[int, int]]:
        """Return (parent, daughter) pairs that no tracklets tell of: one was not there, or the parent came later."""
        first = {tracklet.object_id: tracklet for tracklet in reversed(self.tracklets)}
        return [
            (parent, daughter)
            for daughter, parent in self._parents.items()
            if daughter not in first or first[daughter].parent == 0
        ]

    def only_children(self) -> list[tuple[int, int]]:
        """Return (parent, daughter) pairs that look as if the parent came back: no other tracklet has that parent."""
        owner = {tracklet.label: tracklet.object_id for tracklet in self.tracklets}
        children: dict[int, list[int]] = {}
        for tracklet in self.tracklets:
            children.setdefault(tracklet.parent, []).append(tracklet.object_id)
        return [
            (owner[label], found[0])
            for label, found in children.items()
            if label and len(found) == 1 and found[0] != owner[label]
        ]

    def _start(self, label: int, object_id: int, frame: int, parent: int) -> None:
        self._open[object_id] = Tracklet(label, object_id, frame, frame, parent)
        self.tracklets.append(self._open[object_id])

    def _new_label(self) -> int:
        try:
            return next(self._free)
        except StopIteration:
            raise FormatError(
                f"there are more than {self._limit} pieces of track, and the format has no numbers for more; "
                "export fewer objects at a time"
            ) from None
