"""Region similarity J of a network over held-out clips, started by the first mask or by one click."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from src_model.nn import PromptTensors, Sam2Network
from src_model.training.clip_batch import network_images
from src_model.training.prompt_simulation import click_in
from src_model.training.rollout import RolloutMemory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from src_model.training.clips import Clip

Start = Literal["mask", "click"]
_RECENT = 6


@torch.no_grad()
def track_clip(network: Sam2Network, clip: Clip, start: Start, *, autocast: bool = True) -> NDArray[np.bool_]:
    """Track the object of a clip.

    Parameters
    ----------
    network
        In evaluation mode.
    clip
        T frames of side S.
    start
        What the first frame is given: the true mask, or a click at its most central point.
    autocast
        Compute in bfloat16 where that is safe.

    Returns
    -------
    NDArray
        ``(T, S, S)`` bool.
    """
    config = network.config
    device = next(network.parameters()).device
    images = network_images(clip.images, config.pixel_mean, config.pixel_std).to(device)
    memory = RolloutMemory(_RECENT, config.max_pointers)
    masks = []
    with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
        for frame in range(len(clip.images)):
            logits, mask = _step(network, images[frame : frame + 1], memory, clip, start, first=frame == 0)
            memory.add(*logits)
            masks.append(mask)
    return np.stack(masks)


def _step(
    network: Sam2Network, image: Tensor, memory: RolloutMemory, clip: Clip, start: Start, *, first: bool
) -> tuple[tuple[Tensor, Tensor], NDArray[np.bool_]]:
    """Answer one frame: what to remember, and the mask."""
    features = network.encode_image(image)
    prompts = PromptTensors.none(1, image.device)
    if first and start == "mask":
        truth = torch.from_numpy(clip.masks[0]).to(image.device)[None, None]
        best, pointer = network.mask_as_output(features, truth)
        remembered = (truth.float() - 0.5) * 20
    else:
        if first:
            x, y = click_in(clip.masks[0], np.random.default_rng(0), central=1.0)
            prompts = PromptTensors(image.new_tensor([[[x, y]]]), torch.ones(1, 1, dtype=torch.int64))
            embedding = network.without_memory(features.embedding)
        else:
            embedding = network.attend_memory(features.embedding, memory.tokens())
        best = network.predict_masks(embedding, features.high_res, prompts, multimask=True).best()
        pointer = network.object_pointer(best.tokens[:, 0], best.object_logits)
        remembered = best.logits
    encoded = network.encode_memory(features.embedding, remembered, best.object_logits, binarize=first)
    full = torch.nn.functional.interpolate(remembered.float(), image.shape[-2:], mode="bilinear", align_corners=False)
    return (encoded, pointer), (full[0, 0] > 0).cpu().numpy()


def region_similarity(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Mean IoU over the frames of ``(T, Y, X)`` masks; a frame where both are empty counts as 1."""
    union = (predicted | truth).sum(axis=(1, 2))
    both = (predicted & truth).sum(axis=(1, 2))
    return float(np.where(union > 0, both / np.maximum(union, 1), 1.0).mean())


def validate(
    network: Sam2Network, clips: Sequence[Clip], *, starts: Iterable[Start] = ("mask", "click")
) -> dict[str, float]:
    """Mean J by kind of clip and start, as "kind/start"; plus "all/start" over the kinds and the first frame's click.

    A clip's J leaves out its first frame when that was given as a mask.
    """
    was_training = network.training
    network.eval()
    scores: dict[str, list[float]] = defaultdict(list)
    for clip in clips:
        for start in starts:
            masks = track_clip(network, clip, start)
            scores[f"{clip.kind}/{start}"].append(region_similarity(masks[1:], clip.masks[1:]))
            if start == "click":
                scores[f"{clip.kind}/first"].append(region_similarity(masks[:1], clip.masks[:1]))
    network.train(was_training)
    means = {name: float(np.mean(values)) for name, values in sorted(scores.items())}
    for part in sorted({name.split("/")[1] for name in means}):
        means[f"all/{part}"] = float(np.mean([v for n, v in means.items() if n.endswith(f"/{part}")]))
    return means


def copy_first_mask(clips: Sequence[Clip]) -> dict[str, float]:
    """Mean J by kind if the first mask is repeated on every later frame: the floor."""
    scores: dict[str, list[float]] = defaultdict(list)
    for clip in clips:
        still = np.broadcast_to(clip.masks[:1], clip.masks[1:].shape)
        scores[clip.kind].append(region_similarity(still, clip.masks[1:]))
    return {kind: float(np.mean(values)) for kind, values in sorted(scores.items())}
