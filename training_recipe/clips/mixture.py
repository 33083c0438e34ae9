"""The training mixture: sources drawn by weight, and the clips held out from all of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from src_model.datasets import STILLS_HELD_OUT, open_dataset, split_by_name
from src_model.errors import MovieError
from src_model.simulation import SIMULATED_KINDS
from training_recipe.clips.clip import ByteArray, Clip, ClipSource, Footage
from training_recipe.clips.crowds import CrowdSource
from training_recipe.clips.cutouts import CutoutLibrary
from training_recipe.clips.files import read_footage, read_still, read_tracked, read_video
from training_recipe.clips.finishing import Finish
from training_recipe.clips.framing import FramingSettings
from training_recipe.clips.pasted import PastedSource
from training_recipe.clips.recorded import CellTrackSource, RealVideoSource, source_of, tracklet_source
from training_recipe.clips.simulated import HELD_OUT_SEED, Clock, SimulatedSource
from training_recipe.clips.stills import Still, WarpedStillSource
from training_recipe.clips.tracklets import TrackletScenes, cutout_footages, natural_stills

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from src_model.datasets import LabelledMovie

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
    "tracklet": 0.14,
    "warped-scene": 0.05,
}
"""Share of the clips per kind; kinds without a source share theirs out, several sources of a kind share it evenly."""


DAVIS_FOLDER = "davis2016_train"
"""DAVIS 2016's training set; its validation set is only evaluated on, so that numbers compare with papers."""

_SEQUENCES_HELD_OUT = 4
_STILLS_A_SEQUENCE = 3


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
        clock: Clock | None = None,
    ) -> None:
        self.crowds = crowds
        self.clock = clock or Clock()
        weights = DEFAULT_WEIGHTS if weights is None else weights
        self.sources = [source for source in sources if weights.get(source.kind, 0) > 0]
        if not self.sources:
            raise ValueError(f"no source has a weight: sources {[s.kind for s in sources]}, weights {weights}")
        kinds = [source.kind for source in self.sources]
        shares = np.array([weights[kind] / kinds.count(kind) for kind in kinds])
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
    shared_data: Path,
    *,
    weights: dict[str, float] | None = None,
    first_seed: int = 0,
    extra: Sequence[Path] = (),
    pseudo: Path | None = None,
) -> MixtureSource:
    """Make the mixture the default checkpoint is trained on.

    Parameters
    ----------
    shared_data : folder with davis2016_train/, dsb2018/, t98g/, videos/ and pseudo/; what is not there is left out
    weights : share per kind, `DEFAULT_WEIGHTS` if None
    first_seed : seed of the first simulated movie
    extra : more data sets, in any layout of `src_model.datasets`; all of them is trained on, nothing held out
    pseudo : DAVIS folder of short natural movies with several objects each, every one labelled on all frames, such as
        pseudo-labels; pseudo/ of shared_data if None
    """
    pseudo = pseudo or shared_data / "pseudo"
    movies = _movies_in(pseudo, "davis")
    recorded = recorded_sources(shared_data, held_out=False, pasted=cutout_footages(movies))
    recorded += [source_of(path) for path in extra]
    if movies:
        recorded.append(tracklet_source(pseudo))
    drawn = davis_movies(shared_data / DAVIS_FOLDER, held_out=False)
    scenes = [*natural_stills(movies), *natural_stills(drawn, _STILLS_A_SEQUENCE)]
    if scenes:
        recorded.append(WarpedStillSource(scenes, kind="warped-scene", finish=Finish(microscopy=False)))
    clock = Clock()
    simulated = [SimulatedSource(kind, first_seed=first_seed, clock=clock) for kind in SIMULATED_KINDS]
    # What one click means is hardest where cells touch, are thin, or are like their neighbours: these count twice.
    hard = [source for source in simulated if source.kind in {"sheet", "rods", "phase"}]
    crowds = CrowdSource(
        [*simulated, *hard, *_cell_tracks(shared_data)],
        _stills(shared_data / "dsb2018", held_out=False),
        natural=TrackletScenes(movies) if movies else None,
    )
    return MixtureSource([*recorded, *simulated], weights, crowds, clock)


def held_out_clips(shared_data: Path, *, per_kind: int, frames: int, size: int) -> list[Clip]:
    """Clips of what training never sees, always the same ones, without photometric variation.

    Natural videos give twice as many at twice the size, as whole frames are tracked.
    """
    plain = Finish(microscopy=True, varied=False)
    sources: list[ClipSource] = [*recorded_sources(shared_data, held_out=True)]
    for kind in SIMULATED_KINDS:
        sources.append(
            SimulatedSource(
                kind, first_seed=HELD_OUT_SEED, pool_size=max(4, per_kind), steps_per_movie=None, finish=plain
            )
        )
    clips: list[Clip] = []
    for source in sources:
        rng = np.random.default_rng([HELD_OUT_SEED, *source.kind.encode()])
        factor = 2 if source.kind == RealVideoSource.kind else 1
        clips.extend(source.sample(rng, frames=frames, size=factor * size) for _ in range(factor * per_kind))
    return clips


def recorded_sources(
    shared_data: Path, *, held_out: bool, pasted: Sequence[Callable[[], Footage]] = ()
) -> list[PreloadableSource]:
    """Make sources of recordings: the training halves, or the held-out halves framed but not varied.

    Parameters
    ----------
    shared_data : folder of recordings, as in `default_mixture`
    held_out : take the halves that are kept for evaluation
    pasted : more objects to cut out and paste
    """
    footages = [partial(read_footage, movie) for movie in davis_movies(shared_data / DAVIS_FOLDER, held_out=held_out)]
    stills = _stills(shared_data / "dsb2018", held_out=held_out)
    videos = [] if held_out else _videos(shared_data / "videos")
    natural = Finish(microscopy=False, varied=not held_out)
    cells = replace(natural, microscopy=True)
    sources: list[PreloadableSource] = []
    if footages:
        sources.append(
            RealVideoSource(footages, finish=replace(natural, occluded=0.16, framing=FramingSettings(whole_frame=0.45)))
        )
    sources += [] if held_out else _cell_tracks(shared_data)
    if stills:
        sources.append(WarpedStillSource(stills, finish=cells))
    scenes: list[Callable[[], ByteArray]] = [*videos, *(partial(_frames_of, footage) for footage in footages)]
    if scenes:
        cell_scenes: list[Callable[[], ByteArray]] = [partial(_picture_of, still) for still in stills]
        # What was drawn by hand is cut out as often as what was not.
        drawn = footages * max(1, len(pasted) // max(1, len(footages)))
        library = CutoutLibrary([*drawn, *pasted], stills, scenes)
        sources.append(PastedSource(library, scenes, cell_scenes, finish=replace(natural, occluded=0.06)))
    if not sources and not held_out and not pasted and shared_data.exists() and any(shared_data.iterdir()):
        raise MovieError(f"{shared_data} has none of the folders {DAVIS_FOLDER}, dsb2018, t98g, videos")
    return sources


def _cell_tracks(shared_data: Path) -> list[CellTrackSource]:
    movies = [partial(read_tracked, movie) for movie in _movies_in(shared_data / "t98g", "pairs")]
    return [CellTrackSource(movies, finish=Finish(microscopy=True))] if movies else []


def davis_movies(folder: Path, *, held_out: bool) -> list[LabelledMovie]:
    """Sequences of a DAVIS folder; the last four by name evaluate."""
    movies = {movie.name: movie for movie in _movies_in(folder, "davis")}
    return [movies[name] for name in split_by_name(movies, held_out=held_out, last=_SEQUENCES_HELD_OUT)]


def still_movies(folder: Path, *, held_out: bool) -> list[LabelledMovie]:
    """Labelled stills of a folder; the last 60 by name evaluate."""
    movies = {movie.name: movie for movie in _movies_in(folder, "stills")}
    return [movies[name] for name in split_by_name(movies, held_out=held_out, last=STILLS_HELD_OUT)]


def _movies_in(folder: Path, layout: str) -> Sequence[LabelledMovie]:
    return open_dataset(folder, layout=layout) if folder.is_dir() else ()


def _stills(folder: Path, *, held_out: bool) -> list[Callable[[], Still]]:
    return [partial(read_still, movie) for movie in still_movies(folder, held_out=held_out)]


def _videos(folder: Path) -> list[Callable[[], ByteArray]]:
    return [partial(read_video, path) for path in sorted(folder.glob("*.mp4"))]


def _frames_of(footage: Callable[[], Footage]) -> ByteArray:
    return footage().images


def _picture_of(still: Callable[[], Still]) -> ByteArray:
    return still()[0][None]
