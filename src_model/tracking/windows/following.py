"""Windows of the objects of a session: placed before each frame, and again where an object was not seen well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.tracking.windows.clicking import ClickSearch
from src_model.tracking.windows.rules import Extent, window_rules
from src_model.tracking.windows.sharing import WindowRequest, plan_windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from src_model.masks import TypicalSize
    from src_model.masks.window import Window
    from src_model.memory.reading import MemoryReader
    from src_model.prompts import Prompt
    from src_model.tracking.frame_features import WindowEncoder
    from src_model.tracking.network_steps import NetworkSteps
    from src_model.tracking.propagation import ObjectPrediction
    from src_model.tracking.tracked_object import TrackedObject
    from src_model.tracking.windows.rules import WindowRules

_EDGE = 0.02
"""A mask that comes this near to an edge of its window (of the side) may go on beyond it."""


@dataclass(frozen=True, slots=True)
class WindowFollower:
    """Decides in which windows objects are prompted and tracked.

    It holds nothing between frames: the memory bank of an object knows where its last window was, so that tracking goes
    on after a stop, a correction or a replay as if nothing had happened.

    Attributes
    ----------
    rules
        How windows are chosen in the movie.
    features
        Encodes windows of a frame together.
    """

    rules: WindowRules
    features: WindowEncoder

    def place(self, frame: int, items: Iterable[TrackedObject], *, reverse: bool) -> dict[int, Window | None]:
        """Plan the windows of a frame, by object id; None: the whole frame."""
        step = 1 if reverse else -1
        return plan_windows({item.object_id: self._request(item, frame, step) for item in items}, self.rules)

    def refitted(self, predictions: Mapping[int, ObjectPrediction]) -> dict[int, Window | None]:
        """Choose other windows for objects that reach the edge of theirs, or are far larger or smaller than thought."""
        again = {}
        for number, prediction in predictions.items():
            box, window = prediction.mask.box, prediction.window
            if box is None or window is None:
                continue
            is_whole = window.holds(box, self.rules.frame_shape, _EDGE)
            if not is_whole or not self.rules.scale_fits(window, Extent(box)):
                fresh = self.rules.fresh(Extent(box), had_window=True)
                if fresh != window:
                    again[number] = fresh
        return again

    def around(self, predictions: Mapping[int, ObjectPrediction]) -> dict[int, Window | None]:
        """Choose windows for objects that were found on the whole frame."""
        boxes = {number: prediction.mask.box for number, prediction in predictions.items()}
        return {
            number: self.rules.fresh(Extent(box), had_window=True) for number, box in boxes.items() if box is not None
        }

    def prompted(
        self,
        item: TrackedObject,
        frame: int,
        prompt: Prompt,
        reader: MemoryReader[NetworkSteps],
        *,
        replace: bool,
        typical: TypicalSize | None = None,
    ) -> Window | None:
        """Choose the window in which a prompt is answered: that of the answer to be refined as long as it will do."""
        entry = item.pending[frame].entry if frame in item.pending else item.bank.entry(frame)
        held = None if entry is None or replace else entry.window
        asked = _reach(prompt)
        if prompt.mask is not None or prompt.box is not None:
            return self.rules.follow(held, Extent(asked))
        mask = None if replace else item.masklet.mask_at(frame)
        known = None if mask is None else mask.box
        if known is None:
            return self._clicked(item, frame, prompt, reader, typical)
        reach = _union(asked, known)
        if held is not None and held.holds(reach, self.rules.frame_shape):
            return held
        return self.rules.fresh(Extent(reach), had_window=held is not None)

    def _clicked(
        self,
        item: TrackedObject,
        frame: int,
        prompt: Prompt,
        reader: MemoryReader[NetworkSteps],
        typical: TypicalSize | None,
    ) -> Window | None:
        """Choose the window of a click alone: as large as the object is elsewhere, or as a search of scales says."""
        reach = _reach(prompt)
        seen = item.last_seen(frame, -1) or item.last_seen(frame, 1)
        if self.rules.pixels is not None:
            return self.rules.fresh(Extent(reach))
        if seen is not None:
            _, box = seen
            down, across = ((reach[axis] + reach[axis + 2] - box[axis] - box[axis + 2]) / 2 for axis in (0, 1))
            return self._holding((box[0] + down, box[1] + across, box[2] + down, box[3] + across), reach)
        extent = ClickSearch(self.rules, reader, self.features, typical).extent(frame, prompt)
        return None if extent is None else self._holding(extent.box, reach)

    def _holding(
        self, box: tuple[float, float, float, float], reach: tuple[float, float, float, float]
    ) -> Window | None:
        """Choose a window for a box that holds all points too."""
        window = self.rules.fresh(Extent(box))
        if window is None or window.holds(reach, self.rules.frame_shape):
            return window
        return self.rules.fresh(Extent(_union(box, reach)))

    def _request(self, item: TrackedObject, frame: int, step: int) -> WindowRequest:
        seen = item.last_seen(frame, step)
        if seen is None:
            height, width = self.rules.frame_shape
            return WindowRequest(Extent((0.0, 0.0, float(height), float(width))), None)
        number, box = seen
        before = item.bank.entry(frame + step)
        last = None if before is None else before.window
        extent = Extent(box, _motion(item, number, box, step))
        if number != frame + step:
            extent = _widened(box)
        return WindowRequest(extent, self.rules.follow(last, extent))


def window_follower(
    steps: NetworkSteps, frame_shape: tuple[int, int], features: WindowEncoder
) -> WindowFollower | None:
    """Make what places the windows of a session; None where its settings track every object on the whole frame."""
    multiple, native = steps.network.config.trunk.size_multiple, steps.network.config.image_size
    sizes = tuple(size for size in steps.settings.window_sizes if native <= 2 * size <= 4 * native)
    rules = window_rules(steps.settings.window, frame_shape, steps.image_size, multiple, sizes)
    return None if rules is None else WindowFollower(rules, features)


def _motion(item: TrackedObject, frame: int, box: Sequence[float], step: int) -> tuple[float, float]:
    """Return how far ``(y, x)`` an object moved up to a frame, its longer side at most: masks may jump."""
    mask = item.masklet.mask_at(frame + step)
    before = None if mask is None else mask.box
    if before is None or frame + step not in item.directions:
        return (0.0, 0.0)
    limit = max(box[2] - box[0], box[3] - box[1])
    moved = [(box[axis] + box[axis + 2] - before[axis] - before[axis + 2]) / 2 for axis in (0, 1)]
    y, x = (min(max(way, -limit), limit) for way in moved)
    return (y, x)


def _widened(box: Sequence[float]) -> Extent:
    """Where an object may be that is not seen at the moment: twice as large a box."""
    height, width = box[2] - box[0], box[3] - box[1]
    return Extent((box[0] - height / 2, box[1] - width / 2, box[2] + height / 2, box[3] + width / 2))


def _reach(prompt: Prompt) -> tuple[float, float, float, float]:
    """Smallest box around everything in a prompt."""
    corners = [(y, x) for y, x in prompt.points]
    boxes = [prompt.box, None if prompt.mask is None else prompt.mask.box]
    for box in boxes:
        if box is not None:
            corners += [(box[0], box[1]), (box[2], box[3])]
    if not corners:
        # An empty mask: the object is nowhere on the whole frame.
        height, width = prompt.mask.shape if prompt.mask is not None else (0, 0)
        return (0.0, 0.0, float(height), float(width))
    rows, columns = zip(*corners, strict=True)
    return (min(rows), min(columns), max(rows), max(columns))


def _union(first: Sequence[float], other: Sequence[float]) -> tuple[float, float, float, float]:
    return (min(first[0], other[0]), min(first[1], other[1]), max(first[2], other[2]), max(first[3], other[3]))
