"""Prompts a user could have given, drawn from true masks and from the errors of a prediction.

Everything here works on NumPy masks of one object each and draws from a generator, so that a training step can be
repeated. Points are (x, y) in pixels of the network input, as the network takes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from src_model.masks.geometry import deepest_point
from src_model.nn import PromptTensors
from src_model.training.option_types import Count, Share, strict

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["mask", "click", "box"]


@strict
@dataclass(frozen=True, slots=True)
class PromptMix:
    """How often a frame is first prompted by what; SAM 2's shares."""

    mask: Share = 0.5
    click: Share = 0.25
    box: Share = 0.25

    def draw(self, rng: np.random.Generator, *, mask: bool = True) -> Kind:
        """Draw a kind of prompt, a mask only if it is allowed; a click where nothing else is."""
        kinds: tuple[Kind, ...] = ("mask", "click", "box")
        weights = np.array([self.mask * mask, self.click, self.box])
        if not weights.any():
            return "click"
        return kinds[int(rng.choice(3, p=weights / weights.sum()))]


@strict
@dataclass(frozen=True, slots=True)
class Annotator:
    """A simulated annotator: how often they prompt with what, and how well.

    Attributes
    ----------
    prompts
        Prompts of a frame that was not tracked before.
    second_frame
        Probability that a frame after the first is prompted too.
    ahead
        Share of those that are prompted before the clip is tracked; the others are corrected when tracking gets there.
    correction
        Probability that a first click or box is followed by corrective clicks.
    most_clicks
        Corrective clicks on a frame at most.
    clicks_from_truth
        Share of corrective clicks that ignore what is wrong and lie anywhere on the object.
    box_noise
        Standard deviation of a box's corners, as a share of its sides.
    """

    prompts: PromptMix = field(default_factory=PromptMix)
    second_frame: Share = 0.4
    ahead: Share = 0.4
    correction: Share = 0.3
    most_clicks: Count = 3
    clicks_from_truth: Share = 0.1
    box_noise: Share = 0.1


def click_in(mask: NDArray[np.bool_], rng: np.random.Generator, *, central: float = 0.5) -> tuple[float, float]:
    """Draw a click on a mask.

    Parameters
    ----------
    mask
        ``(S, S)``, not empty.
    rng
        Generator whose state decides; it is advanced.
    central
        Probability of the point farthest from the outline, instead of any point of the mask.

    Returns
    -------
    x, y : float
        Pixels.
    """
    if rng.random() < central:
        y, x = deepest_point(mask)
    else:
        ys, xs = np.nonzero(mask)
        index = int(rng.integers(len(ys)))
        y, x = ys[index], xs[index]
    return float(x), float(y)


def noisy_box(
    mask: NDArray[np.bool_], rng: np.random.Generator, *, noise: float = 0.1, limit: float = 20.0
) -> tuple[float, float, float, float]:
    """Box of a mask whose corners miss by a normal share ``noise`` of its side, at most ``limit`` pixels.

    Returns
    -------
    x0, y0, x1, y1 : float
        Pixels, inside the image.
    """
    ys, xs = np.nonzero(mask)
    low = np.array([xs.min(), ys.min()], float)
    high = np.array([xs.max() + 1, ys.max() + 1], float)
    spread = noise * (high - low)
    corners = [np.clip(c + np.clip(rng.normal(size=2) * spread, -limit, limit), 0, mask.shape[0]) for c in (low, high)]
    low, high = np.minimum(*corners), np.maximum(*corners)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def corrective_click(
    predicted: NDArray[np.bool_], truth: NDArray[np.bool_], rng: np.random.Generator, *, from_truth: float = 0.0
) -> tuple[float, float, int]:
    """Click where a prediction is wrong: x, y, and label 1 where something is missing, 0 where there is too much.

    Without an error, and with the probability ``from_truth``, it is a click on the object, or on the background if
    there is no object.
    """
    wrong = predicted ^ truth
    if not wrong.any() or rng.random() < from_truth:
        wrong = truth if truth.any() else ~truth
    x, y = click_in(wrong, rng)
    return x, y, int(truth[int(y), int(x)])


def first_prompts(
    masks: NDArray[np.bool_], kind: Kind, rng: np.random.Generator, *, device: torch.device, box_noise: float = 0.1
) -> PromptTensors:
    """Click or box prompts for a frame of a batch of objects.

    Parameters
    ----------
    masks
        ``(B, S, S)``, none of them empty.
    kind
        "click" or "box"; masks need no points.

    Returns
    -------
    PromptTensors
        One click, or the two corners of a box, for each object.
    """
    if kind == "click":
        points = [[click_in(mask, rng)] for mask in masks]
        labels = [[1]] * len(points)
    else:
        boxes = [noisy_box(mask, rng, noise=box_noise) for mask in masks]
        points = [[(x0, y0), (x1, y1)] for x0, y0, x1, y1 in boxes]
        labels = [[2, 3]] * len(boxes)
    return PromptTensors(
        torch.tensor(points, dtype=torch.float32, device=device), torch.tensor(labels, device=device), None
    )


def with_correction(
    prompts: PromptTensors,
    logits: torch.Tensor,
    masks: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    from_truth: float = 0.0,
) -> PromptTensors:
    """Add a corrective click to each object's prompts, and its last logits as the mask prompt.

    Parameters
    ----------
    prompts
        What was given so far.
    logits
        ``(B, 1, S / 4, S / 4)`` of the prediction to correct.
    masks
        ``(B, S, S)`` true masks.
    from_truth
        Probability, 0 to 1, of a click that ignores the errors, as in :func:`corrective_click`.
    """
    logits = logits.detach().float()
    full = torch.nn.functional.interpolate(logits, masks.shape[-2:], mode="bilinear", align_corners=False)
    predicted = (full[:, 0] > 0).cpu().numpy()
    clicks = [corrective_click(p, m, rng, from_truth=from_truth) for p, m in zip(predicted, masks, strict=True)]
    points = torch.tensor([[[x, y]] for x, y, _ in clicks], dtype=torch.float32, device=logits.device)
    labels = torch.tensor([[label] for _, _, label in clicks], device=logits.device)
    return PromptTensors(
        torch.cat((prompts.points, points), dim=1),
        torch.cat((prompts.labels, labels), dim=1),
        logits.clamp(-32, 32),
    )
