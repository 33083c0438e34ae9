"""A network and a movie small enough that hundreds of frames are tracked in a test."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

from src_model.nn import ModelConfig, Sam2Network, build_network
from src_model.nn.image_encoder import HieraConfig
from src_model.tracking import StreamingPredictor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from src_model.masks import Masklet, Rle
    from src_model.tracking import Session

CONFIG = ModelConfig(
    "tiny-for-tests", HieraConfig(8, 1, (1, 1, 2, 1), (2,)), image_size=64, memory_layers=1, memory_hidden=64
)
LENGTH, SHAPE = 10, (40, 52)
CLICK = (20, 15)
OTHER_CLICK = (10, 40)
_PRESENT = 5.0


def build() -> Sam2Network:
    """Build a network of random weights that sees an object everywhere and gives masks that are neither empty nor full.

    The seed was chosen for that, and for masks that change from frame to frame.
    """
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = build_network(CONFIG)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)
        network.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(_PRESENT)
    return network


def make_movie(length: int = LENGTH) -> np.ndarray:
    """Make two bright spots that wander over noise: ``(length, 40, 52)`` uint8."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    frames = []
    for t in range(length):
        phase = t % 20
        first = np.exp(-((y - 20 - 0.5 * phase) ** 2 + (x - 15 - phase) ** 2) / 30)
        second = np.exp(-((y - 10) ** 2 + (x - 40 + 0.7 * phase) ** 2) / 20)
        frames.append(200 * (first + second) + random.normal(20, 6, SHAPE))
    return np.clip(frames, 0, 255).astype(np.uint8)


def predictor(network: Sam2Network, **options: object) -> StreamingPredictor:
    """Give the network a name and a hash, as if it had been loaded."""
    return StreamingPredictor(network, name="tiny", sha256="ab" * 32, **options)


@contextmanager
def sees(network: Sam2Network, *, anything: bool) -> Iterator[None]:
    """Make the network find every object, or none, for a while."""
    bias = network.sam_mask_decoder.pred_obj_score_head.layers[-1].bias
    before = bias.detach().clone()
    try:
        with torch.no_grad():
            bias.fill_(_PRESENT if anything else -8.0)
        yield
    finally:
        with torch.no_grad():
            bias.copy_(before)


def masks_of(session: Session, object_id: int = 1) -> dict[int, Rle]:
    """List the masks of an object by frame."""
    return {frame: entry.mask for frame, entry in session.masklets[object_id].entries().items()}


def copies(session: Session) -> dict[int, Masklet]:
    """Copy all masklets, to compare with later ones."""
    return {object_id: masklet.copy() for object_id, masklet in session.masklets.items()}


def finish(results: Iterator[object]) -> None:
    """Run a propagation to its end."""
    for _ in results:
        pass


def work(session: Session) -> None:
    """Do everything that can be done to a session."""
    session.prompt(2, 1, points=[CLICK])
    session.choose(2, 1, 1)
    session.prompt(3, 7, box=(5, 30, 18, 48), points=[(10, 40)])
    results = session.propagate()
    for _ in range(3):
        next(results)
    session.prompt(4, 1, points=[(25, 25)], labels=[0])
    session.prompt(4, 9, points=[(30, 45)])
    finish(results)
    finish(session.propagate(objects=[9], stop=7))
    finish(session.propagate(reverse=True))
    mask = np.zeros(SHAPE, bool)
    mask[20:30, 20:35] = True
    session.prompt(8, 1, mask=mask)
    session.lock(6, 1)
    finish(session.repair(8, 1))
    session.remove_object(9)
    session.clear_prompt(4, 1)
    session.prompt(1, 7, points=[(12, 38)], replace=True)


class CountingMovie:
    """A frame source that counts how often each frame is read."""

    def __init__(self, frames: np.ndarray) -> None:
        self._frames = frames
        self.shape, self.dtype, self.name = frames.shape, frames.dtype, "counted"
        self.reads = [0] * len(frames)

    def __len__(self) -> int:
        return len(self._frames)

    def read(self, frame: int) -> np.ndarray:
        self.reads[frame] += 1
        return self._frames[frame].copy()
