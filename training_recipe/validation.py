"""Region similarity J of a network over held-out clips, started by the first mask or by one click."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from src_model.evaluation.metrics.region import region_similarity
from src_model.nn import PromptTensors
from src_model.training.prompt_simulation import click_in
from src_model.training.rollout import RolloutMemory, normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from src_model.nn import ImageFeatures, MaskPrediction, MemoryTokens, Sam2Network
    from training_recipe.clips import Clip

Start = Literal["mask", "click"]


@torch.no_grad()
def track_clip(network: Sam2Network, clip: Clip, start: Start, *, autocast: bool = True) -> NDArray[np.bool_]:
    """Track the object of a clip.

    Parameters
    ----------
    network
        What tracks; in evaluation mode.
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
    images = normalised(torch.from_numpy(clip.images), config.pixel_mean, config.pixel_std).to(device)
    memory = RolloutMemory(config.max_pointers)
    masks = []
    with torch.autocast(device.type, torch.bfloat16, enabled=autocast and device.type != "mps"):
        for frame in range(len(images)):
            features = network.encode_image(images[frame : frame + 1])
            if frame == 0:
                answer, pointer = _prompted(network, features, clip.masks[0], start)
            else:
                answer, pointer = _tracked(network, features, memory.tokens(frame))
            encoded = network.encode_memory(
                features.embedding, answer.logits, answer.object_logits, binarize=frame == 0
            )
            memory.add(frame, encoded, pointer, prompted=frame == 0)
            given = frame == 0 and start == "mask"
            masks.append(clip.masks[0] if given else _full(answer.logits, images.shape[-2:]))
    return np.stack(masks)


def _prompted(
    network: Sam2Network, features: ImageFeatures, truth: NDArray[np.bool_], start: Start
) -> tuple[MaskPrediction, Tensor]:
    device = features.embedding.device
    if start == "mask":
        answer, pointer = network.mask_as_output(features, torch.from_numpy(truth).to(device)[None, None])
        return answer, pointer
    x, y = click_in(truth, np.random.default_rng(0), central=1.0)
    click = PromptTensors(torch.tensor([[[x, y]]], device=device), torch.ones(1, 1, dtype=torch.int64, device=device))
    embedding = network.without_memory(features.embedding)
    answer = network.decode(embedding, features.high_res, click, multimask=True).where_present(True).best()
    return answer, network.object_pointer(answer.tokens[:, 0], answer.object_logits)


def _tracked(network: Sam2Network, features: ImageFeatures, tokens: MemoryTokens) -> tuple[MaskPrediction, Tensor]:
    embedding = network.attend_memory(features.embedding, tokens)
    nothing = PromptTensors.none(1, embedding.device)
    answer = network.decode(embedding, features.high_res, nothing, multimask=True).where_present().best()
    return answer, network.object_pointer(answer.tokens[:, 0], answer.object_logits)


def _full(logits: Tensor, size: torch.Size) -> NDArray[np.bool_]:
    full = torch.nn.functional.interpolate(logits.float(), size, mode="bilinear", align_corners=False)
    mask: NDArray[np.bool_] = (full[0, 0] > 0).cpu().numpy()
    return mask


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
            scores[f"{clip.kind}/{start}"].append(_mean_similarity(masks[1:], clip.masks[1:]))
            if start == "click":
                scores[f"{clip.kind}/first"].append(_mean_similarity(masks[:1], clip.masks[:1]))
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
        scores[clip.kind].append(_mean_similarity(still, clip.masks[1:]))
    return {kind: float(np.mean(values)) for kind, values in sorted(scores.items())}


def _mean_similarity(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Mean J over the frames of ``(T, Y, X)`` masks; a frame where both are empty counts as 1."""
    return float(region_similarity(predicted, truth).mean())
