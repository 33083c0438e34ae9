"""What one frame leaves in a memory bank."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from src_model.masks.window import Window
    from src_model.memory.target_model import TargetSamples


@dataclass(slots=True)
class MemoryEntry:
    """What one frame left in the bank.

    Attributes
    ----------
    logits
        ``(1, 1, S / 4, S / 4)`` mask logits, from which the spatial memory is made and a correction starts; None where
        the mask does in their place.
    object_logits
        ``(1, 1)`` occlusion score.
    pointer
        ``(1, 256)`` object pointer.
    memory
        ``(1, 64, h, w)`` spatial memory; None where it is made when it is needed.
    window
        In which logits and memory were made; None: the whole frame.
    overview
        ``(1, 64, h, w)`` spatial memory of the whole frame besides that of the window; None until it is first needed.
    samples
        Pixels that the target model learns from, made with the spatial memory; None where there is no such model, and
        on tracked frames that the network was not sure of.
    """

    logits: Tensor | None
    object_logits: Tensor
    pointer: Tensor
    memory: Tensor | None = None
    window: Window | None = None
    overview: Tensor | None = None
    samples: TargetSamples | None = None

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All that takes memory."""
        held = (self.logits, self.object_logits, self.pointer, self.memory, self.overview)
        pixels = () if self.samples is None else self.samples.tensors
        return (*(tensor for tensor in held if tensor is not None), *pixels)

    @property
    def nbytes(self) -> int:
        """Bytes of its tensors."""
        return sum(tensor.nbytes for tensor in self.tensors)

    def without_logits(self) -> MemoryEntry:
        """Return what can be attended to; a spatial memory not made yet is made from the mask then."""
        return self if self.logits is None else replace(self, logits=None)

    def pointer_alone(self) -> MemoryEntry:
        """Return what a frame is attended to by that lies too far back for its spatial memory."""
        return replace(self, logits=None, memory=None, overview=None, samples=None)
