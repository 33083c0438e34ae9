"""Tracking through a clip as in use, prompted and corrected by a simulated annotator; every answer gives its loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from src_model.memory.entry import MemoryEntry
from src_model.memory.target_model import SURE, expect, take_samples, weight_of_frame
from src_model.nn import ImageFeatures, MaskPrediction, MemoryTokens, Prior, PromptTensors, Sam2Network
from src_model.tracking.settings import PRESETS
from src_model.training.losses import FrameLoss, LossWeights, downsample_masks, frame_loss
from src_model.training.prompt_simulation import Annotator, Kind, first_prompts, with_correction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.memory.bank import MemoryBank
    from src_model.memory.policy import MemoryPlan
    from src_model.memory.target_model import TargetSamples, WeightedSamples

LOSS_PARTS = ("loss", "mask", "iou", "object_score")
"""What a rollout gives, in this order: the loss to descend, and the means of its parts over all answers."""

_TRUE_LOGIT = 10.0
"""Logit of a true mask and of a true presence, as sure as the network itself ever is."""


@dataclass(frozen=True, slots=True)
class ClipFeatures:
    """What the image encoder gives for C clips of T frames.

    Attributes
    ----------
    embedding
        ``(C, T, 256, h, w)``.
    high_res
        Maps of stride 4 ``(C, T, 32, 4 h, 4 w)`` and 8 ``(C, T, 64, 2 h, 2 w)``.
    """

    embedding: Tensor
    high_res: tuple[Tensor, Tensor]

    def of_frame(self, frame: int, objects: int) -> ImageFeatures:
        """Features of one frame, those of a clip repeated for each of its objects: batch ``C * objects``."""
        stride4, stride8 = (x[:, frame].repeat_interleave(objects, dim=0) for x in self.high_res)
        return ImageFeatures(self.embedding[:, frame].repeat_interleave(objects, dim=0), (stride4, stride8))


def encode_clips(network: Sam2Network, images: Tensor) -> ClipFeatures:
    """Encode ``(C, T, 3, S, S)`` normalised images."""
    clips = images.shape[:2]
    encoded = network.encode_image(images.flatten(0, 1))
    maps = (encoded.embedding, *encoded.high_res)
    embedding, stride4, stride8 = (x.view(*clips, *x.shape[1:]) for x in maps)
    return ClipFeatures(embedding, (stride4, stride8))


def _default_bank() -> MemoryBank:
    return PRESETS["default"].new_memory_bank()


@dataclass(slots=True)
class RolloutMemory:
    """Memory bank of a batch of objects that are prompted on the same frames.

    Attributes
    ----------
    max_pointers
        Object pointers attended to at most.
    bank
        The bank of tracking; its entries hold all objects of the batch.
    """

    max_pointers: int
    bank: MemoryBank = field(default_factory=_default_bank)

    def add(
        self, frame: int, memory: Tensor, pointer: Tensor, *, prompted: bool, samples: TargetSamples | None = None
    ) -> None:
        """Remember a frame: ``(B, 64, h, w)`` and ``(B, 256)``, and what the target models learn from it."""
        entry = MemoryEntry(None, pointer.new_empty(0), pointer, memory, samples=samples)
        if prompted:
            self.bank.condition(frame, entry)
        else:
            self.bank.remember(frame, entry)

    def tokens(self, frame: int) -> MemoryTokens:
        """Give what tracking would attend to on a frame."""
        plan = self._plan(frame)
        memories = [memory for number, _ in plan.spatial if (memory := self._entry(number).memory) is not None]
        pointers = [self._entry(number).pointer for number, _ in plan.pointers]
        together = torch.stack(memories, dim=1), (plan.ages,), torch.stack(pointers, dim=1), (plan.offsets,)
        return MemoryTokens(*together, self.max_pointers)

    def samples(self, frame: int) -> list[tuple[WeightedSamples, ...]]:
        """Give what the target model of each object would learn from on a frame; nothing where no frame has samples."""
        known = [
            [(weight_of_frame(age), row) for row in samples.rows()]
            for number, age in self._plan(frame).spatial
            if (samples := self._entry(number).samples) is not None
        ]
        return list(zip(*known, strict=True))

    def _plan(self, frame: int) -> MemoryPlan:
        horizon = self.max_pointers
        return self.bank.plan(frame, reverse=False, available=(), horizon=horizon, max_pointers=horizon)

    def _entry(self, frame: int) -> MemoryEntry:
        entry = self.bank.entry(frame)
        assert entry is not None, "a clip is shorter than what a bank keeps"
        return entry


@dataclass(frozen=True, slots=True)
class RolloutSettings:
    """How a clip is prompted, remembered and judged during training.

    Attributes
    ----------
    annotator
        Decides which frames are prompted, and with what.
    true_memory
        Probability, 0 to 1, with which an object's memory of a frame holds the true mask, not the predicted one.
    prompted_weight
        Weight of the loss of a prompt's answer, and of all corrections of a frame together, against that of a tracked
        frame.
    weights
        Factors of the parts of the loss of a frame.
    target_model
        Add to the masks of tracked frames what the target model expects, as tracking does; nothing of it is learned.
    """

    annotator: Annotator = field(default_factory=Annotator)
    true_memory: float = 0.7
    prompted_weight: float = 0.5
    weights: LossWeights = field(default_factory=LossWeights)
    target_model: bool = True


def as_in_use(prediction: MaskPrediction, prompts: PromptTensors) -> MaskPrediction:
    """Choose the answer that tracking would give: present where somebody points at it, empty where it is absent."""
    return prediction.best().where_present((prompts.labels > 0).any(dim=1, keepdim=True))


class Rollout:
    """One pass over a batch of clips.

    Parameters
    ----------
    network
        What is trained; in training mode.
    features
        Image features of C clips of T frames.
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
        prior = self._expected(frame, features)
        raw = self.network.decode(embedding, features.high_res, nothing, multimask=True, prior=prior)
        self._add_loss(frame, raw, 1.0)
        answer = as_in_use(raw, nothing)
        if correct:
            no_points = PromptTensors(nothing.points[:, :0], nothing.labels[:, :0])
            answer = self._correct(frame, embedding, features, no_points, answer)
        if frame < self.frames - 1:
            self._remember(frame, features, answer, self._pointer(answer), prompted=correct)

    @torch.no_grad()
    def _expected(self, frame: int, features: ImageFeatures) -> Prior | None:
        """Say where the objects are expected by what they look like, in float32: a model is fitted here."""
        samples = self.memory.samples(frame)
        if not samples:
            return None
        with torch.autocast(features.embedding.device.type, enabled=False):
            return Prior(logits=expect(features, samples).logits)

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
        samples = None
        if self.settings.target_model:
            samples = self._samples(features, logits, prompted=prompted)
            samples = samples if prompted else samples.only(torch.where(use_truth, present[:, 0], _is_sure(answer)))
        self.memory.add(frame, memory, pointer, prompted=prompted, samples=samples)

    @torch.no_grad()
    def _samples(self, features: ImageFeatures, logits: Tensor, *, prompted: bool) -> TargetSamples:
        """Take what target models learn from a frame with ``(B, 1, S, S)`` logits."""
        with torch.autocast(features.embedding.device.type, enabled=False):
            return take_samples(features, nn.functional.avg_pool2d(logits, 4), prompted=prompted)


class RolloutModule(nn.Module):
    """Rolls batches of clips out.

    Parameters
    ----------
    network
        What is trained; its mode is left as it is.

    Attributes
    ----------
    settings
        How the next clips are prompted and judged; changes as a run goes on.
    """

    def __init__(self, network: Sam2Network) -> None:
        super().__init__()
        self.network = network
        self.settings = RolloutSettings()

    def forward(self, images: Tensor, masks: NDArray[np.bool_], seed: tuple[int, ...]) -> Tensor:
        """Roll out ``(C, T, S, S, 3)`` uint8 images with ``(B, T, S, S)`` masks.

        Returns
        -------
        Tensor
            ``(4,)``: :data:`LOSS_PARTS`. Only the first has a gradient.
        """
        config = self.network.config
        normal = normalised(images, config.pixel_mean, config.pixel_std)
        return self.of_features(encode_clips(self.network, normal), masks, seed)

    def of_features(self, features: ClipFeatures, masks: NDArray[np.bool_], seed: tuple[int, ...]) -> Tensor:
        """Roll out clips whose features are known."""
        rollout = Rollout(self.network, features, masks, self.settings, np.random.default_rng(seed))
        total = rollout.run()
        parts = [_mean_part(rollout, part) for part in LOSS_PARTS[1:]]
        return torch.stack([total.float(), *parts])


def _is_sure(answer: MaskPrediction) -> Tensor:
    """Whether target models would learn from tracked frames, ``(B,)`` bool: seen, and with a high predicted IoU."""
    seen = (answer.object_logits[:, 0] > 0) & (answer.logits > 0).flatten(1).any(dim=1)
    return seen & (answer.iou[:, 0] > SURE)


def normalised(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Normalise ``(..., S, S, 3)`` uint8 images to ``(..., 3, S, S)`` float32."""
    x = images.float().div(255)
    x = (x - torch.tensor(mean, device=x.device)) / torch.tensor(std, device=x.device)
    return x.movedim(-1, -3)


def _mean_part(rollout: Rollout, part: str) -> Tensor:
    values: list[Tensor] = [getattr(loss, part).detach().float() for _, loss in rollout.losses]
    return torch.stack(values).mean()
