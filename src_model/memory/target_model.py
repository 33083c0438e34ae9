"""The target model: what this object looks like, fitted while it is tracked.

A ridge regression from frozen features of the image encoder to "object or not", in closed form, as in the online target
models of FRTM (Robinson et al. 2020) and LWL (Bhat et al. 2020). It learns from a few pixels of each frame whose memory
is read: prompted frames, and recent ones that the network was sure of. The pixels are part of a frame's memory, so the
model is always a function of what a memory policy reads: forwards, in reverse, after a pause or a restart alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.masks import MaskletFrame
    from src_model.nn import ImageFeatures

STRENGTH = 6.0
"""Logits that are added where a pixel looks like the object, and taken where it looks like something else."""

PROMPTED_SAMPLES, TRACKED_SAMPLES = (64, 192), (24, 40)
"""Pixels of the object and of all else that are kept of a frame."""

_LENGTHS = (1.0, 0.5, 0.3)
"""Lengths to which the features of stride 16, 8 and 4 are brought: the finer a map, the less it says what is seen."""
_BIAS = 0.5
"""The last feature of every pixel."""

_FEWEST = 20
"""An object of fewer pixels on the grid counts for less than all else: what is learned from it is learned from few."""

_UNTOLD = 0.2
"""Scores nearer to zero add nothing: there an object looks like all else."""
SURE = 0.7
"""Predicted IoU over which a tracked frame is learned from."""
_TRACKED_WEIGHT, _DECAY = 0.17, 0.9
"""Weight of a tracked frame against a prompted one, and what is left of it with each frame since."""

SOMETHING_ELSE = 0.5
"""A mask of which less than this looks like its object shows something else: most of its pixels do."""
_ALL_OF_IT = 0.8
"""Likeness from which a mask is believed as the network believes it: the pixels at its edges are of both sides."""
_STANDS_OUT = 0.4
"""Mean score over which an object's own pixels stand out from all else. Cells of a sheet, all alike, reach 0.2 to 0.4:
there their true masks look as little like them as their neighbours do, and likeness says nothing."""

_RIDGE = 0.01
"""Ridge, as a share of the weight of all samples; from a thirtieth to five times of it, J on DAVIS changed by 0.007."""


@dataclass(frozen=True, slots=True)
class TargetSamples:
    """Pixels of one frame that say what an object looks like and what it does not, for B objects.

    Attributes
    ----------
    features
        ``(B, N, D)`` bfloat16.
    values
        ``(B, N)`` float32, from -1 (something else) to 1 (the object).
    weights
        ``(B, N)`` float32, which sum up to one at most.
    """

    features: Tensor
    values: Tensor
    weights: Tensor

    @property
    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        """All that takes memory."""
        return self.features, self.values, self.weights

    @property
    def is_whole(self) -> bool:
        """Whether the three belong together."""
        return self.features.shape[:2] == self.values.shape == self.weights.shape

    def only(self, rows: Tensor) -> TargetSamples:
        """Take all weight from the objects that are not among ``(B,)`` bool."""
        return TargetSamples(self.features, self.values, self.weights * rows[:, None])

    def rows(self) -> list[TargetSamples]:
        """Give each object its own copy."""
        parts = zip(*self.tensors, strict=True)
        return [TargetSamples(*(part[None].clone() for part in row)) for row in parts]


WeightedSamples = tuple[float, TargetSamples]
"""A frame's samples and how much they count."""


class Description:
    """What the pixels of a frame look like, on the grid of stride 8.

    Parameters
    ----------
    features
        Of one frame, or of R windows.
    """

    def __init__(self, features: ImageFeatures) -> None:
        stride4, stride8 = features.high_res
        maps = (features.embedding, stride8, F.avg_pool2d(stride4.float(), 2))
        self.coarse, *fine = (F.normalize(x.float(), dim=1) * length for x, length in zip(maps, _LENGTHS, strict=True))
        self.fine = torch.cat(fine, dim=1)

    def at(self, places: Tensor) -> Tensor:
        """Return the features ``(B, N, D)`` of pixels, given as ``(B, N)`` indices into the flattened grid."""
        height, width = self.fine.shape[-2:]
        y, x = places // width, places % width
        grid = torch.stack(((x + 0.5) / width, (y + 0.5) / height), dim=-1)[:, None] * 2 - 1
        batch = len(places)
        coarse = F.grid_sample(
            self.coarse.expand(batch, -1, -1, -1), grid, mode="bilinear", padding_mode="border", align_corners=False
        )[:, :, 0]
        fine = self.fine.expand(batch, -1, -1, -1).flatten(2)
        fine = torch.gather(fine, 2, places[:, None].expand(-1, fine.shape[1], -1))
        bias = coarse.new_full((batch, 1, places.shape[1]), _BIAS)
        return torch.cat((coarse, fine, bias), dim=1).transpose(1, 2)

    def scores(self, model: Tensor) -> Tensor:
        """Apply models ``(B, D)``: ``(B, 1, h, w)`` on the grid, about -1 to 1."""
        coarse, fine, bias = torch.split(model, [self.coarse.shape[1], self.fine.shape[1], 1], dim=1)
        low, high = _applied(coarse, self.coarse), _applied(fine, self.fine)
        # Scores are enlarged in place of features, which is the same for a linear model and a hundredth of the work.
        low = F.interpolate(low, high.shape[-2:], mode="bilinear", align_corners=False)
        scores: Tensor = low + high + bias[:, :, None, None] * _BIAS
        return scores


def take_samples(features: ImageFeatures, logits: Tensor, *, prompted: bool) -> TargetSamples:
    """Take samples of a frame for B objects.

    Parameters
    ----------
    features
        Of the frame, or of one window for each object.
    logits
        ``(B, 1, S / 4, S / 4)`` of their masks.
    prompted
        Whether a person showed the object here: more samples are kept then.
    """
    # The mask and not its logits, which are gone where memories are made again.
    inside = F.avg_pool2d((logits > 0).float(), 2)[:, 0].flatten(1)
    counts = PROMPTED_SAMPLES if prompted else TRACKED_SAMPLES
    is_object = inside > 0.5
    places = torch.cat([_spread(where, count) for where, count in zip((is_object, ~is_object), counts, strict=True)], 1)
    values = torch.gather(inside, 1, places) * 2 - 1
    area = is_object.sum(dim=1, keepdim=True)
    on, off = (area / area.clamp(min=_FEWEST), (area < inside.shape[1]).float())
    shares = [share.expand(-1, count) / (2 * count) for share, count in zip((on, off), counts, strict=True)]
    return TargetSamples(Description(features).at(places).bfloat16(), values, torch.cat(shares, dim=1))


def fit(samples: Sequence[Sequence[WeightedSamples]]) -> tuple[Tensor, Tensor]:
    """Fit the models of B objects to samples of frames, each with a weight.

    Returns
    -------
    tuple
        The models ``(B, D)``, all zero without samples, and the mean score ``(B,)`` that each gives the object's own
        pixels; not a number where there are none.
    """
    features = _table([[each.features.float() for _, each in row] for row in samples])
    values = _table([[each.values for _, each in row] for row in samples])
    weights = _table([[each.weights * weight for weight, each in row] for row in samples])
    weighted = features * weights[..., None]
    gram = weighted.transpose(1, 2) @ features
    ridge = _RIDGE * weights.sum(dim=1).clamp(min=1e-6)
    gram.diagonal(dim1=1, dim2=2).add_(ridge[:, None])
    target = weighted.transpose(1, 2) @ values[..., None]
    # The ridge makes it solvable; checking for errors would wait for the device.
    solution: Tensor = torch.linalg.solve_ex(gram, target).result[..., 0]
    own = weights * (values > 0)
    scores = (features @ solution[..., None])[..., 0]
    return solution, (own * scores).sum(dim=1) / own.sum(dim=1)


@dataclass(frozen=True, slots=True)
class Expectation:
    """Where B objects are expected in a frame, by what they look like.

    Attributes
    ----------
    scores
        ``(B, 1, h, w)`` on the grid of stride 8, about -1 (something else) to 1 (the object).
    own
        ``(B,)`` mean score of the object's own pixels that were learned from; not a number where there are none.
    """

    scores: Tensor
    own: Tensor

    @property
    def logits(self) -> Tensor:
        """``(B, 1, S / 4, S / 4)``, to be added to mask logits."""
        told = _agreed(F.softshrink(self.scores, _UNTOLD))
        return F.interpolate(told * STRENGTH, scale_factor=2.0, mode="bilinear", align_corners=False)

    def likeness(self, logits: Tensor) -> Tensor:
        """Say what share of each mask looks more like its object than like all else.

        Parameters
        ----------
        logits
            ``(B, 1, S / 4, S / 4)`` of the masks.

        Returns
        -------
        Tensor
            ``(B,)``, 0 to 1; 1 where the mask is empty, and where nothing can be said: of objects without samples, and
            of those whose own pixels do not stand out from all else.
        """
        inside = F.avg_pool2d((logits > 0).float(), 2)
        area = inside.sum(dim=(1, 2, 3))
        alike = (inside * (self.scores > 0)).sum(dim=(1, 2, 3))
        # Not a number is not larger than anything.
        return torch.where((self.own > _STANDS_OUT) & (area > 0), alike / area.clamp(min=1e-6), 1.0)


def expect(features: ImageFeatures, samples: Sequence[Sequence[WeightedSamples]]) -> Expectation:
    """Say where B objects are expected, by what they look like.

    Parameters
    ----------
    features
        Of a frame, or of one window for each object.
    samples
        What is known of each object.
    """
    models, own = fit(samples)
    return Expectation(Description(features).scores(models), own)


def believed(predicted_iou: Tensor, likeness: Tensor) -> Tensor:
    """Lower the predicted IoU of masks ``(B,)`` that do not look like their objects all over; both 0 to 1.

    The network's own scores hardly fall when a mask drifts to a neighbour.
    """
    return predicted_iou * (likeness / _ALL_OF_IT).clamp(max=1)


def is_sure(found: MaskletFrame | None) -> bool:
    """Whether the network was sure enough of a tracked frame to learn from it."""
    return found is not None and found.score > SURE and found.object_score > 0.5 and not found.mask.is_empty


def weight_of_frame(age: int) -> float:
    """Weigh a frame by its age, as a :class:`~src_model.memory.policy.MemoryPlan` gives it: prompted frames have 0."""
    return _TRACKED_WEIGHT * _DECAY**age if age else 1.0


def _applied(model: Tensor, maps: Tensor) -> Tensor:
    """Apply ``(B, C)`` to ``(B or 1, C, h, w)``: ``(B, 1, h, w)``."""
    flat = model @ maps[0].flatten(1) if len(maps) == 1 else (model[:, None] @ maps.flatten(2))[:, 0]
    return flat.view(len(model), 1, *maps.shape[-2:])


def _agreed(scores: Tensor) -> Tensor:
    """Keep of each score ``(B, 1, h, w)`` what all its neighbours agree to: edges are left to the decoder."""
    above, below = (-F.max_pool2d(-side.relu(), 3, 1, 1) for side in (scores, -scores))
    return above - below


def _spread(where: Tensor, count: int) -> Tensor:
    """Choose pixels of each row of ``(B, P)`` bool, evenly among those that are True: ``(B, count)`` indices."""
    ranks = where.cumsum(dim=1)
    steps = (torch.arange(count, device=where.device) + 0.5) / count
    wanted = (steps * ranks[:, -1:]).floor().long() + 1
    return torch.searchsorted(ranks, wanted).clamp(max=where.shape[1] - 1)


def _table(rows: Sequence[Sequence[Tensor]]) -> Tensor:
    """Join rows of ``(1, N, ...)`` tensors to ``(B, N, ...)``, zeros after those that are shorter."""
    nothing = next(each for row in rows for each in row)[0, :0]
    joined = [torch.cat([nothing, *(each[0] for each in row)]) for row in rows]
    return torch.nn.utils.rnn.pad_sequence(joined, batch_first=True)
