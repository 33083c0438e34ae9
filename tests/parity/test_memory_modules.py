"""Memory encoder, memory attention and whole tracked frames are the official ones, from the same random weights."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from src_model.nn import MaskPrediction, MemoryTokens, PromptTensors, Sam2Network
from src_model.nn.position_encoding import sine_map
from tests.parity.comparing import (
    SIDE,
    SIZE,
    Pair,
    assert_same,
    assert_same_masks,
    pair,
    presence_bias,
    shifted,
    smooth_images,
    some_features,
    to_sequence,
)

pytest.importorskip("sam2", reason="the official implementation is not installed (make parity)")
pytestmark = [pytest.mark.parity, pytest.mark.usefixtures("seeded_inference")]

CPU = torch.device("cpu")


# --- memory encoder ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("binarize", [True, False])
@pytest.mark.parametrize("object_logit", [3.0, -3.0])
def test_memory_encoder(networks: Pair, binarize: bool, object_logit: float) -> None:
    image, low = some_features(2), 4 * torch.randn(2, 1, 4 * SIDE, 4 * SIDE)
    full = F.interpolate(low, (SIZE, SIZE), mode="bilinear", align_corners=False)
    object_logits = torch.tensor([[object_logit], [1.0]])
    theirs, positions = networks.theirs._encode_new_memory(
        current_vision_feats=[to_sequence(image.embedding)],
        feat_sizes=[(SIDE, SIDE)],
        pred_masks_high_res=full,
        object_score_logits=object_logits,
        is_mask_from_pts=binarize,
    )
    for logits in (low, full):
        assert_same(networks.ours.encode_memory(image.embedding, logits, object_logits, binarize=binarize), theirs)
    assert_same(sine_map(64, SIDE, SIDE, CPU).expand(2, -1, -1, -1), positions[0])


# --- memory attention -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pointers", [1, 2, 5, 16])
@pytest.mark.parametrize("memories", range(1, 8))
def test_memory_attention_layers(memories: int, pointers: int) -> None:
    theirs, ours = pair("sam2.1-tiny")
    compare_attention(theirs, ours, SIDE, memories, pointers)


@pytest.mark.parametrize(("side", "memories", "pointers"), [(32, 7, 16), (14, 7, 16), (64, 1, 1)])
def test_memory_attention_layers_at_other_sizes(side: int, memories: int, pointers: int) -> None:
    theirs, ours = pair("sam2.1-tiny")
    compare_attention(theirs, ours, side, memories, pointers)


def compare_attention(theirs: Any, ours: Sam2Network, side: int, memories: int, pointers: int) -> None:
    tokens = memories * side**2 + 4 * pointers
    embedding = torch.randn(1, 256, side, side)
    memory, positions = 0.3 * torch.randn(1, tokens, 64), 0.3 * torch.randn(1, tokens, 64)
    expected = theirs.memory_attention(
        curr=[to_sequence(embedding)],
        curr_pos=[to_sequence(sine_map(256, side, side, CPU))],
        memory=memory.transpose(0, 1),
        memory_pos=positions.transpose(0, 1),
        num_obj_ptr_tokens=4 * pointers,
    )
    assert_same(to_sequence(ours.memory_attention(embedding, memory, positions, 4 * pointers)), expected)


class Past(NamedTuple):
    """Frames that two objects were seen in before the current one."""

    prompted: tuple[int, ...]
    tracked: tuple[int, ...]
    reverse: bool = False
    frame: int = 30
    num_frames: int = 60


PASTS = {
    "one prompt": Past((29,), ()),
    "a distant prompt": Past((2,), ()),
    "a prompt and one frame": Past((28,), (29,)),
    "a prompt and two frames": Past((27,), (28, 29)),
    "a prompt and three frames": Past((26,), (27, 28, 29)),
    "a prompt and four frames": Past((25,), (26, 27, 28, 29)),
    "a prompt and five frames": Past((24,), (25, 26, 27, 28, 29)),
    "all memories": Past((23,), tuple(range(24, 30))),
    "all memories and pointers": Past((0,), tuple(range(1, 30))),
    "gaps": Past((3,), (4, 17, 24, 27, 29)),
    "several prompts": Past((5, 12, 28), (13, 14, 26, 27, 29)),
    "a later prompt": Past((20, 40), tuple(range(21, 30))),
    "a later prompt and one frame": Past((31,), (29,)),
    "only a later prompt": Past((33,), ()),
    "a prompt on the frame itself": Past((20, 30), (29,)),
    "backwards": Past((50,), tuple(range(31, 50)), reverse=True),
    "backwards with an earlier prompt": Past((20, 45), tuple(range(31, 45)), reverse=True),
    "a short movie": Past((0,), tuple(range(1, 8)), frame=8, num_frames=9),
}


@pytest.mark.parametrize("kind", PASTS)
def test_memory_attention_to_the_past(networks: Pair, kind: str) -> None:
    past = PASTS[kind]
    embedding, outputs = torch.randn(2, 256, SIDE, SIDE), remembered(networks.ours, past)
    expected = networks.theirs._prepare_memory_conditioned_features(
        frame_idx=past.frame,
        is_init_cond_frame=False,
        current_vision_feats=[to_sequence(embedding)],
        current_vision_pos_embeds=[to_sequence(sine_map(256, SIDE, SIDE, CPU).expand(2, -1, -1, -1))],
        feat_sizes=[(SIDE, SIDE)],
        output_dict=outputs,
        num_frames=past.num_frames,
        track_in_reverse=past.reverse,
    )
    assert_same(networks.ours.attend_memory(embedding, memory_tokens(past, outputs)), expected)


def remembered(network: Sam2Network, past: Past) -> dict[str, Any]:
    """Outputs of earlier frames in the official form, the memories rounded as the official predictor stores them."""

    def output() -> dict[str, Any]:
        positions = [sine_map(64, SIDE, SIDE, CPU).expand(2, -1, -1, -1)]
        memory = 0.3 * torch.randn(2, 64, SIDE, SIDE)
        return {"maskmem_features": memory.bfloat16(), "maskmem_pos_enc": positions, "obj_ptr": torch.randn(2, 256)}

    return {
        "cond_frame_outputs": {frame: output() for frame in past.prompted},
        "non_cond_frame_outputs": {frame: output() for frame in past.tracked},
    }


def memory_tokens(past: Past, outputs: dict[str, Any]) -> MemoryTokens:
    """Choose from earlier frames what the official network attends to."""
    sign = -1 if past.reverse else 1
    horizon = min(past.num_frames, 16)
    prompted = {frame: sign * (past.frame - frame) for frame in past.prompted}
    tracked = {frame: sign * (past.frame - frame) for frame in past.tracked}
    recent = {frame: ago for frame, ago in tracked.items() if 1 <= ago <= 6}
    pointing = {f: ago for f, ago in prompted.items() if ago >= 0} | {
        f: ago for f, ago in tracked.items() if 1 <= ago < horizon
    }
    frames = outputs["cond_frame_outputs"] | outputs["non_cond_frame_outputs"]
    memories = torch.stack([frames[f]["maskmem_features"] for f in (*prompted, *recent)], dim=1)
    empty = torch.zeros(2, 0, 256)
    pointers = torch.stack([frames[f]["obj_ptr"] for f in pointing], dim=1) if pointing else empty
    ages = (*(0 for _ in prompted), *recent.values())
    return MemoryTokens(memories, (ages,), pointers, (tuple(pointing.values()),), horizon)


def test_a_first_frame_without_memory(networks: Pair) -> None:
    embedding = torch.randn(2, 256, SIDE, SIDE)
    expected = networks.theirs._prepare_memory_conditioned_features(
        frame_idx=0,
        is_init_cond_frame=True,
        current_vision_feats=[to_sequence(embedding)],
        current_vision_pos_embeds=[None],
        feat_sizes=[(SIDE, SIDE)],
        output_dict={},
        num_frames=10,
    )
    assert_same(networks.ours.without_memory(embedding), expected)


# --- one tracked frame ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("presence", [0.0, -10.0])
def test_a_tracked_frame_from_image_to_memory(networks: Pair, presence: float) -> None:
    past = PASTS["all memories and pointers"]
    outputs = remembered(networks.ours, past)
    image = smooth_images(1, SIZE)
    backbone = networks.theirs.forward_image(image)
    backbone = {k: [x.expand(2, -1, -1, -1) for x in v] for k, v in backbone.items() if isinstance(v, list)}
    _, features, positions, sizes = networks.theirs._prepare_backbone_features(backbone)
    with shifted(presence_bias(networks.theirs), offset=presence):
        theirs = networks.theirs.track_step(
            frame_idx=past.frame, is_init_cond_frame=False, current_vision_feats=features,
            current_vision_pos_embeds=positions, feat_sizes=sizes, point_inputs=None, mask_inputs=None,
            output_dict=outputs, num_frames=past.num_frames,
        )  # fmt: skip
        found, pointer, memory = tracked_frame(networks.ours, image, memory_tokens(past, outputs))
    assert_same(found.object_logits, theirs["object_score_logits"])
    assert_same(pointer, theirs["obj_ptr"])
    assert_same(memory, theirs["maskmem_features"])
    if presence == 0.0:
        assert_same_masks(found.logits, theirs["pred_masks"])
    else:
        assert torch.equal(found.logits, theirs["pred_masks"])


def tracked_frame(network: Sam2Network, image: Tensor, memory: MemoryTokens) -> tuple[MaskPrediction, Tensor, Tensor]:
    """Find both objects with our network: their masks, pointers and new memories."""
    features = network.encode_image(image).expand(2)
    conditioned = network.attend_memory(features.embedding, memory)
    nothing = PromptTensors.none(2, CPU)
    found = network.decode(conditioned, features.high_res, nothing, multimask=True).where_present().best()
    pointer = network.object_pointer(found.tokens[:, 0], found.object_logits)
    return found, pointer, network.encode_memory(features.embedding, found.logits, found.object_logits, binarize=False)
