"""How large is what was clicked? A click says where an object is, not how much of the frame it fills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.masks.window import Window, square, whole_frame
from src_model.prompts import Prompt, cut_prompt
from src_model.tracking.click_reading import box_of, readings
from src_model.tracking.preprocessing import prompt_tensors
from src_model.tracking.windows.rules import Extent

if TYPE_CHECKING:
    from src_model.masks import TypicalSize
    from src_model.memory.reading import MemoryReader
    from src_model.tracking.frame_features import WindowEncoder
    from src_model.tracking.network_steps import NetworkSteps
    from src_model.tracking.windows.rules import WindowRules

_FINEST = 64
"""Side of the smallest window that is searched."""

_LEAST_SHARE, _MOST_SHARE = 1 / 8, 2 / 3
"""An object whose longer side is outside these shares of a window's is seen better in another one."""

_NEARLY = 0.1
"""Of predicted IoUs that differ by less the coarsest window counts: zoomed in far enough, any texture is an object."""

_NEARLY_ALIKE = 0.05
"""The same where the size of an object is known: it tells texture and groups from objects too."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What a click means in a window.

    Attributes
    ----------
    score
        Predicted IoU, about 0 to 1; lower where the size is unlike that of the other objects.
    box
        ``(y0, x0, y1, x1)`` in pixels of the movie.
    share
        Longer side as a share of the window's.
    """

    score: float
    box: tuple[float, float, float, float]
    share: float


@dataclass(frozen=True, slots=True)
class ClickSearch:
    """Predicts a click in windows of several scales around it.

    Attributes
    ----------
    rules
        How windows are chosen in the movie.
    reader
        Gives features of windows, and the network.
    features
        Encodes the windows together.
    typical
        Size of the movie's other objects; None: unknown.
    """

    rules: WindowRules
    reader: MemoryReader[NetworkSteps]
    features: WindowEncoder
    typical: TypicalSize | None = None

    def extent(self, frame: int, prompt: Prompt) -> Extent | None:
        """Find the extent of what was clicked; None if no window shows anything well."""
        whole = self._predict(frame, prompt, None)
        # What needs no window is believed where windows show no more, and where none could beat its score by enough.
        believed = whole is not None and (not self.rules.loses_details or whole.score >= 1 - _NEARLY)
        if whole is not None and believed and self.rules.fresh(Extent(whole.box)) is None:
            return Extent(whole.box)
        windows = self.windows(prompt)
        self.features.prepare(frame, windows)
        candidates = [whole, *(self._predict(frame, prompt, window) for window in windows)]
        good = [each for each in candidates if each is not None and each.share >= _LEAST_SHARE]
        if not good:
            return None
        enough = max(each.score for each in good) - (_NEARLY if self.typical is None else _NEARLY_ALIKE)
        return next(Extent(each.box) for each in good if each.score >= enough)

    def windows(self, prompt: Prompt) -> list[Window]:
        """List windows around the clicks, each half as large as the one before, from half the frame on.

        Windows in which small objects would be too small to count are left out.
        """
        inside = [point for point, label in zip(prompt.points, prompt.labels, strict=True) if label] or prompt.points
        low = [min(point[axis] for point in prompt.points) for axis in (0, 1)]
        high = [max(point[axis] for point in prompt.points) for axis in (0, 1)]
        centre = (sum(point[0] for point in inside) / len(inside), sum(point[1] for point in inside) / len(inside))
        found: list[Window] = []
        side = max(self.rules.frame_shape) // 2
        while side >= _FINEST:
            window = square(centre, side, self.rules.frame_shape, self.rules.sizes[0])
            counts = side * _LEAST_SHARE < self.rules.largest_small
            if counts and window.holds((low[0], low[1], high[0], high[1]), self.rules.frame_shape):
                found.append(window)
            side //= 2
        return found

    def _predict(self, frame: int, prompt: Prompt, window: Window | None) -> _Candidate | None:
        """Answer the click in a window, or on the whole frame; None if nothing is found, or not seen whole."""
        steps = self.reader.steps
        place = window or whole_frame(self.rules.frame_shape, steps.image_size)
        tensors = prompt_tensors(cut_prompt(prompt, window), place.shape, place.size, None, steps.device)
        several = tensors.labels.shape[1] <= 1
        prediction = steps.answer_prompt(
            self.reader.window_features(frame, window), tensors, None, None, multimask=several
        )
        scores = readings(prediction, place, self.rules.frame_shape, self.typical)
        best = int(scores.argmax())
        box = box_of(prediction.logits[0, best], place)
        if box is None:
            return None
        share = max((box[axis + 2] - box[axis]) / place.shape[axis] for axis in (0, 1))
        pixel = 4 / place.size
        seen_whole = window is None or (share <= _MOST_SHARE and window.holds(box, self.rules.frame_shape, pixel))
        return _Candidate(float(scores[best]), box, share) if seen_whole else None
