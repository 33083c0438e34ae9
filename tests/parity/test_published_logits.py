"""The real tiny checkpoint of SAM 2.1 gives the logits published for it.

The numbers are those of the integration test of ``sam2_video`` in transformers: the upper left corner of the mask
logits of the first three frames of a video. That test enlarges low-resolution logits bilinearly to the video's size,
and its images are resized as 8-bit values, bilinearly with antialiasing, where the official predictor and our preset
use bicubic. So the frames come to our predictor in the size of the network input already.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
import torch
import torch.nn.functional as F

from src_model import StreamingPredictor

if TYPE_CHECKING:
    from torch import Tensor

pytestmark = [pytest.mark.network, pytest.mark.slow]

HEIGHT, WIDTH, INPUT = 540, 960, 1024
FRAMES = 16  # In a shorter movie the official preset encodes times of object pointers differently.

TOLERANCE = 0.1
"""Transformers allows 1e-4 to 1e-2; other video decoders and resizers change pixels by a gray value."""

PROMPTS: dict[str, dict[str, Any]] = {
    "click": {"points": [(210, 350)]},
    "two clicks": {"points": [(210, 350), (250, 220)]},
    "box": {"box": (300, 0, 500, 400)},
    "another box": {"box": (400, 0, 600, 400)},
    "box and click": {"box": (300, 0, 500, 400), "points": [(460, 60)]},
    "clicks inside and outside": {"points": [(200, 300), (230, 250), (275, 175)], "labels": [1, 1, 0]},
    "another click": {"points": [(400, 150)]},
}
"""Points are (x, y), boxes (x0, y0, x1, y1), in pixels of the video, as published."""

PUBLISHED = {
    "click": [(-21.4113, -23.3090), (-20.1003, -21.2294), (-19.9619, -21.3060)],
    "two clicks": [(-11.1487, -11.6522), (-15.3821, -16.0333), (-15.4855, -16.4230)],
    "box": [(-13.1427, -13.7753), (-14.9998, -15.7086), (-15.4558, -16.1649)],
    "another box": [(-8.4576, -8.7329), (-9.2998, -9.8947), (-10.4880, -11.2098)],
    "box and click": [(-12.3525, -13.0608), (-15.8181, -16.4163), (-15.8900, -16.5953)],
    "clicks inside and outside": [(-12.6294, -13.3659), (-18.5249, -19.5830), (-14.2722, -15.4622)],
    "another click": [(-20.3319, -22.0491), (-17.5537, -19.2259), (-18.3185, -20.0314)],
}
"""Logits of the first pixel of the first two rows, in frames 0, 1 and 2."""


def bedroom() -> Tensor:
    """Fetch the first frames of the video: ``(FRAMES, 3, HEIGHT, WIDTH)`` uint8."""
    av = pytest.importorskip("av", reason="PyAV is not installed (extra: video)")
    from huggingface_hub import hf_hub_download

    path = hf_hub_download("hf-internal-testing/sam2-fixtures", "bedroom.mp4", repo_type="dataset")
    with av.open(path) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in islice(container.decode(video=0), FRAMES)]
    return torch.stack([torch.from_numpy(frame) for frame in frames]).permute(0, 3, 1, 2)


def in_input_pixels(prompt: dict[str, Any]) -> dict[str, Any]:
    """Turn a published prompt into ours: (y, x) order, and in pixels of the resized frames."""
    scale_x, scale_y = INPUT / WIDTH, INPUT / HEIGHT
    ours = dict(prompt)
    if "points" in prompt:
        ours["points"] = [(y * scale_y, x * scale_x) for x, y in prompt["points"]]
    if "box" in prompt:
        x0, y0, x1, y1 = prompt["box"]
        ours["box"] = (y0 * scale_y, x0 * scale_x, y1 * scale_y, x1 * scale_x)
    return ours


@pytest.fixture(scope="module")
def tracked() -> dict[str, list[Tensor]]:
    """Low-resolution logits of three frames for every prompt, each of which is an object of its own."""
    video = bedroom()
    assert video.shape == (FRAMES, 3, HEIGHT, WIDTH)
    frames = F.interpolate(video, (INPUT, INPUT), mode="bilinear", antialias=True).permute(0, 2, 3, 1).numpy()
    session = StreamingPredictor.load("sam2.1-tiny", device="cpu", preset="official").start(frames)
    numbers = {name: number for number, name in enumerate(PROMPTS, start=1)}
    logits = {
        name: [session.prompt(0, number, **in_input_pixels(PROMPTS[name])).logits] for name, number in numbers.items()
    }
    for result in session.propagate(1, 3):
        for name, number in numbers.items():
            logits[name].append(result.logits[number])
    return logits


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", PROMPTS)
def test_logits_are_those_published(name: str, tracked: dict[str, list[Tensor]]) -> None:
    enlarged = F.interpolate(torch.stack(tracked[name])[:, None], (HEIGHT, WIDTH), mode="bilinear")
    torch.testing.assert_close(enlarged[:, 0, :2, 0], torch.tensor(PUBLISHED[name]), atol=TOLERANCE, rtol=0)
