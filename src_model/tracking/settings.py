"""How a session tracks: the settings behind the presets ``default`` and ``official``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from src_model.memory.bank import MemoryBank
from src_model.memory.fifo import FifoPolicy
from src_model.memory.retention import Retention
from src_model.tracking.windows.rules import WINDOW_SIZES, WindowChoice

PresetName = Literal["default", "official"]
Precision = Literal["exact", "fast"]


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """Choices in which sam2v may differ from the reference predictor.

    Attributes
    ----------
    preset
        Name of the preset these settings came from.
    max_conditioning
        Prompted frames that the memory attention sees: the first one and those nearest in time. None: all.
    corrections_condition
        Whether a prompt on an already tracked frame makes it a conditioning frame. The reference predictor drops such
        corrections when the frame is tracked again.
    trust_prompts
        Take an object as present on frames where a positive point or a box shows it, whatever its occlusion score.
    prompts_bound_memory
        Look no further back for recent frames than to the nearest prompted one: what was tracked before a correction
        is what the correction was made against.
    absence_is_local
        A frame of which a prompt or a lock says that the object is not there speaks for itself alone: others do not
        attend to it. In the reference, an empty mask makes the object absent from all others too.
    memory_span
        Frames around the last tracked one of which the pointer is kept, of the six nearest the spatial memory too: what
        can be attended to. None: all of every frame ever tracked, as in the reference.
    conditioning_kept
        Prompted frames whose memory is kept ready; that of others is made again when needed. None: all.
    bfloat16_memories
        Round spatial memories to bfloat16, as the reference does even in float32.
    short_movie_pointers
        Let the time encoding of object pointers depend on the length of movies under 16 frames, as in the reference.
        Live input has no length, so this must be off for live and recorded results to agree.
    from_first_prompt
        Track an object only from its first prompt on (in reverse: from its last), instead of over the whole range.
    interpolation
        How images are brought to the size of the network input.
    fill_hole_area, remove_speck_area
        Holes and specks of at most this many pixels are mended in masks, unless over a tenth of the object. 0: never.
    window
        ``"auto"``: an object that is small on the network's grid is tracked in a window that follows it. ``"off"``:
        every object is tracked on the whole frame, as in the reference. A number: every object has a window of so many
        pixels, larger only where it would not fit.
    window_sizes
        Sides of the network input that windows are brought to. Left out are those that do not suit the network, or are
        under half or over twice the size that it was made for.
    target_model
        Learn what each object looks like while it is tracked, add that to its masks, and judge them by it; see
        :mod:`src_model.memory.target_model`. The reference knows nothing like it.
    size_likeness
        Take what the first click on an object means by the size of the movie's other objects, too; see
        :mod:`src_model.tracking.click_reading`. In the reference, predicted IoU alone decides.
    precision
        ``"exact"``: all in float32. ``"fast"``: image encoder, memory attention and memory encoder in bfloat16 or
        float16 where the device computes that fast, in float32 elsewhere; masks are always computed in float32.
    """

    preset: PresetName = "default"
    max_conditioning: int | None = 4
    corrections_condition: bool = True
    trust_prompts: bool = True
    prompts_bound_memory: bool = True
    absence_is_local: bool = True
    memory_span: int | None = 15
    conditioning_kept: int | None = 16
    bfloat16_memories: bool = False
    short_movie_pointers: bool = False
    from_first_prompt: bool = True
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    fill_hole_area: int = 16
    remove_speck_area: int = 16
    window: WindowChoice = "auto"
    window_sizes: tuple[int, ...] = WINDOW_SIZES
    target_model: bool = True
    size_likeness: bool = True
    precision: Precision = "exact"

    @property
    def memory_policy(self) -> FifoPolicy:
        """Which frames enter an object's memory, and which of them are read."""
        return FifoPolicy(self.max_conditioning, self.prompts_bound_memory, self.absence_is_local)

    @property
    def memory_retention(self) -> Retention:
        """How much of them is kept."""
        return Retention(span=self.memory_span, conditioning=self.conditioning_kept)

    def new_memory_bank(self) -> MemoryBank:
        """Make the memory of an object of which nothing is known yet."""
        return MemoryBank(self.memory_policy, self.memory_retention)


PRESETS: dict[str, TrackingSettings] = {
    "default": TrackingSettings(),
    "official": TrackingSettings(
        preset="official",
        max_conditioning=None,
        corrections_condition=False,
        trust_prompts=False,
        prompts_bound_memory=False,
        absence_is_local=False,
        memory_span=None,
        conditioning_kept=None,
        bfloat16_memories=True,
        short_movie_pointers=True,
        from_first_prompt=False,
        interpolation="bicubic",
        fill_hole_area=0,
        remove_speck_area=0,
        window="off",
        target_model=False,
        size_likeness=False,
    ),
}
"""The settings by preset name."""
