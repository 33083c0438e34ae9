"""A duel: the official predictor and ours hear the same, and must answer the same."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F

from src_model.frames import Normalization
from src_model.nn.compute.options import ComputeOptions, compute_options
from src_model.tracking import PRESETS, StreamingPredictor
from src_model.tracking.preprocessing import image_tensor
from tests.parity import reference
from tests.parity.comparing import SAME_PIXELS, SIZE, TOLERANCE, Pair, smooth_images

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

FRAMES = 8
RGB = Normalization("none", (0.0,), (255.0,))


@lru_cache(maxsize=2)
def drifting_still(height: int = SIZE, width: int = SIZE) -> NDArray[np.uint8]:
    """Make a movie of a still that drifts and shimmers: ``(FRAMES, height, width, 3)``."""
    torch.manual_seed(3)
    still = F.interpolate(smooth_images(1, SIZE), (height, width), mode="bicubic")[0]
    frames = [still.roll((3 * t, 5 * t), dims=(1, 2)) + 0.2 * torch.randn(3, height, width) for t in range(FRAMES)]
    pixels: NDArray[np.uint8] = (torch.stack(frames).permute(0, 2, 3, 1) * 40 + 120).clamp(0, 255).byte().numpy()
    return pixels


class Duel:
    """Says the same to both predictors and compares all they answer. Coordinates are (y, x), as in our interface.

    Parameters
    ----------
    pair
        The networks.
    movie
        ``(T, Y, X, 3)`` uint8.
    corrections_condition
        Whether corrected frames become conditioning frames, which is an option of both.

    Attributes
    ----------
    presence
        The official occlusion score of the last answer for each frame and object.
    """

    def __init__(self, pair: Pair, movie: NDArray[np.uint8], *, corrections_condition: bool = False) -> None:
        settings = replace(PRESETS["official"], corrections_condition=corrections_condition)
        encode_each_image_once(pair)
        self.session = StreamingPredictor(pair.ours, settings=settings, image_size=SIZE).start(movie, normalization=RGB)
        self.official = pair.theirs
        self.official.add_all_frames_to_correct_as_cond = corrections_condition
        images = torch.cat([image_tensor(frame, RGB, settings, pair.ours.config, SIZE) for frame in movie])
        self.state = reference.official_state(self.official, images, movie.shape[1:3])
        self.presence: dict[tuple[int, int], float] = {}

    def prompt(
        self,
        frame: int,
        object_id: int,
        points: Sequence[tuple[float, float]] | None = None,
        labels: Sequence[int] | None = None,
        box: tuple[float, float, float, float] | None = None,
    ) -> None:
        """Prompt with points, which join earlier ones on the frame, or with a box, which must be the first there."""
        there = None if points is None else [(x, y) for y, x in points]
        signs = [1] * len(points) if points is not None and labels is None else labels
        corners = None if box is None else [box[1], box[0], box[3], box[2]]
        # The official predictor takes a box only together with forgetting earlier points.
        self.official.add_new_points_or_box(
            self.state, frame, object_id, there, signs, clear_old_points=box is not None, box=corners
        )
        answer = self.session.prompt(frame, object_id, points=points, labels=labels, box=box)
        self._compare("temp_output_dict_per_obj", frame, object_id, answer.logits)

    def mask(self, frame: int, object_id: int, mask: NDArray[np.bool_]) -> None:
        """Give a mask prompt."""
        self.official.add_new_mask(self.state, frame, object_id, mask)
        answer = self.session.prompt(frame, object_id, mask=mask)
        self._compare("temp_output_dict_per_obj", frame, object_id, answer.logits)

    def propagate(self, start: int, *, reverse: bool = False, frames: int = FRAMES) -> None:
        """Track all objects over ``frames`` frames, ``start`` included, or to the end of the movie."""
        self._agree_on_the_edges_of_answers()
        end = max(start - frames, -1) if reverse else min(start + frames, len(self.session.movie))
        official = self.official.propagate_in_video(self.state, start, frames - 1, reverse=reverse)
        stop = None if end < 0 else end
        tracked = []
        for theirs, ours in zip(official, self.session.propagate(start, stop, reverse=reverse), strict=True):
            frame, object_ids, logits = theirs
            assert ours.frame == frame
            for object_id, mask in zip(object_ids, logits[:, 0] > 0, strict=True):
                entry = self.session.objects[object_id].bank.entry(frame)
                self._compare("output_dict_per_obj", frame, object_id, entry.logits[0, 0])
                agreement = (torch.from_numpy(ours.masks[object_id]) == mask).float().mean().item()
                assert agreement > SAME_PIXELS, f"object {object_id} on frame {frame}: masks agree on {agreement:.4%}"
            tracked.append(frame)
        assert tracked == list(range(start, end, -1 if reverse else 1))

    def _agree_on_the_edges_of_answers(self) -> None:
        """Let both make memories of the same logits where they make them of black and white.

        Of the 65,536 pixels of an answer, one or two lie so near zero that the order of additions, another on every
        kind of processor, decides on which side. A pixel of the other color moves later logits by up to 5e-3, fifty
        times what rounding does. The answers themselves have been compared when they were given.
        """
        for item in self.session.objects.values():
            for frame, answer in item.pending.items():
                held = self._held("temp_output_dict_per_obj", frame, item.object_id)
                answer.entry.logits = held["pred_masks"].clone()

    def _held(self, store: str, frame: int, object_id: int) -> dict[str, Any]:
        """Return what the official predictor holds of a frame."""
        kinds = self.state[store][self.state["obj_id_to_idx"][object_id]]
        (held,) = (outputs[frame] for outputs in kinds.values() if frame in outputs)
        return held

    def _compare(self, store: str, frame: int, object_id: int, logits: Tensor) -> None:
        """Compare low-resolution logits with what the official predictor holds of a frame."""
        held = self._held(store, frame, object_id)
        expected: Tensor = held["pred_masks"][0, 0]
        difference = (logits - expected).abs().max().item()
        assert difference <= TOLERANCE, f"object {object_id} on frame {frame} differs by {difference:.2e}"
        presence = self.presence[frame, object_id] = held["object_score_logits"].item()
        covered = (expected > 0).float().mean().item()
        assert 0.01 < covered < 0.99 if presence > 0 else covered == 0, f"the reference mask covers {covered:.1%}"


def encode_each_image_once(pair: Pair) -> None:
    """Let both networks remember the features of images, which the duels share: that is most of the time."""
    for network, name in ((pair.theirs, "forward_image"), (pair.ours, "encode_image")):
        if name not in vars(network):
            setattr(network, name, _remembering(getattr(network, name)))


def _remembering(encode: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
    known: dict[tuple[ComputeOptions, bytes], Any] = {}

    def remember(images: Tensor) -> Any:
        key = compute_options(), images.numpy().tobytes()
        if key not in known:
            known[key] = encode(images)
        return known[key]

    return remember
