"""The network's work for one frame, for a batch of objects: the only place that runs it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from src_model.memory.entry import MemoryEntry
from src_model.memory.target_model import SOMETHING_ELSE, expect, take_samples
from src_model.nn import ImageFeatures, MaskPrediction, MemoryTokens, Prior, PromptTensors, Sam2Network
from src_model.tracking.precision import computing, half_type
from src_model.tracking.preprocessing import image_tensor, mask_tensor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray

    from src_model.frames import Normalization
    from src_model.masks import Rle
    from src_model.memory.target_model import WeightedSamples
    from src_model.tracking.settings import Precision, TrackingSettings

_PREVIOUS_LOGIT_LIMIT = 32.0
"""Logits of an earlier mask are cut to this when they become a prompt, as the reference does: those of absent objects
are -1024, which the prompt encoder has never seen."""


@dataclass(frozen=True, slots=True)
class CheckpointIdentity:
    """Which weights a network carries, for saved sessions.

    Attributes
    ----------
    name
        What the checkpoint is called.
    sha256
        Digest of its file; empty if the weights came from no file.
    """

    name: str = "unnamed"
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class NetworkSteps:
    """A loaded network with all that is needed to run it.

    Attributes
    ----------
    network
        In evaluation mode, on ``device``.
    settings
        Where sam2v differs from the reference.
    device
        Device of the network and of all tensors made by it.
    image_size
        Side of the network input.
    checkpoint
        Which weights the network carries.
    """

    network: Sam2Network
    settings: TrackingSettings
    device: torch.device
    image_size: int
    checkpoint: CheckpointIdentity = CheckpointIdentity()

    @property
    def objects_per_batch(self) -> int:
        """How many objects are tracked together: few on a CPU, whose caches the memories of more would overflow."""
        return 2 if self.device.type == "cpu" else 16

    @property
    def pads_memories(self) -> bool:
        """Whether objects with memories of different number share a batch: where fewer calls are worth the padding."""
        return self.device.type != "cpu"

    @property
    def windows_per_batch(self) -> int:
        """How many windows are encoded together."""
        return 4 if self.device.type == "cpu" else 32

    @property
    def frames_per_batch(self) -> int:
        """How many frames are encoded together where those to come are known."""
        return 1 if self.device.type == "cpu" else 8

    @property
    def precision(self) -> Precision:
        """How the heavy parts are computed: as the settings say, as far as the device can."""
        return "exact" if self.feature_dtype == torch.float32 else "fast"

    @property
    def feature_dtype(self) -> torch.dtype:
        """Type in which image features are kept: in memory, on disk, and for the frame that is worked on."""
        half = half_type(self.device) if self.settings.precision == "fast" else None
        return half or torch.float32

    def network_input(
        self, image: NDArray[np.generic], normalization: Normalization, size: int | None = None
    ) -> Tensor:
        """Bring a frame ``(Y, X[, 3])``, or a part of one, to the network's input: ``(1, 3, S, S)`` on the CPU.

        The memory is pinned where the device copies from such memory without being waited for.
        """
        tensor = image_tensor(image, normalization, self.settings, self.network.config, size or self.image_size)
        return tensor.pin_memory() if self.device.type == "cuda" else tensor

    @torch.no_grad()
    def encode_inputs(self, inputs: Sequence[Tensor]) -> list[ImageFeatures]:
        """Encode inputs of the network, all of one size, as one batch; give the features of each."""
        on_device = [each.to(self.device, non_blocking=True) for each in inputs]
        with self._computing():
            together = self._kept(self.network.encode_image(torch.cat(on_device)))
        return [together] if len(inputs) == 1 else [_row(together, number) for number in range(len(inputs))]

    def encode_image(self, image: NDArray[np.generic], normalization: Normalization) -> ImageFeatures:
        """Encode one frame ``(Y, X[, 3])``."""
        return self.encode_inputs([self.network_input(image, normalization)])[0]

    def encode_images(
        self, images: Sequence[NDArray[np.generic]], normalization: Normalization, size: int
    ) -> list[ImageFeatures]:
        """Encode parts of frames ``(Y, X[, 3])``, of any shapes, as one batch of inputs of ``size`` pixels."""
        return self.encode_inputs([self.network_input(image, normalization, size) for image in images])

    def on_device(self, features: ImageFeatures) -> ImageFeatures:
        """Bring features that were kept elsewhere to where the network is."""
        embedding, *maps = (x.to(self.device, non_blocking=True) for x in (features.embedding, *features.high_res))
        return ImageFeatures(embedding, (maps[0], maps[1]))

    @torch.no_grad()
    def answer_prompt(
        self,
        features: ImageFeatures,
        prompts: PromptTensors,
        memory: MemoryTokens | None,
        previous: Tensor | None,
        *,
        multimask: bool,
    ) -> MaskPrediction:
        """Predict the masks that points and box ask for.

        Parameters
        ----------
        features
            Of the prompted frame.
        prompts
            Points and box of one object, B = 1.
        memory
            What the object's earlier frames left, or None where it was never tracked.
        previous
            ``(1, 1, S / 4, S / 4)`` logits of the mask to be corrected.
        multimask
            Give three candidates instead of one mask.
        """
        embedding = self._conditioned(features.embedding, memory)
        if previous is not None:
            prompts = _with_earlier_mask(prompts, previous)
        pointed_at = self.settings.trust_prompts and bool((prompts.labels > 0).any())
        raw = self.network.decode(embedding, features.high_res, prompts, multimask=multimask)
        return raw.where_present(pointed_at)

    @torch.no_grad()
    def segment(self, features: ImageFeatures, prompts: PromptTensors, *, multimask: bool) -> MaskPrediction:
        """Answer prompts about a single image as SAM does: no memory, and a mask even where no object is seen.

        Parameters
        ----------
        features
            Features of the image, one row.
        prompts
            One row a prompt, each answered alone.
        multimask
            Give three candidates instead of one mask.
        """
        batch = features.expand(prompts.points.shape[0])
        if prompts.mask_logits is not None:
            prompts = _with_earlier_mask(prompts, prompts.mask_logits)
        embedding = self.network.without_memory(batch.embedding)
        return self.network.decode(embedding, batch.high_res, prompts, multimask=multimask)

    @torch.no_grad()
    def take_mask(self, features: ImageFeatures, mask: Rle) -> MemoryEntry:
        """Take a mask as the truth of what was encoded: logits, pointer, no spatial memory yet."""
        size = features.embedding.shape[-1] * self.network.config.stride
        prediction, pointer = self.network.mask_as_output(features, mask_tensor(mask, size, self.device))
        return MemoryEntry(prediction.logits, prediction.object_logits, pointer)

    @torch.no_grad()
    def entry_of(self, prediction: MaskPrediction) -> MemoryEntry:
        """Turn a prediction with one mask into what it leaves in the bank, no spatial memory yet."""
        pointer = self.network.object_pointer(prediction.tokens[:, 0], prediction.object_logits)
        return MemoryEntry(prediction.logits, prediction.object_logits, pointer)

    @torch.no_grad()
    def add_memory(self, entry: MemoryEntry, features: ImageFeatures, *, binarize: bool) -> None:
        """Encode the spatial memory of an entry that holds logits, and take its samples, in place."""
        assert entry.logits is not None, "logits are what the memory is made of"
        with self._computing():
            memory = self.network.encode_memory(
                features.embedding, entry.logits, entry.object_logits, binarize=binarize
            )
        entry.memory = memory.bfloat16() if self.settings.bfloat16_memories else memory
        if self.settings.target_model:
            entry.samples = take_samples(features, entry.logits, prompted=binarize)

    @torch.no_grad()
    def track(
        self,
        features: ImageFeatures,
        memory: MemoryTokens,
        samples: Sequence[Sequence[WeightedSamples]] = (),
        at_edge: Sequence[bool] = (),
    ) -> tuple[MaskPrediction, Tensor, list[MemoryEntry]]:
        """Find a batch of objects in one frame and encode it as their memory.

        Parameters
        ----------
        features
            Of the frame, or of one window for each object.
        memory
            What the objects left on other frames.
        samples
            What the target model of each object learns from; without any, there are no such models.
        at_edge
            Whether each object was seen last at the edge of the field: it has left where its mask shows something else
            now. Asked for where there are such models.

        Returns
        -------
        tuple
            The best mask of each object (M = 1); ``(B,)`` how far it looks like the object, 0 to 1; the entry of each.
        """
        batch = features.expand(memory.memories.shape[0])
        embedding = self._conditioned(features.embedding, memory)
        nothing = PromptTensors.none(embedding.shape[0], self.device)
        expected = expect(features, samples) if any(samples) else None
        prior = None if expected is None else Prior(logits=expected.logits)
        raw = self.network.decode(embedding, batch.high_res, nothing, multimask=True, prior=prior)
        prediction = raw.where_present().best()
        likeness = torch.ones_like(prediction.iou[:, 0])
        if expected is not None:
            likeness = expected.likeness(prediction.logits)
            shows_other = likeness < SOMETHING_ELSE
            prediction = _absent_where(prediction, shows_other & torch.tensor(at_edge, device=self.device))
        together = self.entry_of(prediction)
        self.add_memory(together, features, binarize=False)
        return prediction, likeness, _split(together)

    def _kept(self, features: ImageFeatures) -> ImageFeatures:
        """Bring features to the type and the order in memory in which they are kept, be they kept or not.

        Results are the same to the last bit then: how sums are rounded depends on the order in memory.
        """
        maps = (features.embedding, *features.high_res)
        kept = [x.to(dtype=self.feature_dtype, memory_format=torch.channels_last) for x in maps]
        return ImageFeatures(kept[0], (kept[1], kept[2]))

    def _conditioned(self, embedding: Tensor, memory: MemoryTokens | None) -> Tensor:
        if memory is None:
            return self.network.without_memory(embedding)
        with self._computing():
            return self.network.attend_memory(embedding, memory)

    def _computing(self) -> AbstractContextManager[object]:
        """Return the context of the heavy parts. Masks are decoded outside of it: cheap, and their edge shows."""
        return computing(self.feature_dtype, self.device)


def _with_earlier_mask(prompts: PromptTensors, logits: Tensor) -> PromptTensors:
    limited = logits.clamp(-_PREVIOUS_LOGIT_LIMIT, _PREVIOUS_LOGIT_LIMIT)
    return PromptTensors(prompts.points, prompts.labels, limited)


def _absent_where(prediction: MaskPrediction, rows: Tensor) -> MaskPrediction:
    """Empty the masks of ``(B,)`` objects: they are as surely absent as they were present."""
    logits = prediction.object_logits
    return replace(prediction, object_logits=torch.where(rows[:, None], -logits.abs(), logits)).where_present()


def _row(features: ImageFeatures, number: int) -> ImageFeatures:
    """Take the features of one image out of a batch, whose memory is then free to go."""
    embedding, *maps = (x[number : number + 1].clone() for x in (features.embedding, *features.high_res))
    return ImageFeatures(embedding, (maps[0], maps[1]))


def _split(together: MemoryEntry) -> list[MemoryEntry]:
    """Give each object its own copy, so that no entry keeps the memory of its whole batch alive."""
    assert together.memory is not None
    assert together.logits is not None
    rows = zip(together.logits, together.object_logits, together.pointer, together.memory, strict=True)
    entries = [MemoryEntry(*(part[None].clone() for part in row)) for row in rows]
    if together.samples is not None:
        for entry, samples in zip(entries, together.samples.rows(), strict=True):
            entry.samples = samples
    return entries
