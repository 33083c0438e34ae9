"""The training mixture: sources drawn by weight, and the clips held out from all of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from src_model.errors import MovieError
from src_model.training.clips.clip import ByteArray, Clip, ClipSource, Footage
from src_model.training.clips.crowds import CrowdSource
from src_model.training.clips.cutouts import CutoutLibrary
from src_model.training.clips.files import (
    davis_names,
    read_davis,
    read_still,
    read_tracked_movie,
    read_video,
    still_paths,
)
from src_model.training.clips.finishing import Finish
from src_model.training.clips.framing import FramingSettings
from src_model.training.clips.pasted import PastedSource
from src_model.training.clips.recorded import CellTrackSource, RealVideoSource
from src_model.training.clips.simulated import HELD_OUT_SEED, SimulatedSource
from src_model.training.clips.stills import Still, WarpedStillSource
from src_model.training.simulation import SIMULATED_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

DEFAULT_WEIGHTS: dict[str, float] = {
    "real-video": 0.17,
    "cell-track": 0.08,
    "warped-still": 0.19,
    "pasted": 0.16,
    "nuclei": 0.07,
    "sheet": 0.15,
    "rods": 0.07,
    "phase": 0.07,
    "vesicles": 0.04,
}
"""Share of the clips per kind."""


class _Preloadable(Protocol):
    def preload(self) -> None: ...


class PreloadableSource(ClipSource, _Preloadable, Protocol):
    """A source that can read or render all it needs before the first clip."""


class MixtureSource:
    """Draws every clip from one of several sources, by weight."""

    kind = "mixture"

    def __init__(
        self,
        sources: Sequence[PreloadableSource],
        weights: dict[str, float] | None = None,
        crowds: CrowdSource | None = None,
    ) -> None:
        self.crowds = crowds
        weights = DEFAULT_WEIGHTS if weights is None else weights
        self.sources = [source for source in sources if weights.get(source.kind, 0) > 0]
        if not self.sources:
            raise ValueError(f"no source has a weight: sources {[s.kind for s in sources]}, weights {weights}")
        shares = np.array([weights[source.kind] for source in self.sources])
        self.shares = shares / shares.sum()

    def preload(self) -> None:
        """Read and render everything now; before workers fork, so that they share it."""
        for source in self.sources:
            source.preload()

    def sample(self, rng: np.random.Generator, *, frames: int, size: int) -> Clip:
        """Make a clip of one of the sources (see `ClipSource`)."""
        source = self.sources[int(rng.choice(len(self.sources), p=self.shares))]
        return source.sample(rng, frames=frames, size=size)


def default_mixture(
    shared_data: Path, *, weights: dict[str, float] | None = None, first_seed: int = 0
) -> MixtureSource:
    """Make the mixture the default checkpoint is trained on.

    Parameters
    ----------
    shared_data : folder with davis2016/, dsb2018/, t98g/ and videos/; what is not there is left out of the mixture
    weights : share per kind, `DEFAULT_WEIGHTS` if None
    first_seed : seed of the first simulated movie; workers that run side by side each need their own range
    """
    recorded = recorded_sources(shared_data, held_out=False)
    simulated = [SimulatedSource(kind, first_seed=first_seed) for kind in SIMULATED_KINDS]
    # Sheets, where every cell is like its neighbours, count twice.
    sheets = [source for source in simulated if source.kind == "sheet"]
    crowds = CrowdSource([*simulated, *sheets], _stills(shared_data / "dsb2018", held_out=False))
    return MixtureSource([*recorded, *simulated], weights, crowds)


def held_out_clips(shared_data: Path, *, per_kind: int, frames: int, size: int) -> list[Clip]:
    """Clips of what training never sees, always the same ones, without photometric variation."""
    plain = Finish(microscopy=True, varied=False)
    sources: list[ClipSource] = [*recorded_sources(shared_data, held_out=True)]
    for kind in SIMULATED_KINDS:
        sources.append(
            SimulatedSource(
                kind, first_seed=HELD_OUT_SEED, pool_size=max(4, per_kind), clips_per_movie=None, finish=plain
            )
        )
    clips: list[Clip] = []
    for source in sources:
        rng = np.random.default_rng([HELD_OUT_SEED, *source.kind.encode()])
        clips.extend(source.sample(rng, frames=frames, size=size) for _ in range(per_kind))
    return clips


def recorded_sources(shared_data: Path, *, held_out: bool) -> list[PreloadableSource]:
    """Make sources of recordings: the training halves, or the held-out halves framed but not varied."""
    footages = _footages(shared_data / "davis2016", held_out=held_out)
    stills = _stills(shared_data / "dsb2018", held_out=held_out)
    videos = [] if held_out else _videos(shared_data / "videos")
    tracked = [] if held_out else _tracked(shared_data / "t98g")
    natural = Finish(microscopy=False, varied=not held_out)
    cells = replace(natural, microscopy=True)
    sources: list[PreloadableSource] = []
    if footages:
        sources.append(
            RealVideoSource(footages, finish=replace(natural, occluded=0.16, framing=FramingSettings(whole_frame=0.45)))
        )
    if tracked:
        sources.append(CellTrackSource([partial(read_tracked_movie, *paths) for paths in tracked], finish=cells))
    if stills:
        sources.append(WarpedStillSource(stills, finish=cells))
    scenes: list[Callable[[], ByteArray]] = [*videos, *(partial(_frames_of, footage) for footage in footages)]
    if scenes:
        cell_scenes: list[Callable[[], ByteArray]] = [partial(_picture_of, still) for still in stills]
        library = CutoutLibrary(footages, stills, scenes)
        sources.append(PastedSource(library, scenes, cell_scenes, finish=replace(natural, occluded=0.06)))
    if not sources and not held_out and shared_data.exists() and any(shared_data.iterdir()):
        raise MovieError(f"{shared_data} has none of the folders davis2016, dsb2018, t98g, videos")
    return sources


def _footages(folder: Path, *, held_out: bool) -> list[Callable[[], Footage]]:
    if not folder.is_dir():
        return []
    return [partial(read_davis, folder, name) for name in davis_names(folder, held_out=held_out)]


def _stills(folder: Path, *, held_out: bool) -> list[Callable[[], Still]]:
    return [partial(read_still, path) for path in still_paths(folder, held_out=held_out)]


def _videos(folder: Path) -> list[Callable[[], ByteArray]]:
    return [partial(read_video, path) for path in sorted(folder.glob("*.mp4"))]


def _tracked(folder: Path) -> list[tuple[Path, Path]]:
    paths = (folder / "t98g_phase_contrast.tif", folder / "t98g_tracked_masks.tif")
    return [paths] if all(path.is_file() for path in paths) else []


def _frames_of(footage: Callable[[], Footage]) -> ByteArray:
    return footage().images


def _picture_of(still: Callable[[], Still]) -> ByteArray:
    return still()[0][None]
