"""Memories made again from masks, where they are not held, or only for a window of another scale."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from src_model.masks.window import cut_mask
from src_model.memory.target_model import is_sure

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    import torch
    from torch import Tensor

    from src_model.masks import Masklet, Rle
    from src_model.masks.window import Window
    from src_model.memory.bank import MemoryBank
    from src_model.memory.entry import MemoryEntry
    from src_model.memory.warping import Place
    from src_model.nn import ImageFeatures, Sam2Network


class MemoryNetwork(Protocol):
    """The network's part: masks in, entries and spatial memories out."""

    @property
    def network(self) -> Sam2Network:
        """The network."""
        ...

    @property
    def device(self) -> torch.device:
        """Where its tensors live."""
        ...

    @property
    def image_size(self) -> int:
        """Side of its input."""
        ...

    def take_mask(self, features: ImageFeatures, mask: Rle) -> MemoryEntry:
        """Take a mask as the truth of what was encoded: logits, pointer, no spatial memory yet."""
        ...

    def add_memory(self, entry: MemoryEntry, features: ImageFeatures, *, binarize: bool) -> None:
        """Encode the spatial memory of an entry that holds logits, and take its samples, in place."""
        ...


Steps = TypeVar("Steps", bound=MemoryNetwork)


class RememberedObject(Protocol):
    """What has to be known of an object to read its memory and make it again."""

    @property
    def bank(self) -> MemoryBank:
        """Its memory."""
        ...

    @property
    def masklet(self) -> Masklet:
        """Its masks so far."""
        ...

    @property
    def prompts(self) -> Container[int]:
        """Frames that hold a prompt."""
        ...

    @property
    def locked(self) -> Container[int]:
        """Frames that tracking never changes."""
        ...

    @property
    def directions(self) -> Mapping[int, bool]:
        """Every tracked frame, with whether it was tracked in reverse."""
        ...


@dataclass(frozen=True, slots=True)
class MemoryRebuilder(Generic[Steps]):
    """Gives entries and spatial memories of frames, made again from their masks where the bank has them no longer.

    Attributes
    ----------
    steps
        The network, and what it does for a memory: encode masks, make pointers.
    features
        Gives the image features of a frame; where objects have windows, of a window too, as its second argument.
    """

    steps: Steps
    features: Callable[..., ImageFeatures]

    def window_features(self, frame: int, window: Window | None) -> ImageFeatures:
        """Return the features of a window of a frame; None: of the whole frame."""
        return self.features(frame) if window is None else self.features(frame, window)

    def entry(self, item: RememberedObject, frame: int, window: Window | None) -> MemoryEntry:
        """Return what a frame left; it is made in ``window`` if it is no longer held."""
        entry = item.bank.entry(frame)
        if entry is None:
            entry = self._made_again(item, frame, window)
            item.bank.restore(frame, entry)
        return entry

    def memory(self, item: RememberedObject, frame: int, entry: MemoryEntry) -> Tensor:
        """Return the spatial memory of an entry, in the window of that entry."""
        if entry.memory is None:
            features, whole = self.window_features(frame, entry.window), entry
            if entry.logits is None:
                mask = cut_mask(_known_mask(item, frame), entry.window)
                whole = replace(entry, logits=self.steps.take_mask(features, mask).logits)
            self.steps.add_memory(whole, features, binarize=frame in item.prompts)
            entry.memory = whole.memory
            # The network's own score is not kept. The shown one is never higher: of what is made again, target
            # models learn from no more frames than before.
            entry.samples = whole.samples if frame in item.prompts or is_sure(item.masklet.get(frame)) else None
        assert entry.memory is not None, "it was added"
        return entry.memory

    def overview(self, item: RememberedObject, frame: int, entry: MemoryEntry) -> Tensor:
        """Remember the whole frame besides the window, for as long as the window's own memory is held."""
        if entry.overview is None:
            entry.overview = self.memory(item, frame, self._made_again(item, frame, None))
        return entry.overview

    def rescaled(self, item: RememberedObject, frame: int, entry: MemoryEntry, window: Window) -> MemoryEntry:
        """Replace an entry by one that is made in a window of this scale; pointers carry over."""
        again = self._made_again(item, frame, window)
        again.pointer, again.object_logits = entry.pointer, entry.object_logits
        again.overview = entry.memory if entry.window is None else entry.overview
        item.bank.restore(frame, again)
        return again

    def _made_again(self, item: RememberedObject, frame: int, window: Window | None) -> MemoryEntry:
        mask = _known_mask(item, frame)
        centre = mask_centre(mask)
        if window is not None and centre is not None and mask.box and not window.holds(mask.box, mask.shape):
            window = window.moved_to(centre, mask.shape)
        entry = self.steps.take_mask(self.window_features(frame, window), cut_mask(mask, window))
        entry.window = window
        return entry


def mask_centre(mask: Rle | None) -> Place | None:
    """Middle ``(y, x)`` of a mask's box; None if there is no mask, or an empty one."""
    box = None if mask is None else mask.box
    return None if box is None else ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)


def _known_mask(item: RememberedObject, frame: int) -> Rle:
    mask = item.masklet.mask_at(frame)
    assert mask is not None, "plans name only frames whose masks are known"
    return mask
