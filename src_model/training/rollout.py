"""Tracking through a clip as in use: first frame prompted, later frames from memory; every frame gives its loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from src_model.nn import ImageFeatures, MaskPrediction, MemoryTokens, PromptTensors, Sam2Network
from src_model.training.losses import FrameLoss, LossWeights, downsample_masks, frame_loss
from src_model.training.prompt_simulation import Kind, PromptMix, first_prompts, with_correction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RECENT = 6
_TRUE_LOGIT = 10.0


@dataclass(frozen=True, slots=True)
class RolloutSettings:
    """How a clip is prompted and what the memory holds during training.

    Attributes
    ----------
    prompts
        Prompts of the first frame.
    true_memory
        Probability with which an object's memory of a tracked frame holds the true mask, not the predicted one.
    correction
        Probability of a corrective click on the first frame, and of one on one of the tracked frames.
    first_weight
        Weight of the first frame's loss against that of a tracked frame.
    """

    prompts: PromptMix = field(default_factory=PromptMix)
    true_memory: float = 0.7
    correction: float = 0.25
    first_weight: float = 0.5
    weights: LossWeights = field(default_factory=LossWeights)


@dataclass(slots=True)
class RolloutMemory:
    """Memory bank of a batch of objects that share their frames; the first frame is the conditioning one."""

    recent: int
    horizon: int
    spatial: list[Tensor] = field(default_factory=list)
    pointers: list[Tensor] = field(default_factory=list)

    def add(self, memory: Tensor, pointer: Tensor) -> None:
        """Remember a frame: ``(B, 64, h, w)`` and ``(B, 256)``."""
        self.spatial.append(memory)
        self.pointers.append(pointer)

    def tokens(self) -> MemoryTokens:
        """Give the next frame the first one, up to ``recent`` latest ones, and their pointers."""
        count = len(self.spatial)
        ages = range(1, min(self.recent, count - 1) + 1)
        offsets = [count, *range(1, min(count, self.horizon))]
        return MemoryTokens(
            torch.stack([self.spatial[0], *(self.spatial[count - age] for age in ages)], dim=1),
            (0, *ages),
            torch.stack([self.pointers[count - offset] for offset in offsets], dim=1),
            tuple(offsets),
            self.horizon,
        )


def predict_ungated(
    network: Sam2Network, embedding: Tensor, features: ImageFeatures, prompts: PromptTensors, *, multimask: bool
) -> MaskPrediction:
    """Predict masks that keep their logits, and so their gradient, where the object is judged absent."""
    height, width = embedding.shape[-2:]
    tokens, dense = network.sam_prompt_encoder(prompts, height, width)
    positions = network.sam_prompt_encoder.grid_positions(height, width)
    prediction: MaskPrediction = network.sam_mask_decoder(
        embedding, positions, tokens, dense, features.high_res, multimask=multimask
    )
    return prediction


class Rollout:
    """One pass over a batch of clips.

    Parameters
    ----------
    network
        In training mode.
    images
        ``(C, T, 3, S, S)`` normalised, of C clips.
    masks
        ``(B, T, S, S)`` bool of B objects, equally many of each clip; the first frame shows every object.
    settings, rng
        How to prompt, and the source of all choices.
    """

    def __init__(
        self,
        network: Sam2Network,
        images: Tensor,
        masks: NDArray[np.bool_],
        settings: RolloutSettings,
        rng: np.random.Generator,
    ) -> None:
        self.network, self.masks, self.settings, self.rng = network, masks, settings, rng
        self.batch, self.frames = masks.shape[:2]
        clips = images.shape[0]
        self.targets = downsample_masks(torch.from_numpy(masks)).to(images.device)
        self.truth = torch.from_numpy(masks).to(images.device)
        encoded = network.encode_image(images.flatten(0, 1))
        self._embedding = self._by_frame(encoded.embedding, clips)
        self._high_res = [self._by_frame(x, clips) for x in encoded.high_res]
        # Half of the clips remember as in use, the others fewer frames.
        recent = _RECENT if rng.random() < 0.5 else int(rng.integers(0, _RECENT))
        self.memory = RolloutMemory(recent, network.config.max_pointers)
        self.losses: list[tuple[float, FrameLoss]] = []

    def run(self) -> Tensor:
        """Roll out and return the weighted mean of the frames' losses."""
        tracked = self.frames - 1
        # A mask on the only frame would leave nothing to predict.
        self._first_frame(self.settings.prompts.draw(self.rng, mask=tracked > 0))
        corrects = tracked > 0 and self.rng.random() < self.settings.correction
        corrected = int(self.rng.integers(1, self.frames)) if corrects else 0
        for frame in range(1, self.frames):
            self._tracked_frame(frame, correct=frame == corrected, last=frame == tracked)
        total = sum(weight for weight, _ in self.losses)
        return torch.stack([weight * loss.total for weight, loss in self.losses]).sum() / total

    def features(self, frame: int) -> ImageFeatures:
        """Features of one frame of every clip."""
        stride4, stride8 = (x[:, frame] for x in self._high_res)
        return ImageFeatures(self._embedding[:, frame], (stride4, stride8))

    def _by_frame(self, x: Tensor, clips: int) -> Tensor:
        """Turn features of all frames into ``(B, T, ...)``, those of a clip repeated for each of its objects."""
        return x.view(clips, self.frames, *x.shape[1:]).repeat_interleave(self.batch // clips, dim=0)

    def _first_frame(self, kind: Kind) -> None:
        features = self.features(0)
        truth = self.truth[:, :1]
        if kind == "mask":
            prediction, pointer = self.network.mask_as_output(features, truth)
            self._remember(0, prediction, pointer, binarize=True)
            return
        embedding = self.network.without_memory(features.embedding)
        prompts = first_prompts(self.masks[:, 0], kind, self.rng, device=embedding.device)
        prediction = predict_ungated(self.network, embedding, features, prompts, multimask=kind == "click")
        self._add_loss(0, prediction, self.settings.first_weight)
        prediction = prediction.best()
        if self.rng.random() < self.settings.correction:
            prediction = self._correct(0, embedding, features, prompts, prediction)
        self._remember(0, prediction, self._pointer(prediction), binarize=True)

    def _tracked_frame(self, frame: int, *, correct: bool, last: bool) -> None:
        features = self.features(frame)
        embedding = self.network.attend_memory(features.embedding, self.memory.tokens())
        prompts = PromptTensors.none(self.batch, embedding.device)
        prediction = predict_ungated(self.network, embedding, features, prompts, multimask=True)
        self._add_loss(frame, prediction, 1.0)
        prediction = prediction.best()
        if correct:
            nothing = PromptTensors(prompts.points[:, :0], prompts.labels[:, :0])
            prediction = self._correct(frame, embedding, features, nothing, prediction)
        if not last:
            self._remember(frame, prediction, self._pointer(prediction), binarize=False)

    def _correct(
        self, frame: int, embedding: Tensor, features: ImageFeatures, prompts: PromptTensors, first: MaskPrediction
    ) -> MaskPrediction:
        prompts = with_correction(prompts, first.logits, self.masks[:, frame], self.rng)
        multimask = prompts.labels.shape[1] == 1
        prediction = predict_ungated(self.network, embedding, features, prompts, multimask=multimask)
        self._add_loss(frame, prediction, self.settings.first_weight)
        return prediction.best()

    def _add_loss(self, frame: int, prediction: MaskPrediction, weight: float) -> None:
        self.losses.append((weight, frame_loss(prediction, self.targets[:, frame], self.settings.weights)))

    def _pointer(self, prediction: MaskPrediction) -> Tensor:
        return self.network.object_pointer(prediction.tokens[:, 0], prediction.object_logits)

    def _remember(self, frame: int, prediction: MaskPrediction, pointer: Tensor, *, binarize: bool) -> None:
        """Encode the memory of a frame, for a random part of the objects from the truth."""
        size = self.truth.shape[-2:]
        logits = torch.nn.functional.interpolate(
            prediction.logits.detach().float(), size, mode="bilinear", align_corners=False
        )
        score = prediction.object_logits.detach().float()
        truth = self.truth[:, frame, None]
        present = truth.flatten(1).any(dim=1, keepdim=True)
        use_truth = torch.from_numpy(self.rng.random(self.batch) < self.settings.true_memory).to(logits.device)
        logits = torch.where(score[..., None, None] > 0, logits, -_TRUE_LOGIT)
        logits = torch.where(use_truth[:, None, None, None], (truth.float() * 2 - 1) * _TRUE_LOGIT, logits)
        score = torch.where(use_truth[:, None], (present.float() * 2 - 1) * _TRUE_LOGIT, score)
        embedding = self._embedding[:, frame]
        self.memory.add(self.network.encode_memory(embedding, logits, score, binarize=binarize), pointer)
