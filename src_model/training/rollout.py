"""Tracking through a clip as in use, prompted and corrected by a simulated annotator; every answer gives its loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from src_model.nn import ImageFeatures, MaskPrediction, PromptTensors, Sam2Network
from src_model.training.losses import FrameLoss, LossWeights, downsample_masks, frame_loss
from src_model.training.prompt_simulation import Annotator, Kind, first_prompts, with_correction
from src_model.training.rollout_memory import RolloutMemory

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from src_model.training.clip_features import ClipFeatures

_TRUE_LOGIT = 10.0


@dataclass(frozen=True, slots=True)
class RolloutSettings:
    """How a clip is prompted, remembered and judged during training.

    Attributes
    ----------
    annotator
        Who prompts.
    true_memory
        Probability with which an object's memory of a frame holds the true mask, not the predicted one.
    prompted_weight
        Weight of the loss of a prompt's answer, and of all corrections of a frame together, against that of a tracked
        frame.
    weights
        Of the parts of the loss of a frame.
    """

    annotator: Annotator = field(default_factory=Annotator)
    true_memory: float = 0.7
    prompted_weight: float = 0.5
    weights: LossWeights = field(default_factory=LossWeights)


def as_in_use(prediction: MaskPrediction, prompts: PromptTensors) -> MaskPrediction:
    """Choose the answer that tracking would give: present where somebody points at it, empty where it is absent."""
    return prediction.best().where_present((prompts.labels > 0).any(dim=1, keepdim=True))


class Rollout:
    """One pass over a batch of clips.

    Parameters
    ----------
    network
        In training mode.
    features
        Of C clips of T frames.
    masks
        ``(B, T, S, S)`` bool of B objects, equally many of each clip; the first frame shows every object.
    settings, rng
        How to prompt, and the source of all choices.
    """

    def __init__(
        self,
        network: Sam2Network,
        features: ClipFeatures,
        masks: NDArray[np.bool_],
        settings: RolloutSettings,
        rng: np.random.Generator,
    ) -> None:
        self.network, self.masks, self.settings, self.rng = network, masks, settings, rng
        self.batch, self.frames = masks.shape[:2]
        self.clip_features = features
        self.truth = torch.from_numpy(masks).to(features.embedding.device)
        self.targets = downsample_masks(self.truth)
        self.memory = RolloutMemory(network.config.max_pointers)
        self.losses: list[tuple[float, FrameLoss]] = []

    def run(self) -> Tensor:
        """Roll out and return the weighted mean of the losses of all answers."""
        mix = self.settings.annotator.prompts
        second, ahead = self._second_frame()
        # Masks on all frames would leave nothing to predict.
        self._first_prompt(0, mix.draw(self.rng, mask=self.frames > 1))
        if ahead:
            self._first_prompt(second, mix.draw(self.rng, mask=self.frames > 2))
        for frame in range(1, self.frames):
            if frame not in self.memory.bank.conditioning:
                self._track(frame, correct=frame == second)
        total = sum(weight for weight, _ in self.losses)
        return torch.stack([weight * loss.total for weight, loss in self.losses]).sum() / total

    def _second_frame(self) -> tuple[int, bool]:
        """Draw another frame to prompt (0 for none), and whether it is prompted before the clip is tracked."""
        annotator, later = self.settings.annotator, self.frames - 1
        if later == 0 or self.rng.random() >= annotator.second_frame:
            return 0, False
        frame = 1 + int(self.rng.integers(later))
        shown = bool(self.masks[:, frame].any(axis=(1, 2)).all())
        return frame, shown and self.rng.random() < annotator.ahead

    def _features(self, frame: int) -> ImageFeatures:
        clips = self.clip_features.embedding.shape[0]
        return self.clip_features.of_frame(frame, self.batch // clips)

    def _first_prompt(self, frame: int, kind: Kind) -> None:
        """Prompt a frame that knows of no other: its image alone answers."""
        annotator, features = self.settings.annotator, self._features(frame)
        if kind == "mask":
            prediction, pointer = self.network.mask_as_output(features, self.truth[:, frame, None])
            self._remember(frame, features, prediction, pointer, prompted=True)
            return
        embedding = self.network.without_memory(features.embedding)
        prompts = first_prompts(
            self.masks[:, frame], kind, self.rng, device=embedding.device, box_noise=annotator.box_noise
        )
        raw = self.network.decode(embedding, features.high_res, prompts, multimask=kind == "click")
        self._add_loss(frame, raw, self.settings.prompted_weight)
        answer = as_in_use(raw, prompts)
        if self.rng.random() < annotator.correction:
            answer = self._correct(frame, embedding, features, prompts, answer)
        self._remember(frame, features, answer, self._pointer(answer), prompted=True)

    def _track(self, frame: int, *, correct: bool) -> None:
        features = self._features(frame)
        embedding = self.network.attend_memory(features.embedding, self.memory.tokens(frame))
        nothing = PromptTensors.none(self.batch, embedding.device)
        raw = self.network.decode(embedding, features.high_res, nothing, multimask=True)
        self._add_loss(frame, raw, 1.0)
        answer = as_in_use(raw, nothing)
        if correct:
            no_points = PromptTensors(nothing.points[:, :0], nothing.labels[:, :0])
            answer = self._correct(frame, embedding, features, no_points, answer)
        if frame < self.frames - 1:
            self._remember(frame, features, answer, self._pointer(answer), prompted=correct)

    def _correct(
        self, frame: int, embedding: Tensor, features: ImageFeatures, prompts: PromptTensors, answer: MaskPrediction
    ) -> MaskPrediction:
        """Click on what is wrong, once or a few times."""
        annotator = self.settings.annotator
        clicks = 1 + int(self.rng.integers(annotator.most_clicks))
        for _ in range(clicks):
            truth = self.masks[:, frame]
            prompts = with_correction(prompts, answer.logits, truth, self.rng, from_truth=annotator.clicks_from_truth)
            multimask = prompts.labels.shape[1] == 1
            raw = self.network.decode(embedding, features.high_res, prompts, multimask=multimask)
            self._add_loss(frame, raw, self.settings.prompted_weight / clicks)
            answer = as_in_use(raw, prompts)
        return answer

    def _add_loss(self, frame: int, prediction: MaskPrediction, weight: float) -> None:
        self.losses.append((weight, frame_loss(prediction, self.targets[:, frame], self.settings.weights)))

    def _pointer(self, answer: MaskPrediction) -> Tensor:
        return self.network.object_pointer(answer.tokens[:, 0], answer.object_logits)

    def _remember(
        self, frame: int, features: ImageFeatures, answer: MaskPrediction, pointer: Tensor, *, prompted: bool
    ) -> None:
        """Encode the memory of a frame, for a random part of the objects from the truth."""
        size = self.truth.shape[-2:]
        logits = torch.nn.functional.interpolate(
            answer.logits.detach().float(), size, mode="bilinear", align_corners=False
        )
        truth = self.truth[:, frame, None]
        present = truth.flatten(1).any(dim=1, keepdim=True)
        use_truth = torch.from_numpy(self.rng.random(self.batch) < self.settings.true_memory).to(logits.device)
        logits = torch.where(use_truth[:, None, None, None], (truth.float() * 2 - 1) * _TRUE_LOGIT, logits)
        true_score = (present.float() * 2 - 1) * _TRUE_LOGIT
        score = torch.where(use_truth[:, None], true_score, answer.object_logits.detach().float())
        memory = self.network.encode_memory(features.embedding, logits, score, binarize=prompted)
        self.memory.add(frame, memory, pointer, prompted=prompted)
